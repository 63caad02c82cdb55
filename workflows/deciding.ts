// What happens to a person's wish? It is checked against their rights and against what they saw, then carried out.
import { condition } from '@temporalio/workflow';
import type { Answer, AuditEvent, CommandRefusal, Reply } from './activities.ts';
import { applyMerged, isQuiet, startApply } from './applying.ts';
import type { Desk } from './desk.ts';
import { changeProject } from './desk.ts';
import type { Actor } from './model/actor.ts';
import type { ApplyTrigger, Refusal } from './model/apply.ts';
import { admits, sameLogin } from './model/approval.ts';
import { authorize } from './model/authorize.ts';
import { statusOf } from './model/picture.ts';
import { missingFor, projectsFound } from './model/pull-request-state.ts';
import type { ProjectState } from './model/round.ts';
import { approvalRules, isSettled, isUnderWay, isUnknown, planOf } from './model/round.ts';
import { beginRound } from './planning.ts';
import { askProject, readActor, record } from './proxies.ts';
import type { Wish } from './wishes.ts';
import { chooseProjects, sawPlan } from './wishes.ts';

type Denied = Refusal | CommandRefusal;
/** Null: done. A reply without refusal answers a question. */
type Decision = Denied | Extract<Reply, { kind: 'help' | 'status' | 'done' }> | null;

/** Decides on one wish and answers it; what it did is in the audit record. */
export async function decide(desk: Desk, wish: Wish): Promise<void> {
  if (wish.verb === 'help') return say(desk, wish, { kind: 'help' });
  // What is being written now may be what the person saw: its time is known when it is written.
  await condition(() => !desk.showing);
  const actor = await readActor({
    repository: desk.state.ref.repository,
    login: wish.actor,
    teams: teamsAsked(desk),
  });
  const decision = barred(desk, wish, actor) ?? (await carryOut(desk, wish, actor));
  say(desk, wish, decision);
  if (wish.verb !== 'status') audit(desk, wish, decision);
}

/** Answers a comment that is no command of ours. */
export function misunderstood(
  desk: Desk,
  message: { readonly deliveryId: string; readonly actor: string; readonly commentNodeId: string },
  refusal: CommandRefusal,
): void {
  const reply: Reply = { kind: 'refused', to: message.actor, verb: '', refusal };
  desk.answers.push({
    id: message.deliveryId,
    commentNodeId: message.commentNodeId,
    reaction: 'CONFUSED',
    reply,
  });
}

function teamsAsked(desk: Desk): readonly string[] {
  const found = projectsFound(desk.state);
  if (found === null) return [];
  const named = found.projects
    .flatMap((project) => approvalRules(project, found.configuration))
    .flatMap((rule) => rule.by);
  return [...new Set(named.filter((by) => by.startsWith('@') && by.includes('/')))];
}

/** The rules that hold for every wish: the person's rights, and what a closed pull request still takes. */
function barred(desk: Desk, wish: Wish, actor: Actor): Denied | null {
  const { pullRequest } = desk.state;
  const found = projectsFound(desk.state);
  const rules = found?.projects.flatMap((project) => approvalRules(project, found.configuration)) ?? [];
  const denial = authorize(wish.verb, actor, {
    author: pullRequest?.author ?? '',
    fork: pullRequest?.fork ?? false,
    authorMayApprove: rules.length > 0 && rules.some((rule) => rule.author),
  });
  if (denial !== null) return denial;
  const onClosed =
    pullRequest?.state === 'merged'
      ? ['status', 'unlock', 'approve', 'apply', 'plan', 'reject']
      : ['status', 'unlock'];
  return pullRequest?.state !== 'open' && !onClosed.includes(wish.verb)
    ? { kind: 'pull-request-closed' }
    : null;
}

async function carryOut(desk: Desk, wish: Wish, actor: Actor): Promise<Decision> {
  if (wish.verb === 'plan') return replan(desk, wish);
  const chosen = chooseProjects(desk.state, wish.projects);
  if (chosen.kind !== 'chosen') return chosen;
  switch (wish.verb) {
    case 'apply':
      return apply(desk, wish, chosen.projects);
    case 'approve':
      return approve(desk, wish, actor, chosen.projects);
    case 'reject':
      return reject(desk, wish, actor, chosen.projects);
    case 'cancel':
      return cancel(desk, wish);
    case 'unlock':
      return unlock(desk, chosen.projects);
    case 'status':
      return status(desk, chosen.projects);
    case 'help':
      return { kind: 'help' };
    default:
      return wish.verb satisfies never;
  }
}

