// What has an apply done whose outcome nobody knows? A fresh plan of the same source is asked, and changes nothing.
import { CancellationScope, condition, isCancellation, log, sleep, uuid4 } from '@temporalio/workflow';
import type { Finding } from './model/comparison.ts';
import type { Diagnostic } from './model/diagnostic.ts';
import { parseRunId } from './model/identifiers.ts';
import type { Unsettled } from './model/lock.ts';
import { planOrTell } from './plan-or-tell.ts';
import { compareApply, planAgain, unlockStateIn } from './proxies.ts';
import { untilTaken } from './waiting-for-runner.ts';

/** One inquiry per apply, from the moment it was lost until somebody knows or decides. */
export type Inquiry = {
  readonly unsettled: Unsettled;
  readonly scope: CancellationScope;
  /** What was found last, and whether that is still to be told. */
  finding: Finding | null;
  untold: boolean;
  /** Somebody wants another look. */
  again: boolean;
  /** A look or a lock being broken is under way. */
  busy: boolean;
};

/** Begins to look; it ends when `scope` is cancelled. */
export function inquire(unsettled: Unsettled): Inquiry {
  const scope = new CancellationScope();
  const inquiry: Inquiry = { unsettled, scope, finding: null, untold: false, again: false, busy: false };
  // It only ever ends by being cancelled.
  scope.run(() => keepLooking(inquiry)).catch(() => undefined);
  return inquiry;
}

/**
 * While the state is locked, Terraform may still be at work; one that is to be put back is put back by somebody who
 * tells only the store. It is looked at again, ever less often.
 */
const firstPauseMs = 30_000;
const maxPauseMs = 60 * 60_000;

async function keepLooking(inquiry: Inquiry): Promise<never> {
  await sleep(inquiry.unsettled.waitMs);
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, maxPauseMs)) {
    inquiry.again = false;
    inquiry.busy = true;
    const finding = await findOut(inquiry.unsettled);
    tellFinding(inquiry, finding);
    if (finding.kind === 'state-locked' || finding.kind === 'unwritten')
      await condition(() => inquiry.again, pause);
    else await condition(() => inquiry.again);
  }
}

function tellFinding(inquiry: Inquiry, finding: Finding): void {
  inquiry.busy = false;
  inquiry.finding = finding;
  inquiry.untold = true;
}

async function findOut({ request: { ref, grant, runId: run }, mark }: Unsettled): Promise<Finding> {
  try {
    const again = { repository: ref.repository, grant, runId: parseRunId(uuid4()) };
    const limits = { timeoutMs: grant.timeoutMs, waitMs: grant.poolWaitMs };
    const result = await planOrTell(await planAgain(again), limits);
    return await compareApply({ approved: grant.planId, run, mark, result });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error('nobody could look at what an apply has done', { project: grant.project.name, error });
    return { kind: 'not-compared', diagnostics: [couldNotLook] };
  }
}

const couldNotLook: Diagnostic = {
  severity: 'error',
  summary: 'Hatchet could not look at what is there.',
  detail: "The cause is in Hatchet's log. Comment `/hatchet plan` to have it look again.",
};

/**
 * Breaks the lock that the apply left behind, and looks again. False: this is not the lock that was found, or not the
 * apply's own.
 */
export function breakLock(inquiry: Inquiry, lockId: string): boolean {
  const { finding } = inquiry;
  const mayBreak = finding?.kind === 'state-locked' && finding.own && finding.lock.id === lockId;
  if (!mayBreak || inquiry.busy) return false;
  inquiry.busy = true;
  inquiry.scope.run(() => breakAndLook(inquiry, lockId)).catch(() => undefined);
  return true;
}

async function breakAndLook(inquiry: Inquiry, lockId: string): Promise<void> {
  const problems = await unlockOrTell(inquiry.unsettled, lockId);
  if (problems === null) inquiry.again = true;
  else tellFinding(inquiry, { kind: 'not-compared', diagnostics: problems });
}

async function unlockOrTell(
  { request: { ref, grant } }: Unsettled,
  lockId: string,
): Promise<readonly Diagnostic[] | null> {
  try {
    const again = { repository: ref.repository, grant, runId: parseRunId(uuid4()) };
    const limits = { timeoutMs: grant.timeoutMs, waitMs: grant.poolWaitMs };
    const request = await planAgain(again);
    return await untilTaken(grant.pool, () => unlockStateIn(grant.pool, limits)({ ...request, lockId }));
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error('a state lock could not be broken', { project: grant.project.name, error });
    const summary = "Hatchet could not break Terraform's lock.";
    return [{ severity: 'error', summary, detail: "The cause is in Hatchet's log." }];
  }
}
