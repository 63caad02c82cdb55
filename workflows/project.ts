// Who may change one project now? Lock and executor in one: it queues, owns, applies one plan at a time.
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  log,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { execute } from './executing.ts';
import { applyTakenSignal, projectRequestSignal } from './messages.ts';
import type { ApplyOutcome } from './model/apply.ts';
import type { ApplyRequest, Lock, ProjectRequest, WaitingRequest } from './model/lock.ts';
import {
  enqueue,
  finish,
  grantTurns,
  isFree,
  release,
  renew,
  startNext,
  takenBy,
  withdraw,
} from './model/lock.ts';
import type { Repository } from './model/repository.ts';
import type { Office } from './office.ts';
import { move } from './office.ts';
import type { ProjectPlace } from './port/record.ts';
import { keepRecording } from './recording.ts';
import { over, refuseWaiting, tell, tellEnd, tellTaken, tellWaiting } from './telling.ts';
import {
  abandon,
  answerAfter,
  heedFinding,
  keepInquiry,
  lookAgain,
  recover,
  recoverKnown,
  settleUnknown,
  unlockStateOf,
  unsettled,
} from './unsettled.ts';

/** What the workflow is begun with, and begun again with when its history grows long. */
export type ProjectStart = {
  readonly repository: Repository;
  readonly project: ProjectPlace;
  readonly lock: Lock;
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
    told: [],
    inquiry: null,
    records: [],
  };
  setHandler(projectRequestSignal, (request) => {
    if (isOwn(office, request)) office.requests.push(request);
    else log.warn('refused a request about another project', { kind: request.kind });
  });
  setHandler(applyTakenSignal, () => tellTaken(office));
  void keepRecording(office, () => office.lock.running !== null);
  for (let looked = !isFree(lock); ; looked = true) {
    keepInquiry(office);
    await condition(() => hasWork(office) || mayRest(office));
    if (!looked && !isAskedToApply(office)) await recoverKnown(office);
    await takeAll(office);
    await settle(office);
    await heedFinding(office);
    await giveTurns(office);
    startNextApply(office);
    await tellWaiting(office);
    await condition(allHandlersFinished);
    if (hasWork(office) || !mayRest(office)) continue;
    if (isFree(office.lock)) return;
    return continueAsNew<typeof projectWorkflow>({ repository, project, lock: office.lock });
  }
}

/** Names change, a repository's id and a project's place do not. */
function isOwn({ repository, project }: Office, request: ProjectRequest): boolean {
  if (request.ref.repository.id !== repository.id) return false;
  if (request.kind !== 'apply' && request.kind !== 'renew') return true;
  const { dir, workspace } = request.grant.project;
  return dir === project.dir && workspace === project.workspace;
}

const hasWork = ({ requests, ended, inquiry }: Office): boolean =>
  requests.length > 0 || ended !== null || inquiry?.untold === true;

/** Its fence knows what the record knows: nobody waits for a look beforehand. */
const isAskedToApply = ({ requests }: Office): boolean => requests.some(({ kind }) => kind === 'apply');

/** Nothing runs, and it may end or begin anew with a short history. */
const mayRest = ({ lock, records, inquiry }: Office): boolean =>
  lock.running === null &&
  inquiry?.busy !== true &&
  records.length === 0 &&
  (isFree(lock) || workflowInfo().continueAsNewSuggested);

async function takeAll(office: Office): Promise<void> {
  for (const request of office.requests.splice(0)) await take(office, request);
}

async function take(office: Office, request: ProjectRequest): Promise<void> {
  switch (request.kind) {
    case 'apply':
      return accept(office, request);
    case 'turn':
      return enlist(office, request);
    case 'renew':
      return move(office, renew(office.lock, request));
    case 'release':
      return letGo(office, request);
    case 'withdraw':
      await refuseWaiting(office.lock, request.ref.number);
      return move(office, withdraw(office.lock, request.ref.number));
    case 'stop':
      await recover(office);
      if (office.lock.running?.runId === request.runId) office.applying?.cancel();
      return;
    case 'look-again':
      await recover(office);
      return lookAgain(office);
    case 'ask-after':
      return answerAfter(office, request);
    case 'settle':
      await recover(office);
      return settleUnknown(office, request);
    case 'unlock-state':
      await recover(office);
      return unlockStateOf(office, request);
    default:
      return request satisfies never;
  }
}

