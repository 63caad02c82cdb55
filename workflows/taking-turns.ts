// When is a wanted project asked for, and what goes on when it is this pull request's?
import { CancellationScope, log, uuid4, workflowInfo } from '@temporalio/workflow';
import type { Desk } from './desk.ts';
import { changeProject } from './desk.ts';
import type { ProjectNews } from './messages.ts';
import type { Refusal } from './model/apply.ts';
import { grantApply, isGrant } from './model/apply.ts';
import { defaultConfiguration, rulesFor } from './model/configuration.ts';
import { inApplyOrder, openDependencies } from './model/dependencies.ts';
import { dependentsOf } from './model/dependency-graph.ts';
import type { Diagnostic } from './model/diagnostic.ts';
import { parseRunId } from './model/identifiers.ts';
import type { LockMode, ProjectRequest } from './model/lock.ts';
import type { Project } from './model/project.ts';
import type { Touched } from './model/pull-request-state.ts';
import { applyQuestion, findProject, knownProjects, projectsFound } from './model/pull-request-state.ts';
import type { ApplyState, ProjectState } from './model/round.ts';
import { isHeld, isSettled, isUnderWay, planOf } from './model/round.ts';
import { heldAfter, isNext, nextStep } from './model/turn.ts';
import type { ProjectPlace } from './port/record.ts';
import { areFree, askProjects } from './proxies.ts';
import { tellProjects } from './telling-projects.ts';

/** A project whose apply somebody wishes. */
export type Wished = ProjectState & { readonly apply: ApplyState };

/** From when on the pull request owns a project, as hatchet.yaml says. */
export function lockOf(desk: Desk, project: string): LockMode {
  return rulesFor(projectsFound(desk.state)?.configuration ?? defaultConfiguration, project).lock;
}

/** What is asked of the project of that name. */
type Asked = { readonly project: Project; readonly request: ProjectRequest };

/**
 * Starts what may start now, and asks for what is next in order. What became another plan has to be asked for anew;
 * while things are being planned nobody knows yet.
 */
export async function goOn(desk: Desk): Promise<void> {
  desk.busy += 1;
  try {
    await takeStep(desk);
  } finally {
    desk.busy -= 1;
  }
}

async function takeStep(desk: Desk): Promise<void> {
  const asked = desk.planning === null ? startHeld(desk) : [];
  const step = nextStep(knownProjects(desk.state), begunHere(desk));
  if (step?.kind === 'refuse') {
    refuseTaken(desk, step.project, step.holds);
    // What comes after it may start now.
    if (lockOf(desk, step.project.project.name) !== 'plan') void goOnOrTell(desk);
  }
  if (step?.kind === 'ask') {
    // All at once, before anything is waited for: news that come meanwhile must find what is asked already.
    const turns = step.projects.flatMap(({ project }) => turnOrApply(desk, project, step));
    for (const { project } of step.giveBack) leave(desk, project);
    await stepBack(desk, ...step.giveBack.map(({ project }) => project));
    if (mayAskAtOnce(desk, turns)) {
      await askAll(desk, asked);
      return askAll(desk, await appliesIfFree(desk, turns));
    }
    asked.push(...turns);
    // The wish has ended with that: what was wanted beside it is next.
    if (turns.length === 0) void goOnOrTell(desk);
  }
  await askAll(desk, asked);
}

/** What it owns already, or needs not own. */
function startHeld(desk: Desk): Asked[] {
  return heldProjects(desk).flatMap((held) => {
    if (endIfChanged(desk, held)) return [];
    const { turn, project } = held;
    const may = (turn === null || turn.kind === 'yours') && isNext(knownProjects(desk.state), project);
    const asked = may && mayStart(desk, held) ? start(desk, held, true) : null;
    return asked === null ? [] : [asked];
  });
}

/** What is planned now is not what was wished for. */
function endIfChanged(desk: Desk, held: Wished): boolean {
  if (planOf(held)?.digest === held.apply.digest) return false;
  endWish(desk, held, changed(held));
  return true;
}

/** The only one that is wanted, and may start: its apply asks for the project, too, which saves people a step. */
function turnOrApply(
  desk: Desk,
  project: Project,
  { projects, waits }: { readonly projects: readonly unknown[]; readonly waits: boolean },
): Asked[] {
  const held = heldProjects(desk).find((each) => each.project.name === project.name);
  const alone = projects.length === 1 && desk.planning === null && held !== undefined && mayStart(desk, held);
  if (!alone) return [turnOf(desk, project, waits)];
  // Null: the wish has ended with that, and nobody wants the project any more.
  const asked = start(desk, held, waits);
  return asked === null ? [] : [asked];
}

