// What happens to a yes that counts no more although its plan is the same?
import { uuid4 } from '@temporalio/workflow';
import type { Desk } from './desk.ts';
import type { Approval, LossReason } from './model/approval.ts';

type Loss = { readonly approval: Approval; readonly why: LossReason };

/** It is gone from the state and from the record, and the comment says why. */
export function takeBack(desk: Desk, losses: readonly Loss[]): void {
  if (losses.length === 0) return;
  const gone = losses.map(({ approval }) => approval);
  const lost = losses.map(({ approval: { project, digest, actor }, why }) => ({
    project,
    digest,
    login: actor.login,
    why,
  }));
  desk.state = {
    ...desk.state,
    approvals: desk.state.approvals.filter((each) => !gone.includes(each)),
    lost: [...desk.state.lost, ...lost],
  };
  for (const loss of losses) note(desk, loss);
  desk.stale = true;
}

function note(desk: Desk, { approval, why }: Loss): void {
  const { ref } = desk.state;
  const { actor, project: target, digest } = approval;
  const event = { ...placeOf(desk), actor: actor.login, action: 'withdraw', target, digest };
  desk.records.push(
    { kind: 'withdrawal', ref, approval },
    { kind: 'event', key: uuid4(), event: { ...event, allowed: true, reason: why } },
  );
}

const placeOf = ({ state: { ref } }: Desk) => ({ repository: ref.repository, number: ref.number });
