// What can control be asked to do? It holds the App's key and the database, and runs no foreign code.
import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import type { ControlActivities, Inspection } from '../workflows/activities.ts';
import { canWrite } from '../workflows/model/actor.ts';
import { rulesFor } from '../workflows/model/configuration.ts';
import type { RunId } from '../workflows/model/identifiers.ts';
import type { PullRequestRef } from '../workflows/model/repository.ts';
import type { BeginDependencies } from './begin-apply.ts';
import { beginApply } from './begin-apply.ts';
import { beginEvent } from './begin-event.ts';
import { mergePullRequest } from './github/merge-pull-request.ts';
import { readActor } from './github/read-actor.ts';
import { readMergeability } from './github/read-mergeability.ts';
import { readPullRequest } from './github/read-pull-request.ts';
import { createRenderer } from './github/renderer.ts';
import type { ShowDependencies } from './github/show.ts';
import { giveAnswers, showView } from './github/show.ts';
import { showGroup } from './github/show-group.ts';
import type { HealMessenger } from './heal.ts';
import { createHealing } from './heal.ts';
import { inspectGroup } from './inspect-group.ts';
import { judgeDigest } from './judge-digest.ts';
import type { Judge } from './policy/judge.ts';
import { readGroupRecord } from './read-group-record.ts';
import { compareApply, planAgain } from './reconcile.ts';
import { recordEntry } from './record-entry.ts';
import { shareReadings } from './share-readings.ts';
import type { Origin } from './source/fetch-queue.ts';
import type { GroupInspector } from './source/group.ts';
import type { ShownRun } from './store/run.ts';
import type { Store } from './store/store.ts';

export type ControlDependencies = Omit<BeginDependencies, 'relate' | 'inspect' | 'readActor'> & {
  readonly groups: GroupInspector;
  readonly store: Store;
  readonly judge: Judge;
  readonly appId: number;
  /** Of a run's page, by the run and when it was first shown (ISO 8601); null where there are no pages. */
  readonly runAddress: ((run: RunId, since: string) => string) | null;
  /** How activities reach workflows. */
  readonly messenger: Pick<
    ControlActivities,
    'askProject' | 'tellNews' | 'tellRepository' | 'tellPullRequest'
  > &
    HealMessenger;
  readonly poolHasRunners: ControlActivities['poolHasRunners'];
  readonly admitRun: ControlActivities['admitRun'];
  /** How long a plan or an apply waits for a runner before somebody looks whether there is one. */
  readonly poolWaitMs: number;
  /** How long a runner that was lost may still be at work. */
  readonly lostWaitMs: number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
};

/** A third of the timeout that workflows give `inspect`. */
const heartbeatIntervalMs = 4_000;

/** The activities of `hatchet-control`. */
export function createControlActivities(deps: ControlDependencies): ControlActivities {
  const { github, store, judge, messenger } = deps;
  const showing: ShowDependencies = {
    github,
    memory: store.shown,
    render: createRenderer((id) => store.runs.readPlanChanges(id)),
    appId: deps.appId,
    runAddresses: (ref, runs) => runAddresses(deps, ref, runs),
  };
  const inspectAgain = shareReadings(
    (ref: PullRequestRef) => inspectPullRequest(deps, ref, 'when-missing'),
    ({ repository, number }) => `${repository.id}/${number}`,
  );
  const relate: BeginDependencies['relate'] = async ({ ref, base, mine, other }) => {
    const origin = await originOf(deps, ref);
    return deps.source.relate({ origin, pullRequest: { number: ref.number, base }, mine, other });
  };
  const readRights = shareReadings(
    (asked: Parameters<ControlActivities['readActor']>[0]) => readActor(github, asked),
    ({ repository, login, teams }) => JSON.stringify([repository.id, login.toLowerCase(), teams]),
  );
  return {
    inspect: ({ ref }) => beating(() => inspectPullRequest(deps, ref, 'early')),
    async judge(request) {
      const verdicts = await judge.judge(request);
      const bundle = judgeDigest(await judge.policyDigest(request), request.rules);
      await store.verdicts.save(request.planId, { bundleDigest: bundle, verdicts });
      return { verdicts, bundle };
    },
    mergePullRequest: (request) => mergePullRequest(github, request, Context.current().info.attempt),
    readStanding: (request) => readStanding(github, request),
    readActor: (request) => readActor(github, request),
    show: (request) => showView(showing, request, Context.current().info.attempt),
    answer: (request) => giveAnswers(showing, request),
    poolHasRunners: deps.poolHasRunners,
    admitRun: deps.admitRun,
    askProject: messenger.askProject,
    tellNews: messenger.tellNews,
    tellRepository: messenger.tellRepository,
    tellPullRequest: messenger.tellPullRequest,
    listPullRequestsAt: ({ repository, head }) => store.pullRequests.listAt(repository.id, head),
    listOpenPullRequests: ({ repository, projects }) => store.pullRequests.listOpen(repository.id, projects),
    inspectGroup: (request) => beating(() => inspectGroup(deps, request)),
    readGroupRecord: (request) => readGroupRecord(store, request),
    showGroup: (request) => showGroup(showing, request, Context.current().info.attempt),
    ...createHealing(deps),
    async beginApply(request) {
      const begun = await beginApply(
        { ...deps, relate, inspect: inspectAgain, readActor: readRights },
        request,
      );
      const { key, event } = beginEvent(request, begun);
      await store.events.append(key, event);
      return begun.kind === 'begun' ? { ...begun, lostWaitMs: deps.lostWaitMs } : begun;
    },
    planAgain: (request) => planAgain(store.runs, request),
    compareApply: (request) => compareApply(store.runs, request),
    async recordApply({ runId, outcome }) {
      await store.applies.record(runId, outcome);
    },
    async record({ entries }) {
      for (const entry of entries) await recordEntry(store, entry);
    },
    async wasDelivered({ deliveryId, repositoryId, subject }) {
      if ((await store.deliveries.missing([deliveryId])).length === 0) return true;
      return subject !== null && (await store.deliveries.unheard(repositoryId, [subject])).length === 0;
    },
    async abandonApply({ repository, project }) {
      const reason = 'somebody unlocked the project before the apply said how it ended';
      await store.applies.abandon({ repositoryId: repository.id, ...project }, reason);
    },
  };
}

