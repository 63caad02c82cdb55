// Whose message is it? The only place that spells workflow ids.
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowClient, WorkflowExecutionDescription } from '@temporalio/client';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { healWorkflow } from '../workflows/healing.ts';
import type { mergeGroupWorkflow } from '../workflows/merge-group.ts';
import type { GroupNews, Message, RepositoryNews } from '../workflows/messages.ts';
import {
  groupDestroyedSignal,
  installationSignal,
  messageSignal,
  projectNewsSignal,
  projectRequestSignal,
  repositoryNewsSignal,
} from '../workflows/messages.ts';
import { freeLock } from '../workflows/model/lock.ts';
import type { MergeGroup } from '../workflows/model/merge-group.ts';
import { newPullRequest } from '../workflows/model/pull-request-state.ts';
import { emptyQueue } from '../workflows/model/refresh.ts';
import type { PullRequestRef, Repository } from '../workflows/model/repository.ts';
import type { ControlActivities } from '../workflows/port/control.ts';
import type { ProjectPlace } from '../workflows/port/record.ts';
import type { projectWorkflow } from '../workflows/project.ts';
import type { pullRequestWorkflow } from '../workflows/pull-request.ts';
import { controlQueue } from '../workflows/queues.ts';
import type { RepositoryStart, repositoryWorkflow } from '../workflows/repository.ts';
import type { Incoming } from './events/parse.ts';

/** Numeric repository ids: names change. */
const pullRequestId = ({ repository, number }: PullRequestRef): string => `pr/${repository.id}/${number}`;
const projectId = (repositoryId: number, project: ProjectPlace): string =>
  `project/${repositoryId}/${project.dir}/${project.workspace}`;
const groupId = ({ repository, headSha }: MergeGroup): string => `mg/${repository.id}/${headSha}`;
const repositoryId = ({ repository }: Pick<RepositoryNews, 'repository'>): string =>
  `repository/${repository.id}`;
const installationsId = 'heal/installations';

/** Below the 9 s after which @octokit/webhooks answers 202 on its own: GitHub would take that for accepted. */
const acceptTimeoutMs = 8_000;

/** What activities say to workflows. */
export type Messenger = Pick<
  ControlActivities,
  'askProjects' | 'areFree' | 'tellNews' | 'tellRepository' | 'tellPullRequest'
> & {
  /** Resolves when Temporal has accepted what a webhook said, in time for GitHub; only then is GitHub told so. */
  readonly deliver: (incoming: Incoming) => Promise<void>;
  /** `stuck`: it runs, and Temporal cannot get it to go on. */
  readonly lifeOf: (ref: PullRequestRef) => Promise<'followed' | 'stuck' | 'gone'>;
  /** As a merge queue would have asked; false: it was heard of before. */
  readonly requestGroup: (group: MergeGroup) => Promise<boolean>;
  /** Open pull requests of the repository are being planned again right now. */
  readonly isRefreshing: (repository: Repository) => Promise<boolean>;
};

/** `refreshWaitMs`: how long the workflow of a repository waits for more news before it has anything planned again. */
export function createMessenger(client: WorkflowClient, refreshWaitMs: number): Messenger {
  const tellRepository = (news: RepositoryNews): Promise<void> => sendNews(client, news, refreshWaitMs);
  const accept = (incoming: Incoming): Promise<void> => {
    if ('group' in incoming) return sendGroup(client, incoming).then(() => undefined);
    if ('installationId' in incoming) return sendInstallationNews(client);
    return 'ref' in incoming ? sendMessage(client, incoming) : tellRepository(incoming);
  };
  return {
    tellRepository,
    async askProjects({ repository, asked }) {
      await Promise.all(asked.map((one) => sendRequest(client, repository, one)));
    },
    async areFree({ repository, projects }) {
      const found = await Promise.all(
        projects.map((project) => describe(client, projectId(repository.id, project))),
      );
      return found.every((running) => running === null);
    },
    tellNews: (told) => sendProjectNews(client, told),
    tellPullRequest: (message) => tellRunning(client, message),
    async deliver(incoming) {
      await Promise.race([accept(incoming), tooLate()]);
    },
    lifeOf: (ref) => lifeOf(client, ref),
    requestGroup: (group) => sendGroup(client, { kind: 'group-requested', group }),
    isRefreshing: async (repository) => (await describe(client, repositoryId({ repository }))) !== null,
  };
}