/** A fork is planned only for the very commit that a writer named, by hand or by the check they clicked. */
async function replan(desk: Desk, wish: Wish): Promise<Decision> {
  const { pullRequest } = desk.state;
  if (pullRequest === null) return { kind: 'still-planning' };
  if (wish.destroy) return { kind: 'not-supported', what: '--destroy' };
  if (wish.saw.kind === 'round' && wish.saw.head !== pullRequest.head && pullRequest.state === 'open') {
    return { kind: 'plan-changed', project: '' };
  }
  let words = wish.projects;
  if (pullRequest.fork && pullRequest.state === 'open') {
    const sha = words.find((word) => /^[0-9a-f]{7,64}$/.test(word) && pullRequest.head.startsWith(word));
    const named = sha !== undefined || wish.saw.kind === 'round';
    if (!named && desk.state.allowedHead !== pullRequest.head)
      return { kind: 'fork-needs-sha', head: pullRequest.head };
    desk.state = { ...desk.state, allowedHead: pullRequest.head };
    words = words.filter((word) => word !== sha);
  }
  const chosen = chooseProjects(desk.state, words);
  if (chosen.kind !== 'chosen') return chosen;
  if (chosen.projects.some(isUnderWay)) return { kind: 'applying' };
  const only = words.length === 0 ? [] : chosen.projects.map((each) => each.project.name);
  void beginRound(desk, { kind: 'asked', only });
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
  const changed = open.find((project) => planOf(project) !== null && !sawPlan(desk.state, project, wish));
  if (changed !== undefined) return { kind: 'plan-changed', project: changed.project.name };
  const trigger: ApplyTrigger = { kind: wish.via === 'button' ? 'button' : 'comment', actor: wish.actor };
  const refusals: Refusal[] = [];
  for (const project of open) {
    const over = project.apply?.phase.kind === 'over' ? project.apply.phase.outcome.kind : null;
    const refusal =
      over === 'failed' || over === 'unknown'
        ? ({ kind: 'apply-failed', project: project.project.name } as const)
        : await startApply(desk, project, trigger);
    if (refusal !== null) refusals.push(refusal);
  }
  const [first] = refusals;
  return first !== undefined && (refusals.length === open.length || wish.projects.length > 0) ? first : null;
}

