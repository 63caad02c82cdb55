// What has an apply done whose outcome nobody knows? A fresh plan of the same source is asked, and changes nothing.
import { CancellationScope, condition, isCancellation, log, sleep, uuid4 } from '@temporalio/workflow';
import type { Finding } from './model/comparison.ts';
import type { Diagnostic } from './model/diagnostic.ts';
import { parseRunId } from './model/identifiers.ts';
import type { Unsettled } from './model/lock.ts';
import { atWorkUntil } from './model/lock.ts';
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
  const looks = { finding: null, untold: false, again: false, busy: false };
  const inquiry: Inquiry = { unsettled, scope, ...looks };
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
    const finding = await findOut(inquiry);
    tellFinding(inquiry, finding);
    const nextMs = finding.kind === 'state-locked' || finding.kind === 'unwritten' ? pause : restOf(finding);
    if (nextMs === null) await condition(() => inquiry.again);
    else await condition(() => inquiry.again, nextMs);
  }
}

/** Then it is over, whether anybody says so or not; null: that is known. */
function restOf(finding: Finding): number | null {
  if (finding.kind !== 'compared' || finding.atWorkUntil === undefined) return null;
  return Math.max(0, Date.parse(finding.atWorkUntil) - Date.now());
}

function tellFinding(inquiry: Inquiry, finding: Finding): void {
  inquiry.busy = false;
  inquiry.finding = finding;
  inquiry.untold = true;
}

async function findOut(inquiry: Inquiry): Promise<Finding> {
  const { request, mark } = inquiry.unsettled;
  const { ref, grant, runId: run } = request;
  try {
    const again = { repository: ref.repository, grant, runId: parseRunId(uuid4()) };
    const limits = { timeoutMs: grant.timeoutMs, waitMs: grant.poolWaitMs };
    const result = await planOrTell(await planAgain(again), limits);
    const finding = await compareApply({ approved: grant.planId, run, mark, result });
    if (finding.kind !== 'compared') return finding;
    const alone = result.kind === 'planned' && result.alone === true;
    const { unsettled } = inquiry;
    const ended = unsettled.ended || finding.over === true;
    const until = atWorkUntil({ ...unsettled, ended }, { alone, nowMs: Date.now() });
    return until === null ? finding : { ...finding, atWorkUntil: until };
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
  if (!isOwn(inquiry.finding, lockId) || inquiry.busy) return false;
  inquiry.busy = true;
  inquiry.scope.run(() => breakAndLook(inquiry, lockId)).catch(() => undefined);
  return true;
}

const isOwn = (finding: Finding | null, lockId: string): boolean =>
  finding?.kind === 'state-locked' && finding.own && finding.lock.id === lockId;

/**
 * Not every backend looks at the id that it is given: of one behind HTTP it is up to its server. What was found may be
 * hours old, so it is looked at once more right before.
 */
async function breakAndLook(inquiry: Inquiry, lockId: string): Promise<void> {
  const finding = await findOut(inquiry);
  if (!isOwn(finding, lockId)) return tellFinding(inquiry, finding);
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
