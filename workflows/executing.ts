// How is one granted apply carried out, and what came of it?
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  log,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { ApplyGrant, ApplyOutcome } from './model/apply.ts';
import type { ApplyRequest, Lock } from './model/lock.ts';
import type { LockMark } from './model/state-lock.ts';
import type { Ended, Office } from './office.ts';
import type { AskedApply } from './port/begun-apply.ts';
import type { Admitted, ApplyPlanRequest, RunPass } from './port/run.ts';
import { notStartedDetail, notStartedType } from './port/run.ts';
import type { RunLimits } from './proxies.ts';
import { applyPlanIn, beginApply, callBack, recordApply, recordUnbegun } from './proxies.ts';
import { tell } from './telling.ts';
import { hasRunners, noRunner, wasNotTaken, wentSilent } from './waiting-for-runner.ts';

/** Fence first, then Terraform; the record is its caller's. Whatever breaks after the fence leaves the outcome unknown. */
export async function execute(
  office: Office,
  { running, fence }: Lock & { readonly running: ApplyRequest },
): Promise<Omit<Ended, 'request' | 'before'>> {
  const { grant, runId, ref } = running;
  const request = { repository: ref.repository, grant, runId, fence };
  const scope = new CancellationScope();
  office.applying = scope;
  if (office.told.includes(runId))
    void tell(running, { kind: 'starting', project: grant.project.name, runId });
  for (let lostWaitMs = 0, until = deadlineOf(grant); ; ) {
    let pass: RunPass | null;
    try {
      const begun = await scope.run(() => beginApply({ ...request, asked: askedBy(running) }));
      if (begun.kind !== 'begun')
        return { outcome: { kind: 'refused', refusal: begun }, lostWaitMs, recorded: true };
      ({ lostWaitMs, pass } = begun);
    } catch (error) {
      return { outcome: await notBegun(running, error), lostWaitMs, recorded: true };
    }
    const outcome = await scope.run(() => applyOnce({ ...request, pass }, until));
    if (outcome === 'not taken') continue;
    if (outcome === 'runners are busy') {
      until = deadlineOf(grant);
      continue;
    }
    if (outcome === 'stopped' || outcome === 'no runner')
      return {
        outcome: await unlessTaken(running, whyNot(running, outcome)),
        lostWaitMs,
        recorded: true,
      };
    return { outcome, lostWaitMs, recorded: false };
  }
}

/**
 * A runner with a free slot takes an apply at once. Where none has one, everything that was checked is checked again
 * after this long: a no, a push or a lost right is not older than this when Terraform starts.
 */
const longestUncheckedMs = 30_000;

const limitsOf = ({ timeoutMs, poolWaitMs }: ApplyGrant): RunLimits => ({
  timeoutMs,
  waitMs: Math.min(poolWaitMs, longestUncheckedMs),
});

/** By then somebody has to have been there to take it. */
const deadlineOf = ({ poolWaitMs }: ApplyGrant): number => Date.now() + poolWaitMs;

const askedBy = ({ replyTo, mode }: ApplyRequest): AskedApply => ({
  life: workflowInfo().runId,
  replyTo,
  mode,
});

/** Whoever waits is told all the same; the fence row then says that nobody knows, and nothing runs over it. */
export async function recordOutcome(runId: ApplyRequest['runId'], outcome: ApplyOutcome): Promise<void> {
  try {
    await recordApply({ runId, outcome });
  } catch (error) {
    log.error('the outcome of an apply could not be recorded', { runId, error });
  }
}

async function applyOnce(
  request: Admitted<ApplyPlanRequest>,
  until: number,
): Promise<ApplyOutcome | 'not taken' | 'runners are busy' | 'stopped' | 'no runner'> {
  const { grant, runId } = request;
  const { pool } = grant;
  try {
    const outcome: ApplyOutcome | undefined = await applyPlanIn(pool, limitsOf(grant))(request);
    return outcome ?? { kind: 'unknown', runId, reason: 'the runner did not say what came of it' };
  } catch (error) {
    // A runner that has it says so in words of its own: this anybody can say.
    if (isCancellation(error)) return 'stopped';
    const asked = () => CancellationScope.nonCancellable(() => hasRunners(pool));
    if (wasNotTaken(error) && (await asked())) return 'runners are busy';
    if (wasNotTaken(error) && Date.now() < until) return 'not taken';
    if (wasNotTaken(error)) return 'no runner';
    const isStopped = wasNotStarted(error) && CancellationScope.current().consideredCancelled;
    if (isStopped) return failed(runId, ...stoppedBefore);
    log.error('contact with an apply was lost', { runId, error });
    if (wentSilent(error) && !(await isTaken(runId))) return Date.now() < until ? 'not taken' : 'no runner';
    return wasNotStarted(error)
      ? failed(runId, 'Terraform could not be started.')
      : { kind: 'unknown', runId, reason: 'contact with the runner was lost', ...markIn(error) };
  }
}

/**
 * Whoever answers for a runner may have been gone before any runner had it: the record knows. It may still come to one
 * late, beside the next: the plan is given to one of them only.
 */
const isTaken = async (runId: ApplyRequest['runId']): Promise<boolean> =>
  (await CancellationScope.nonCancellable(() => callBack({ runId }))) === 'taken';

const stoppedBefore = ['The apply was stopped before it began.', 'Somebody cancelled it.'] as const;

/** The last sign of life says how the lock of Terraform was to be signed. */
function markIn(error: unknown): { readonly mark?: LockMark } {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof TimeoutFailure)) return {};
  // Our own heartbeat; none at all when the runner never began.
  const details = cause.lastHeartbeatDetails as { readonly mark?: LockMark } | undefined;
  return details?.mark === undefined ? {} : { mark: details.mark };
}

/** The runner itself says so. Whatever else went wrong may have gone wrong after the start: on the way back, say. */
const wasNotStarted = (error: unknown): boolean =>
  error instanceof ActivityFailure &&
  error.cause instanceof ApplicationFailure &&
  error.cause.type === notStartedType &&
  error.cause.details?.[0] === notStartedDetail;

function whyNot({ runId, grant: { pool } }: ApplyRequest, why: 'stopped' | 'no runner'): ApplyOutcome {
  if (why === 'stopped') return failed(runId, ...stoppedBefore);
  const { summary, detail } = noRunner(pool);
  log.error('no runner took an apply', { runId, pool });
  return failed(runId, summary, detail);
}

/** Terraform was not started now. */
function notBegun(running: ApplyRequest, error: unknown): Promise<ApplyOutcome> {
  const { runId } = running;
  log.error('an apply could not begin', { runId, error });
  const outcome = isCancellation(error)
    ? failed(runId, ...stoppedBefore)
    : failed(runId, 'Hatchet could not check the plan again before applying it.');
  return unlessTaken(running, outcome);
}

/**
 * The record knows whether a runner has taken it, or an earlier life of this workflow has begun it, and whether it was
 * called back. From now on none can take it.
 */
async function unlessTaken({ runId }: ApplyRequest, outcome: ApplyOutcome): Promise<ApplyOutcome> {
  try {
    return await recordUnbegun({ runId, life: workflowInfo().runId, outcome });
  } catch (cause) {
    log.error('that an apply could not begin could not be recorded', { runId, error: cause });
    return { kind: 'unknown', runId, reason: 'its record could not be read' };
  }
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
