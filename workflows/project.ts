// Who may change one project now? Lock and executor in one: it queues, owns, applies one plan at a time.
import {
  ActivityFailure,
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { ProjectPlace, RecordEntry } from './activities.ts';
import type { ProjectNews } from './messages.ts';
import { projectNewsSignal, projectRequestSignal } from './messages.ts';
import type { ApplyOutcome } from './model/apply.ts';
import type { ApplyRequest, Lock, ProjectRequest } from './model/lock.ts';
import { enqueue, finish, isFree, lockChange, release, startNext, withdraw } from './model/lock.ts';
import type { Repository } from './model/repository.ts';
import { abandonApply, applyPlanIn, beginApply, recordApply, tellRepository } from './proxies.ts';
import { keepRecording } from './recording.ts';
import { hasRunners, noRunner, wasNotTaken } from './waiting-for-runner.ts';

/** What the workflow is begun with, and begun again with when its history grows long. */
export type ProjectStart = {
  readonly repository: Repository;
  readonly project: ProjectPlace;
  readonly lock: Lock;
};

type Ended = {
  readonly request: ApplyRequest;
  readonly ownerBefore: number | null;
  readonly outcome: ApplyOutcome;
};

/** The one mutable record of the workflow. */
type Office = {
  readonly repository: Repository;
  readonly project: ProjectPlace;
  lock: Lock;
  readonly requests: ProjectRequest[];
  /** What came of the apply that was running; taken up by the main loop. */
  ended: Ended | null;
  /** Changes of the lock that are still to be recorded. */
  records: RecordEntry[];
};

/** Started by the first request (signalWithStart); ends when nobody owns the project and nobody waits. */
export async function projectWorkflow({ repository, project, lock }: ProjectStart): Promise<void> {
  const office: Office = { repository, project, lock, requests: [], ended: null, records: [] };
  setHandler(projectRequestSignal, (request) => {
    office.requests.push(request);
  });
  void keepRecording(office, () => office.lock.running !== null);
  for (;;) {
    await condition(() => office.requests.length > 0 || office.ended !== null || mayRest(office));
    await takeAll(office);
    const changedBy = await settle(office);
    startNextApply(office);
    await tellWaiting(office.lock);
    if (changedBy !== null) await tellOthers(changedBy);
    await condition(allHandlersFinished);
    if (office.requests.length > 0 || office.ended !== null || !mayRest(office)) continue;
    if (isFree(office.lock)) return;
    return continueAsNew<typeof projectWorkflow>({ repository, project, lock: office.lock });
  }
}

/** Nothing runs, and it may end or begin anew with a short history. */
const mayRest = ({ lock, records }: Office): boolean =>
  lock.running === null && records.length === 0 && (isFree(lock) || workflowInfo().continueAsNewSuggested);

/** Every step of the lock goes through here, so that the record has all of them. */
function move(office: Office, lock: Lock): void {
  const change = lockChange(office.lock, lock);
  office.lock = lock;
  if (change === null) return;
  const { repository, project } = office;
  office.records.push({ kind: 'lock', key: uuid4(), repository, project, change });
}

async function takeAll(office: Office): Promise<void> {
  for (const request of office.requests.splice(0)) await take(office, request);
}

async function take(office: Office, request: ProjectRequest): Promise<void> {
  switch (request.kind) {
    case 'apply':
      return accept(office, request);
    case 'release':
      return letGo(office, request);
    case 'withdraw':
      await refuseWaiting(office.lock, request.ref.number);
      return move(office, withdraw(office.lock, request.ref.number));
    default:
      return request satisfies never;
  }
}

/** A frozen project takes nothing: nobody knows what it is like now. */
async function accept(office: Office, request: ApplyRequest): Promise<void> {
  const { lock } = office;
  if (lock.frozen === null) return move(office, enqueue(lock, request));
  const refusal = { kind: 'frozen', project: request.grant.project.name, reason: lock.frozen } as const;
  await tell(request, over(request, { kind: 'refused', refusal }));
}

/** A person who unlocks has looked: an apply that never reported will not be waited for any more. */
async function letGo(office: Office, request: Extract<ProjectRequest, { kind: 'release' }>): Promise<void> {
  const { ref, why } = request;
  const { owner, running } = office.lock;
  await refuseWaiting(office.lock, ref.number);
  const mayAbandon = why === 'unlock' && running === null && (owner === null || owner === ref.number);
  if (mayAbandon) await abandon(office);
  move(office, release(office.lock, ref.number, why));
}

async function abandon({ repository, project }: Office): Promise<void> {
  try {
    await abandonApply({ repository, project });
  } catch (error) {
    log.error('an apply could not be given up', { error });
  }
}

async function refuseWaiting(lock: Lock, number: number): Promise<void> {
  const waiting = lock.queue.filter(({ ref }) => ref.number === number);
  await Promise.all(
    waiting.map((request) =>
      tell(
        request,
        over(request, {
          kind: 'refused',
          refusal: { kind: 'withdrawn', project: request.grant.project.name },
        }),
      ),
    ),
  );
}

/** Starts what may run now. It runs beside the main loop, which goes on to take requests. */
function startNextApply(office: Office): void {
  const { owner: ownerBefore } = office.lock;
  const next = startNext(office.lock, Date.now());
  if (next === null) return;
  move(office, next);
  void execute(next).then((outcome) => {
    office.ended = { request: next.running, ownerBefore, outcome };
  });
}

/** The apply is over: the project is its pull request's, unless it was refused. What changed the world, else null. */
async function settle(office: Office): Promise<ApplyRequest | null> {
  const { ended } = office;
  if (ended === null) return null;
  office.ended = null;
  const { request, ownerBefore, outcome } = ended;
  const frozen = outcome.kind === 'unknown' ? outcome.reason : null;
  const owner = outcome.kind === 'refused' ? ownerBefore : office.lock.owner;
  move(office, finish(office.lock, { frozen, ownerBefore: owner }));
  await tell(request, over(request, outcome));
  const partly = outcome.kind === 'failed' && outcome.done > 0;
  return outcome.kind === 'applied' || partly ? request : null;
}

/** Behind the work: other pull requests that plan the project have to look again. */
async function tellOthers({ ref, grant }: ApplyRequest): Promise<void> {
  const { repository, number } = ref;
  try {
    await tellRepository({ kind: 'applied', repository, project: grant.project.name, number });
  } catch (error) {
    log.error('nobody was told that a project changed', { project: grant.project.name, error });
  }
}

async function tellWaiting(lock: Lock): Promise<void> {
  const { owner } = lock;
  if (owner === null) return;
  await Promise.all(
    lock.queue.map((request, index) => {
      const project = request.grant.project.name;
      return tell(request, { kind: 'queued', project, runId: request.runId, owner, position: index + 1 });
    }),
  );
}

/** Fence first, then Terraform, then the record. Whatever breaks after the fence leaves the outcome unknown. */
async function execute({ running, fence }: Lock & { readonly running: ApplyRequest }): Promise<ApplyOutcome> {
  const { grant, runId, ref } = running;
  const { repository } = ref;
  for (;;) {
    try {
      const begun = await beginApply({ repository, grant, runId, fence });
      if (begun.kind !== 'begun') return { kind: 'refused', refusal: begun };
    } catch (error) {
      return await notBegun(running, error);
    }
    // Terraform need not wait until somebody has heard of it; `tell` never rejects.
    void tell(running, { kind: 'applying', project: grant.project.name, runId });
    const outcome = await applyOnce(running, fence);
    // All runners are busy, and what was checked before the wait is old by now.
    if (outcome === 'not taken') continue;
    await recordOutcome(runId, outcome);
    return outcome;
  }
}

/** Whoever waits is told all the same; the fence row then says that nobody knows, and nothing runs over it. */
async function recordOutcome(runId: ApplyRequest['runId'], outcome: ApplyOutcome): Promise<void> {
  try {
    await recordApply({ runId, outcome });
  } catch (error) {
    log.error('the outcome of an apply could not be recorded', { runId, error });
  }
}

async function applyOnce(
  { grant, runId, ref }: ApplyRequest,
  fence: number,
): Promise<ApplyOutcome | 'not taken'> {
  const { pool, timeoutMs, poolWaitMs: waitMs } = grant;
  const applyPlan = applyPlanIn(pool, { timeoutMs, waitMs });
  const request = { repository: ref.repository, grant, runId, fence };
  try {
    return await applyPlan(request);
  } catch (error) {
    if (wasNotTaken(error) && (await hasRunners(pool))) return 'not taken';
    log.error('contact with an apply was lost', { runId, error });
    if (wasNotTaken(error)) return failed(runId, noRunner(pool).summary, noRunner(pool).detail);
    return neverStarted(error)
      ? failed(runId, 'Terraform could not be started.')
      : { kind: 'unknown', runId, reason: 'contact with the runner was lost' };
  }
}

/** The runner itself gave up before it started Terraform: after that it never throws. */
const neverStarted = (error: unknown): boolean =>
  error instanceof ActivityFailure && error.cause instanceof ApplicationFailure;

/** The fence could not be written; if it was after all, Terraform was not started, and the record must say so. */
async function notBegun({ runId }: ApplyRequest, error: unknown): Promise<ApplyOutcome> {
  log.error('an apply could not begin', { runId, error });
  const outcome = failed(runId, 'Hatchet could not check the plan again before applying it.');
  await recordOutcome(runId, outcome);
  return outcome;
}

function failed(
  runId: ApplyRequest['runId'],
  summary: string,
  cause = `The cause is in Hatchet's log under run ${runId}.`,
): ApplyOutcome {
  const detail = `Nothing was applied. ${cause}`;
  return {
    kind: 'failed',
    runId,
    finishedAt: new Date().toISOString(),
    diagnostics: [{ severity: 'error', summary, detail }],
    diagnosticCount: 1,
    done: 0,
    total: 0,
    stateKept: false,
  };
}

const over = (request: ApplyRequest, outcome: ApplyOutcome): ProjectNews => ({
  kind: 'finished',
  project: request.grant.project.name,
  runId: request.runId,
  outcome,
});

/** The pull request's workflow may be gone; the record and the lock are what counts. */
async function tell(request: ApplyRequest, news: ProjectNews): Promise<void> {
  try {
    await getExternalWorkflowHandle(request.replyTo).signal(projectNewsSignal, news);
  } catch (error) {
    log.warn('nobody heard the news', { workflow: request.replyTo, error });
  }
}
