// Whose yes or no is taken, and what does it change?

import type { CommandRefusal } from './activities.ts';
import { applyMerged } from './applying.ts';
import type { Desk } from './desk.ts';
import type { Actor } from './model/actor.ts';
import type { Refusal } from './model/apply.ts';
import type { Approval, Rejection } from './model/approval.ts';
import { admits, sameLogin } from './model/approval.ts';
import { rulesFor } from './model/configuration.ts';
import { authorsOf, missingFor, projectsFound, rulesOf } from './model/pull-request-state.ts';
import type { ProjectState } from './model/round.ts';
import { isSettled, planOf } from './model/round.ts';
import { record } from './proxies.ts';
import type { Wish } from './wishes.ts';
import { sawPlan } from './wishes.ts';

type Denied = Refusal | CommandRefusal;

/** What a person says of one plan: the word is theirs, the rights are those they have now. */
type Word = {
  readonly desk: Desk;
  readonly project: ProjectState;
  readonly actor: Actor;
  /** ISO 8601: when it was said, by GitHub's clock. */
  readonly at: string;
} & (
  | { readonly kind: 'approval'; readonly via: Approval['via'] }
  | { readonly kind: 'rejection'; readonly via: Rejection['via'] }
);

/** Says yes to the plans that the person saw; on a merged pull request the last yes starts the apply. */
export async function approve(
  desk: Desk,
  wish: Wish,
  actor: Actor,
  projects: readonly ProjectState[],
): Promise<Denied | null> {
  const found = projectsFound(desk.state);
  if (desk.planning !== null || found === null) return { kind: 'still-planning' };
  const waiting = projects.filter(
    (project) => missingFor(desk.state, project).length > 0 || wasRejectedBy(desk, project, actor),
  );
  if (waiting.length === 0) return { kind: 'nothing-to-approve' };
  const ways = waiting.map(({ project }) => rulesFor(found.configuration, project.name).approvals.from);
  const elsewhere = ways.find((from) => !from.includes(wayOf(wish)));
  if (elsewhere !== undefined) return { kind: 'approve-elsewhere', ways: elsewhere };
  const changed = waiting.find((project) => !sawPlan(desk.state, project, wish));
  if (changed !== undefined) return { kind: 'plan-changed', project: changed.project.name };
  const counting = waiting.filter((project) => wouldCount(desk, project, actor));
  if (counting.length === 0) return notAdmitted(desk, waiting);
  for (const project of counting) await giveWord({ kind: 'approval', desk, project, actor, ...saidBy(wish) });
  desk.stale = true;
  await applyMerged(desk);
  return null;
}

/** Takes the person's own yes back and blocks the plan until the same person approves or the plan changes. */
export async function reject(
  desk: Desk,
  wish: Wish,
  actor: Actor,
  projects: readonly ProjectState[],
): Promise<Denied | null> {
  if (desk.planning !== null) return { kind: 'still-planning' };
  const open = projects.filter((project) => planOf(project)?.hasChanges === true && !isSettled(project));
  if (open.length === 0) return { kind: 'nothing-to-approve' };
  const changed = open.find((project) => !sawPlan(desk.state, project, wish));
  if (changed !== undefined) return { kind: 'plan-changed', project: changed.project.name };
  for (const project of open) await giveWord({ kind: 'rejection', desk, project, actor, ...saidBy(wish) });
  desk.stale = true;
  return null;
}

/** A yes that no rule admits would look given and change nothing. */
function wouldCount(desk: Desk, project: ProjectState, actor: Actor): boolean {
  const authors = authorsOf(desk.state);
  return (
    wasRejectedBy(desk, project, actor) ||
    rulesOf(desk.state, project).some((rule) => admits(rule, actor, authors))
  );
}

function notAdmitted({ state }: Desk, [first]: readonly ProjectState[]): Denied {
  return first === undefined
    ? { kind: 'nothing-to-approve' }
    : { kind: 'approvals-missing', project: first.project.name, missing: missingFor(state, first) };
}

/**
 * Recorded first: an apply counts only what the record holds. A person's last word on a project replaces the earlier
 * ones, by the time when it was said, in whatever order the words arrive.
 */
export async function giveWord(word: Word): Promise<void> {
  const { desk, project, actor, at } = word;
  const plan = planOf(project);
  if (plan === null) return;
  const { name } = project.project;
  const isMine = (each: { readonly project: string; readonly actor: Actor }): boolean =>
    each.project === name && sameLogin(each.actor.login, actor.login);
  const { approvals, rejections } = desk.state;
  if ([...approvals, ...rejections].some((each) => isMine(each) && Date.parse(each.at) > Date.parse(at)))
    return;
  const { digest, sourceDigest } = plan;
  const said = { actor, project: name, digest, sourceDigest, at };
  const { ref } = desk.state;
  const approval = word.kind === 'approval' ? [{ ...said, via: word.via }] : [];
  const rejection = word.kind === 'rejection' ? [{ ...said, via: word.via }] : [];
  await record({
    entries: [
      ...approval.map((each) => ({ kind: 'approval', ref, approval: each }) as const),
      ...rejection.map((each) => ({ kind: 'rejection', ref, rejection: each }) as const),
    ],
  });
  desk.state = {
    ...desk.state,
    approvals: [...desk.state.approvals.filter((each) => !isMine(each)), ...approval],
    rejections: [...desk.state.rejections.filter((each) => !isMine(each)), ...rejection],
    // Whoever says no does not stand by what they lifted.
    overrides: desk.state.overrides.filter((each) => word.kind === 'approval' || !isMine(each)),
    lost: desk.state.lost.filter((each) => each.project !== name || !sameLogin(each.login, actor.login)),
  };
}

const wayOf = ({ via }: Wish): 'comment' | 'button' => (via === 'comment' ? 'comment' : 'button');

const saidBy = (wish: Wish) => ({
  via: wayOf(wish),
  at: wish.saw.kind === 'before' ? wish.saw.at : new Date().toISOString(),
});

function wasRejectedBy(desk: Desk, project: ProjectState, actor: Actor): boolean {
  return desk.state.rejections.some(
    (no) => no.project === project.project.name && sameLogin(no.actor.login, actor.login),
  );
}
