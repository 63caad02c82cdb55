// Who may change one project now? Lock and executor in one: it queues, owns, applies one plan at a time.
import {
  ActivityFailure,
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  log,
  setHandler,
  TimeoutFailure,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { ProjectPlace, RecordEntry } from './activities.ts';
import type { ProjectNews } from './messages.ts';
import { projectRequestSignal } from './messages.ts';
import type { ApplyOutcome } from './model/apply.ts';
import type { ApplyRequest, Lock, Ownership, ProjectRequest, WaitingRequest } from './model/lock.ts';
import {
  enqueue,
  finish,
  grantTurns,
  isFree,
  lockChange,
  release,
  startNext,
  thaw,
  withdraw,
} from './model/lock.ts';
import type { Repository } from './model/repository.ts';
import type { LockMark } from './model/state-lock.ts';
import { abandonApply, applyPlanIn, beginApply, recordApply, tellNews, tellRepository } from './proxies.ts';
import type { Inquiry } from './reconciling.ts';
import { breakLock, inquire } from './reconciling.ts';
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
  readonly before: Ownership;
  readonly outcome: ApplyOutcome;
  /** How long its runner may still be at work after contact with it was lost. */
  readonly lostWaitMs: number;
};

/** The one mutable record of the workflow. */
type Office = {
  readonly repository: Repository;
  readonly project: ProjectPlace;
  lock: Lock;
  readonly requests: ProjectRequest[];
  /** What came of the apply that was running; taken up by the main loop. */
  ended: Ended | null;
  /** The apply that runs: its end is what cancelling this asks for. */
  applying: CancellationScope | null;
  /** What is found out about the apply that froze the project. */
  inquiry: Inquiry | null;
  /** Changes of the lock that are still to be recorded. */
  records: RecordEntry[];
};

/** Started by the first request (signalWithStart); ends when nobody owns the project and nobody waits. */
export async function projectWorkflow({ repository, project, lock }: ProjectStart): Promise<void> {
  const office: Office = {
    repository,
    project,
    lock,
    requests: [],
    ended: null,
    applying: null,
    inquiry: null,
    records: [],
  };
  setHandler(projectRequestSignal, (request) => {
    office.requests.push(request);
  });
  void keepRecording(office, () => office.lock.running !== null);
  for (;;) {
    keepInquiry(office);
    await condition(() => hasWork(office) || mayRest(office));
    await takeAll(office);
    const changedBy = (await settle(office)) ?? (await heedFinding(office));
    await giveTurns(office);
    startNextApply(office);
    await tellWaiting(office.lock);
    if (changedBy !== null) await tellOthers(changedBy);
    await condition(allHandlersFinished);
    if (hasWork(office) || !mayRest(office)) continue;
    if (isFree(office.lock)) return;
    return continueAsNew<typeof projectWorkflow>({ repository, project, lock: office.lock });
  }
}

const hasWork = ({ requests, ended, inquiry }: Office): boolean =>
  requests.length > 0 || ended !== null || inquiry?.untold === true;

/** Nothing runs, and it may end or begin anew with a short history. */
const mayRest = ({ lock, records, inquiry }: Office): boolean =>
  lock.running === null &&
  inquiry?.busy !== true &&
  records.length === 0 &&
  (isFree(lock) || workflowInfo().continueAsNewSuggested);

/** As long as nobody knows what an apply has done, somebody looks. */
function keepInquiry(office: Office): void {
  const { inquiry, lock } = office;
  if (inquiry?.unsettled === lock.unsettled) return;
  inquiry?.scope.cancel();
  office.inquiry = lock.unsettled === undefined ? null : inquire(lock.unsettled);
}

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
    case 'turn':
      return move(office, enqueue(office.lock, request));
    case 'release':
      return letGo(office, request);
    case 'withdraw':
      await refuseWaiting(office.lock, request.ref.number);
      return move(office, withdraw(office.lock, request.ref.number));
    case 'stop':
      if (office.lock.running?.runId === request.runId) office.applying?.cancel();
      return;
    case 'look-again':
      if (office.inquiry !== null) office.inquiry.again = true;
      return;
    case 'settle':
      return settleUnknown(office, request);
    case 'unlock-state':
      return unlockStateOf(office, request);
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

/** Only its own pull request decides about an apply, and only about the one that nobody knows the outcome of. */
function unsettledOf({ lock }: Office, { ref }: Pick<ProjectRequest, 'ref'>): ApplyRequest | null {
  const request = lock.unsettled?.request;
  return request?.ref.number === ref.number ? request : null;
}

async function settleUnknown(
  office: Office,
  decision: Extract<ProjectRequest, { kind: 'settle' }>,
): Promise<void> {
  const request = unsettledOf(office, decision);
  if (request === null || request.runId !== decision.runId) return;
  await recordOutcome(request.runId, decision.outcome);
  move(office, thaw(office.lock));
  await tellOthers(request);
}

function unlockStateOf(office: Office, wish: Extract<ProjectRequest, { kind: 'unlock-state' }>): void {
  const { inquiry } = office;
  if (unsettledOf(office, wish) === null || inquiry === null) return;
  if (!breakLock(inquiry, wish.lockId))
    log.warn('a state lock was not broken: it is not the one that was found');
}

