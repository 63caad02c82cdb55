// What does the merge queue want to know, or no longer?
import { z } from 'zod';
import type { GroupNews } from '../../workflows/messages.ts';
import { parseSha } from '../../workflows/model/identifiers.ts';
import { repositoryOf, repositoryShape } from './repository.ts';

const { installation, repository } = repositoryShape;
const branch = z
  .string()
  .regex(/^refs\/heads\/./)
  .transform((ref) => ref.slice('refs/heads/'.length));
/** The queue's branch is called `gh-readonly-queue/<base>/pr-<number>-<sha>`, after the group's last pull request. */
const queueBranch = z
  .string()
  .regex(/\/pr-[1-9]\d{0,9}-[0-9a-f]+$/)
  .transform((ref) => Number(/\/pr-(\d+)-[0-9a-f]+$/.exec(ref)?.[1]));
const shape = z.object({
  installation,
  repository,
  action: z.enum(['checks_requested', 'destroyed']),
  merge_group: z.object({
    head_sha: z.string(),
    head_ref: queueBranch,
    base_sha: z.string(),
    base_ref: branch,
  }),
});

/** Null for every other action. */
export function parseMergeGroupEvent(payload: unknown): GroupNews | null {
  const { action } = z.object({ action: z.string() }).parse(payload);
  if (action !== 'checks_requested' && action !== 'destroyed') return null;
  const event = shape.parse(payload);
  const { head_sha, head_ref, base_sha, base_ref } = event.merge_group;
  return {
    kind: event.action === 'destroyed' ? 'group-destroyed' : 'group-requested',
    group: {
      repository: repositoryOf(event),
      headSha: parseSha(head_sha),
      number: head_ref,
      baseSha: parseSha(base_sha),
      base: base_ref,
    },
  };
}