/**
 * Several, which may all start. A merge has nobody to hear that one of them was refused, which would have been waited
 * for if it had been asked for first.
 */
function mayAskAtOnce(desk: Desk, turns: readonly Asked[]): boolean {
  const wishes = heldProjects(desk).filter(({ project }) => turns.some((turn) => isTurnFor(turn, project)));
  const ready = wishes.filter((wish) => wish.apply.trigger.kind !== 'merge' && mayStart(desk, wish));
  return turns.length > 1 && ready.length === turns.length && desk.planning === null;
}

/**
 * Where nobody has any of the projects, to ask whose turn it is first would only take time: their applies ask for them.
 * Should somebody have come in between, the one is refused that would have been waited for; whoever wished it hears that.
 */
async function appliesIfFree(desk: Desk, turns: readonly Asked[]): Promise<readonly Asked[]> {
  const free = await isFree(desk, turns);
  return turns.flatMap((turn) => {
    const { project, turn: now } = findProject(desk.state, turn.project.name) ?? {};
    // Meanwhile it was taken back, or it came to be this pull request's.
    if (project === undefined || now == null || now.kind === 'yours') return [];
    // Whatever else was said is older than what is asked now.
    changeProject(desk, project.name, { turn: { kind: 'asked' } });
    const held = heldProjects(desk).find((each) => each.project.name === project.name);
    const may = free && held !== undefined && desk.planning === null && mayStart(desk, held);
    if (!may) return [turn];
    const asked = endIfChanged(desk, held) ? null : start(desk, held, false);
    return asked === null ? [] : [asked];
  });
}

async function isFree(desk: Desk, turns: readonly Asked[]): Promise<boolean> {
  try {
    const projects = turns.map(({ project: { dir, workspace } }) => ({ dir, workspace }));
    return await areFree({ repository: desk.state.ref.repository, projects });
  } catch (error) {
    log.warn('whether projects are free could not be found out', { error });
    return false;
  }
}

const isTurnFor = ({ project, request }: Asked, { name }: Project): boolean =>
  request.kind === 'turn' && project.name === name;

/** Of what something was applied here. */
const begunHere = ({ state }: Desk): readonly Touched[] => {
  const running = knownProjects(state).filter((each) => isUnderWay(each) && each.turn !== null);
  return state.touched.filter(
    ({ name, begun }) => begun === true || running.some(({ project }) => project.name === name),
  );
};

/** Nobody waits for it in a circle: whoever wished it hears whose it is and what this pull request holds. */
function refuseTaken(desk: Desk, { project, turn }: ProjectState, holds: readonly Touched[]): void {
  if (turn?.kind !== 'wanted' || turn.taken === undefined) return;
  const held = heldProjects(desk).find((each) => each.project.name === project.name);
  const names = holds.map(({ name }) => name);
  // Where the lock comes before the plan, it is asked for again with the next look at what is planned here.
  if (lockOf(desk, project.name) === 'plan') failOutOfOrder(desk, project, turn.taken, names);
  else changeProject(desk, project.name, { turn: null });
  if (held === undefined) return;
  endWish(desk, held, { kind: 'out-of-order', project: project.name, owner: turn.taken, holds: names });
}

/** Nobody stands in line for it, so somebody has to say when it is looked at again. */
function failOutOfOrder(desk: Desk, { name }: Project, owner: number, holds: readonly string[]): void {
  const held = holds.join(', ');
  const outOfOrder: Diagnostic = {
    severity: 'error',
    summary: `It belongs to #${owner}`,
    detail: `To wait for it while this pull request holds ${held} could be for ever. Comment \`/hatchet plan\` once #${owner} has given it up, or \`/hatchet unlock ${holds[0] ?? ''}\` first.`,
  };
  const result = {
    kind: 'failed',
    runId: parseRunId(uuid4()),
    diagnostics: [outOfOrder],
    diagnosticCount: 1,
  } as const;
  changeProject(desk, name, { turn: null, result, verdicts: null });
  desk.stale = true;
}