/** The client itself waits between its attempts, also beyond a deadline. One that still succeeds is a duplicate later. */
async function tooLate(): Promise<never> {
  await delay(acceptTimeoutMs, undefined, { ref: false });
  throw new Error('Temporal did not accept a webhook in time');
}

async function sendMessage(client: WorkflowClient, message: Message): Promise<void> {
  await client.signalWithStart<typeof pullRequestWorkflow, [Message]>('pullRequestWorkflow', {
    taskQueue: controlQueue,
    workflowId: pullRequestId(message.ref),
    args: [newPullRequest(message.ref)],
    signal: messageSignal,
    signalArgs: [message],
  });
}

/** To a pull request that is followed; one that is not is left in peace. */
async function tellRunning(client: WorkflowClient, message: Message): Promise<{ readonly heard: boolean }> {
  try {
    await client.getHandle(pullRequestId(message.ref)).signal(messageSignal, message);
    return { heard: true };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { heard: false };
    throw error;
  }
}

/** One that fails at a step is tried again at once, then ever less often: after so many attempts it is no hiccup. */
const stuckAttempts = 4;

async function lifeOf(client: WorkflowClient, ref: PullRequestRef): Promise<'followed' | 'stuck' | 'gone'> {
  const found = await describe(client, pullRequestId(ref));
  if (found === null) return 'gone';
  return (found.raw.pendingWorkflowTask?.attempt ?? 0) >= stuckAttempts ? 'stuck' : 'followed';
}

/** Null when it does not run. */
async function describe(
  client: WorkflowClient,
  workflowId: string,
): Promise<WorkflowExecutionDescription | null> {
  try {
    const found = await client.getHandle(workflowId).describe();
    return found.status.name === 'RUNNING' ? found : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Asked for while a look is under way, another follows it. */
async function sendInstallationNews(client: WorkflowClient): Promise<void> {
  await client.signalWithStart<typeof healWorkflow, []>('healWorkflow', {
    taskQueue: controlQueue,
    workflowId: installationsId,
    args: [],
    signal: installationSignal,
  });
}

async function sendRequest(
  client: WorkflowClient,
  repository: Repository,
  { project, request }: Parameters<ControlActivities['askProjects']>[0]['asked'][number],
): Promise<void> {
  await client.signalWithStart<typeof projectWorkflow, [typeof request]>('projectWorkflow', {
    taskQueue: controlQueue,
    workflowId: projectId(repository.id, project),
    args: [{ repository, project: { dir: project.dir, workspace: project.workspace }, lock: freeLock }],
    signal: projectRequestSignal,
    signalArgs: [request],
  });
}

async function sendProjectNews(
  client: WorkflowClient,
  { workflowId, news }: Parameters<ControlActivities['tellNews']>[0],
): Promise<{ readonly heard: boolean }> {
  try {
    await client.getHandle(workflowId).signal(projectNewsSignal, news);
    return { heard: true };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { heard: false };
    throw error;
  }
}

async function sendNews(client: WorkflowClient, news: RepositoryNews, settleMs: number): Promise<void> {
  const start: RepositoryStart = { repository: news.repository, settleMs, queue: emptyQueue };
  await client.signalWithStart<typeof repositoryWorkflow, [RepositoryNews]>('repositoryWorkflow', {
    taskQueue: controlQueue,
    workflowId: repositoryId(news),
    args: [start],
    signal: repositoryNewsSignal,
    signalArgs: [news],
  });
}

/**
 * Each group is answered once: whatever is said of one that is over changes nothing. One that is destroyed before it
 * was heard of is begun all the same, so that the late request finds it over. False: it was heard of before.
 */
async function sendGroup(client: WorkflowClient, { kind, group }: GroupNews): Promise<boolean> {
  const start = {
    taskQueue: controlQueue,
    workflowId: groupId(group),
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    args: [group] as [MergeGroup],
  };
  try {
    if (kind === 'group-requested')
      await client.start<typeof mergeGroupWorkflow>('mergeGroupWorkflow', start);
    else {
      const signalled = { ...start, signal: groupDestroyedSignal };
      await client.signalWithStart<typeof mergeGroupWorkflow, []>('mergeGroupWorkflow', signalled);
    }
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
