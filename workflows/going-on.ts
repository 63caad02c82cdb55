// What goes on by itself once something is planned, or what it depends on is applied?
import { log } from '@temporalio/workflow';
import { applyMerged, startApplies, tellRefusal } from './applying.ts';
import type { Desk } from './desk.ts';
import { changeProject } from './desk.ts';
import type { ProjectNews } from './messages.ts';
import type { RoundReason } from './model/again.ts';
import type { Refusal } from './model/apply.ts';
import { openDependencies, openDependents } from './model/dependencies.ts';
import { knownProjects, projectsFound } from './model/pull-request-state.ts';
import type { ApplyState, ProjectState } from './model/round.ts';
import { isHeld, isUnderWay, planOf } from './model/round.ts';
import { beginRound } from './planning.ts';

/** One round and what follows from it, unless a newer one has taken over: then that has the same to do. */
export async function playRound(desk: Desk, reason: RoundReason): Promise<void> {
  desk.busy += 1;
  try {
    if ((await beginRound(desk, reason)) === 'finished') await follow(desk);
  } finally {
    desk.busy -= 1;
  }
}

async function follow(desk: Desk): Promise<void> {
  await goOn(desk);
  if (!desk.state.appliesNext) return;
  try {
    await applyMerged(desk);
  } catch (error) {
    log.error('a merged pull request could not be applied', { error });
  }
  desk.state = { ...desk.state, appliesNext: false };
}

/** The projects whose plans may be others now that this one is applied. */
export function dependentsToPlan(desk: Desk, news: ProjectNews): readonly string[] {
  const projects = knownProjects(desk.state);
  if (desk.state.pullRequest?.state === 'closed') return [];
  if (news.kind !== 'finished' || news.outcome.kind !== 'applied') return [];
  return openDependents(projects, news.project).filter(
    (name) => !projects.some((each) => each.project.name === name && isUnderWay(each)),
  );
}

/** Starts what was held back and may start now; what became another plan meanwhile has to be asked for anew. */
async function goOn(desk: Desk): Promise<void> {
  const held = (projectsFound(desk.state)?.projects ?? []).filter(isHeld);
  for (const project of held) {
    if (project.apply === null || project.result === null) continue;
    if (planOf(project)?.digest === project.apply.digest) await goOnWith(desk, project, project.apply);
    else endWish(desk, project, project.apply, dependencyChanged(project));
  }
}

const dependencyChanged = ({ project }: ProjectState): Refusal => ({
  kind: 'stale',
  project: project.name,
  reason: 'dependency applied',
});

async function goOnWith(desk: Desk, project: ProjectState, apply: ApplyState): Promise<void> {
  const { name } = project.project;
  const projects = projectsFound(desk.state)?.projects ?? [];
  if (openDependencies(projects, name).length > 0) return;
  try {
    const [refused] = await startApplies(desk, [project], apply.trigger);
    if (refused !== undefined) endWish(desk, project, apply, refused.refusal);
  } catch (error) {
    log.error('a held apply could not be started', { project: name, error });
  }
}

function endWish(desk: Desk, { project }: ProjectState, apply: ApplyState, refusal: Refusal): void {
  const phase = { kind: 'over', startedAt: null, outcome: { kind: 'refused', refusal } } as const;
  changeProject(desk, project.name, { apply: { ...apply, phase } });
  tellRefusal(desk, apply, refusal);
  desk.stale = true;
}
