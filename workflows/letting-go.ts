// What is stopped or given up when a person says cancel or unlock?
import type { CommandRefusal, ProjectPlace, Reply } from './activities.ts';
import { isQuiet } from './applying.ts';
import type { Desk } from './desk.ts';
import { changeProject } from './desk.ts';
import { playRound } from './going-on.ts';
import { knownProjects } from './model/pull-request-state.ts';
import type { ProjectState } from './model/round.ts';
import { isHeld, isUnderWay, isUnknown } from './model/round.ts';
import { endRound } from './planning.ts';
import { askProject } from './proxies.ts';
import type { Wish } from './wishes.ts';

type Decision = CommandRefusal | Extract<Reply, { kind: 'done' }> | null;

/** Stops a running plan and takes back what waits for its turn. A running apply is not interrupted. */
export async function cancel(desk: Desk, wish: Wish): Promise<Decision> {
  const queued = knownProjects(desk.state).filter(({ apply }) => apply?.phase.kind === 'queued');
  const held = knownProjects(desk.state).filter(isHeld);
  if (desk.planning === null && queued.length + held.length === 0)
    return isQuiet(desk) ? { kind: 'done', to: wish.actor, text: 'nothing to cancel' } : { kind: 'applying' };
  for (const { project } of held) changeProject(desk, project.name, { apply: null });
  if (desk.planning !== null) {
    desk.planning.cancel();
    desk.planning = null;
    endRound(desk, { kind: 'cancelled' });
  }
  await tellProjects(
    desk,
    queued.map(({ project }) => project),
    { kind: 'withdraw', ref: desk.state.ref },
  );
  desk.stale = true;
  return null;
}

/** Gives up the locks; where an outcome was unknown, a fresh plan shows what is there now. */
export async function unlock(desk: Desk, wish: Wish, projects: readonly ProjectState[]): Promise<Decision> {
  const running = projects.some((project) => isUnderWay(project) && project.apply?.phase.kind !== 'queued');
  if (running) return { kind: 'applying' };
  const places = projects.map(({ project }) => project);
  // What this pull request once applied may not be among its projects any more.
  const others = wish.projects.length === 0 ? desk.state.touched : [];
  await tellProjects(desk, [...places, ...others], { kind: 'release', ref: desk.state.ref, why: 'unlock' });
  const unknown = projects.filter(isUnknown);
  for (const { project } of unknown) changeProject(desk, project.name, { apply: null });
  const only = unknown.map(({ project }) => project.name);
  if (unknown.length > 0 && desk.state.pullRequest?.state !== 'closed')
    void playRound(desk, { kind: 'asked', only, as: 'same' });
  desk.stale = true;
  return { kind: 'done', to: wish.actor, text: 'locks given up' };
}

async function tellProjects(
  desk: Desk,
  projects: readonly ProjectPlace[],
  request: Parameters<typeof askProject>[0]['request'],
): Promise<void> {
  const { repository } = desk.state.ref;
  await Promise.all(
    projects.map(({ dir, workspace }) => askProject({ repository, project: { dir, workspace }, request })),
  );
}
