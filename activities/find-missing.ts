// Do the yeses that were given still count, right before an apply?

import type { Refusal } from '../workflows/model/apply.ts';
import type { Approval, LossReason } from '../workflows/model/approval.ts';
import { admits, isTeam, missingApprovals } from '../workflows/model/approval.ts';
import type { PlanDigest } from '../workflows/model/identifiers.ts';
import type { Repository } from '../workflows/model/repository.ts';
import { lossByReview } from '../workflows/model/review.ts';
import type { Review } from '../workflows/model/standing.ts';
import type { ApprovalRule } from '../workflows/model/verdict.ts';
import type { ControlActivities } from '../workflows/port/control.ts';

type Question = {
  readonly repository: Repository;
  readonly project: string;
  readonly digest: PlanDigest;
  readonly rules: readonly ApprovalRule[];
  readonly approvals: readonly Approval[];
  readonly authors: readonly string[];
  /** As GitHub tells them now. */
  readonly reviews: readonly Review[];
};

/** Null when every rule is still met. Whoever said yes is asked for their rights again, unless no rule needs them. */
export async function findMissing(
  { readActor }: Pick<ControlActivities, 'readActor'>,
  question: Question,
): Promise<Refusal | null> {
  const { repository, project, rules, approvals, authors, reviews } = question;
  const before = missingApprovals(question);
  if (before.length > 0) return { kind: 'approvals-missing', project, missing: before };
  const needed = approvals.filter(({ actor }) => rules.some((rule) => admits(rule, actor, authors)));
  const teams = [...new Set(rules.flatMap(({ by }) => by).filter(isTeam))];
  const now = await Promise.all(
    needed.map(async (yes) => {
      const actor = await readActor({ repository, login: yes.actor.login, teams });
      const gone = lossByReview(reviews, yes);
      return { yes: { ...yes, actor }, gone, why: gone ?? rightLost(question, yes, actor) };
    }),
  );
  // Somebody who left a team may still be somebody who may write.
  const standing = now.flatMap(({ yes, gone }) => (gone === null ? [yes] : []));
  const missing = missingApprovals({ ...question, approvals: standing });
  const lost = now.flatMap(({ yes, why }) => (why === null ? [] : [{ login: yes.actor.login, why }]));
  return missing.length > 0 ? { kind: 'approval-lost', project, lost, missing } : null;
}

/** A rule that admitted them when they said yes admits them no longer. */
const rightLost = (
  { rules, authors }: Pick<Question, 'rules' | 'authors'>,
  before: Approval,
  actor: Approval['actor'],
): LossReason | null =>
  rules.some((rule) => admits(rule, before.actor, authors) && !admits(rule, actor, authors))
    ? 'right lost'
    : null;
