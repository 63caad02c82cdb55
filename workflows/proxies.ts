// How long may the world take, and how often is it asked again? The activities as workflows call them.

import type { RetryPolicy } from '@temporalio/workflow';
import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Patience } from './in-turn.ts';
import { inOrder, inTurn, inTurnTogether } from './in-turn.ts';
import type { ApplyOutcome } from './model/apply.ts';
import { longestStopMs } from './model/apply.ts';
import type { Diagnostic } from './model/diagnostic.ts';
import type { PlanResult } from './model/plan.ts';
import type { ControlActivities } from './port/control.ts';
import type {
  Admitted,
  ApplyPlanRequest,
  PlanRequest,
  RunnerActivities,
  RunPass,
  UnlockRequest,
} from './port/run.ts';
import { controlQueue, runnerActivityId, runnerQueue } from './queues.ts';

/** A first clone of a large repository takes minutes; a lost worker is noticed by the missing heartbeat. */
const inspectTimeout = '10 minutes';
const heartbeatTimeout = '12 seconds';
/** One call to GitHub or the database; longer means that nobody answers. */
const callTimeout = '30 seconds';
/** GitHub's trouble lasts minutes, not hours: wait longer each time, at most a minute, and do not give up soon. */
const callRetry: RetryPolicy = {
  initialInterval: '1 second',
  backoffCoefficient: 2,
  maximumInterval: '60 seconds',
  maximumAttempts: 10,
};
/** What people see and what is recorded must end up true, however long GitHub or the database is away. */
const patientRetry: RetryPolicy = { ...callRetry, maximumAttempts: Number.POSITIVE_INFINITY };
/** Terraform's plan writes nothing, so it may run again once when a runner is lost. */
const planAttempts = 2;
const planRetry: RetryPolicy = { maximumAttempts: planAttempts };
/** Longer than a runner's pause for a slow disk or a busy machine, short enough to tell people soon. */
const applyHeartbeatTimeout = '45 seconds';
/** A lock is broken once per wish: the next one has to see what came of it. */
const unlockRetry: RetryPolicy = { maximumAttempts: 1 };
/** An apply is started once; whether it may start again is a person's decision. */
const applyRetry: RetryPolicy = { maximumAttempts: 1 };
export const { inspect, inspectGroup } = proxyActivities<ControlActivities>({
  taskQueue: controlQueue,
  startToCloseTimeout: inspectTimeout,
  heartbeatTimeout,
  retry: callRetry,
  cancellationType: ActivityCancellationType.TRY_CANCEL,
});

export const { planAgain, compareApply, findStateManagers, readStanding, mergePullRequest, poolHasRunners } =
  proxyActivities<ControlActivities>({
    taskQueue: controlQueue,
    startToCloseTimeout: callTimeout,
    retry: callRetry,
  });

export const { abandonApply, show, answer } = proxyActivities<ControlActivities>({
  taskQueue: controlQueue,
  startToCloseTimeout: callTimeout,
  retry: patientRetry,
});

/** Whoever calls them tries again: see in-turn.ts. */
const onceInPlace: RetryPolicy = { maximumAttempts: 1 };
/** As `callRetry`. */
const callPatience: Patience = { attempts: 10, firstPauseMs: 1_000, longestPauseMs: 60_000 };
/** As `patientRetry`. */
const endlessPatience: Patience = { ...callPatience, attempts: Number.POSITIVE_INFINITY };
/**
 * A few statements, one signal or one signature each, which may happen twice: done in place they take a millisecond, as
 * activities of the queue two more steps of the workflow, for which people wait.
 */
const inPlace = proxyLocalActivities<ControlActivities>({
  startToCloseTimeout: callTimeout,
  retry: onceInPlace,
});
export const askProjects = inOrder(inTurn(inPlace.askProjects, endlessPatience));
export const endApply = inTurn(inPlace.endApply, endlessPatience);
export const recordApply = inTurn(inPlace.recordApply, endlessPatience);
export const recordUnbegun = inTurn(inPlace.recordUnbegun, endlessPatience);
export const callBack = inTurn(inPlace.callBack, endlessPatience);
export const findUnfinished = inTurn(inPlace.findUnfinished, endlessPatience);
export const record = inTurn(inPlace.record, endlessPatience);
export const tellNews = inTurn(inPlace.tellNews, endlessPatience);
export const tellRepository = inTurn(inPlace.tellRepository, endlessPatience);
/** How far things are is no reason to wait: things go on without an answer. */
const noPatience: Patience = { ...callPatience, attempts: 1 };
export const findTaken = inTurn(inPlace.findTaken, noPatience);
export const isApplyTaken = inTurn(inPlace.isApplyTaken, noPatience);
export const areFree = inTurn(inPlace.areFree, noPatience);
export const wasDelivered = inTurn(inPlace.wasDelivered, endlessPatience);
const admitRun = inTurnTogether(inPlace.admitRuns, endlessPatience);

