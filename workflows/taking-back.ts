// What happens to a yes that counts no more?
import { uuid4 } from '@temporalio/workflow';
import type { Desk } from './desk.ts';
import type { Approval, LossReason, LostApproval } from './model/approval.ts';
import { sameLogin } from './model/approval.ts';
import type { PlanDigest } from './model/identifiers.ts';
import { record } from './proxies.ts';

export type Loss = { readonly approval: Approval; readonly why: LossReason };

/** It is gone from the state and from the record, and the comment says why. */
export function takeBack(desk: Desk, losses: readonly Loss[]): void {
  if (losses.length === 0) return;
  forget(desk, losses);
  desk.stale = true;
}

/** At once: the record decides whether a runner still gets an apply that stands on them. */
export function recordLosses({ state: { ref } }: Desk, losses: readonly Loss[]): Promise<void> {
  return record({ entries: losses.map(({ approval }) => ({ kind: 'withdrawal', ref, approval })) });
}

/** An apply that was begun with it did not come to its end: what is done next is another decision. */
export function takeBackUsed(desk: Desk, project: string, digest: PlanDigest): void {
  const used = desk.state.approvals.filter((yes) => yes.project === project && yes.digest === digest);
  takeBack(
    desk,
    used.map((approval) => ({ approval, why: 'apply begun' })),
  );
}

/** People see another plan now: what they said to the one before is over, also when that one comes back. */
export function dropReplaced(desk: Desk, project: string, digest: PlanDigest): void {
  dropOverrides(desk, project, digest);
  const { approvals } = desk.state;
  const replaced = approvals.filter((yes) => yes.project === project && yes.digest !== digest);
  // The picture says it already: nothing has to be drawn again.
  forget(
    desk,
    replaced.map((approval) => ({ approval, why: 'plan changed' })),
  );
}

function dropOverrides(desk: Desk, project: string, digest: PlanDigest): void {
  const { ref, overrides } = desk.state;
  const replaced = overrides.filter((word) => word.project === project && word.digest !== digest);
  if (replaced.length === 0) return;
  const at = new Date().toISOString();
  desk.state = { ...desk.state, overrides: overrides.filter((word) => !replaced.includes(word)) };
  desk.records.push(
    ...replaced.map((override) => ({ kind: 'override-withdrawal', ref, override, at }) as const),
  );
}

function forget(desk: Desk, losses: readonly Loss[]): void {
  const gone = losses.map(({ approval }) => approval);
  const lost = losses.map(({ approval: { project, digest, sourceDigest, actor }, why }) => ({
    project,
    digest,
    sourceDigest,
    login: actor.login,
    why,
  }));
  const before = desk.state.lost.filter((old) => !lost.some((now) => isSame(old, now)));
  desk.state = {
    ...desk.state,
    approvals: desk.state.approvals.filter((each) => !gone.includes(each)),
    lost: [...before, ...lost],
  };
  for (const loss of losses) note(desk, loss);
}

const isSame = (one: LostApproval, other: LostApproval): boolean =>
  one.project === other.project && one.digest === other.digest && sameLogin(one.login, other.login);

function note(desk: Desk, { approval, why }: Loss): void {
  const { ref } = desk.state;
  const { actor, project: target, digest } = approval;
  const who = ownWords.includes(why)
    ? { actor: actor.login, reason: why }
    : { actor: 'hatchet', reason: `${why}: the approval of ${actor.login}` };
  const event = { ...placeOf(desk), ...who, action: 'withdraw', target, digest, allowed: true };
  desk.records.push({ kind: 'withdrawal', ref, approval }, { kind: 'event', key: uuid4(), event });
}

/** What whoever said yes has done; everything else came over them. Who dismissed a review is recorded where that is heard. */
const ownWords: readonly LossReason[] = ['changes requested', 'review withdrawn'];

const placeOf = ({ state: { ref } }: Desk) => ({ repository: ref.repository, number: ref.number });
