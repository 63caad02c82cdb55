// What happens to a person's wish? It is checked against their rights and against what they saw, then carried out.
import { condition } from '@temporalio/workflow';
import { noteRefusals, startApplies } from './applying.ts';
import { approve, reject } from './approving.ts';
import type { Desk } from './desk.ts';
import { noteEvent } from './desk.ts';
import { playRound } from './going-on.ts';
import { askAfter, cancel, lookAgain, unlock } from './letting-go.ts';
import { lookAtRunners } from './looking-at-runners.ts';
import type { Actor } from './model/actor.ts';
import type { ApplyTrigger, Refusal } from './model/apply.ts';
import { authorize } from './model/authorize.ts';
import { statusOf } from './model/picture.ts';
import {
  knownProjects,
  missingFor,
  projectsFound,
  teamsAsked,
  unmetFor,
} from './model/pull-request-state.ts';
import type { ProjectState } from './model/round.ts';
import { isSettled, isSpent, isUnderWay, isUnknown, leftState, planOf } from './model/round.ts';
import { isOutside, targetOf } from './model/target.ts';
import { override } from './overriding.ts';
import type { Answer, CommandRefusal, Reply } from './port/answer.ts';
import { readActor } from './proxies.ts';
import { lookAtReviews } from './reviewing.ts';
import { accept, applyRest, forceUnlock } from './settling.ts';
import type { Wish } from './wishes.ts';
import { choosePlans, chooseProjects, sawPlan } from './wishes.ts';

type Denied = Refusal | CommandRefusal;
/** Null: done. A reply without refusal answers a question. */
type Decision = Denied | Extract<Reply, { kind: 'help' | 'status' | 'done' }> | null;

/** While GitHub takes no writes for long, wishes are decided by what was shown before. */
const maxShowWait = '30 seconds';

/** A look takes a second; while GitHub or git takes longer, whoever asks is told that it is still being planned. */
const longestLook = '30 seconds';

const isAboutPlans = ({ verb }: Wish): boolean => ['apply', 'approve', 'reject'].includes(verb);

/** The base moved or somebody else applied: whether that changes any plan here is known in a moment. */
function isLookingAgain({ planning, state: { round } }: Desk): boolean {
  return planning !== null && round !== null && round.shownId !== round.id;
}

/** Decides on one wish and answers it; what it did is in the audit record. */
export async function decide(desk: Desk, wish: Wish): Promise<void> {
  if (wish.verb === 'help') return say(desk, wish, { kind: 'help' });
  // What is being written now may be what the person saw: its time is known when it is written.
  await condition(() => !desk.showing, maxShowWait);
  const actor = await readActor({
    repository: desk.state.ref.repository,
    login: wish.actor,
    teams: teamsAsked(desk.state),
    ...aheadOf(desk, wish),
  });
  if (isAboutPlans(wish)) await condition(() => !isLookingAgain(desk), longestLook);
  const decision = barred(desk, wish, actor) ?? (await carryOut(desk, wish, actor));
  say(desk, wish, decision);
  // Who only looks leaves no trace; who was kept from it does.
  if (wish.verb !== 'status' || isRefusal(decision)) audit(desk, wish, decision);
}

/** What the last check of an apply will ask of GitHub is asked beside the person's rights; for many it would be too old. */
function aheadOf({ planning, state }: Desk, { verb }: Wish) {
  const { ref, round } = state;
  const one = knownProjects(state).length === 1;
  if (verb !== 'apply' || planning !== null || round === null || !one) return {};
  return { ahead: { number: ref.number, roundId: round.id } };
}

/** Something of ours or of GitHub's broke on the way: whoever asked hears of it and can ask again. */
export function admitTrouble(desk: Desk, wish: Wish): void {
  audit(desk, wish, { kind: 'trouble', deliveryId: wish.deliveryId });
  say(desk, wish, { kind: 'trouble', deliveryId: wish.deliveryId });
}

/** Answers a comment that is no command of ours. */
export function misunderstood(
  desk: Desk,
  message: { readonly deliveryId: string; readonly actor: string; readonly commentNodeId: string },
  refusal: CommandRefusal,
): void {
  const reply: Reply = { kind: 'refused', to: message.actor, verb: '', refusal };
  noteEvent(desk, message.deliveryId, {
    actor: message.actor,
    action: 'command',
    target: '',
    digest: null,
    allowed: false,
    reason: refusal.kind,
  });
  desk.answers.push({
    id: message.deliveryId,
    commentNodeId: message.commentNodeId,
    reaction: 'CONFUSED',
    reply,
  });
}

