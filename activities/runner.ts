// What can a runner be asked to do?
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { applyTakenSignal } from '../workflows/messages.ts';
import type { RunnerActivities, RunPass } from '../workflows/port/run.ts';
import { isPlanTaken } from './run-store.ts';
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
      const { store, over } = telling(deps.store, () => tellTaken(context));
      try {
        return await applyPlan(context, { ...deps, store }, request);
      } finally {
        await over();
      }
    },
    unlockState: async ({ pass, ...request }) => {
      const { context, deps } = admit(pass);
      return unlockState(context, deps, request);
    },
  };
}

/**
 * Whoever reads that an apply goes on wants to read it for a moment. One that is over by then says so itself, and its
 * beginning would only have held it up: two steps of two workflows, and a picture drawn. Ten side by side hold each
 * other up for as long.
 */
const quickApplyMs = 1_000;

/** Its end is what counts: a Temporal that does not answer must not make it look lost. */
const longestTellingMs = 5_000;

/**
 * Says so once the plan is this runner's: until then the apply may still be called back. `over`: what was begun to be
 * told is told before the end is.
 */
function telling(store: RunAccess['store'], tell: () => Promise<void>) {
  let told: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    told ??= tell();
  };
  const takePlanFile: RunAccess['store']['takePlanFile'] = async (taking) => {
    const files = await store.takePlanFile(taking);
    if (isPlanTaken(files)) timer ??= setTimeout(begin, quickApplyMs);
    return files;
  };
  const over = async (): Promise<void> => {
    clearTimeout(timer);
    await Promise.race([told, sleep(longestTellingMs, undefined, { ref: false })]);
  };
  return { store: { ...store, takePlanFile }, over };
}

/** The project's workflow; what people see of it is true without this, too. */
async function tellTaken({ warn }: RunContext): Promise<void> {
  const { client, info } = Context.current();
  const { workflowId, runId } = info.workflowExecution ?? {};
  if (workflowId === undefined) return;
  try {
    await client.workflow.getHandle(workflowId, runId).signal(applyTakenSignal);
  } catch (error) {
    warn('nobody was told that an apply was taken', error);
  }
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
