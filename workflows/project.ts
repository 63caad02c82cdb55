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
  TimeoutFailure,
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
import { abandonApply, applyPlanIn, beginApply, readApply, record, recordApply } from './proxies.ts';
import { defaultPool } from './queues.ts';

/** What the workflow is begun with, and begun again with when its history grows long. */
export type ProjectStart = {
  readonly repository: Repository;
  readonly project: ProjectPlace;
  readonly lock: Lock;
};

/** The one mutable record of the workflow. */
type Office = {
  readonly repository: Repository;
  readonly project: ProjectPlace;
  lock: Lock;
  readonly requests: ProjectRequest[];
  /** Changes of the lock that are still to be recorded. */
  entries: RecordEntry[];
};

/** Started by the first request (signalWithStart); ends when nobody owns the project and nobody waits. */
export async function projectWorkflow({ repository, project, lock }: ProjectStart): Promise<void> {
  const office: Office = { repository, project, lock, requests: [], entries: [] };
  setHandler(projectRequestSignal, (request) => {
    office.requests.push(request);
  });
  for (;;) {
    await condition(
      () => office.requests.length > 0 || isFree(office.lock) || workflowInfo().continueAsNewSuggested,
    );
    await takeAll(office);
    await runQueue(office);
    await recordAll(office);
    await condition(allHandlersFinished);
    if (office.requests.length > 0) continue;
    if (isFree(office.lock)) return;
    if (workflowInfo().continueAsNewSuggested) {
      return continueAsNew<typeof projectWorkflow>({ repository, project, lock: office.lock });
    }
  }
}

/** Every step of the lock goes through here, so that the record has all of them. */
function move(office: Office, lock: Lock): void {
  const change = lockChange(office.lock, lock);
  office.lock = lock;
  if (change === null) return;
  const { repository, project } = office;
  office.entries.push({ kind: 'lock', key: uuid4(), repository, project, change });
}

/** Behind the work: nobody waits for the record but the end of the workflow. */
async function recordAll(office: Office): Promise<void> {
  const { entries } = office;
  office.entries = [];
  if (entries.length === 0) return;
  try {
    await record({ entries });
  } catch (error) {
    log.error('changes of the lock could not be recorded', { error });
  }
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

/** A person who unlocks a frozen project has looked: what never reported will not be waited for any more. */
async function letGo(
  office: Office,
  { ref, why }: Extract<ProjectRequest, { kind: 'release' }>,
): Promise<void> {
  const { lock, repository, project } = office;
  if (why === 'unlock' && lock.frozen !== null && lock.owner === ref.number)
    await abandonApply({ repository, project });
  move(office, release(office.lock, ref.number, why));
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

/** Runs what may run, one after the other; requests that arrive meanwhile are taken in between. */
async function runQueue(office: Office): Promise<void> {
  for (;;) {
    const { owner: ownerBefore } = office.lock;
    const next = startNext(office.lock, Date.now());
    if (next === null) break;
    move(office, next);
    const outcome = await execute(next);
    const frozen = outcome.kind === 'unknown' ? outcome.reason : null;
    move(
      office,
      finish(office.lock, { frozen, ownerBefore: outcome.kind === 'refused' ? ownerBefore : next.owner }),
    );
    await takeAll(office);
    await tell(next.running, over(next.running, outcome));
  }
  await tellWaiting(office.lock);
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
  try {
    const begun = await beginApply({ repository, grant, runId, fence });
    if (begun.kind !== 'begun') return { kind: 'refused', refusal: begun };
  } catch (error) {
    return await notBegun(running, error);
  }
  await tell(running, { kind: 'applying', project: grant.project.name, runId });
  const outcome = await applyOnce(running, fence);
  await recordApply({ runId, outcome });
  return outcome;
}

async function applyOnce({ grant, runId, ref }: ApplyRequest, fence: number): Promise<ApplyOutcome> {
  try {
    return await applyPlanIn(defaultPool)({ repository: ref.repository, grant, runId, fence });
  } catch (error) {
    log.error('contact with an apply was lost', { runId, error });
    return neverStarted(error)
      ? failed(runId, 'Terraform could not be started.')
      : { kind: 'unknown', runId, reason: 'contact with the runner was lost' };
  }
}

/** Nobody ever picked it up, or the runner itself gave up before it started Terraform: after that it never throws. */
function neverStarted(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (cause instanceof ApplicationFailure) return true;
  return cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START';
}

/** The fence could not be written; if it was after all, nobody can tell how far the apply got. */
async function notBegun({ runId }: ApplyRequest, error: unknown): Promise<ApplyOutcome> {
  log.error('an apply could not begin', { runId, error });
  const { begun, outcome } = await readApply({ runId });
  if (outcome !== null) return outcome;
  if (!begun) return failed(runId, 'Hatchet could not check the plan again before applying it.');
  const refusedAfterFence = failed(runId, 'Hatchet began this apply but did not start Terraform.');
  await recordApply({ runId, outcome: refusedAfterFence });
  return refusedAfterFence;
}

function failed(runId: ApplyRequest['runId'], summary: string): ApplyOutcome {
  const detail = `Nothing was applied. The cause is in Hatchet's log under run ${runId}.`;
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
