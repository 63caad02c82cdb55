// When is a wanted project asked for, and what goes on when it is this pull request's?
import { log, uuid4, workflowInfo } from '@temporalio/workflow';
import type { ProjectPlace } from './activities.ts';
import type { Desk } from './desk.ts';
import { changeProject } from './desk.ts';
import type { ProjectNews } from './messages.ts';
import type { ApplyGrant, Refusal } from './model/apply.ts';
import { grantApply, isGrant } from './model/apply.ts';
import { defaultConfiguration, rulesFor } from './model/configuration.ts';
import { inApplyOrder, openDependencies } from './model/dependencies.ts';
import { parseRunId } from './model/identifiers.ts';
import type { LockMode, ProjectRequest } from './model/lock.ts';
import type { Project } from './model/project.ts';
import { applyQuestion, findProject, knownProjects, projectsFound } from './model/pull-request-state.ts';
import type { ApplyState, ProjectState } from './model/round.ts';
import { isHeld, isSettled, isUnderWay, planOf } from './model/round.ts';
import { hasLater, nextWanted } from './model/turn.ts';
import { askProject } from './proxies.ts';

type Wished = ProjectState & { readonly apply: ApplyState };

/** From when on the pull request owns a project, as hatchet.yaml says. */
export function lockOf(desk: Desk, project: string): LockMode {
  return rulesFor(projectsFound(desk.state)?.configuration ?? defaultConfiguration, project).lock;
}

/**
 * Starts what may start now, and asks for the next project in line. What became another plan has to be asked for
 * anew; while things are being planned nobody knows yet.
 */
export async function goOn(desk: Desk): Promise<void> {
  const asked: Promise<void>[] = [];
  for (const project of desk.planning === null ? heldProjects(desk) : []) {
    if (planOf(project)?.digest !== project.apply.digest) endWish(desk, project, changed(project));
    else if (isFirst(desk, project) && mayStart(desk, project)) asked.push(start(desk, project));
  }
  const next = nextWanted(knownProjects(desk.state));
  if (next !== null) asked.push(askTurn(desk, next.project));
  const lost = (await Promise.allSettled(asked)).find((each) => each.status === 'rejected');
  if (lost !== undefined) throw lost.reason;
}

/** Their plans are there: what is still being planned is looked at when it is. */
function heldProjects(desk: Desk): readonly Wished[] {
  return inApplyOrder(projectsFound(desk.state)?.projects ?? []).flatMap((project) =>
    isHeld(project) && project.apply !== null && project.result !== null
      ? [{ ...project, apply: project.apply }]
      : [],
  );
}

const mayStart = (desk: Desk, { project }: ProjectState): boolean =>
  openDependencies(projectsFound(desk.state)?.projects ?? [], project.name).length === 0;

/** It is the pull request's own, or next in line: then the wish to apply it asks for the project, too. */
function isFirst(desk: Desk, { project, turn }: ProjectState): boolean {
  if (turn === null || turn.kind === 'yours') return true;
  return nextWanted(knownProjects(desk.state))?.project.name === project.name;
}

const changed = ({ project, apply }: Wished): Refusal => ({
  kind: 'stale',
  project: project.name,
  reason:
    apply.phase.kind === 'held' && apply.phase.after.length > 0 ? 'dependency applied' : 'digest changed',
});

/** Ends a wish that cannot come true; whoever wished it hears why. */
export function endWish(desk: Desk, { project, apply }: Wished, refusal: Refusal): void {
  const phase = { kind: 'over', startedAt: null, outcome: { kind: 'refused', refusal } } as const;
  changeProject(desk, project.name, { apply: { ...apply, phase } });
  tellRefusal(desk, apply, refusal);
  desk.stale = true;
  void giveBack(desk, project);
}

/** A merge has nobody to answer: its check says what is missing. */
export function tellRefusal(desk: Desk, { runId, trigger }: ApplyState, refusal: Refusal): void {
  if (trigger.kind === 'merge') return;
  const reply = { kind: 'refused', to: trigger.actor, verb: 'apply', refusal } as const;
  desk.answers.push({ id: runId, commentNodeId: null, reaction: null, reply });
}

/** The rights and the plan are those of now: the wish may have waited for long. */
async function start(desk: Desk, project: Wished): Promise<void> {
  const { pullRequest } = desk.state;
  const { trigger } = project.apply;
  const plan = planOf(project);
  if (pullRequest === null || plan === null) return;
  const grant = grantApply(applyQuestion({ ...desk.state, pullRequest }, project, trigger));
  if (!isGrant(grant)) return endWish(desk, project, grant);
  const runId = parseRunId(uuid4());
  const apply = { runId, digest: grant.digest, plan, trigger, phase: { kind: 'asked' } } as const;
  const turn = project.turn?.kind === 'wanted' ? ({ kind: 'asked' } as const) : project.turn;
  changeProject(desk, project.project.name, { apply, turn });
  await askApply(desk, project.project, grant, runId);
}

