// Does GitHub merge the pull request, and if not, why?

import type { MergeAnswer } from '../../workflows/port/answer.ts';
import type { ControlActivities } from '../../workflows/port/control.ts';
import { retryLater } from '../faults.ts';
import type { GitHub } from './client.ts';
import { readPullRequest } from './read-pull-request.ts';

/** Guarded by the head: a push in between is never merged unseen. */
const mutation = `mutation($input: MergePullRequestInput!) {
  mergePullRequest(input: $input) { pullRequest { id } }
}`;

/** GitHub takes a moment to see that a check has passed, or that the base has moved. */
const attempts = 3;
const pauseMs = 3_000;

/** A refusal is a value once it has lasted; one for good, such as a permission that is missing, is one at once. */
export async function mergePullRequest(
  github: GitHub,
  { ref, nodeId, head, method }: Parameters<ControlActivities['mergePullRequest']>[0],
  attempt: number,
): Promise<MergeAnswer> {
  const { installationId } = ref.repository;
  const input = { pullRequestId: nodeId, expectedHeadOid: head, mergeMethod: method.toUpperCase() };
  const cost = { content: 0, urgent: true };
  const { errors } = await github.mutate(installationId, mutation, { input }, cost);
  const [error] = errors;
  if (error === undefined) return { kind: 'merged' };
  // An earlier attempt may have merged it, and its answer got lost.
  const { pullRequest } = await readPullRequest(github, ref);
  if (pullRequest.state === 'merged') return { kind: 'merged' };
  const lasting = error.type === 'FORBIDDEN' || pullRequest.state === 'closed' || pullRequest.head !== head;
  if (!lasting && attempt < attempts)
    throw retryLater(`GitHub does not merge yet: ${error.message}`, pauseMs);
  return { kind: 'refused', reason: error.message };
}