/** The rules that hold for every wish: the person's rights, and what a closed pull request still takes. */
function barred(desk: Desk, wish: Wish, actor: Actor): Denied | null {
  const { pullRequest } = desk.state;
  const denial = authorize(wish.verb, actor, { ...targetOf(desk.state), destroy: wish.destroy });
  if (denial !== null) return denial;
  const onClosed =
    pullRequest?.state === 'merged'
      ? [
          'status',
          'unlock',
          'approve',
          'apply',
          'plan',
          'reject',
          'override',
          'cancel',
          'accept',
          'apply-rest',
          'force-unlock',
        ]
      : ['status', 'unlock', 'cancel', 'accept', 'force-unlock'];
  return pullRequest?.state !== 'open' && !onClosed.includes(wish.verb)
    ? { kind: 'pull-request-closed' }
    : null;
}

async function carryOut(desk: Desk, wish: Wish, actor: Actor): Promise<Decision> {
  if (wish.verb === 'plan') return replan(desk, wish);
  if (isFromBefore(desk, wish)) return { kind: 'button-outdated' };
  const chosen = chooseProjects(desk.state, wish.projects);
  if (chosen.kind !== 'chosen') return chosen;
  switch (wish.verb) {
    case 'apply':
      return apply(desk, wish, chosen.projects);
    case 'approve':
      return approve(desk, wish, actor, chosen.projects);
    case 'reject':
      return reject(desk, wish, actor, chosen.projects);
    case 'override':
      return override(desk, wish, actor, chosen.projects);
    case 'cancel':
      return cancel(desk, wish);
    case 'unlock':
      return unlock(desk, wish, chosen.projects);
    case 'accept':
      return accept(desk, wish, chosen.projects);
    case 'apply-rest':
      return applyRest(desk, wish, chosen.projects);
    case 'force-unlock':
      return forceUnlock(desk, wish, chosen.projects);
    case 'status':
      await lookAtRunners(desk);
      return status(desk, wish);
    case 'help':
      return { kind: 'help' };
    default:
      return wish.verb satisfies never;
  }
}

/** What is there may be something else by now: a lock, a lost apply. Buttons about plans say which plan has changed. */
const isFromBefore = ({ state: { round } }: Desk, { saw, verb }: Wish): boolean =>
  ['unlock', 'accept', 'apply-rest', 'force-unlock'].includes(verb) &&
  saw.kind === 'round' &&
  saw.id !== round?.shownId;

/** A fork is planned only for the very commit that a writer named, by hand or by the check they clicked. */
async function replan(desk: Desk, wish: Wish): Promise<Decision> {
  const { pullRequest } = desk.state;
  if (pullRequest === null) return { kind: 'still-planning' };
  if (wish.destroy && wish.projects.length === 0) {
    return { kind: 'bad-arguments', problem: '`--destroy` takes the names of projects' };
  }
  if (wish.saw.kind === 'round' && wish.saw.head !== pullRequest.head && pullRequest.state === 'open') {
    return { kind: 'plan-changed', project: '' };
  }
  let words = wish.projects;
  if (isOutside(pullRequest, desk.state.standing) && pullRequest.state === 'open') {
    const sha = words.find((word) => /^[0-9a-f]{7,64}$/.test(word) && pullRequest.head.startsWith(word));
    const named = sha !== undefined || wish.saw.kind === 'round';
    if (!named && desk.state.allowedHead !== pullRequest.head)
      return { kind: 'fork-needs-sha', head: pullRequest.head };
    desk.state = { ...desk.state, allowedHead: pullRequest.head };
    words = words.filter((word) => word !== sha);
  }
  const chosen = choosePlans(desk.state, words, wish.destroy);
  if (chosen.kind !== 'chosen') return chosen;
  const found = projectsFound(desk.state)?.projects ?? [];
  const underWay = found.filter(isUnderWay);
  if (underWay.some(({ project }) => chosen.names.includes(project.name))) {
    await askAfter(desk, underWay);
    return { kind: 'applying' };
  }
  await lookAgain(
    desk,
    found.filter(({ project }) => chosen.names.includes(project.name)),
  );
  const only = words.length === 0 ? [] : chosen.names;
  // A click or a re-run asks for what is on show once more, whichever kind of plan that is.
  const as = wish.destroy ? 'destroy' : wish.via === 'comment' ? 'plain' : 'same';
  void playRound(desk, { kind: 'asked', only, as });
  return null;
}

