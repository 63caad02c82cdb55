// What can control be asked to do? It holds the App's key and the database, and runs no foreign code.
import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import { longestStopMs } from '../workflows/model/apply.ts';
import type { RunId } from '../workflows/model/identifiers.ts';
import type { PullRequestRef } from '../workflows/model/repository.ts';
import type { ControlActivities } from '../workflows/port/control.ts';
import type { Judgement, JudgeRequest } from '../workflows/port/judgement.ts';
import type { ApplyPlanRequest, RunAdmission, RunPass } from '../workflows/port/run.ts';
import type { BeginDependencies } from './begin-apply.ts';
import { beginApply } from './begin-apply.ts';
import { beginEvent } from './begin-event.ts';
import { fullDisk } from './faults.ts';
import { findStateManagers } from './find-state-managers.ts';
import { failedForRoom } from './full-disk.ts';
import { mergePullRequest } from './github/merge-pull-request.ts';
import { createActorReader } from './github/read-actor.ts';
import { readMergeability } from './github/read-mergeability.ts';
import { readQueueLimit } from './github/read-queue-limit.ts';
import { createRenderer } from './github/renderer.ts';
import { createCommitTurns } from './github/shared-head.ts';
import type { ShowDependencies } from './github/show.ts';
import { giveAnswers, showView } from './github/show.ts';
import { showGroup } from './github/show-group.ts';
import type { HealMessenger } from './heal.ts';
import { createHealing } from './heal.ts';
import { inspectGroup } from './inspect-group.ts';
import { inspectPullRequest, originOf, readWithPushers } from './inspect-pull-request.ts';
import { judgeDigest } from './judge-digest.ts';
import type { CheckEditedPolicies } from './policy/check-edited.ts';
import type { Judge } from './policy/judge.ts';
import { readGroupRecord } from './read-group-record.ts';
import { compareApply, planAgain } from './reconcile.ts';
import { recordEntry } from './record-entry.ts';
import { shareReadings } from './share-readings.ts';
import type { GroupInspector } from './source/group.ts';
import type { ShownRun } from './store/run.ts';
import type { Store } from './store/store.ts';

export type ControlDependencies = Omit<BeginDependencies, 'relate' | 'inspect' | 'readActor'> & {
  readonly groups: GroupInspector;
  readonly store: Store;
  readonly judge: Judge;
  readonly checkPolicies: CheckEditedPolicies;
  readonly appId: number;
  /** Where everything is written that is not in the database. */
  readonly dataDir: string;
  /** Of a run's page, by the run and when it was first shown (ISO 8601); null where there are no pages. */
  readonly runAddress: ((run: RunId, since: string) => string) | null;
  /** How activities reach workflows. */
  readonly messenger: Pick<
    ControlActivities,
    'askProjects' | 'areFree' | 'tellNews' | 'tellRepository' | 'tellPullRequest'
  > &
    HealMessenger;
  readonly poolHasRunners: ControlActivities['poolHasRunners'];
  /** When runners took what this workflow has asked of them, by run (ISO 8601); what no runner has is not in it. */
  readonly takenRuns: (workflow: {
    readonly workflowId: string;
    readonly runId: string;
  }) => Promise<ReadonlyMap<string, string>>;
  /** Null where no runner needs a pass. */
  readonly admitRun: (admission: RunAdmission) => RunPass | null;
  /** How long a plan or an apply waits for a runner before somebody looks whether there is one. */
  readonly poolWaitMs: number;
  /** How long a runner that was lost may still be at work. */
  readonly lostWaitMs: number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
};

/** A third of the timeout that workflows give `inspect`. */
const heartbeatIntervalMs = 4_000;

/**
 * A project that is free asks its last question a tenth of a second after the wish. Where that takes longer, what was
 * pushed meanwhile must be seen, so GitHub is asked again.
 */
const aheadForMs = 300;

