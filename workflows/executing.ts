// How is one granted apply carried out, and what came of it?
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  log,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { ApplyOutcome } from './model/apply.ts';
import type { ApplyRequest, Lock } from './model/lock.ts';
import type { LockMark } from './model/state-lock.ts';
import type { Ended, Office } from './office.ts';
import { applyPlanIn, beginApply, recordApply } from './proxies.ts';
import { tell } from './telling.ts';
import { hasRunners, noRunner, wasNotTaken } from './waiting-for-runner.ts';

/** Fence first, then Terraform, then the record. Whatever breaks after the fence leaves the outcome unknown. */
export async function execute(
  office: Office,
  { running, fence }: Lock & { readonly running: ApplyRequest },
): Promise<Pick<Ended, 'outcome' | 'lostWaitMs'>> {
  const { grant, runId, ref } = running;
  const { repository } = ref;
  const scope = new CancellationScope();
  office.applying = scope;
  for (let lostWaitMs = 0; ; ) {
    try {
      const begun = await scope.run(() => beginApply({ repository, grant, runId, fence }));
      if (begun.kind !== 'begun') return { outcome: { kind: 'refused', refusal: begun }, lostWaitMs };
      lostWaitMs = begun.lostWaitMs;
    } catch (error) {
      return { outcome: await notBegun(running, error), lostWaitMs };
    }
    // Terraform need not wait until somebody has heard of it; `tell` never rejects.
    void tell(running, { kind: 'applying', project: grant.project.name, runId });
    const outcome = await scope.run(() => applyOnce(running, fence));
    // All runners are busy, and what was checked before the wait is old by now.
    if (outcome === 'not taken') continue;
    await recordOutcome(runId, outcome);
    return { outcome, lostWaitMs };
  }
}

/** Whoever waits is told all the same; the fence row then says that nobody knows, and nothing runs over it. */
export async function recordOutcome(runId: ApplyRequest['runId'], outcome: ApplyOutcome): Promise<void> {
  try {
    await recordApply({ runId, outcome });
  } catch (error) {
    log.error('the outcome of an apply could not be recorded', { runId, error });
  }
}

async function applyOnce(
  { grant, runId, ref }: ApplyRequest,
  fence: number,
): Promise<ApplyOutcome | 'not taken'> {
  const { pool, timeoutMs, poolWaitMs: waitMs } = grant;
  const applyPlan = applyPlanIn(pool, { timeoutMs, waitMs });
  const request = { repository: ref.repository, grant, runId, fence };
  try {
    return await applyPlan(request);
  } catch (error) {
    // Where Terraform was started, the runner answers with what came of it.
    if (isCancellation(error)) return failed(runId, ...stoppedBefore);
    if (wasNotTaken(error) && (await hasRunners(pool))) return 'not taken';
    log.error('contact with an apply was lost', { runId, error });
    if (wasNotTaken(error)) return failed(runId, noRunner(pool).summary, noRunner(pool).detail);
    return neverStarted(error)
      ? failed(runId, 'Terraform could not be started.')
      : { kind: 'unknown', runId, reason: 'contact with the runner was lost', ...markIn(error) };
  }
}

const stoppedBefore = ['The apply was stopped before it began.', 'Somebody cancelled it.'] as const;

/** The last sign of life says how the lock of Terraform was to be signed. */
function markIn(error: unknown): { readonly mark?: LockMark } {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof TimeoutFailure)) return {};
  // Our own heartbeat; none at all when the runner never began.
  const details = cause.lastHeartbeatDetails as { readonly mark?: LockMark } | undefined;
  return details?.mark === undefined ? {} : { mark: details.mark };
}

/** The runner itself gave up before it started Terraform: after that it never throws. */
const neverStarted = (error: unknown): boolean =>
  error instanceof ActivityFailure && error.cause instanceof ApplicationFailure;

/** The fence could not be written; if it was after all, Terraform was not started, and the record must say so. */
async function notBegun({ runId }: ApplyRequest, error: unknown): Promise<ApplyOutcome> {
  log.error('an apply could not begin', { runId, error });
  const outcome = isCancellation(error)
    ? failed(runId, ...stoppedBefore)
    : failed(runId, 'Hatchet could not check the plan again before applying it.');
  await recordOutcome(runId, outcome);
  return outcome;
}

function failed(
  runId: ApplyRequest['runId'],
  summary: string,
  cause = `The cause is in Hatchet's log under run ${runId}.`,
): ApplyOutcome {
  const detail = `Nothing was applied. ${cause}`;
  return {
    kind: 'failed',
    runId,
    finishedAt: new Date().toISOString(),
    diagnostics: [{ severity: 'error', summary, detail }],
    diagnosticCount: 1,
    done: 0,
    total: 0,
    stateKept: false,
  };
}
