// Whose message is it? The only place that spells workflow ids.
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowClient } from '@temporalio/client';
import type { ControlActivities } from '../workflows/activities.ts';
import type { Message } from '../workflows/messages.ts';
import { messageSignal, projectRequestSignal } from '../workflows/messages.ts';
import { freeLock } from '../workflows/model/lock.ts';
import { newPullRequest } from '../workflows/model/pull-request-state.ts';
import type { projectWorkflow } from '../workflows/project.ts';
import type { pullRequestWorkflow } from '../workflows/pull-request.ts';
import { controlQueue } from '../workflows/queues.ts';

/** Numeric repository ids: names change. */
const pullRequestId = ({ ref }: Message): string => `pr/${ref.repository.id}/${ref.number}`;
const projectId = (
  repositoryId: number,
  project: { readonly dir: string; readonly workspace: string },
): string => `project/${repositoryId}/${project.dir}/${project.workspace}`;

/** Below the 9 s after which @octokit/webhooks answers 202 on its own: GitHub would take that for accepted. */
const acceptTimeoutMs = 8_000;

/** Resolves when Temporal has accepted the message, in time for GitHub; only then is GitHub told so. */
export async function deliverMessage(client: WorkflowClient, message: Message): Promise<void> {
  const accepted = client.signalWithStart<typeof pullRequestWorkflow, [Message]>('pullRequestWorkflow', {
    taskQueue: controlQueue,
    workflowId: pullRequestId(message),
    args: [newPullRequest(message.ref)],
    signal: messageSignal,
    signalArgs: [message],
  });
  await Promise.race([accepted, tooLate()]);
}

/** The client itself waits between its attempts, also beyond a deadline. One that still succeeds is a duplicate later. */
async function tooLate(): Promise<never> {
  await delay(acceptTimeoutMs, undefined, { ref: false });
  throw new Error('Temporal did not accept a webhook in time');
}

/** Hands a request to the owner of a project, starting its workflow when it does not run. */
export const askProjectWith =
  (client: WorkflowClient): ControlActivities['askProject'] =>
  async ({ repository, project, request }) => {
    await client.signalWithStart<typeof projectWorkflow, [typeof request]>('projectWorkflow', {
      taskQueue: controlQueue,
      workflowId: projectId(repository.id, project),
      args: [{ repository, project: { dir: project.dir, workspace: project.workspace }, lock: freeLock }],
      signal: projectRequestSignal,
      signalArgs: [request],
    });
  };
