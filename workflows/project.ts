// Who may change one project now? Lock and executor in one: it queues, owns, applies one plan at a time.
import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  setHandler,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { ProjectNews } from './messages.ts';
import { projectNewsSignal, projectRequestSignal } from './messages.ts';
import type { ApplyOutcome } from './model/apply.ts';
import type { ApplyRequest, Lock, ProjectRequest } from './model/lock.ts';
import { enqueue, finish, isFree, release, startNext, withdraw } from './model/lock.ts';
import { applyPlanIn, beginApply, readApply, recordApply } from './proxies.ts';
import { defaultPool } from './queues.ts';

/** Started by the first request (signalWithStart); ends when nobody owns the project and nobody waits. */
export async function projectWorkflow(start: Lock): Promise<void> {
  let lock = start;
  const requests: ProjectRequest[] = [];
  setHandler(projectRequestSignal, (request) => {
    requests.push(request);
  });
  for (;;) {
    await condition(() => requests.length > 0 || isFree(lock) || workflowInfo().continueAsNewSuggested);
    for (const request of requests.splice(0)) lock = await take(lock, request);
    lock = await runQueue(lock, requests);
    await condition(allHandlersFinished);
    if (requests.length > 0) continue;
    if (isFree(lock)) return;
    if (workflowInfo().continueAsNewSuggested) return continueAsNew<typeof projectWorkflow>(lock);
  }
}

async function take(lock: Lock, request: ProjectRequest): Promise<Lock> {
  switch (request.kind) {
    case 'apply':
      return await accept(lock, request);
    case 'release':
      return release(lock, request.ref.number, request.why);
    case 'withdraw':
      await refuseWaiting(lock, request.ref.number);
      return withdraw(lock, request.ref.number);
    default:
      return request satisfies never;
  }
}

/** A frozen project takes nothing: nobody knows what it is like now. */
async function accept(lock: Lock, request: ApplyRequest): Promise<Lock> {
  if (lock.frozen === null) return enqueue(lock, request);
  const { name } = request.grant.project;
  await tell(
    request,
    over(request, { kind: 'refused', refusal: { kind: 'frozen', project: name, reason: lock.frozen } }),
  );
  return lock;
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
async function runQueue(start: Lock, requests: ProjectRequest[]): Promise<Lock> {
  let lock = start;
  for (;;) {
    const next = startNext(lock, Date.now());
    if (next === null) break;
    const outcome = await execute(next);
    lock = finish(next, {
      frozen: outcome.kind === 'unknown' ? outcome.reason : null,
      ownerBefore: outcome.kind === 'refused' ? lock.owner : next.owner,
    });
    for (const request of requests.splice(0)) lock = await take(lock, request);
    await tell(next.running, over(next.running, outcome));
  }
  await tellWaiting(lock);
  return lock;
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
      ? failed(runId, `No runner of the pool ${defaultPool} took it.`)
      : { kind: 'unknown', runId, reason: 'contact with the runner was lost' };
  }
}

/** Nobody ever picked it up, so Terraform cannot have run. */
function neverStarted(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
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
