// Which button did somebody click, or which check is to run again?
import { z } from 'zod';
import type { Message, RepositoryNews } from '../../workflows/messages.ts';
import { parseActionId, parseExternalId, projectOfCheck } from '../../workflows/model/check.ts';
import { parseSha } from '../../workflows/model/identifiers.ts';
import { isBot, repositoryOf, repositoryShape } from './repository.ts';

const shape = z.object({
  ...repositoryShape,
  action: z.enum(['requested_action', 'rerequested']),
  check_run: z.object({ name: z.string(), head_sha: z.string(), external_id: z.string().nullish() }),
  requested_action: z.object({ identifier: z.string() }).nullish(),
});

/** None for checks that are not ours, for bots, and for every other action. */
export function parseCheckRunEvent(
  deliveryId: string,
  payload: unknown,
): readonly (Message | RepositoryNews)[] {
  const { action } = z.object({ action: z.string() }).parse(payload);
  if (action !== 'requested_action' && action !== 'rerequested') return [];
  const event = shape.parse(payload);
  const { name, head_sha, external_id } = event.check_run;
  const shown = parseExternalId(external_id ?? '');
  if (shown === null || isBot(event.sender)) return [];
  const repository = repositoryOf(event);
  const ref = { repository, number: shown.number };
  const said = { deliveryId, actor: event.sender.login, head: parseSha(head_sha) };
  const about = { ...said, ref };
  // It shows the worst of all that have this head, and bears the name of whoever wrote last. Who has heard it is not told twice.
  if (event.action === 'rerequested')
    return [
      { kind: 'rerun', ...about },
      { kind: 'rerun', repository, ...said },
    ];
  const clicked = parseActionId(event.requested_action?.identifier ?? '');
  if (clicked === null) return [];
  const { button, locks, number } = clicked;
  // The round on the check is another's by now: whoever the button was about refuses it as out of date.
  const meant = number === null ? about : { ...about, ref: { repository, number } };
  return [{ kind: 'click', ...meant, button, locks, project: projectOfCheck(name), roundId: shown.roundId }];
}
