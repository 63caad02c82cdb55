// Which task queue does which work, and which work is a runner's?
import type { RunId } from './model/identifiers.ts';

/** Workflows, GitHub, the store, policies. */
export const controlQueue = 'hatchet-control';

/** Terraform. One queue per pool of runners. */
export const runnerQueue = (pool: string): string => `hatchet-runner-${pool}`;

/**
 * Names the activities whose arguments and results the runners of one pool may read and write; everything else in
 * Temporal is closed to them.
 */
export const runnerActivityId = (pool: string, runId: RunId): string => `${runnerActivities}${pool}/${runId}`;

/** Whose runners are asked; null: no runner is. */
export function poolOfActivity(activityId: string): string | null {
  if (!activityId.startsWith(runnerActivities)) return null;
  const [pool = ''] = activityId.slice(runnerActivities.length).split('/');
  return pool;
}

/** Which run a runner is asked for; null: none. */
export const runOfActivity = (activityId: string): string | null =>
  poolOfActivity(activityId) === null ? null : (activityId.split('/').at(-1) ?? null);

const runnerActivities = 'runner/';
