// Which branch did a push move, where to, and who pushed?
import { z } from 'zod';
import type { RepositoryNews } from '../../workflows/messages.ts';
import { parseSha } from '../../workflows/model/identifiers.ts';
import { repositoryOf, repositoryShape } from './repository.ts';

const shape = z.object({ ...repositoryShape, ref: z.string(), after: z.string(), deleted: z.boolean() });

/** Branches of the merge queue are nobody's base; its groups have an event of their own. */
const queueBranchPrefix = 'gh-readonly-queue/';

/** Null for tags, deleted branches and those of the merge queue. */
export function parsePushEvent(payload: unknown): RepositoryNews | null {
  const event = shape.parse(payload);
  const branch = /^refs\/heads\/(.+)$/s.exec(event.ref)?.[1];
  if (branch === undefined || event.deleted || branch.startsWith(queueBranchPrefix)) return null;
  // GitHub says who sent it; `pusher` beside it is what their git called them.
  const push = { head: parseSha(event.after), login: event.sender.login };
  return { kind: 'pushed', repository: repositoryOf(event), branch, push };
}