/** It comes later in order than what is waited for. What was planned for it is not for show without the project. */
function leave(desk: Desk, project: Project): void {
  const planless = lockOf(desk, project.name) === 'plan' ? { result: null, verdicts: null } : {};
  changeProject(desk, project.name, { turn: { kind: 'wanted' }, ...planless });
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

/**
 * A merge has nobody to answer: its check says what is missing. What it cannot say is told: that another pull request has
 * to be repaired, and, once for all projects, that whoever merged may not apply.
 */
export function tellRefusal(desk: Desk, { runId, trigger }: ApplyState, refusal: Refusal): void {
  const byMerge = trigger.kind === 'merge';
  if (byMerge && refusal.kind !== 'newer-unfinished' && refusal.kind !== 'asker-denied') return;
  const id = byMerge && refusal.kind === 'asker-denied' ? `${trigger.mergeCommit}/asker-denied` : runId;
  if (desk.answers.some((answer) => answer.id === id)) return;
  const reply = { kind: 'refused', to: trigger.actor, verb: 'apply', refusal } as const;
  desk.answers.push({ id, commentNodeId: null, reaction: null, reply });
}

/** The rights and the plan are those of now: the wish may have waited for long. Null when it ended with that. */
function start(desk: Desk, held: Wished, waits: boolean): Asked | null {
  const { pullRequest, ref } = desk.state;
  const { project, turn, apply: wish } = held;
  const plan = planOf(held);
  if (pullRequest === null || plan === null) return null;
  const grant = grantApply(applyQuestion({ ...desk.state, pullRequest }, held, wish.trigger));
  if (!isGrant(grant)) {
    endWish(desk, held, grant);
    return null;
  }
  const runId = parseRunId(uuid4());
  const apply = {
    runId,
    digest: grant.digest,
    plan,
    head: grant.head,
    trigger: wish.trigger,
    phase: { kind: 'asked', since: new Date().toISOString() },
  } as const;
  changeProject(desk, project.name, { apply, turn: turn?.kind === 'wanted' ? { kind: 'asked' } : turn });
  const mode = lockOf(desk, project.name);
  const replyTo = workflowInfo().workflowId;
  const after = dependentsIn(desk, project);
  return { project, request: { kind: 'apply', ref, replyTo, runId, grant, ...after, mode, waits } };
}

/** What comes after the project, whichever pull request plans it. */
function dependentsIn({ state }: Desk, { name }: Project): { readonly dependents?: readonly string[] } {
  const dependents = dependentsOf(projectsFound(state)?.configuration.dependsOn ?? {}, name);
  return dependents.length > 0 ? { dependents } : {};
}

/** The answer comes as news. */
function turnOf(desk: Desk, project: Project, waits: boolean): Asked {
  changeProject(desk, project.name, { turn: { kind: 'asked' } });
  const { ref } = desk.state;
  const replyTo = workflowInfo().workflowId;
  return { project, request: { kind: 'turn', ref, replyTo, project: project.name, waits } };
}

/** Asks to own a project; where it holds what comes later in order, it does not stand in line. */
export async function askTurn(desk: Desk, project: Project): Promise<void> {
  const waits = heldAfter(begunHere(desk), project).length === 0;
  await askAll(desk, [turnOf(desk, project, waits)]);
}

/** From now on, this pull request may own the projects and has to give them up one day. */
async function askAll(desk: Desk, asked: readonly Asked[]): Promise<void> {
  if (asked.length === 0) return;
  const { touched, ref } = desk.state;
  const added = asked
    .filter(({ project }) => !touched.some(({ name }) => name === project.name))
    .map(({ project: { name, dir, workspace } }) => ({ name, dir, workspace }));
  desk.state = { ...desk.state, touched: [...touched, ...added] };
  const requests = asked.map(({ project: { dir, workspace }, request }) => ({
    project: { dir, workspace },
    request,
  }));
  try {
    await askProjects({ repository: ref.repository, asked: requests });
  } catch (error) {
    for (const each of asked) neverAsked(desk, each);
    throw error;
  }
}

/** It never got there: the plan is as ready as before. */
function neverAsked(desk: Desk, { project: { name }, request }: Asked): void {
  if (request.kind === 'apply' && findProject(desk.state, name)?.apply?.runId === request.runId)
    changeProject(desk, name, { apply: null, turn: null });
}

/**
 * The wish for a project has ended: others may have it, unless something of it was applied here. What a merge left
 * unapplied stays the pull request's, and so does what it owns for its plan.
 */
export async function giveBack(desk: Desk, project: Project): Promise<void> {
  const state = findProject(desk.state, project.name);
  if (state === null || state.turn === null || lockOf(desk, project.name) === 'plan') return;
  if (desk.state.pullRequest?.state === 'merged') return;
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
  const isOwned = ({ name, begun }: Touched): boolean =>
    begun === true || findProject(desk.state, name)?.turn != null;
  const released = desk.state.touched.filter((each) => names.includes(each.name) && isOwned(each));
  if (released.length === 0) return;
  desk.state = { ...desk.state, touched: withoutBegun(desk.state.touched, names) };
  for (const { name } of released) changeProject(desk, name, { turn: null });
  void tellOrLog(desk, released, { kind: 'release', ref: desk.state.ref, why: 'closed' });
}

/**
 * What is given up is not forgotten: it may still be on its way to the pull request, whose end gives it up once more.
 */
export const withoutBegun = (touched: readonly Touched[], names: readonly string[]): readonly Touched[] =>
  touched.map(({ begun, ...each }) =>
    begun === true && !names.includes(each.name) ? { ...each, begun } : each,
  );

/** Something of it has been applied, or may have been: from now on it is more than a turn. */
export function noteBegun(desk: Desk, name: string): void {
  if (lockOf(desk, name) === 'none') return;
  const touched = desk.state.touched.map((each) =>
    each.name === name ? { ...each, begun: true as const } : each,
  );
  desk.state = { ...desk.state, touched };
}

export type TurnNews = Extract<ProjectNews, { kind: 'yours' | 'behind' | 'taken' }>;

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
  if (news.kind === 'taken') {
    noteTaken(desk, project, news);
    return false;
  }
  if (news.kind === 'behind') {
    const since = project.turn.kind === 'behind' ? project.turn.since : new Date().toISOString();
    if (project.turn.kind === 'behind') desk.progressed = true;
    else desk.stale = true;
    const { owner, position } = news;
    changeProject(desk, news.project, { turn: { kind: 'behind', owner, position, since } });
    giveBackLater(desk);
    return false;
  }
  const planned = lockOf(desk, news.project) === 'plan';
  const waited = planned && desk.planning === null && project.result === null;
  changeProject(desk, news.project, { turn: { kind: 'yours' } });
  giveBackLater(desk);
  return waited && findProject(desk.state, news.project)?.turn?.kind === 'yours';
}

