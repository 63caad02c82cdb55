// Whose yes or no is taken, and what does it change?

import type { CommandRefusal } from './activities.ts';
import { applyMerged } from './applying.ts';
import type { Desk } from './desk.ts';
import type { Actor } from './model/actor.ts';
import type { Refusal } from './model/apply.ts';
import { admits, sameLogin } from './model/approval.ts';
import { rulesFor } from './model/configuration.ts';
import { missingFor, projectsFound } from './model/pull-request-state.ts';
import type { ProjectState } from './model/round.ts';
import { approvalRules, isSettled, planOf } from './model/round.ts';
import { record } from './proxies.ts';
import type { Wish } from './wishes.ts';
import { sawPlan } from './wishes.ts';

type Denied = Refusal | CommandRefusal;

/** What a person says of one plan: the word is theirs, the rights are those they have now. */
type Word = {
  readonly desk: Desk;
  readonly project: ProjectState;
  readonly actor: Actor;
  readonly wish: Wish;
};

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
  for (const project of counting) await giveWord('approval', { desk, project, actor, wish });
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
  for (const project of open) await giveWord('rejection', { desk, project, actor, wish });
  desk.stale = true;
  return null;
}

/** A yes that no rule admits would look given and change nothing. */
function wouldCount(desk: Desk, project: ProjectState, actor: Actor): boolean {
  const found = projectsFound(desk.state);
  const rules = found === null ? [] : approvalRules(project, found.configuration);
  const author = desk.state.pullRequest?.author ?? '';
  return wasRejectedBy(desk, project, actor) || rules.some((rule) => admits(rule, actor, author));
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
async function giveWord(kind: 'approval' | 'rejection', { desk, project, actor, wish }: Word): Promise<void> {
  const plan = planOf(project);
  if (plan === null) return;
  const { name } = project.project;
  const at = wish.saw.kind === 'before' ? wish.saw.at : new Date().toISOString();
  const isMine = (each: { readonly project: string; readonly actor: Actor }): boolean =>
    each.project === name && sameLogin(each.actor.login, actor.login);
  const { approvals, rejections } = desk.state;
  if ([...approvals, ...rejections].some((each) => isMine(each) && Date.parse(each.at) > Date.parse(at)))
    return;
  const { digest, sourceDigest } = plan;
  const word = { actor, project: name, digest, sourceDigest, via: wayOf(wish), at };
  const { ref } = desk.state;
  await record({
    entries: [kind === 'approval' ? { kind, ref, approval: word } : { kind, ref, rejection: word }],
  });
  const others = {
    approvals: desk.state.approvals.filter((each) => !isMine(each)),
    rejections: desk.state.rejections.filter((each) => !isMine(each)),
  };
  desk.state = {
    ...desk.state,
    approvals: kind === 'approval' ? [...others.approvals, word] : others.approvals,
    rejections: kind === 'rejection' ? [...others.rejections, word] : others.rejections,
  };
}

const wayOf = ({ via }: Wish): 'comment' | 'button' => (via === 'comment' ? 'comment' : 'button');

function wasRejectedBy(desk: Desk, project: ProjectState, actor: Actor): boolean {
  return desk.state.rejections.some(
    (no) => no.project === project.project.name && sameLogin(no.actor.login, actor.login),
  );
}
