// How is a pull request merged once everything of it is applied?
import { condition, log } from '@temporalio/workflow';
import type { Desk } from './desk.ts';
import type { MergeMethod } from './model/auto-merge.ts';
import { autoMergeMethod } from './model/auto-merge.ts';
import type { Sha } from './model/identifiers.ts';
import type { MergeAnswer } from './port/answer.ts';
import { mergePullRequest } from './proxies.ts';

/** GitHub merges only what it knows to be applied; while it takes no writes for long, it is left to people. */
const maxShowWait = '10 minutes';

/** Tried once for a head: what GitHub refuses is said, and left to people. */
export async function mergeWhenApplied(desk: Desk): Promise<void> {
  const head = desk.state.pullRequest?.head;
  const method = desk.planning === null ? autoMergeMethod(desk.state) : null;
  if (head === undefined || method === null) return;
  desk.busy += 1;
  try {
    await condition(() => !desk.stale && !desk.progressed && !desk.showing, maxShowWait);
    // Anything may have come in between.
    if (desk.planning === null && autoMergeMethod(desk.state) === method) await merge(desk, head, method);
  } finally {
    desk.busy -= 1;
  }
}

async function merge(desk: Desk, head: Sha, method: MergeMethod): Promise<void> {
  desk.state = { ...desk.state, autoMerge: { head, refusal: null } };
  const answer = await mergeOrTell(desk, head, method);
  const refusal = answer.kind === 'refused' ? answer.reason : null;
  desk.state = { ...desk.state, autoMerge: { head, refusal } };
  if (refusal !== null) desk.stale = true;
  const { repository, number } = desk.state.ref;
  desk.records.push({
    kind: 'event',
    key: `auto-merge/${repository.id}/${number}/${head}`,
    event: {
      repository,
      number,
      actor: 'hatchet',
      action: 'merge',
      target: head,
      digest: null,
      allowed: refusal === null,
      reason: refusal ?? `apply.auto_merge: ${method}`,
    },
  });
}

async function mergeOrTell({ state }: Desk, head: Sha, method: MergeMethod): Promise<MergeAnswer> {
  try {
    return await mergePullRequest({ ref: state.ref, nodeId: state.pullRequest?.nodeId ?? '', head, method });
  } catch (error) {
    log.error('a pull request could not be merged', { head, error });
    return { kind: 'refused', reason: 'GitHub could not be reached' };
  }
}
