// Does anybody work for a pool?
import type { Client } from '@temporalio/client';
import { runnerQueue } from '../workflows/queues.ts';

/** TASK_QUEUE_TYPE_ACTIVITY; the client brings no name for it. Source: temporal/api/enums/v1/task_queue.proto */
const activityQueue = 2;
/** Somebody who polls now, or did in the last minutes: the server remembers them that long. */
export const poolHasRunners =
  ({ workflowService, options: { namespace } }: Client) =>
  async ({ pool }: { readonly pool: string }): Promise<boolean> => {
    const { pollers: found } = await workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: runnerQueue(pool) },
      taskQueueType: activityQueue,
    });
    return (found ?? []).length > 0;
  };
