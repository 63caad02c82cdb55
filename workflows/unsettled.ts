// What becomes of a project while nobody knows what an apply has done to it?
import { log } from '@temporalio/workflow';
import { recordOutcome } from './executing.ts';
import type { ApplyOutcome } from './model/apply.ts';
import type { ApplyRequest, ProjectRequest, Unsettled } from './model/lock.ts';
import { freeze, thaw } from './model/lock.ts';
import type { Office } from './office.ts';
import { move } from './office.ts';
import type { UnfinishedApply } from './port/begun-apply.ts';
import { abandonApply, findUnfinished, recordUnbegun } from './proxies.ts';
import { breakLock, inquire } from './reconciling.ts';
import { over, tell, tellEnd, tellOthers } from './telling.ts';

/** As long as nobody knows what an apply has done, somebody looks. */
export function keepInquiry(office: Office): void {
  const { inquiry, lock } = office;
  if (inquiry?.unsettled === lock.unsettled) return;
  inquiry?.scope.cancel();
  office.inquiry = lock.unsettled === undefined ? null : inquire(lock.unsettled);
}

/** What is known of an apply from the moment it was lost. */
export function unsettled(
  lost: Pick<Unsettled, 'request' | 'waitMs'>,
  { mark, ended }: Unknown,
  lostAt = new Date().toISOString(),
): Unsettled {
  return { ...lost, mark: mark ?? null, lostAt, ended: ended === true };
}

export type Unknown = Extract<ApplyOutcome, { kind: 'unknown' }>;

/**
 * An earlier life of this workflow was ended from outside while it applied something, or while nobody knew what came of
 * that: nothing runs over it. `found`: nobody could know of it until now; `known`: it was told before; null: there is no
 * such apply.
 */
export async function recover(office: Office): Promise<'found' | 'known' | null> {
  const found = await findLost(office);
  if (found === null) return null;
  const { runId } = found;
  const reason = "the project's workflow was ended from outside while this was applied";
  const outcome: Unknown = found.lost?.outcome ?? { kind: 'unknown', runId, reason };
  if (found.lost === null) await recordOutcome(runId, outcome);
  await freezeAgain(office, found, outcome);
  return found.lost === null ? 'found' : 'known';
}

/** A new life of this workflow knows what the one before it knew. */
export async function recoverKnown(office: Office): Promise<void> {
  const found = await findLost(office);
  if (found !== null && found.lost !== null) await freezeAgain(office, found, found.lost.outcome);
}

async function findLost({ repository, project, lock }: Office): Promise<UnfinishedApply | null> {
  if (lock.running !== null || lock.unsettled !== undefined) return null;
  return findOrLog({ repository, project });
}

async function freezeAgain(office: Office, found: UnfinishedApply, outcome: Unknown): Promise<void> {
  const { runId, grant, number, asked, lostWaitMs: waitMs, lost } = found;
  const { replyTo, mode } = asked;
  const ref = { repository: office.repository, number };
  const request: ApplyRequest = { kind: 'apply', ref, replyTo, runId, grant, mode, waits: true };
  move(office, freeze(office.lock, unsettled({ request, waitMs }, outcome, lost?.at), outcome.reason));
  await tell(request, over(request, outcome));
}

/** One that is only begun looks without being asked. */
export function lookAgain({ inquiry }: Office): void {
  if (inquiry !== null) inquiry.again = true;
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
  // A new life of this workflow has told it meanwhile that nobody knows.
  await tell(request, over(request, decision.outcome));
  await tellOthers(request);
}

export function unlockStateOf(office: Office, wish: Extract<ProjectRequest, { kind: 'unlock-state' }>): void {
  keepInquiry(office);
  const { inquiry } = office;
  if (unsettledOf(office, wish) === null || inquiry === null) return;
  if (!breakLock(inquiry, wish.lockId))
    log.warn('a state lock was not broken: it is not the one that was found');
}

/** Whoever asked for the apply hears what was found. With nothing left to do it was applied. */
export async function heedFinding(office: Office): Promise<void> {
  const { inquiry } = office;
  if (inquiry === null || inquiry.finding === null || !inquiry.untold) return;
  inquiry.untold = false;
  const { finding, unsettled } = inquiry;
  const { request } = unsettled;
  const { runId } = request;
  // A person may have decided meanwhile.
  if (office.lock.unsettled !== unsettled) return;
  if (finding.kind !== 'compared' || !finding.same) {
    await tell(request, { kind: 'found', project: request.grant.project.name, runId, finding });
    return;
  }
  const finishedAt = new Date().toISOString();
  const outcome = { kind: 'applied', runId, finishedAt, reconciled: true } as const;
  await tellEnd(office, request, outcome);
  move(office, thaw(office.lock));
}

export async function abandon({ repository, project }: Office, actor: string | undefined): Promise<void> {
  try {
    await abandonApply({ repository, project, actor });
  } catch (error) {
    log.error('an apply could not be given up', { error });
  }
}