/** Somebody waits for the apply that these decide on: one question to GitHub each, mostly answered from memory. */
const inPlaceForLong = proxyLocalActivities<ControlActivities>({
  startToCloseTimeout: inspectTimeout,
  retry: onceInPlace,
});
export const readActor = inTurn(inPlaceForLong.readActor, callPatience);

/** Nobody may say that it did not begin while it is still at work: it would write its row afterwards. */
const toItsEnd = proxyLocalActivities<ControlActivities>({
  startToCloseTimeout: inspectTimeout,
  retry: onceInPlace,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});
export const beginApply = inTurn(toItsEnd.beginApply, callPatience);

/** Plans wait for each other at the one thread that judges; a very large one takes it for seconds. */
const judgeTimeout = '2 minutes';
const inPlaceForPlans = proxyLocalActivities<ControlActivities>({
  startToCloseTimeout: judgeTimeout,
  retry: onceInPlace,
});
/** Milliseconds for nearly every plan, and then nothing is between a plan and its picture but this. */
export const judge = inTurn(inPlaceForPlans.judge, callPatience);

/** What is not heard in minutes is heard with the next push. */
export const { tellPullRequest } = proxyActivities<ControlActivities>({
  taskQueue: controlQueue,
  startToCloseTimeout: callTimeout,
  retry: callRetry,
});

export const { listOpenPullRequests, listPullRequestsAt, readGroupRecord, showGroup } =
  proxyActivities<ControlActivities>({
    taskQueue: controlQueue,
    startToCloseTimeout: callTimeout,
    retry: patientRetry,
  });

/** Where it cannot be read soon, the usual limit counts: it must not itself be what takes too long. */
const limitRetry: RetryPolicy = { ...callRetry, maximumAttempts: 3 };
export const { readQueueLimit } = proxyActivities<ControlActivities>({
  taskQueue: controlQueue,
  startToCloseTimeout: callTimeout,
  retry: limitRetry,
});

/** A large organization is read in minutes. What does not come to an end is tried again by the next look. */
const lookTimeout = '5 minutes';
const lookRetry: RetryPolicy = { ...callRetry, maximumAttempts: 3 };
export const { redeliverFailed, findLosses, setRight, noteLook } = proxyActivities<ControlActivities>({
  taskQueue: controlQueue,
  startToCloseTimeout: lookTimeout,
  retry: lookRetry,
});

/** Milliseconds: what hatchet.yaml allows, and how long nobody may take it before somebody looks why. */
export type RunLimits = { readonly timeoutMs: number; readonly waitMs: number };

export const planProjectIn =
  (pool: string, { timeoutMs, waitMs }: RunLimits) =>
  async (request: PlanRequest): Promise<PlanResult> => {
    const { planProject } = proxyActivities<RunnerActivities>({
      taskQueue: runnerQueue(pool),
      activityId: runnerActivityId(pool, request.runId),
      startToCloseTimeout: timeoutMs,
      scheduleToStartTimeout: waitMs,
      heartbeatTimeout,
      retry: planRetry,
      cancellationType: ActivityCancellationType.TRY_CANCEL,
    });
    const lifetimeMs = planAttempts * (waitMs + timeoutMs);
    return planProject({ ...request, pass: await admitPlan(request, pool, lifetimeMs) });
  };

async function admitPlan(request: PlanRequest, pool: string, lifetimeMs: number): Promise<RunPass | null> {
  const { repository, runId, number, source } = request;
  const { name, dir, workspace, engine } = request.project;
  return admitRun({
    repositoryId: repository.id,
    pool,
    runId,
    lifetimeMs,
    operation: { kind: 'plan', number, project: { name, dir, workspace, engine }, tree: source.tree },
  });
}

export const unlockStateIn =
  (pool: string, { timeoutMs, waitMs }: RunLimits) =>
  async (request: UnlockRequest): Promise<readonly Diagnostic[] | null> => {
    const { unlockState } = proxyActivities<RunnerActivities>({
      taskQueue: runnerQueue(pool),
      activityId: runnerActivityId(pool, request.runId),
      startToCloseTimeout: timeoutMs,
      scheduleToStartTimeout: waitMs,
      heartbeatTimeout,
      retry: unlockRetry,
    });
    return unlockState({ ...request, pass: await admitPlan(request, pool, waitMs + timeoutMs) });
  };

export const applyPlanIn =
  (pool: string, { timeoutMs, waitMs }: RunLimits) =>
  (request: Admitted<ApplyPlanRequest>): Promise<ApplyOutcome> => {
    const { applyPlan } = proxyActivities<RunnerActivities>({
      taskQueue: runnerQueue(pool),
      activityId: runnerActivityId(pool, request.runId),
      startToCloseTimeout: timeoutMs + longestStopMs,
      scheduleToStartTimeout: waitMs,
      heartbeatTimeout: applyHeartbeatTimeout,
      retry: applyRetry,
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    });
    return applyPlan(request);
  };
