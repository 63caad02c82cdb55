// What becomes of a project while nobody knows what an apply has done to it?
import { log } from '@temporalio/workflow';
import type { UnfinishedApply } from './activities.ts';
import { recordOutcome } from './executing.ts';
import type { ApplyRequest, ProjectRequest } from './model/lock.ts';
import { freeze, thaw } from './model/lock.ts';
import type { Office } from './office.ts';
import { move } from './office.ts';
import { abandonApply, findUnfinished, recordUnbegun } from './proxies.ts';
import { breakLock, inquire } from './reconciling.ts';
import { over, tell, tellOthers } from './telling.ts';

/** As long as nobody knows what an apply has done, somebody looks. */
export function keepInquiry(office: Office): void {
  const { inquiry, lock } = office;
  if (inquiry?.unsettled === lock.unsettled) return;
  inquiry?.scope.cancel();
  office.inquiry = lock.unsettled === undefined ? null : inquire(lock.unsettled);
}

/**
 * An earlier life of this workflow was ended from outside while it applied something: nobody knows what came of it, and
 * nothing runs over it. False when there is no such apply.
 */
export async function recover(office: Office): Promise<boolean> {
  const { repository, project, lock } = office;
  if (lock.running !== null || lock.unsettled !== undefined) return false;
  const found = await findOrLog({ repository, project });
  if (found === null) return false;
  const { runId, grant, number, asked, lostWaitMs: waitMs } = found;
  const { replyTo, mode } = asked;
  const ref = { repository, number };
  const request: ApplyRequest = { kind: 'apply', ref, replyTo, runId, grant, mode, waits: true };
  const reason = "the project's workflow was ended from outside while this was applied";
  const outcome = { kind: 'unknown', runId, reason } as const;
  await recordOutcome(runId, outcome);
  move(office, freeze(office.lock, { request, waitMs, mark: null }, reason));
  await tell(request, over(request, outcome));
  return true;
}

async function findOrLog(place: Parameters<typeof findUnfinished>[0]): Promise<UnfinishedApply | null> {
  try {
    return await findUnfinished(place);
  } catch (error) {
    log.error('nobody could look for an apply that never ended', { error });
    return null;
  }
}

/** Whoever waits for a run that this workflow knows nothing of hears what the record says: at least that nothing began. */
export async function answerAfter(
  office: Office,
  wish: Extract<ProjectRequest, { kind: 'ask-after' }>,
): Promise<void> {
  const { runId, project, replyTo } = wish;
  await recover(office);
  const { queue, running, unsettled } = office.lock;
  const known = [...queue, running, unsettled?.request].some(
    (each) => each?.kind === 'apply' && each.runId === runId,
  );
  if (known || office.ended?.request.runId === runId) return;
  const withdrawn = { kind: 'refused', refusal: { kind: 'withdrawn', project } } as const;
  const outcome = await recordUnbegun({ runId, life: null, outcome: withdrawn });
  await tell({ replyTo }, { kind: 'finished', project, runId, outcome });
}

/** Only its own pull request decides about an apply, and only about the one that nobody knows the outcome of. */
function unsettledOf({ lock }: Office, { ref }: Pick<ProjectRequest, 'ref'>): ApplyRequest | null {
  const request = lock.unsettled?.request;
  return request?.ref.number === ref.number ? request : null;
}

export async function settleUnknown(
  office: Office,
  decision: Extract<ProjectRequest, { kind: 'settle' }>,
): Promise<void> {
  const request = unsettledOf(office, decision);
  if (request === null || request.runId !== decision.runId) return;
  await recordOutcome(request.runId, decision.outcome);
  move(office, thaw(office.lock));
  await tellOthers(request);
}

export function unlockStateOf(office: Office, wish: Extract<ProjectRequest, { kind: 'unlock-state' }>): void {
  const { inquiry } = office;
  if (unsettledOf(office, wish) === null || inquiry === null) return;
  if (!breakLock(inquiry, wish.lockId))
    log.warn('a state lock was not broken: it is not the one that was found');
}

/** Whoever asked for the apply hears what was found. With nothing left to do it was applied: whose it was, else null. */
export async function heedFinding(office: Office): Promise<ApplyRequest | null> {
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

export async function abandon({ repository, project }: Office): Promise<void> {
  try {
    await abandonApply({ repository, project });
  } catch (error) {
    log.error('an apply could not be given up', { error });
  }
}
