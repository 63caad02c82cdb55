// When does Hatchet look for what GitHub did not get across?
import type { ScheduleClient, ScheduleOptions, ScheduleUpdateOptions } from '@temporalio/client';
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { controlQueue } from '../workflows/queues.ts';

const scheduleId = 'heal';
/** Instances of Hatchet that share a Temporal server or a GitHub do not all look in the same second. */
const jitterShare = 0.1;
/** One look makes up for all that were missed. */
const catchupWindow = '10 minutes';
/** GitHub may ask to wait for up to an hour; the looks that are skipped meanwhile could not look either. */
const longestLook = '1 hour';

/** Makes the schedule, or gives the one that is there this interval. Needs no more of Temporal than Cloud has. */
export async function keepHealing(schedules: ScheduleClient, intervalMs: number): Promise<void> {
  const options = {
    spec: { intervals: [{ every: intervalMs }], jitter: Math.round(intervalMs * jitterShare) },
    action: {
      type: 'startWorkflow',
      workflowType: 'healWorkflow',
      workflowId: scheduleId,
      taskQueue: controlQueue,
      workflowRunTimeout: longestLook,
      args: [],
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow },
  } satisfies Omit<ScheduleOptions, 'scheduleId'>;
  try {
    await schedules.create({ ...options, scheduleId });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const update = ({ state }: Pick<ScheduleUpdateOptions, 'state'>): ScheduleUpdateOptions => ({
      ...options,
      // An operator may have paused it.
      state,
    });
    await schedules.getHandle(scheduleId).update(update);
  }
}