/**
 * Whoever waits for a project holds nothing that comes later, or two could wait for each other. An answer to what was
 * given up meanwhile may have passed for this one: then more was asked for than this pull request may hold.
 */
function giveBackLater(desk: Desk): void {
  const all = knownProjects(desk.state);
  const begun = begunHere(desk).map(({ name }) => name);
  const idle = all.filter((each) => each.turn?.kind === 'yours' && !isUnderWay(each));
  const places = idle.map(({ project }) => project).filter(({ name }) => !begun.includes(name));
  const waitedFor = all.filter(
    ({ turn, apply }) => turn?.kind === 'behind' || apply?.phase.kind === 'queued',
  );
  const later = new Set(waitedFor.flatMap(({ project }) => heldAfter(places, project)));
  for (const place of later) leave(desk, place);
  if (later.size > 0) void stepBack(desk, ...later);
}

/** An apply that asked for it goes back to where it waited for its turn. */
function noteTaken(
  desk: Desk,
  { project: { name }, apply }: ProjectState,
  { owner, runId }: Extract<TurnNews, { kind: 'taken' }>,
): void {
  const asked = apply?.phase.kind === 'asked' ? { ...apply, phase: apply.phase } : null;
  // It answers what was asked before, and came twice: what is asked now is on its way.
  if (runId !== (asked?.runId ?? null)) return;
  const waiting =
    asked === null
      ? {}
      : { apply: { ...asked, phase: { ...asked.phase, kind: 'held', after: [] } as const } };
  changeProject(desk, name, { turn: { kind: 'wanted', taken: owner }, ...waiting });
}

/** Takes back what waits for its turn, and the turn itself. */
export function stepBack(desk: Desk, ...places: readonly ProjectPlace[]): Promise<void> {
  return tellOrLog(desk, places, { kind: 'withdraw', ref: desk.state.ref });
}

/** Also where the round that gives them back is over by then: nobody else would. */
async function tellOrLog(
  desk: Desk,
  places: readonly ProjectPlace[],
  request: ProjectRequest,
): Promise<void> {
  desk.busy += 1;
  try {
    await CancellationScope.nonCancellable(() => tellProjects(desk, places, request));
  } catch (error) {
    log.error('projects could not be given back', { projects: places.map(({ dir }) => dir), error });
  } finally {
    desk.busy -= 1;
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
