// Which branch did a push move?
import { z } from 'zod';
import type { RepositoryNews } from '../../workflows/messages.ts';
import { repositoryOf, repositoryShape } from './repository.ts';

const { installation, repository } = repositoryShape;
const shape = z.object({ installation, repository, ref: z.string(), deleted: z.boolean() });

/** Branches of the merge queue are nobody's base; its groups have an event of their own. */
const queueBranchPrefix = 'gh-readonly-queue/';

/** Null for tags, deleted branches and those of the merge queue. */
export function parsePushEvent(payload: unknown): RepositoryNews | null {
  const event = shape.parse(payload);
  const branch = /^refs\/heads\/(.+)$/s.exec(event.ref)?.[1];
  if (branch === undefined || event.deleted || branch.startsWith(queueBranchPrefix)) return null;
  return { kind: 'pushed', repository: repositoryOf(event), branch };
}
