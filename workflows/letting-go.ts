// What is stopped or given up when a person says cancel or unlock?
import { workflowInfo } from '@temporalio/workflow';
import type { Desk } from './desk.ts';
import { changeProject } from './desk.ts';
import { playRound } from './going-on.ts';
import { knownProjects } from './model/pull-request-state.ts';
import type { ProjectState } from './model/round.ts';
import { isHeld, isUnderWay, isUnknown, leftState } from './model/round.ts';
import { endRound } from './planning.ts';
import type { CommandRefusal, Reply } from './port/answer.ts';
import { goOnOrTell, withoutBegun } from './taking-turns.ts';
import { tellProjects } from './telling-projects.ts';
import type { Wish } from './wishes.ts';

type Decision = CommandRefusal | Extract<Reply, { kind: 'done' }> | null;

/** Whoever comes back later has to read the warning again. */
const confirmWithinMs = 10 * 60_000;

/**
 * Stops a running plan and takes back what waits for its turn. A running apply is interrupted only when somebody says
 * so a second time: what it has done by then stays done.
 */
export async function cancel(desk: Desk, wish: Wish): Promise<Decision> {
  const running = knownProjects(desk.state).filter(isRunning);
  const stopped = await cancelWaiting(desk);
  if (running.length === 0)
    return stopped ? null : { kind: 'done', to: wish.actor, text: 'nothing to cancel' };
  const runs = running.flatMap(({ apply }) => (apply === null ? [] : [apply.runId]));
  const at = wish.saw.kind === 'before' ? wish.saw.at : new Date().toISOString();
  if (!isConfirmed(desk, runs, at)) {
    desk.state = { ...desk.state, stopAsked: { at, runs } };
    return { kind: 'done', to: wish.actor, text: 'stop needs a second word' };
  }
  await Promise.all(running.map((state) => stopApply(desk, state)));
  return { kind: 'done', to: wish.actor, text: 'applies are being stopped' };
}

const isRunning = ({ apply }: ProjectState): boolean =>
  apply?.phase.kind === 'asked' || apply?.phase.kind === 'applying';

/** The warning was about these very runs, and not long ago by GitHub's clock. */
function isConfirmed({ state: { stopAsked } }: Desk, runs: readonly string[], at: string): boolean {
  if (stopAsked === undefined || !runs.every((run) => stopAsked.runs.some((known) => known === run)))
    return false;
  const passedMs = Date.parse(at) - Date.parse(stopAsked.at);
  return passedMs >= 0 && passedMs <= confirmWithinMs;
}

async function stopApply(desk: Desk, { project, apply }: ProjectState): Promise<void> {
  if (apply === null) return;
  await tellProjects(desk, [project], { kind: 'stop', ref: desk.state.ref, runId: apply.runId });
}

/** False when there was nothing that has not begun to change anything. */
async function cancelWaiting(desk: Desk): Promise<boolean> {
  const queued = knownProjects(desk.state).filter(({ apply }) => apply?.phase.kind === 'queued');
  const held = knownProjects(desk.state).filter(isHeld);
  const inLine = knownProjects(desk.state).filter(isInLine);
  if (desk.planning === null && queued.length + held.length + inLine.length === 0) return false;
  const left = [...new Set([...queued, ...held, ...inLine].map(({ project }) => project))];
  for (const { project } of inLine) changeProject(desk, project.name, { turn: null });
  for (const { project } of held) changeProject(desk, project.name, { apply: null, turn: null });
  if (desk.planning !== null || inLine.some(({ result }) => result === null)) {
    desk.planning?.cancel();
    desk.planning = null;
    endRound(desk, { kind: 'cancelled' });
  }
  await tellProjects(desk, left, { kind: 'withdraw', ref: desk.state.ref });
  desk.stale = true;
  return true;
}

/** Gives up the locks; where an outcome was unknown, a fresh plan shows what is there now. */
export async function unlock(desk: Desk, wish: Wish, chosen: readonly ProjectState[]): Promise<Decision> {
  // Also what is on show no more, because a cancel came or nothing could be looked at.
  const projects = wish.projects.length === 0 ? knownProjects(desk.state) : chosen;
  await askAfter(desk, projects);
  const running = projects.some((project) => isUnderWay(project) && project.apply?.phase.kind !== 'queued');
  if (running) return { kind: 'applying' };
  // Who only stands in line has nothing to give up.
  const inLine = projects.filter(isInLine).map(({ project }) => project.name);
  const places = projects.map(({ project }) => project).filter(({ name }) => !inLine.includes(name));
  for (const { name } of places) changeProject(desk, name, { turn: null });
  for (const { project } of projects.filter(isHeld))
    changeProject(desk, project.name, { apply: null, turn: null });
  // What this pull request once applied may not be among its projects any more. What it gave up before is others'.
  const applied = desk.state.touched.filter(({ name, begun }) => begun === true && !inLine.includes(name));
  const others = wish.projects.length === 0 ? applied : [];
  const { ref } = desk.state;
  await tellProjects(desk, [...places, ...others], {
    kind: 'release',
    ref,
    why: 'unlock',
    actor: wish.actor,
  });
  const released = [...places, ...others].map(({ name }) => name);
  desk.state = { ...desk.state, touched: withoutBegun(desk.state.touched, released) };
  const unknown = projects.filter(isUnknown);
  for (const { project } of unknown) changeProject(desk, project.name, { apply: null });
  const only = unknown.map(({ project }) => project.name);
  if (unknown.length > 0 && desk.state.pullRequest?.state !== 'closed')
    void playRound(desk, { kind: 'asked', only, as: 'same' });
  desk.stale = true;
  // What waited for one of them goes on.
  void goOnOrTell(desk);
  const hadState = projects.some((project) => project.unwritten !== undefined || leftState(project));
  return { kind: 'done', to: wish.actor, text: hadState ? 'locks and a state given up' : 'locks given up' };
}

/** Where its project's workflow was ended from outside, the next life of it tells what became of an apply. */
export async function askAfter(desk: Desk, projects: readonly ProjectState[]): Promise<void> {
  const { ref } = desk.state;
  const replyTo = workflowInfo().workflowId;
  for (const { project, apply } of projects.filter(isUnderWay)) {
    if (apply === null) continue;
    const { runId } = apply;
    await tellProjects(desk, [project], { kind: 'ask-after', ref, replyTo, project: project.name, runId });
  }
}

/** Somebody wants to know what an apply has done that nobody heard of again. */
export async function lookAgain(desk: Desk, projects: readonly ProjectState[]): Promise<void> {
  const unknown = projects.filter(isUnknown).map(({ project }) => project);
  await tellProjects(desk, unknown, { kind: 'look-again', ref: desk.state.ref });
}

/** It waits until it may be planned. */
const isInLine = ({ turn, apply }: ProjectState): boolean =>
  apply === null && (turn?.kind === 'behind' || turn?.kind === 'wanted');
