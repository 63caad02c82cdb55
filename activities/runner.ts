// What can a runner be asked to do?
import { Context } from '@temporalio/activity';
import type { RunnerActivities, RunPass } from '../workflows/activities.ts';
import { applyPlan } from './terraform/apply.ts';
import { planProject } from './terraform/plan.ts';
import type { RunAccess, RunContext, RunnerDependencies } from './terraform/settings.ts';
import { unlockState } from './terraform/unlock.ts';

/**
 * The activities of `hatchet-runner-<pool>`: they run foreign code, and hold neither App key nor database. `accessFor`
 * answers with what a run may read and keep; `signal` is the run's own.
 */
export function createRunnerActivities(
  machine: Omit<RunnerDependencies, keyof RunAccess | 'pass'>,
  accessFor: (pass: RunPass | null, signal: AbortSignal) => RunAccess,
): RunnerActivities {
  const admit = (pass: RunPass | null) => {
    const context = currentRun();
    return { context, deps: { ...machine, pass, ...accessFor(pass, context.signal) } };
  };
  return {
    planProject: async ({ pass, ...request }) => {
      const { context, deps } = admit(pass);
      return planProject(context, deps, request);
    },
    applyPlan: async ({ pass, ...request }) => {
      const { context, deps } = admit(pass);
      return applyPlan(context, deps, request);
    },
    unlockState: async ({ pass, ...request }) => {
      const { context, deps } = admit(pass);
      return unlockState(context, deps, request);
    },
  };
}

function currentRun(): RunContext {
  const context = Context.current();
  return {
    heartbeat: (details) => context.heartbeat(details),
    signal: context.cancellationSignal,
    attempt: context.info.attempt,
    warn: (message, error) => context.log.warn(message, { error }),
  };
}