/** The activities of `hatchet-control`. */
export function createControlActivities(deps: ControlDependencies): ControlActivities {
  const { github, store, messenger } = deps;
  const showing: ShowDependencies = {
    github,
    memory: store.shown,
    heads: store.heads,
    tellPullRequest: messenger.tellPullRequest,
    inCommitTurn: createCommitTurns(),
    render: createRenderer((id) => store.runs.readPlanChanges(id)),
    appId: deps.appId,
    log: deps.log,
    runAddresses: (ref, runs) => runAddresses(deps, ref, runs),
  };
  const relate: BeginDependencies['relate'] = async ({ ref, base, mine, other }) => {
    const origin = await originOf(deps, ref);
    return deps.source.relate({ origin, pullRequest: { number: ref.number, base }, mine, other });
  };
  const readRights = createActorReader(github);
  const looking = { ...deps, readRights };
  const inspectAgain = shareReadings(
    ({ repository, number }: Parameters<BeginDependencies['inspect']>[0]) =>
      inspectPullRequest(looking, { ref: { repository, number }, expected: null, fetches: 'when-missing' }),
    // What a later round has found may be newer than what was read for an earlier one.
    ({ repository, number, roundId }) => `${repository.id}/${number}/${roundId}`,
  );
  return {
    inspect: (request) => beating(deps, () => inspectPullRequest(looking, { ...request, fetches: 'early' })),
    judge: (request) => unlessCancelled(judgePlan(deps, request)),
    mergePullRequest: (request) => mergePullRequest(github, request, Context.current().info.attempt),
    readStanding: (request) => readStanding(deps, request),
    readActor({ ahead, ...request }) {
      // Whoever it is begun for hears of its failure, and nobody else.
      if (ahead !== undefined)
        inspectAgain({ repository: request.repository, ...ahead }, { forMs: aheadForMs }).catch(
          () => undefined,
        );
      return readRights(request);
    },
    show: (request) => showView(showing, request, Context.current().info.attempt),
    answer: (request) => giveAnswers(showing, request),
    poolHasRunners: deps.poolHasRunners,
    async findTaken({ runs }) {
      const workflow = Context.current().info.workflowExecution;
      const taken = workflow === undefined ? null : await deps.takenRuns(workflow);
      return runs.map((run) => taken?.get(run) ?? null);
    },
    admitRuns: async (requests) => requests.map(deps.admitRun),
    askProjects: messenger.askProjects,
    areFree: messenger.areFree,
    tellNews: messenger.tellNews,
    tellRepository: messenger.tellRepository,
    tellPullRequest: messenger.tellPullRequest,
    listPullRequestsAt: ({ repository, head }) => store.pullRequests.listAt(repository.id, head),
    listOpenPullRequests: ({ repository, projects }) => store.pullRequests.listOpen(repository.id, projects),
    readQueueLimit: ({ group }) => readQueueLimit(github, group),
    inspectGroup: (request) => beating(deps, () => inspectGroup(deps, request)),
    readGroupRecord: (request) =>
      readGroupRecord(
        { store, readActor: readRights, readStanding: (asked) => readStanding(deps, asked) },
        request,
      ),
    showGroup: (request) => showGroup(showing, request, Context.current().info.attempt),
    ...createHealing(deps),
    async beginApply(request) {
      const begun = await beginApply(
        { ...deps, relate, inspect: inspectAgain, readActor: readRights },
        request,
      );
      const { key, event } = beginEvent(request, begun);
      await store.events.append(key, event);
      if (begun.kind !== 'begun') return begun;
      return { ...begun, lostWaitMs: deps.lostWaitMs, pass: admitApply(deps, request) };
    },
    recordUnbegun: ({ runId, life, outcome }) => store.applies.recordUnbegun(runId, life, outcome),
    isApplyTaken: ({ runId }) => store.claims.isTaken(runId),
    callBack: ({ runId }) => store.claims.callBack(runId),
    async findUnfinished({ repository, project }) {
      const found = await store.applies.findUnfinished({ repositoryId: repository.id, ...project });
      return found === null ? null : { ...found, lostWaitMs: deps.lostWaitMs };
    },
    planAgain: (request) => planAgain(store.runs, request),
    compareApply: (request) => compareApply(store, request),
    findStateManagers: (request) => findStateManagers(deps, request),
    async recordApply({ runId, outcome }) {
      await store.applies.record(runId, outcome);
    },
    async endApply({ runId, outcome, told, changed, entries }) {
      await store.applies.record(runId, outcome);
      await Promise.all([messenger.tellNews(told), changed && messenger.tellRepository(changed)]);
      for (const entry of entries) await recordEntry(store, entry);
    },
    async record({ entries }) {
      for (const entry of entries) await recordEntry(store, entry);
    },
    async wasDelivered({ deliveryId, repositoryId, subject }) {
      if ((await store.deliveries.missing([deliveryId])).length === 0) return true;
      return subject !== null && (await store.deliveries.unheard(repositoryId, [subject])).length === 0;
    },
    async abandonApply({ repository, project, actor }) {
      const reason = 'somebody unlocked the project before the apply said how it ended';
      const key = { repositoryId: repository.id, ...project };
      await store.applies.abandon(key, reason);
      // A request from before the person was named in it.
      await store.unwrittenStates.giveUp(key, actor ?? 'unlock');
    },
  };
}