/** A frozen project takes nothing: nobody knows what it is like now. */
async function accept(office: Office, request: ApplyRequest): Promise<void> {
  const { lock } = office;
  if (lock.frozen === null) return enlist(office, request);
  const refusal = { kind: 'frozen', project: request.grant.project.name, reason: lock.frozen } as const;
  await tell(request, over(request, { kind: 'refused', refusal }));
}

/** Who does not want to wait hears at once that somebody else has it. */
async function enlist(office: Office, request: WaitingRequest): Promise<void> {
  const owner = request.waits ? null : takenBy(office.lock, request.ref.number);
  if (owner === null) return move(office, enqueue(office.lock, request));
  const [project, runId] =
    request.kind === 'turn' ? [request.project, null] : [request.grant.project.name, request.runId];
  await tell(request, { kind: 'taken', project, owner, runId });
}

/**
 * A person who unlocks has looked: an apply that never reported will not be waited for any more. Of one that is only
 * found now nobody could know.
 */
async function letGo(office: Office, request: Extract<ProjectRequest, { kind: 'release' }>): Promise<void> {
  const { ref, why } = request;
  if ((await recover(office)) === 'found') return;
  const { owner, running } = office.lock;
  await refuseWaiting(office.lock, ref.number);
  const isOwners = running === null && (owner === null || owner === ref.number);
  if (why === 'unlock' && isOwners) await abandon(office, request.actor);
  move(office, release(office.lock, ref.number, why));
}

/** Whoever's turn it is hears of it, and says what it wants. From whoever is gone it passes to the next. */
async function giveTurns(office: Office): Promise<void> {
  for (;;) {
    const { lock, granted } = grantTurns(office.lock);
    move(office, lock);
    const told = await Promise.all(
      granted.map((request) => tell(request, { kind: 'yours', project: request.project })),
    );
    const gone = granted.filter((_, index) => told[index] === 'gone');
    if (gone.length === 0) return;
    for (const { ref } of gone) move(office, withdraw(office.lock, ref.number));
  }
}

/** Starts what may run now. It runs beside the main loop, which goes on to take requests. */
function startNextApply(office: Office): void {
  const before = office.lock;
  // Not the time of this step: it differs when the step is made again, and the apply would meet its own fence.
  const next = startNext(before, workflowInfo().startTime.getTime());
  if (next === null) return;
  move(office, next);
  const { running } = next;
  void execute(office, next).then((end) => {
    office.applying = null;
    office.ended = { request: running, before, ...end };
  });
}

/** The record knows of an apply that this life of the workflow does not know of: what it is about is told. */
async function refuseFrozen(office: Office, request: ApplyRequest, outcome: ApplyOutcome): Promise<void> {
  await recover(office);
  const { frozen } = office.lock;
  const refusal = { kind: 'frozen', project: request.grant.project.name, reason: frozen ?? '' } as const;
  await tell(request, over(request, frozen === null ? outcome : { kind: 'refused', refusal }));
}

/** The apply is over: the project is its pull request's, unless it was refused. */
async function settle(office: Office): Promise<void> {
  const { ended } = office;
  if (ended === null) return;
  office.ended = null;
  const { request, before, outcome, lostWaitMs: waitMs, recorded } = ended;
  const refused = outcome.kind === 'refused';
  const end =
    outcome.kind === 'unknown'
      ? { frozen: outcome.reason, unsettled: unsettled({ request, waitMs }, outcome) }
      : { frozen: null };
  move(office, finish(office.lock, { ...end, refused, before }));
  if (!recorded) await tellEnd(office, request, outcome);
  else if (refused && outcome.refusal.kind === 'frozen') await refuseFrozen(office, request, outcome);
  else await tell(request, over(request, outcome));
}
