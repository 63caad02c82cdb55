// What does a `pull_request` event say?
import { z } from 'zod';
import type { Message } from '../../workflows/messages.ts';
import { parseSha } from '../../workflows/model/identifiers.ts';
import type { PullRequest } from '../../workflows/model/pull-request.ts';
import { repositoryOf, repositoryShape } from './repository.ts';

const actions = [
  'opened',
  'synchronize',
  'reopened',
  'ready_for_review',
  'converted_to_draft',
  'edited',
  'labeled',
  'unlabeled',
  'unlocked',
  'closed',
] as const;

const login = z.object({ login: z.string() });
const shape = z.object({
  ...repositoryShape,
  action: z.enum(actions),
  changes: z.object({ base: z.unknown(), title: z.unknown() }).partial().optional(),
  pull_request: z.object({
    node_id: z.string(),
    number: z.int(),
    title: z.string(),
    state: z.enum(['open', 'closed']),
    draft: z.boolean().optional(),
    merged: z.boolean().nullish(),
    merge_commit_sha: z.string().nullish(),
    merged_by: login.nullish(),
    merged_at: z.string().nullish(),
    user: login.nullable(),
    labels: z.array(z.object({ name: z.string() })),
    head: z.object({ sha: z.string(), repo: z.object({ id: z.int() }).nullable() }),
    base: z.object({ ref: z.string(), sha: z.string(), repo: z.object({ id: z.int() }) }),
  }),
});

/** Null for actions that change nothing here: an edited text, a new label on what is over, or its unlocking. */
export function parsePullRequestEvent(deliveryId: string, payload: unknown): Message | null {
  if (!z.object({ action: z.enum(actions) }).safeParse(payload).success) return null;
  const event = shape.parse(payload);
  const unlocked = event.action === 'unlocked';
  if ((unlocked || isAboutWords(event)) && event.pull_request.state === 'closed') return null;
  if (event.action === 'edited' && event.changes?.base === undefined && !isAboutWords(event)) return null;
  const repository = repositoryOf(event);
  const pullRequest = pullRequestOf(event.pull_request);
  // Who pushed what is opened is told by the push itself.
  const pusher = event.action === 'synchronize' ? event.sender.login : null;
  const ref = { repository, number: pullRequest.number };
  const about = { kind: 'pull-request', deliveryId, ref, pullRequest, pusher } as const;
  return unlocked ? { ...about, unlocked: true } : about;
}

/** What policies may see, and nothing else reads. */
function isAboutWords({ action, changes }: z.infer<typeof shape>): boolean {
  if (action === 'labeled' || action === 'unlabeled') return true;
  return action === 'edited' && changes?.title !== undefined && changes.base === undefined;
}

function pullRequestOf(found: z.infer<typeof shape>['pull_request']): PullRequest {
  const merged = found.merged === true;
  return {
    nodeId: found.node_id,
    number: found.number,
    title: found.title,
    author: found.user?.login ?? 'ghost',
    state: merged ? 'merged' : found.state,
    draft: found.draft ?? false,
    fork: found.head.repo?.id !== found.base.repo.id,
    head: parseSha(found.head.sha),
    base: found.base.ref,
    baseSha: parseSha(found.base.sha),
    mergeCommit:
      merged && typeof found.merge_commit_sha === 'string' ? parseSha(found.merge_commit_sha) : null,
    mergedBy: found.merged_by?.login ?? null,
    mergedAt: found.merged_at ?? null,
    labels: found.labels.map(({ name }) => name),
  };
}