async function judgePlan({ judge, store }: ControlDependencies, request: JudgeRequest): Promise<Judgement> {
  const { cancellationSignal } = Context.current();
  const verdicts = await judge.judge(request);
  const bundle = judgeDigest(await judge.policyDigest(request), request.rules);
  // A plan that is kept is judged anew under its id: what is out of date must not replace the newer verdicts.
  cancellationSignal.throwIfAborted();
  await store.verdicts.save(request.planId, { bundleDigest: bundle, verdicts });
  return { verdicts, bundle };
}

/**
 * While a local activity is at work, each step of its workflow takes 8 s: what nobody waits for any more must not hold up
 * the newer push that has taken over. What it goes on to do is thrown away.
 */
const unlessCancelled = <Result>(work: Promise<Result>): Promise<Result> =>
  Promise.race([work, Context.current().cancelled]);

/** It need not be good for longer than the apply may wait and run. */
function admitApply({ admitRun }: ControlDependencies, { repository, runId, grant }: ApplyPlanRequest) {
  return admitRun({
    repositoryId: repository.id,
    pool: grant.pool,
    runId,
    lifetimeMs: grant.poolWaitMs + grant.timeoutMs + longestStopMs,
    operation: { kind: 'apply', planId: grant.planId },
  });
}

async function readStanding(
  { github, store }: Pick<ControlDependencies, 'github' | 'store'>,
  { ref, mergeability }: Parameters<ControlActivities['readStanding']>[0],
): ReturnType<ControlActivities['readStanding']> {
  const { pullRequest, standing } = await readWithPushers({ github, store }, ref);
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
  const [since] = await Promise.all([store.shownRuns.note(ref, runs), keepFailures(store, runs)]);
  return new Map([...since].map(([id, at]) => [id, runAddress(id, at)]));
}

/** What failed before a runner took it, or with its runner, has no log: its page says why, below what was heard of it. */
async function keepFailures(
  { runs: kept, liveLogs }: Pick<ControlDependencies['store'], 'runs' | 'liveLogs'>,
  shown: readonly ShownRun[],
): Promise<void> {
  await Promise.all(
    shown.map(async ({ id, said }) => {
      if (said === undefined) return;
      const heard = (await liveLogs.read(id, -1)) ?? [];
      await kept.addLog(id, Buffer.from([...heard.map(({ text }) => text), said].join('')));
    }),
  );
}

async function beating<Result>(
  { dataDir }: Pick<ControlDependencies, 'dataDir'>,
  work: () => Promise<Result>,
): Promise<Result> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), heartbeatIntervalMs);
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof Error && (await failedForRoom(cause, dataDir)) ? fullDisk(cause) : cause;
  } finally {
    clearInterval(timer);
  }
}