async function approve(
  desk: Desk,
  wish: Wish,
  actor: Actor,
  projects: readonly ProjectState[],
): Promise<Decision> {
  if (desk.planning !== null || projectsFound(desk.state) === null) return { kind: 'still-planning' };
  const waiting = projects.filter(
    (project) => missingFor(desk.state, project).length > 0 || wasRejectedBy(desk, project, actor),
  );
  if (waiting.length === 0) return { kind: 'nothing-to-approve' };
  const via = wish.via === 'comment' ? 'comment' : 'button';
  const ways = projectsFound(desk.state)?.configuration.approvals.from ?? [];
  if (!ways.includes(via)) return { kind: 'approve-elsewhere', ways };
  const changed = waiting.find((project) => !sawPlan(desk.state, project, wish));
  if (changed !== undefined) return { kind: 'plan-changed', project: changed.project.name };
  const counting = waiting.filter((project) => wouldCount(desk, project, actor));
  if (counting.length === 0) return notAdmitted(desk, waiting);
  await Promise.all(counting.map((project) => giveApproval(desk, project, actor, via, wish)));
  desk.stale = true;
  await applyMerged(desk);
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

/** Recorded first: an apply counts only what the record holds. */
async function giveApproval(
  desk: Desk,
  project: ProjectState,
  actor: Actor,
  via: 'comment' | 'button',
  wish: Wish,
): Promise<void> {
  const plan = planOf(project);
  if (plan === null) return;
  const { name } = project.project;
  const { digest, sourceDigest } = plan;
  const approval = { actor, project: name, digest, sourceDigest, via, at: timeOf(wish) };
  await record({ entries: [{ kind: 'approval', ref: desk.state.ref, approval }] });
  const mine = (each: { readonly project: string; readonly actor: Actor }): boolean =>
    each.project === name && sameLogin(each.actor.login, actor.login);
  desk.state = {
    ...desk.state,
    approvals: [...desk.state.approvals.filter((each) => !mine(each)), approval],
    rejections: desk.state.rejections.filter((each) => !mine(each)),
  };
}

/** GitHub's clock where it tells, else ours. */
const timeOf = ({ saw }: Wish): string => (saw.kind === 'before' ? saw.at : new Date().toISOString());

function wasRejectedBy(desk: Desk, project: ProjectState, actor: Actor): boolean {
  return desk.state.rejections.some(
    (no) => no.project === project.project.name && sameLogin(no.actor.login, actor.login),
  );
}

/** Takes the person's own yes back and blocks the plan until the same person approves or the plan changes. */
async function reject(
  desk: Desk,
  wish: Wish,
  actor: Actor,
  projects: readonly ProjectState[],
): Promise<Decision> {
  if (desk.planning !== null) return { kind: 'still-planning' };
  const open = projects.filter((project) => planOf(project)?.hasChanges === true && !isSettled(project));
  if (open.length === 0) return { kind: 'nothing-to-approve' };
  const changed = open.find((project) => !sawPlan(desk.state, project, wish));
  if (changed !== undefined) return { kind: 'plan-changed', project: changed.project.name };
  await Promise.all(open.map((project) => giveRejection(desk, project, actor, wish)));
  desk.stale = true;
  return null;
}

async function giveRejection(desk: Desk, project: ProjectState, actor: Actor, wish: Wish): Promise<void> {
  const plan = planOf(project);
  if (plan === null) return;
  const { name } = project.project;
  const { digest, sourceDigest } = plan;
  const via = wish.via === 'comment' ? 'comment' : 'button';
  const rejection = { actor, project: name, digest, sourceDigest, via, at: timeOf(wish) } as const;
  await record({ entries: [{ kind: 'rejection', ref: desk.state.ref, rejection }] });
  const isMine = (yes: { readonly project: string; readonly actor: Actor }): boolean =>
    yes.project === name && sameLogin(yes.actor.login, actor.login);
  desk.state = {
    ...desk.state,
    approvals: desk.state.approvals.filter((yes) => !isMine(yes)),
    rejections: [...desk.state.rejections, rejection],
  };
}

/** Stops a running plan and takes back what waits in a queue. A running apply is not interrupted. */
async function cancel(desk: Desk, wish: Wish): Promise<Decision> {
  const { round } = desk.state;
  const queued = (projectsFound(desk.state)?.projects ?? []).filter(
    (project) => project.apply?.phase.kind === 'queued',
  );
  if (desk.planning === null && queued.length === 0)
    return isQuiet(desk) ? { kind: 'done', to: wish.actor, text: 'nothing to cancel' } : { kind: 'applying' };
  if (desk.planning !== null && round !== null) {
    desk.planning.cancel();
    desk.planning = null;
    desk.state = { ...desk.state, round: { ...round, findings: { kind: 'cancelled' } } };
  }
  await tellProjects(desk, queued, { kind: 'withdraw', ref: desk.state.ref });
  desk.stale = true;
  return null;
}

/** Gives up the locks; where an outcome was unknown, a fresh plan shows what is there now. */
async function unlock(desk: Desk, projects: readonly ProjectState[]): Promise<Decision> {
  const running = projects.some((project) => isUnderWay(project) && project.apply?.phase.kind !== 'queued');
  if (running) return { kind: 'applying' };
  await tellProjects(desk, projects, { kind: 'release', ref: desk.state.ref, why: 'unlock' });
  const unknown = projects.filter(isUnknown);
  for (const { project } of unknown) changeProject(desk, project.name, { apply: null });
  if (unknown.length > 0)
    void beginRound(desk, { kind: 'asked', only: unknown.map(({ project }) => project.name) });
  desk.stale = true;
  return null;
}

async function tellProjects(
  desk: Desk,
  projects: readonly ProjectState[],
  request: Parameters<typeof askProject>[0]['request'],
): Promise<void> {
  const { repository } = desk.state.ref;
  await Promise.all(
    projects.map(({ project: { dir, workspace } }) =>
      askProject({ repository, project: { dir, workspace }, request }),
    ),
  );
}

function status(desk: Desk, projects: readonly ProjectState[]): Decision {
  const lines = projects.map((project) => ({
    project: project.project.name,
    status: statusOf(desk.state, project),
  }));
  return { kind: 'status', lines };
}

/** Accepted: eyes. Refused: confused, and a reply that says why and what to do. A question: the answer. */
function say(desk: Desk, wish: Wish, decision: Decision): void {
  const { commentNodeId } = wish;
  const accepted = commentNodeId === null ? null : ('EYES' as const);
  if (decision === null) {
    if (accepted !== null)
      desk.answers.push({ id: wish.deliveryId, commentNodeId, reaction: accepted, reply: null });
    return;
  }
  const isReply = decision.kind === 'help' || decision.kind === 'status' || decision.kind === 'done';
  const reply: Reply = isReply
    ? decision
    : { kind: 'refused', to: wish.actor, verb: wish.verb, refusal: decision };
  const reaction = isReply ? accepted : commentNodeId === null ? null : ('CONFUSED' as const);
  const answer: Answer = { id: wish.deliveryId, commentNodeId, reaction, reply };
  desk.answers.push(answer);
}

/** Who wished what, and what became of it. */
function audit(desk: Desk, wish: Wish, decision: Decision): void {
  const { repository, number } = desk.state.ref;
  const chosen = chooseProjects(desk.state, wish.projects);
  const projects = chosen.kind === 'chosen' ? chosen.projects : [];
  const digests = projects.map((project) => planOf(project)?.digest);
  const event: AuditEvent = {
    repository,
    number,
    actor: wish.actor,
    action: wish.verb,
    target: projects.map(({ project }) => project.name).join(' '),
    digest: digests.length === 1 ? (digests[0] ?? null) : null,
    allowed: decision === null,
    reason: decision === null ? wish.via : decision.kind,
  };
  desk.records.push({ kind: 'event', key: wish.deliveryId, event });
}