async function apply(desk: Desk, wish: Wish, projects: readonly ProjectState[]): Promise<Decision> {
  const open = projects.filter((project) => !isSettled(project) && !isUnderWay(project));
  if (desk.planning !== null || projectsFound(desk.state) === null) return { kind: 'still-planning' };
  if (open.length === 0) {
    return projects.some(isUnderWay)
      ? { kind: 'applying' }
      : { kind: 'done', to: wish.actor, text: 'nothing to apply' };
  }
  // What it began is looked at first: the rest of it is another plan.
  if (open.every(isUnknown)) return applyRest(desk, wish, open);
  const changed = open.find((project) => planOf(project) !== null && !sawPlan(desk.state, project, wish));
  if (changed !== undefined) return { kind: 'plan-changed', project: changed.project.name };
  if (open.some((project) => waitsForGitHub(desk, project))) await lookAtReviews(desk);
  const trigger: ApplyTrigger = { kind: wish.via === 'button' ? 'button' : 'comment', actor: wish.actor };
  // A plan is applied at most once, whatever came of it.
  const tried = open.filter(isSpent);
  const refused = await startApplies(
    desk,
    open.filter((project) => !isSpent(project)),
    trigger,
  );
  const refusals: readonly Refusal[] = [
    ...tried.map((project) => whySpent(desk, project)),
    ...refused.map(({ refusal }) => refusal),
  ];
  const [first] = refusals;
  noteRefusals(desk, wish.deliveryId, wish.actor, refused);
  return first !== undefined && (refusals.length === open.length || wish.projects.length > 0) ? first : null;
}

/** Where the state is elsewhere, another plan would not help either. */
function whySpent({ state: { ref } }: Desk, spent: ProjectState): Refusal {
  const project = spent.project.name;
  const outcome = spent.apply?.phase.kind === 'over' ? spent.apply.phase.outcome : null;
  if (outcome?.kind !== 'failed' || !leftState(spent)) return { kind: 'apply-failed', project };
  const state = { runId: outcome.runId, number: ref.number, kept: outcome.stateKept };
  return { kind: 'state-unwritten', project, state };
}

/** A review that nobody told of, or a check that has passed since, may be all that is missing. */
const waitsForGitHub = ({ state }: Desk, project: ProjectState): boolean =>
  missingFor(state, project).length > 0 || unmetFor(state, project).length > 0;

/** As it is now: it may have changed while somebody looked. */
function status({ state }: Desk, { projects }: Wish): Decision {
  const chosen = chooseProjects(state, projects);
  if (chosen.kind !== 'chosen') return chosen;
  const lines = chosen.projects.map((project) => ({
    project: project.project.name,
    status: statusOf(state, project),
    ...(project.turn?.kind === 'yours' ? { owned: true as const } : {}),
  }));
  const findings = state.round?.findings.kind ?? 'inspecting';
  return { kind: 'status', findings, lines, at: new Date().toISOString() };
}

const isReply = (
  decision: NonNullable<Decision>,
): decision is Extract<Reply, { kind: 'help' | 'status' | 'done' }> =>
  decision.kind === 'help' || decision.kind === 'status' || decision.kind === 'done';

const isRefusal = (decision: Decision): decision is Denied => decision !== null && !isReply(decision);

/** Accepted: eyes. Refused: confused, and a reply that says why and what to do. A question: the answer. */
function say(desk: Desk, wish: Wish, decision: Decision): void {
  const { commentNodeId } = wish;
  const accepted = commentNodeId === null ? null : ('EYES' as const);
  if (decision === null) {
    if (accepted !== null)
      desk.answers.push({ id: wish.deliveryId, commentNodeId, reaction: accepted, reply: null });
    return;
  }
  const reply: Reply = isReply(decision)
    ? decision
    : { kind: 'refused', to: wish.actor, verb: wish.verb, refusal: decision };
  const reaction = isReply(decision) ? accepted : commentNodeId === null ? null : ('CONFUSED' as const);
  const answer: Answer = { id: wish.deliveryId, commentNodeId, reaction, reply };
  desk.answers.push(answer);
}

/** Who wished what, and what became of it: of each project that was meant, or of the words where they name none. */
function audit(desk: Desk, wish: Wish, decision: Decision): void {
  const chosen = chooseProjects(desk.state, wish.projects);
  const projects = chosen.kind === 'chosen' ? chosen.projects : [];
  const allowed = !isRefusal(decision);
  const targets =
    projects.length === 0
      ? [{ target: wish.projects.join(' '), digest: null }]
      : projects.map((each) => ({ target: each.project.name, digest: planOf(each)?.digest ?? null }));
  for (const { target, digest } of targets) {
    noteEvent(desk, `${wish.deliveryId}/${target}`, {
      actor: wish.actor,
      action: wish.verb,
      target,
      digest,
      allowed,
      reason: allowed ? (wish.reason ?? wish.via) : decision.kind,
    });
  }
}
