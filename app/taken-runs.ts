// Which of the runs that a workflow has asked for does a runner have?
import type { Client } from '@temporalio/client';
import { runOfActivity } from '../workflows/queues.ts';

/** PENDING_ACTIVITY_STATE_SCHEDULED; the client brings no name for it. Source: temporal/api/enums/v1/workflow.proto */
const scheduled = 1;

/** By run: when its runner took it (ISO 8601). */
export const takenRuns =
  ({ workflowService, options: { namespace } }: Client) =>
  async (execution: {
    readonly workflowId: string;
    readonly runId: string;
  }): Promise<ReadonlyMap<string, string>> => {
    const { pendingActivities } = await workflowService.describeWorkflowExecution({ namespace, execution });
    return new Map(
      (pendingActivities ?? []).flatMap(({ activityId, state, lastStartedTime }) => {
        const run = runOfActivity(activityId ?? '');
        if (run === null || state === scheduled || lastStartedTime == null) return [];
        return [[run, new Date(Number(lastStartedTime.seconds) * 1_000).toISOString()]];
      }),
    );
  };
