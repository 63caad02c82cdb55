// Which reviews are a yes to a plan on show, and which take one back?
import type { Approval, LossReason } from './approval.ts';
import { sameLogin } from './approval.ts';
import { rulesFor } from './configuration.ts';
import { outweighs } from './last-word.ts';
import type { PullRequestState } from './pull-request-state.ts';
import { missingFor, projectsFound, rejectedBy } from './pull-request-state.ts';
import type { ProjectState, ProjectsFound } from './round.ts';
import { isSettled, isSpent, planOf } from './round.ts';
import type { Review } from './standing.ts';

/** A review that would be a yes to the plan of one project, if the rights of its author admit it. */
export type ReviewedPlan = { readonly review: Review; readonly project: ProjectState };

/** What was on show, and the commit that it was shown for. */
function shownNow(state: PullRequestState): { readonly found: ProjectsFound; readonly head: string } | null {
  const { round } = state;
  const found = projectsFound(state);
  if (round === null) return null;
  if (found !== null) return { found, head: round.head };
  return round.before === null ? null : { found: round.before, head: round.before.source.head };
}

/**
 * Approving reviews of the commit on show, given when people could see the plan; only where a yes is missing, and none
 * for a plan that was tried: what is left of it is another one.
 */
export function reviewedPlans(state: PullRequestState): readonly ReviewedPlan[] {
  const shown = shownNow(state);
  if (shown === null) return [];
  const { found, head } = shown;
  const waiting = found.projects.filter(
    (project) =>
      rulesFor(found.configuration, project.project.name).approvals.from.includes('review') &&
      project.verdicts !== null &&
      !isSettled(project) &&
      !isSpent(project) &&
      (missingFor(state, project).length > 0 || rejectedBy(state, project) !== null),
  );
  return (state.standing?.reviews ?? [])
    .filter(({ state: said, commit }) => said === 'approved' && commit === head)
    .flatMap((review) =>
      waiting
        .filter((project) => wasShown(project, review.submittedAt) && !hasSaidYes(state, project, review))
        .map((project) => ({ review, project })),
    );
}

/** Could people see this plan at that time (ISO 8601)? One that replaced another counts from the next second on. */
export function wasShown({ shownAt, replaced }: ProjectState, at: string): boolean {
  if (shownAt === null) return false;
  const [shown, said] = [Date.parse(shownAt), Date.parse(at)];
  return replaced ? shown < said : shown <= said;
}

const hasSaidYes = ({ approvals }: PullRequestState, project: ProjectState, { login }: Review): boolean =>
  approvals.some(
    (yes) =>
      yes.project === project.project.name &&
      yes.digest === planOf(project)?.digest &&
      sameLogin(yes.actor.login, login),
  );

/** Null while the yes stands, as far as the reviews go. A request for changes ends one given in any way, unless that was surely given later. */
export function lossByReview(reviews: readonly Review[], yes: Approval): LossReason | null {
  const review = reviews.find(({ login }) => sameLogin(login, yes.actor.login));
  const byReview = yes.via === 'review';
  if (review === undefined) return byReview ? 'review withdrawn' : null;
  switch (review.state) {
    case 'approved':
      return null;
    case 'changes-requested':
      return byReview || !outweighs(yes, { at: review.submittedAt }) ? 'changes requested' : null;
    case 'dismissed':
      return byReview ? 'review dismissed' : null;
    default:
      return review.state satisfies never;
  }
}
