// Which pull requests are to run again, when somebody asks for all checks of a commit?
import { z } from 'zod';
import type { Message, RepositoryNews } from '../../workflows/messages.ts';
import { parseSha } from '../../workflows/model/identifiers.ts';
import { isBot, repositoryOf, repositoryShape } from './repository.ts';

const shape = z.object({
  ...repositoryShape,
  action: z.literal('rerequested'),
  check_suite: z.object({
    head_sha: z.string(),
    pull_requests: z.array(
      z.object({ number: z.int(), base: z.object({ repo: z.object({ id: z.int() }) }) }),
    ),
  }),
});

/** One message per pull request of this repository; GitHub names none for the head of a fork: then we have to look. */
export function parseCheckSuiteEvent(
  deliveryId: string,
  payload: unknown,
): readonly (Message | RepositoryNews)[] {
  const { action } = z.object({ action: z.string() }).parse(payload);
  if (action !== 'rerequested') return [];
  const event = shape.parse(payload);
  if (isBot(event.sender)) return [];
  const repository = repositoryOf(event);
  const { head_sha, pull_requests } = event.check_suite;
  const actor = event.sender.login;
  const head = parseSha(head_sha);
  const own = pull_requests.filter(({ base }) => base.repo.id === event.repository.id);
  if (own.length === 0) return [{ kind: 'rerun', repository, deliveryId, actor, head }];
  return own.map(({ number }) => ({
    kind: 'rerun',
    deliveryId,
    ref: { repository, number },
    actor,
    head,
  }));
}
