// What can a runner be asked to do?
import { Context } from '@temporalio/activity';
import type { RunnerActivities } from '../workflows/activities.ts';
import { applyPlan } from './terraform/apply.ts';
import { planProject } from './terraform/plan.ts';
import type { RunContext, RunnerDependencies } from './terraform/settings.ts';

/** The activities of `hatchet-runner-<pool>`: they run foreign code, and hold neither App key nor database. */
export function createRunnerActivities(deps: RunnerDependencies): RunnerActivities {
  return {
    planProject: (request) => planProject(currentRun(), deps, request),
    applyPlan: (request) => applyPlan(currentRun(), deps, request),
  };
}

function currentRun(): RunContext {
  const context = Context.current();
  return {
    heartbeat: (details) => context.heartbeat(details),
    signal: context.cancellationSignal,
    attempt: context.info.attempt,
  };
}