async function readStanding(
  github: BeginDependencies['github'],
  { ref, mergeability }: Parameters<ControlActivities['readStanding']>[0],
): ReturnType<ControlActivities['readStanding']> {
  const { pullRequest, standing } = await readPullRequest(github, ref);
  const asked = mergeability && pullRequest.state === 'open';
  return asked
    ? { ...standing, mergeability: await readMergeability(github, ref.repository, pullRequest) }
    : standing;
}

/** Where runs are shown, they are remembered as shown. */
async function runAddresses(
  { store, runAddress }: ControlDependencies,
  ref: PullRequestRef,
  runs: readonly ShownRun[],
): Promise<ReadonlyMap<RunId, string>> {
  if (runAddress === null) return new Map();
  const since = await store.shownRuns.note(ref, runs);
  return new Map([...since].map(([id, at]) => [id, runAddress(id, at)]));
}

/**
 * `early`: GitHub is asked and git fetches at the same time; the fetch is only waited for when it brought something
 * new. `when-missing`: what was planned is in the mirror, unless it is no longer what was planned.
 */
async function inspectPullRequest(
  deps: ControlDependencies,
  ref: PullRequestRef,
  fetches: 'early' | 'when-missing',
): Promise<Inspection> {
  const { github, source, poolWaitMs } = deps;
  const { repository } = ref;
  const readAt = new Date().toISOString();
  const reading = readPullRequest(github, ref);
  // It is waited for below, unless git's token is refused before.
  reading.catch(() => undefined);
  const origin = await originOf(deps, ref);
  const begun = fetches === 'early' ? await beginFetch(deps, ref, origin) : null;
  const { pullRequest, standing } = await reading;
  const asking = fetches === 'early' ? mayAuthorWrite(deps, ref, { pullRequest, standing }) : null;
  const saving = savePullRequest(deps, { repository, pullRequest, readAt }, standing, asking);
  if (pullRequest.state === 'closed') {
    await saving;
    return { pullRequest, standing, poolWaitMs, ...nothingRead };
  }
  const inspecting = source.inspect({ origin, pullRequest, begun: begun?.fetching ?? null });
  const [{ changedFiles, configuration, edited, containsBase, source: found }, authorMayWrite] =
    await Promise.all([inspecting, asking, saving]);
  const asked = pullRequest.state === 'open' && isMergeabilityAsked(configuration, found);
  const mergeability = asked ? await readMergeability(deps.github, repository, pullRequest) : null;
  return {
    pullRequest,
    standing: { ...standing, authorMayWrite, mergeability },
    poolWaitMs,
    changedFiles,
    configuration,
    edited,
    containsBase,
    source: found,
  };
}

/** In a record: only its start is to be waited for. */
async function beginFetch({ source, store }: ControlDependencies, ref: PullRequestRef, origin: Origin) {
  const { repository, number } = ref;
  const known = await store.pullRequests.find({ repositoryId: repository.id, number });
  return { fetching: source.begin(origin, { number, base: known?.pullRequest.base ?? null }) };
}

/** Read live for each look at what may be planned: `author_association` is no permission. */
async function mayAuthorWrite(
  { github }: ControlDependencies,
  { repository }: PullRequestRef,
  { pullRequest, standing }: Awaited<ReturnType<typeof readPullRequest>>,
): Promise<boolean | null> {
  const { state, fork, author: login } = pullRequest;
  if (standing.authorMayWrite !== null || fork || state !== 'open') return standing.authorMayWrite;
  return canWrite(await readActor(github, { repository, login, teams: [] }));
}

/** A look that does not ask for everything leaves what is known of how it stands. */
async function savePullRequest(
  { store }: ControlDependencies,
  known: Omit<Parameters<Store['pullRequests']['save']>[0], 'standing'>,
  standing: Inspection['standing'],
  asking: Promise<boolean | null> | null,
): Promise<void> {
  const kept = asking === null ? null : { ...standing, authorMayWrite: await asking };
  await store.pullRequests.save({ ...known, standing: kept });
}

/** It takes requests of its own, so only those pay who want to know. */
function isMergeabilityAsked(
  configuration: Inspection['configuration'],
  source: Inspection['source'],
): boolean {
  if (configuration.kind !== 'valid' || source.kind !== 'merged') return false;
  const projects = [...source.projects, ...source.deleted.projects];
  return projects.some(({ name }) =>
    rulesFor(configuration.configuration, name).apply.require.includes('mergeable'),
  );
}

const nothingRead: Omit<Inspection, 'pullRequest' | 'standing' | 'poolWaitMs'> = {
  changedFiles: [],
  configuration: { kind: 'broken', problems: [] },
  edited: null,
  containsBase: false,
  source: { kind: 'closed' },
};

async function originOf({ github }: ControlDependencies, { repository }: PullRequestRef) {
  return {
    repository: repository.id,
    url: github.gitUrl(repository),
    token: await github.gitToken(repository),
  };
}

async function beating<Result>(work: () => Promise<Result>): Promise<Result> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), heartbeatIntervalMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
