// Whose yes or no is taken, and what does it change?

import { applyMerged } from './applying.ts';
import { callOff } from './calling-off.ts';
import type { Desk } from './desk.ts';
import type { Actor } from './model/actor.ts';
import type { Refusal } from './model/apply.ts';
import type { Approval, Rejection } from './model/approval.ts';
import { admits, sameLogin } from './model/approval.ts';
import { rulesFor } from './model/configuration.ts';
import { replacesWord } from './model/last-word.ts';
import { authorsOf, missingFor, projectsFound, rulesOf } from './model/pull-request-state.ts';
import type { ProjectState } from './model/round.ts';
import { isSettled, planOf } from './model/round.ts';
import type { CommandRefusal } from './port/answer.ts';
import { record } from './proxies.ts';
import type { Wish } from './wishes.ts';
import { sawPlan } from './wishes.ts';

type Denied = Refusal | CommandRefusal;

/** What a person says: the word is theirs, the rights are those they have now. */
type Words = {
  readonly desk: Desk;
  readonly actor: Actor;
  /** ISO 8601: when it was said, by GitHub's clock; of a click, when it was heard. */
  readonly at: string;
} & (
  | { readonly kind: 'approval'; readonly via: Approval['via'] }
  | { readonly kind: 'rejection'; readonly via: Rejection['via'] }
);

type Word = Words & { readonly project: ProjectState };

/** Says yes to the plans that the person saw; on a merged pull request the last yes starts the apply. */
export async function approve(
  desk: Desk,
  wish: Wish,
  actor: Actor,
  projects: readonly ProjectState[],
): Promise<Denied | null> {
  if (desk.planning !== null || projectsFound(desk.state) === null) return { kind: 'still-planning' };
  const waiting = projects.filter(
    (project) => missingFor(desk.state, project).length > 0 || wasRejectedBy(desk, project, actor),
  );
  if (waiting.length === 0) return { kind: 'nothing-to-approve' };
  const elsewhere = waiting.find(
    (project) => !takes(desk, project, wayOf(wish)) && !mayLift(desk, project, actor, wish),
  );
  if (elsewhere !== undefined) return { kind: 'approve-elsewhere', ways: waysOf(desk, elsewhere) };
  const changed = waiting.find((project) => !sawPlan(desk.state, project, wish));
  if (changed !== undefined) return { kind: 'plan-changed', project: changed.project.name };
  const counting = waiting.filter((project) => wouldCount(desk, project, actor));
  if (counting.length === 0) return notAdmitted(desk, waiting);
  const dropped = await giveWords(counting, { kind: 'approval', desk, actor, ...saidBy(wish) });
  desk.stale = true;
  await applyMerged(desk);
  return dropped;
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
  const dropped = await giveWords(open, { kind: 'rejection', desk, actor, ...saidBy(wish) });
  desk.stale = true;
  const late = await callOff(
    desk,
    open.map(({ project }) => project.name),
  );
  return late.length > 0 ? { kind: 'begun', project: late[0] ?? '' } : dropped;
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

/** The first that the person's own word to the contrary outweighs; the others are given. */
async function giveWords(projects: readonly ProjectState[], said: Words): Promise<CommandRefusal | null> {
  let dropped: CommandRefusal | null = null;
  for (const project of projects) {
    if (await giveWord({ ...said, project })) continue;
    const stands = said.kind === 'approval' ? 'no' : 'yes';
    dropped ??= { kind: 'outweighed', project: project.project.name, stands };
  }
  return dropped;
}

/**
 * Recorded first: an apply counts only what the record holds. One word of each person on a plan holds, whatever order
 * they arrive in (`replacesWord`); false: theirs to the contrary does.
 */
export async function giveWord({ desk, project, actor, at, ...word }: Word): Promise<boolean> {
  const plan = planOf(project);
  if (plan === null) return false;
  const { name } = project.project;
  const { digest, sourceDigest } = plan;
  const isMine = (each: Spoken): boolean =>
    each.project === name && each.digest === digest && sameLogin(each.actor.login, actor.login);
  const { ref, approvals, rejections, overrides } = desk.state;
  const known = [
    ...approvals.filter(isMine).map((yes) => ({ ...yes, kind: 'approval' as const })),
    ...rejections.filter(isMine).map((no) => ({ ...no, kind: 'rejection' as const })),
  ];
  const notBefore = word.via === 'button' ? { notBefore: project.since } : {};
  const standing = known.find((other) => !replacesWord({ ...word, at, ...notBefore }, other));
  if (standing !== undefined) return standing.kind === word.kind;
  const said = { actor, project: name, digest, sourceDigest, at };
  const counts = word.kind === 'approval' && takes(desk, project, word.via);
  // Whoever says no does not stand by what they lifted.
  const lifted = overrides.filter((each) => word.kind === 'rejection' && isMine(each));
  await record({
    entries: [
      word.kind === 'rejection'
        ? { kind: 'rejection', ref, rejection: { ...said, via: word.via } }
        : {
            kind: counts ? 'approval' : 'withdrawal',
            ref,
            approval: { ...said, ...notBefore, via: word.via },
          },
      ...lifted.map((override) => ({ kind: 'override-withdrawal', ref, override, at }) as const),
    ],
  });
  const others = (each: Spoken): boolean => !isMine(each);
  desk.state = {
    ...desk.state,
    approvals: [
      ...desk.state.approvals.filter(others),
      ...(counts ? [{ ...said, ...notBefore, via: word.via }] : []),
    ],
    rejections: [
      ...desk.state.rejections.filter(others),
      ...(word.kind === 'rejection' ? [{ ...said, via: word.via }] : []),
    ],
    overrides: desk.state.overrides.filter((each) => !lifted.includes(each)),
    lost: desk.state.lost.filter((each) => each.project !== name || !sameLogin(each.login, actor.login)),
  };
  return true;
}

type Spoken = Pick<Rejection, 'project' | 'digest' | 'actor'>;

const wayOf = ({ via }: Wish): 'comment' | 'button' => (via === 'comment' ? 'comment' : 'button');

const saidBy = (wish: Wish) => ({
  via: wayOf(wish),
  at: wish.saw.kind === 'before' ? wish.saw.at : new Date().toISOString(),
});

function wasRejectedBy(desk: Desk, project: ProjectState, actor: Actor): boolean {
  return desk.state.rejections.some(
    (no) =>
      no.project === project.project.name &&
      no.digest === planOf(project)?.digest &&
      sameLogin(no.actor.login, actor.login),
  );
}

/** A comment takes one's own no back also where hatchet.yaml takes no yes by comment: then it is none. */
const mayLift = (desk: Desk, project: ProjectState, actor: Actor, wish: Wish): boolean =>
  wish.via === 'comment' && wasRejectedBy(desk, project, actor);

const takes = (desk: Desk, project: ProjectState, via: Approval['via']): boolean =>
  waysOf(desk, project).includes(via);

function waysOf({ state }: Desk, { project }: ProjectState): readonly Approval['via'][] {
  const found = projectsFound(state);
  return found === null ? [] : rulesFor(found.configuration, project.name).approvals.from;
}
