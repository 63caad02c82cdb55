// Whose word lifts the denial of a policy, and for which plan?

import { applyMerged } from './applying.ts';
import type { Desk } from './desk.ts';
import type { Actor } from './model/actor.ts';
import type { Refusal } from './model/apply.ts';
import type { Override } from './model/override.ts';
import { overridable } from './model/override.ts';
import { projectsFound, verdictsOf } from './model/pull-request-state.ts';
import type { ProjectState } from './model/round.ts';
import { isSettled, planOf } from './model/round.ts';
import type { CommandRefusal } from './port/answer.ts';
import { record } from './proxies.ts';
import type { Wish } from './wishes.ts';
import { sawPlan } from './wishes.ts';

/** Who may has been asked before. It counts for this plan under these policies, and for nothing else. */
export async function override(
  desk: Desk,
  wish: Wish,
  actor: Actor,
  projects: readonly ProjectState[],
): Promise<Refusal | CommandRefusal | null> {
  if (desk.planning !== null || projectsFound(desk.state) === null) return { kind: 'still-planning' };
  const denied = projects.filter(
    (project) => !isSettled(project) && overridable(verdictsOf(desk.state, project) ?? []).length > 0,
  );
  if (denied.length === 0) return { kind: 'nothing-to-override' };
  const changed = denied.find((project) => !sawPlan(desk.state, project, wish));
  if (changed !== undefined) return { kind: 'plan-changed', project: changed.project.name };
  for (const project of denied) await give(desk, wish, actor, project);
  desk.stale = true;
  await applyMerged(desk);
  return null;
}

/** Recorded first: an apply counts only what the record holds. */
async function give(desk: Desk, wish: Wish, actor: Actor, project: ProjectState): Promise<void> {
  const plan = planOf(project);
  if (plan === null || project.bundle === null || wish.reason === null) return;
  const word: Override = {
    actor,
    project: project.project.name,
    digest: plan.digest,
    bundle: project.bundle,
    policies: overridable(verdictsOf(desk.state, project) ?? []),
    reason: wish.reason,
    at: wish.saw.kind === 'before' ? wish.saw.at : new Date().toISOString(),
  };
  await record({ entries: [{ kind: 'override', ref: desk.state.ref, override: word }] });
  desk.state = { ...desk.state, overrides: [...desk.state.overrides, word] };
}
