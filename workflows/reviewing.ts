// What do reviews on GitHub say to the plans on show? The people who gave them are asked for their rights first.
import { condition, log, uuid4 } from '@temporalio/workflow';
import { applyMerged } from './applying.ts';
import { giveWord } from './approving.ts';
import { callOff, isOnItsWay } from './calling-off.ts';
import type { Desk } from './desk.ts';
import { noteEvent } from './desk.ts';
import type { Actor } from './model/actor.ts';
import { admits } from './model/approval.ts';
import { authorize } from './model/authorize.ts';
import {
  authorsOf,
  isMergeabilityAsked,
  missingFor,
  projectsFound,
  rulesOf,
  teamsAsked,
  unmetFor,
} from './model/pull-request-state.ts';
import type { ReviewedPlan } from './model/review.ts';
import { lossByReview, reviewedPlans } from './model/review.ts';
import { planOf } from './model/round.ts';
import { newerStanding } from './model/standing.ts';
import { targetOf } from './model/target.ts';
import { readActor, readStanding } from './proxies.ts';
import type { Loss } from './taking-back.ts';
import { recordLosses, takeBack } from './taking-back.ts';

/** While GitHub takes no writes for long, reviews are weighed by what was shown before. */
const maxShowWait = '30 seconds';

/** A review was given, changed or dismissed, or checks have finished: on a merged pull request the last yes applies. */
export async function heedReviews(desk: Desk): Promise<void> {
  await lookAtReviews(desk);
  await applyMerged(desk);
}

/** GitHub tells nobody when a pull request becomes mergeable: it is asked, ever less often. */
const firstLookMs = 30_000;
const maxLookMs = 10 * 60_000;

/** Only where hatchet.yaml wants it mergeable, and all that is missing is something of that. */
export async function keepLooking(desk: Desk): Promise<never> {
  for (;;) {
    await condition(() => waitsForMergeable(desk));
    for (let wait = firstLookMs; waitsForMergeable(desk); wait = Math.min(wait * 2, maxLookMs)) {
      if (await condition(() => !waitsForMergeable(desk), wait)) break;
      await lookHowItStands(desk).catch((error: unknown) => {
        log.warn('nobody knows whether it is mergeable now', { error });
      });
    }
  }
}

const waitsForMergeable = ({ state, planning }: Desk): boolean =>
  planning === null &&
  state.pullRequest?.state === 'open' &&
  (projectsFound(state)?.projects ?? []).some(
    (project) =>
      missingFor(state, project).length === 0 &&
      unmetFor(state, project).some(({ kind }) => kind === 'mergeable'),
  );

/** All reviews are read afresh and weighed. */
export async function lookAtReviews(desk: Desk): Promise<void> {
  await lookHowItStands(desk);
  // What is being written now may be what the reviewer saw: its time is known when it is written.
  await condition(() => !desk.showing, maxShowWait);
  await weighReviews(desk);
}

/** Read afresh: what `apply.require` wants may hold by now. */
async function lookHowItStands(desk: Desk): Promise<void> {
  const { ref } = desk.state;
  const read = await readStanding({ ref, mergeability: isMergeabilityAsked(desk.state) });
  desk.state = { ...desk.state, standing: newerStanding(desk.state.standing, read) };
  desk.stale = true;
}

/** Takes back what reviews no longer say, then takes them for a yes where one is missing. */
export async function weighReviews(desk: Desk): Promise<void> {
  const reviews = desk.state.standing?.reviews;
  if (reviews === undefined) return;
  const losses = desk.state.approvals.flatMap((approval) => {
    const why = lossByReview(reviews, approval);
    return why === null ? [] : [{ approval, why }];
  });
  takeBack(desk, losses);
  await callOffReviewed(desk, losses);
  const people = new Map<string, Actor>();
  for (const reviewed of reviewedPlans(desk.state)) {
    const { login } = reviewed.review;
    const actor = people.get(login) ?? (await readReviewer(desk, login));
    people.set(login, actor);
    await giveReview(desk, reviewed, actor);
  }
}

/** What was said on GitHub counts where no runner has it yet; who comes too late is told, as nobody waits for an answer. */
async function callOffReviewed(desk: Desk, losses: readonly Loss[]): Promise<void> {
  const projects = [...new Set(losses.map(({ approval }) => approval.project))];
  if (!projects.some((name) => isOnItsWay(desk, name))) return;
  await recordLosses(desk, losses);
  for (const project of await callOff(desk, projects)) {
    const to = losses.find(({ approval }) => approval.project === project)?.approval.actor.login ?? '';
    const reply = { kind: 'too-late', to, project } as const;
    desk.answers.push({ id: uuid4(), commentNodeId: null, reaction: null, reply });
  }
}

function readReviewer({ state }: Desk, login: string): Promise<Actor> {
  return readActor({ repository: state.ref.repository, login, teams: teamsAsked(state) });
}

async function giveReview(desk: Desk, { review, project }: ReviewedPlan, actor: Actor): Promise<void> {
  if (authorize('approve', actor, targetOf(desk.state)) !== null) return;
  const authors = authorsOf(desk.state);
  if (!rulesOf(desk.state, project).some((rule) => admits(rule, actor, authors))) return;
  const said = { kind: 'approval', via: 'review', at: review.submittedAt } as const;
  if (!(await giveWord({ ...said, desk, project, actor }))) return;
  const [target, digest] = [project.project.name, planOf(project)?.digest ?? null];
  noteEvent(desk, `review/${actor.login}/${review.submittedAt}/${target}/${digest}`, {
    actor: actor.login,
    action: 'approve',
    target,
    digest,
    allowed: true,
    reason: 'review',
  });
  desk.stale = true;
}
