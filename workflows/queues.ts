// Which task queue does which work, and which work is a runner's?
import type { RunId } from './model/identifiers.ts';

/** Workflows, GitHub, the store, policies. */
export const controlQueue = 'hatchet-control';

/** Terraform. One queue per pool of runners. */
export const runnerQueue = (pool: string): string => `hatchet-runner-${pool}`;

/**
 * Names the activities whose arguments and results a runner may read and write; everything else in Temporal is closed
 * to runners.
 */
export const runnerActivityId = (runId: RunId): string => `${runnerActivities}${runId}`;
export const isRunnerActivity = (activityId: string): boolean => activityId.startsWith(runnerActivities);
const runnerActivities = 'runner/';