/** Whoever asked for the apply hears what was found. With nothing left to do it was applied: whose it was, else null. */
async function heedFinding(office: Office): Promise<ApplyRequest | null> {
  const { inquiry } = office;
  if (inquiry === null || inquiry.finding === null || !inquiry.untold) return null;
  inquiry.untold = false;
  const { finding, unsettled } = inquiry;
  const { request } = unsettled;
  const { runId } = request;
  // A person may have decided meanwhile.
  if (office.lock.unsettled !== unsettled) return null;
  if (finding.kind !== 'compared' || !finding.same) {
    await tell(request, { kind: 'found', project: request.grant.project.name, runId, finding });
    return null;
  }
  const finishedAt = new Date().toISOString();
  const outcome = { kind: 'applied', runId, finishedAt, reconciled: true } as const;
  await recordOutcome(runId, outcome);
  move(office, thaw(office.lock));
  await tell(request, over(request, outcome));
  return request;
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

/** Who gives up a mere turn knows that it did; who asked for an apply has to hear what came of it. */
async function refuseWaiting(lock: Lock, number: number): Promise<void> {
  const waiting = lock.queue.filter(({ ref }) => ref.number === number);
  await Promise.all(
    waiting.filter(isApply).map((request) =>
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

const isApply = (request: WaitingRequest): request is ApplyRequest => request.kind === 'apply';

/** Whoever's turn it is hears of it, and says what it wants. */
async function giveTurns(office: Office): Promise<void> {
  const { lock, granted } = grantTurns(office.lock);
  move(office, lock);
  await Promise.all(granted.map((request) => tell(request, { kind: 'yours', project: request.project })));
}

/** Starts what may run now. It runs beside the main loop, which goes on to take requests. */
function startNextApply(office: Office): void {
  const before = office.lock;
  // Not the time of this step: it differs when the step is made again, and the apply would meet its own fence.
  const next = startNext(before, workflowInfo().startTime.getTime());
  if (next === null) return;
  move(office, next);
  const { running } = next;
  if (running.inLine) void tell(running, { kind: 'yours', project: running.grant.project.name });
  void execute(office, next).then((end) => {
    office.applying = null;
    office.ended = { request: running, before, ...end };
  });
}

/** The apply is over: the project is its pull request's, unless it was refused. What changed the world, else null. */
async function settle(office: Office): Promise<ApplyRequest | null> {
  const { ended } = office;
  if (ended === null) return null;
  office.ended = null;
  const { request, before, outcome, lostWaitMs: waitMs } = ended;
  const refused = outcome.kind === 'refused';
  const end =
    outcome.kind === 'unknown'
      ? { frozen: outcome.reason, unsettled: { request, waitMs, mark: outcome.mark ?? null } }
      : { frozen: null };
  move(office, finish(office.lock, { ...end, refused, before }));
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
      const position = index + 1;
      if (request.kind === 'turn')
        return tell(request, { kind: 'behind', project: request.project, owner, position });
      const { grant, runId } = request;
      return tell(request, { kind: 'queued', project: grant.project.name, runId, owner, position });
    }),
  );
}

/** Fence first, then Terraform, then the record. Whatever breaks after the fence leaves the outcome unknown. */
async function execute(
  office: Office,
  { running, fence }: Lock & { readonly running: ApplyRequest },
): Promise<Pick<Ended, 'outcome' | 'lostWaitMs'>> {
  const { grant, runId, ref } = running;
  const { repository } = ref;
  const scope = new CancellationScope();
  office.applying = scope;
  for (let lostWaitMs = 0; ; ) {
    try {
      const begun = await scope.run(() => beginApply({ repository, grant, runId, fence }));
      if (begun.kind !== 'begun') return { outcome: { kind: 'refused', refusal: begun }, lostWaitMs };
      lostWaitMs = begun.lostWaitMs;
    } catch (error) {
      return { outcome: await notBegun(running, error), lostWaitMs };
    }
    // Terraform need not wait until somebody has heard of it; `tell` never rejects.
    void tell(running, { kind: 'applying', project: grant.project.name, runId });
    const outcome = await scope.run(() => applyOnce(running, fence));
    // All runners are busy, and what was checked before the wait is old by now.
    if (outcome === 'not taken') continue;
    await recordOutcome(runId, outcome);
    return { outcome, lostWaitMs };
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
    // Where Terraform was started, the runner answers with what came of it.
    if (isCancellation(error)) return failed(runId, ...stoppedBefore);
    if (wasNotTaken(error) && (await hasRunners(pool))) return 'not taken';
    log.error('contact with an apply was lost', { runId, error });
    if (wasNotTaken(error)) return failed(runId, noRunner(pool).summary, noRunner(pool).detail);
    return neverStarted(error)
      ? failed(runId, 'Terraform could not be started.')
      : { kind: 'unknown', runId, reason: 'contact with the runner was lost', ...markIn(error) };
  }
}

const stoppedBefore = ['The apply was stopped before it began.', 'Somebody cancelled it.'] as const;

/** The last sign of life says how the lock of Terraform was to be signed. */
function markIn(error: unknown): { readonly mark?: LockMark } {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof TimeoutFailure)) return {};
  // Our own heartbeat; none at all when the runner never began.
  const details = cause.lastHeartbeatDetails as { readonly mark?: LockMark } | undefined;
  return details?.mark === undefined ? {} : { mark: details.mark };
}

/** The runner itself gave up before it started Terraform: after that it never throws. */
const neverStarted = (error: unknown): boolean =>
  error instanceof ActivityFailure && error.cause instanceof ApplicationFailure;

/** The fence could not be written; if it was after all, Terraform was not started, and the record must say so. */
async function notBegun({ runId }: ApplyRequest, error: unknown): Promise<ApplyOutcome> {
  log.error('an apply could not begin', { runId, error });
  const outcome = isCancellation(error)
    ? failed(runId, ...stoppedBefore)
    : failed(runId, 'Hatchet could not check the plan again before applying it.');
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
async function tell(request: WaitingRequest, news: ProjectNews): Promise<void> {
  try {
    await tellNews({ workflowId: request.replyTo, news });
  } catch (error) {
    log.warn('nobody heard the news', { workflow: request.replyTo, error });
  }
}
