// Who plans open pull requests again when their base moved or somebody else applied? One workflow per repository.
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  log,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { RepositoryNews } from './messages.ts';
import { refreshedSignal, repositoryNewsSignal } from './messages.ts';
import type { Refresh, RefreshCause, RefreshQueue } from './model/refresh.ts';
import {
  changedBy,
  concerned,
  enqueueRefreshes,
  finishRefresh,
  isIdle,
  noteCause,
  startRefresh,
} from './model/refresh.ts';
import type { Repository } from './model/repository.ts';
import type { RecordEntry } from './port/record.ts';
import { listOpenPullRequests, listPullRequestsAt, tellPullRequest } from './proxies.ts';
import { keepRecording } from './recording.ts';

/** What the workflow is begun with, and begun again with when its history grows long. */
export type RepositoryStart = {
  readonly repository: Repository;
  /** How long to wait for more news before anybody is bothered. */
  readonly settleMs: number;
  readonly queue: RefreshQueue;
};

/** The longest that a plan may take: whoever says nothing until then does not hold up the others any longer. */
const refreshTimeout = '30 minutes';

/** News without the repository, each kind by itself. */
type Told = RepositoryNews extends infer News
  ? News extends unknown
    ? Omit<News, 'repository'>
    : never
  : never;
type Rerun = Extract<RepositoryNews, { kind: 'rerun' }>;

/** The one mutable record of the workflow. */
type Office = {
  repository: Repository;
  queue: RefreshQueue;
  /** When an apply was last heard of, ISO 8601; at first nobody knows how long that is ago. */
  appliedAt: string;
  /** Numbers of pull requests that have answered since they were told. */
  readonly answered: Set<number>;
  /** Wishes for all checks of a commit, whose pull requests are still to be found. */
  readonly reruns: Rerun[];
  /** Who pushed what: not yet in the record. */
  records: RecordEntry[];
};

/** Started by the first news (signalWithStart); ends when nothing is left to plan again. */
export async function repositoryWorkflow({ repository, settleMs, queue }: RepositoryStart): Promise<void> {
  const appliedAt = new Date().toISOString();
  const office: Office = { repository, queue, appliedAt, answered: new Set(), reruns: [], records: [] };
  setHandler(repositoryNewsSignal, ({ repository: now, ...news }) => {
    // A repository is renamed and the App installed anew: the last news knows best.
    office.repository = now;
    if (news.kind === 'applied') office.appliedAt = new Date().toISOString();
    if (news.kind === 'rerun') office.reruns.push({ repository: now, ...news });
    else office.queue = noteCause(office.queue, causeOf(news));
    if (news.kind === 'pushed' && news.push !== null)
      office.records.push({ kind: 'push', repository: now, push: news.push });
  });
  setHandler(refreshedSignal, (number) => {
    office.answered.add(number);
  });
  void keepRecording(office, () => false);
  for (;;) {
    await condition(() => hasWork(office) || mayRest(office));
    for (const rerun of office.reruns.splice(0)) await passOn(rerun);
    if (office.queue.causes.length > 0) await lookWhom(office, settleMs);
    else startRefreshes(office);
    await condition(allHandlersFinished);
    if (office.reruns.length + office.queue.causes.length > 0 || !mayRest(office)) continue;
    if (isIdle(office.queue)) return;
    return continueAsNew<typeof repositoryWorkflow>({
      repository: office.repository,
      settleMs,
      queue: office.queue,
    });
  }
}

/** What the queue compares and carries along. */
const causeOf = (news: Exclude<Told, { kind: 'rerun' }>): RefreshCause =>
  news.kind === 'pushed' ? { kind: news.kind, branch: news.branch } : news;

const hasWork = ({ queue, reruns }: Office): boolean =>
  reruns.length > 0 ||
  queue.causes.length > 0 ||
  (!workflowInfo().continueAsNewSuggested && startRefresh(queue) !== null);

/** Nobody is being waited for, and it may end or begin anew with a short history. */
const mayRest = ({ queue, records }: Office): boolean =>
  records.length === 0 &&
  (isIdle(queue) || (queue.running.length === 0 && workflowInfo().continueAsNewSuggested));

/** Whoever is not followed, or has a newer head by now, is left in peace. */
async function passOn({ repository, deliveryId, actor, head }: Rerun): Promise<void> {
  try {
    for (const number of await listPullRequestsAt({ repository, head })) {
      await tellPullRequest({ kind: 'rerun', deliveryId, ref: { repository, number }, actor, head });
    }
  } catch (error) {
    log.error('a commit could not be planned again', { head, error });
  }
}

/** A merge is a push, then an apply, and often one of several: wait for what belongs together. */
async function lookWhom(office: Office, settleMs: number): Promise<void> {
  // A person who wants checks run again is not to wait for that.
  if (await condition(() => office.reruns.length > 0, settleMs)) return;
  const { causes } = office.queue;
  office.queue = { ...office.queue, causes: [] };
  const projects = [...new Set(causes.flatMap(changedBy))];
  const open = await listOpenPullRequests({ repository: office.repository, projects });
  office.queue = enqueueRefreshes(office.queue, concerned(open, causes));
}

/** With a long history nobody new is begun with, so that it can end. */
function startRefreshes(office: Office): void {
  if (workflowInfo().continueAsNewSuggested) return;
  for (let next = startRefresh(office.queue); next !== null; next = startRefresh(office.queue)) {
    office.queue = next.queue;
    void refresh(office, next.refresh);
  }
}

async function refresh(office: Office, { number, applied }: Refresh): Promise<void> {
  office.answered.delete(number);
  try {
    const { heard } = await tellPullRequest({
      kind: 'refresh',
      deliveryId: uuid4(),
      ref: { repository: office.repository, number },
      applied,
      appliedAt: office.appliedAt,
      replyTo: workflowInfo().workflowId,
    });
    const answered = !heard || (await condition(() => office.answered.has(number), refreshTimeout));
    if (!answered) log.warn('a pull request did not say that it is planned again', { number });
  } catch (error) {
    log.error('a pull request could not be told to plan again', { number, error });
  }
  office.queue = finishRefresh(office.queue, number);
}
