// What becomes of a project while nobody knows what an apply has done to it?
import { log } from '@temporalio/workflow';
import { recordOutcome } from './executing.ts';
import type { ApplyRequest, ProjectRequest } from './model/lock.ts';
import { thaw } from './model/lock.ts';
import type { Office } from './office.ts';
import { move } from './office.ts';
import { abandonApply } from './proxies.ts';
import { breakLock, inquire } from './reconciling.ts';
import { over, tell, tellOthers } from './telling.ts';

/** As long as nobody knows what an apply has done, somebody looks. */
export function keepInquiry(office: Office): void {
  const { inquiry, lock } = office;
  if (inquiry?.unsettled === lock.unsettled) return;
  inquiry?.scope.cancel();
  office.inquiry = lock.unsettled === undefined ? null : inquire(lock.unsettled);
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
