// What goes on by itself once something is planned, or what it depends on is applied?
import { log } from '@temporalio/workflow';
import { applyMerged } from './applying.ts';
import type { Desk } from './desk.ts';
import type { ProjectNews } from './messages.ts';
import type { RoundReason } from './model/again.ts';
import type { ApplyOutcome } from './model/apply.ts';
import { openDependents } from './model/dependencies.ts';
import { knownProjects, projectsFound } from './model/pull-request-state.ts';
import { isHeld, isUnderWay } from './model/round.ts';
import { beginRound } from './planning.ts';
import { renewQueued } from './renewing.ts';
import { weighReviews } from './reviewing.ts';
import { endWish, goOnOrTell, releaseDone } from './taking-turns.ts';

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
  if (hasUnplannedTurn(desk)) return playRound(desk, { kind: 'refresh', applied: [] });
  releaseDone(desk);
  await weighOrTell(desk);
  await renewQueued(desk);
  await goOnOrTell(desk);
  // What could not be looked at is applied when it can.
  if (!desk.state.appliesNext || projectsFound(desk.state) === null) return;
  try {
    await applyMerged(desk);
  } catch (error) {
    log.error('a merged pull request could not be applied', { error });
  }
  desk.state = { ...desk.state, appliesNext: false };
}

/** Its turn came while others were being planned: nobody would look at it again. */
const hasUnplannedTurn = ({ planning, state }: Desk): boolean =>
  planning === null &&
  (projectsFound(state)?.projects ?? []).some(
    ({ turn, result, apply }) => turn?.kind === 'yours' && result === null && apply === null,
  );

/** Reviews came by while plans were made, and a plan that lives on may have got one: the next look weighs them again. */
async function weighOrTell(desk: Desk): Promise<void> {
  try {
    await weighReviews(desk);
  } catch (error) {
    log.error('reviews could not be weighed', { error });
  }
}

/** What was to come after an apply that failed is not applied: whoever wished it has to wish again. */
export function stopDependents(desk: Desk, news: ProjectNews): void {
  if (news.kind !== 'finished' || !stops(desk, news.outcome)) return;
  const projects = knownProjects(desk.state);
  const after = openDependents(projects, news.project);
  for (const project of projects.filter((each) => isHeld(each) && after.includes(each.project.name))) {
    const { name } = project.project;
    if (project.apply === null) continue;
    const refusal = { kind: 'dependency-failed', project: name, dependencies: [news.project] } as const;
    endWish(desk, { ...project, apply: project.apply }, refusal);
  }
}

/** A stale plan of a merged pull request is made again, and goes on by itself when it is the same. */
function stops({ state }: Desk, outcome: ApplyOutcome): boolean {
  if (outcome.kind !== 'refused') return outcome.kind !== 'applied';
  return !(outcome.refusal.kind === 'stale' && state.pullRequest?.state === 'merged');
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