async function askApply(
  desk: Desk,
  project: Project,
  grant: ApplyGrant,
  runId: ApplyState['runId'],
): Promise<void> {
  const { ref } = desk.state;
  const mode = lockOf(desk, project.name);
  const inLine = knownProjects(desk.state).some(({ turn }) => turn?.kind === 'wanted');
  const replyTo = workflowInfo().workflowId;
  try {
    await ask(desk, project, { kind: 'apply', ref, replyTo, runId, grant, mode, inLine });
  } catch (error) {
    // It never got there: the plan is as ready as before.
    if (findProject(desk.state, project.name)?.apply?.runId === runId)
      changeProject(desk, project.name, { apply: null, turn: null });
    throw error;
  }
}

/** Asks to own a project; the answer comes as news. */
export async function askTurn(desk: Desk, project: Project): Promise<void> {
  const { ref } = desk.state;
  changeProject(desk, project.name, { turn: { kind: 'asked' } });
  const request = { kind: 'turn', ref, replyTo: workflowInfo().workflowId, project: project.name } as const;
  await ask(desk, project, request);
}

/** From now on, this pull request may own the project and has to give it up one day. */
async function ask(desk: Desk, { name, dir, workspace }: Project, request: ProjectRequest): Promise<void> {
  const { touched, ref } = desk.state;
  if (!touched.some((known) => known.name === name))
    desk.state = { ...desk.state, touched: [...touched, { name, dir, workspace }] };
  await askProject({ repository: ref.repository, project: { dir, workspace }, request });
}

/**
 * The wish for a project has ended: others may have it, unless something of it was applied here. What a merge left
 * unapplied stays the pull request's, and so does what it owns for its plan.
 */
export async function giveBack(desk: Desk, project: Project): Promise<void> {
  const state = findProject(desk.state, project.name);
  if (state === null || state.turn === null || lockOf(desk, project.name) === 'plan') return;
  if (desk.state.pullRequest?.state === 'merged' || hasLater(knownProjects(desk.state), state)) return;
  changeProject(desk, project.name, { turn: null });
  await stepBack(desk, project);
}

/** What a merge has applied is for others, whatever else of the merge is still missing. */
export function releaseDone(desk: Desk): void {
  const projects = knownProjects(desk.state);
  // With nothing missing the workflow ends, and gives up everything.
  if (desk.state.pullRequest?.state !== 'merged' || projects.every(isSettled)) return;
  const done = projects.filter((state) => isSettled(state) && !isUnderWay(state));
  const names = done.map(({ project }) => project.name);
  const released = desk.state.touched.filter(({ name }) => names.includes(name));
  if (released.length === 0) return;
  desk.state = { ...desk.state, touched: desk.state.touched.filter((each) => !released.includes(each)) };
  for (const place of released) {
    changeProject(desk, place.name, { turn: null });
    void tellOrLog(desk, place, { kind: 'release', ref: desk.state.ref, why: 'closed' });
  }
}

export type TurnNews = Extract<ProjectNews, { kind: 'yours' | 'behind' }>;

/** Notes whose turn it is. True when the project is this pull request's and waited to be planned for that. */
export function noteTurn(desk: Desk, news: TurnNews): boolean {
  const project = findProject(desk.state, news.project);
  const { touched } = desk.state;
  if (project === null || project.turn === null) {
    const place = touched.find(({ name }) => name === news.project);
    // Nobody wants it any more.
    if (news.kind === 'yours' && place !== undefined && project?.apply == null) void stepBack(desk, place);
    return false;
  }
  if (news.kind === 'behind') {
    const since = project.turn.kind === 'behind' ? project.turn.since : new Date().toISOString();
    if (project.turn.kind === 'behind') desk.progressed = true;
    else desk.stale = true;
    const { owner, position } = news;
    changeProject(desk, news.project, { turn: { kind: 'behind', owner, position, since } });
    return false;
  }
  const planned = lockOf(desk, news.project) === 'plan';
  const waited = planned && project.turn.kind === 'behind' && project.result === null;
  changeProject(desk, news.project, { turn: { kind: 'yours' } });
  return waited;
}

/** Takes back what waits for its turn, and the turn itself. */
export function stepBack(desk: Desk, place: ProjectPlace): Promise<void> {
  return tellOrLog(desk, place, { kind: 'withdraw', ref: desk.state.ref });
}

async function tellOrLog(
  desk: Desk,
  { dir, workspace }: ProjectPlace,
  request: ProjectRequest,
): Promise<void> {
  const { repository } = desk.state.ref;
  try {
    await askProject({ repository, project: { dir, workspace }, request });
  } catch (error) {
    log.error('a project could not be given back', { dir, workspace, error });
  }
}

/** Its next project is asked for as soon as it is known whose this one is. */
export async function goOnOrTell(desk: Desk): Promise<void> {
  try {
    await goOn(desk);
  } catch (error) {
    log.error('a held apply could not be started', { error });
  }
}
