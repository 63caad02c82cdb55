// What has an apply done whose outcome nobody knows, as far as a new plan of the same source tells?

import type { Finding } from '../workflows/model/comparison.ts';
import { compareChanges } from '../workflows/model/comparison.ts';
import { isOwnLock } from '../workflows/model/state-lock.ts';
import type { ControlActivities } from '../workflows/port/control.ts';
import type { PlanRequest } from '../workflows/port/run.ts';
import type { RunStore } from './run-store.ts';
import type { Applies } from './store/apply.ts';
import type { UnwrittenStates } from './store/unwritten-state.ts';
import { findStateLock } from './terraform/state-lock.ts';

type Runs = Pick<RunStore, 'readPlan' | 'readPlanChanges'>;

/** The same tree, variables, engine and version; only the state and the world may be others by now. */
export async function planAgain(
  store: Pick<Runs, 'readPlan'>,
  { repository, grant, runId }: Parameters<ControlActivities['planAgain']>[0],
): Promise<PlanRequest> {
  const { plan, number, source, varFiles } = await store.readPlan(grant.planId);
  return {
    repository,
    number,
    source,
    runId,
    destroy: plan.destroy,
    // Whoever holds the lock may still be changing things: a comparison then would be a guess.
    underLock: true,
    project: {
      ...plan.project,
      sourceDigest: plan.sourceDigest,
      varFiles,
      version: { constraint: `= ${plan.engineVersion}`, source: 'the plan' },
      pool: grant.pool,
      dependsOn: [],
      problems: [],
    },
  };
}

export async function compareApply(
  {
    runs,
    applies,
    unwrittenStates,
  }: {
    readonly runs: Pick<Runs, 'readPlanChanges'>;
    readonly applies: Pick<Applies, 'isOver'>;
    readonly unwrittenStates: Pick<UnwrittenStates, 'ofRun'>;
  },
  { approved, run, mark, result }: Parameters<ControlActivities['compareApply']>[0],
): Promise<Finding> {
  const lock = result.kind === 'failed' ? findStateLock(result.diagnostics) : null;
  if (lock !== null) return { kind: 'state-locked', lock, own: isOwnLock(lock, mark) };
  const state = await unwrittenStates.ofRun(run);
  if (state !== null) return { kind: 'unwritten', state };
  if (result.kind === 'failed') return { kind: 'not-compared', diagnostics: result.diagnostics };
  const [before, after, isOver] = await Promise.all([
    runs.readPlanChanges(approved),
    runs.readPlanChanges(result.plan.id),
    applies.isOver(run),
  ]);
  const comparison = compareChanges(before, after);
  const over = isOver ? ({ over: true } as const) : {};
  return { kind: 'compared', same: !result.plan.hasChanges, comparison, ...over };
}
