// What came of an apply, and what of it must be kept?
import { Buffer } from 'node:buffer';
import { join } from 'node:path';
import type { ApplyOutcome } from '../../workflows/model/apply.ts';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import { maxDiagnosticsCarried } from '../../workflows/model/diagnostic.ts';
import type { RunId } from '../../workflows/model/identifiers.ts';
import type { StoredPlan } from '../run-store.ts';
import type { ApplyEnding } from './apply-command.ts';
import { whyStopped } from './apply-limit.ts';
import { captureCommand, explainFailure } from './command.ts';
import { keepTrying } from './keep-trying.ts';
import type { Mask } from './mask.ts';
import { parseStateVersion } from './plan-file.ts';
import type { Exit } from './process.ts';
import { readForeignFile } from './run-directory.ts';
import type { Session } from './session.ts';
import type { RunnerDependencies } from './settings.ts';

/** Terraform writes it into its working directory when the backend does not take the state. */
export const erroredStateName = 'errored.tfstate';
export const maxStateBytes = 512 * 1024 * 1024;

export type EndedApply = {
  readonly session: Session;
  readonly deps: RunnerDependencies;
  readonly runId: RunId;
  readonly stored: StoredPlan;
  readonly mask: Mask;
  readonly ending: ApplyEnding;
};

/** `kept`: everything that this run leaves behind is in the store. */
export async function keepOutcome(
  ended: EndedApply,
): Promise<{ readonly outcome: ApplyOutcome; readonly kept: boolean }> {
  const { session, deps, runId, mask } = ended;
  const state = await keepErroredState(ended);
  const outcome = await describeOutcome(ended, state);
  const logKept = await keepTrying(() => deps.store.saveLog(runId, session.log.masked(mask)));
  return { outcome, kept: logKept && state !== 'on runner' };
}

/** Nothing was run, so the log is what there is to say. */
export async function keepUnstarted(
  deps: RunnerDependencies,
  runId: RunId,
  stored: StoredPlan,
  problem: Diagnostic,
): Promise<ApplyOutcome> {
  await keepTrying(() => deps.store.saveLog(runId, Buffer.from(`${problem.summary}\n${problem.detail}\n`)));
  const finishedAt = new Date().toISOString();
  return failure({ runId, stored }, [problem], { done: 0, stateKept: false, finishedAt });
}

/** `on runner`: it could not be stored yet, and stays where Terraform wrote it until it is. */
type StateKept = 'none' | 'kept' | 'on runner';

async function keepErroredState({ session, deps, runId }: EndedApply): Promise<StateKept> {
  const path = join(session.projectDir, erroredStateName);
  const bytes = await readForeignFile({ path, within: session.directory.tree, maxBytes: maxStateBytes });
  if (bytes === null) return 'none';
  return (await keepTrying(() => deps.store.saveErroredState(runId, bytes))) ? 'kept' : 'on runner';
}

async function describeOutcome(ended: EndedApply, state: StateKept): Promise<ApplyOutcome> {
  const { ending, runId, session, mask } = ended;
  const finishedAt = new Date().toISOString();
  if (ending.kind === 'not-started')
    return failure(ended, ending.problems, { done: 0, stateKept: false, finishedAt });
  const { result, progress, startedAt } = ending;
  if (result.exit.code === 0) return { kind: 'applied', runId, startedAt, finishedAt };
  // It never got to write down what it had done.
  const crash = crashOf(result.exit);
  if (crash !== null) {
    const onRunner = state === 'on runner' ? ({ stateOnRunner: true } as const) : {};
    return { kind: 'unknown', runId, reason: crash, ended: true, ...onRunner };
  }
  if (state === 'none' && !progress.hasStarted() && (await isStateChanged(ended))) {
    return {
      kind: 'refused',
      refusal: { kind: 'stale', project: session.project.name, reason: 'state changed' },
    };
  }
  const problems = [
    ...whyStopped(session.context.signal),
    ...explainFailure(session, { kind: 'apply', planFile: '' }, result, mask),
  ];
  return {
    ...failure(ended, problems, { done: progress.done(), stateKept: state === 'kept', finishedAt }),
    ...(state === 'on runner' ? { stateOnRunner: true } : {}),
  };
}

/**
 * Terraform that comes to its end, whatever it could do, ends with 0 or 1. Null when it did; else how it was ended. After
 * a panic it ends with 11, Go itself with 2; bubblewrap, like a shell, tells of a signal by an exit code above 128.
 */
export function crashOf({ code, signal }: Exit): string | null {
  if (signal !== null || (code ?? 0) > signalExitCode) return 'Terraform was killed while it ran';
  return code === 0 || code === failedExitCode ? null : `Terraform crashed while it ran (exit code ${code})`;
}
const failedExitCode = 1;
const signalExitCode = 128;

function failure(
  { runId, stored }: Pick<EndedApply, 'runId' | 'stored'>,
  diagnostics: readonly Diagnostic[],
  rest: { readonly done: number; readonly stateKept: boolean; readonly finishedAt: string },
): Extract<ApplyOutcome, { kind: 'failed' }> {
  const { add, change, replace, destroy } = stored.plan.counts;
  return {
    kind: 'failed',
    runId,
    diagnostics: diagnostics.slice(0, maxDiagnosticsCarried),
    diagnosticCount: diagnostics.length,
    total: add + change + replace + destroy,
    ...rest,
  };
}

/**
 * Terraform refuses a saved plan when the state is another one than it was made from, and says so only in words:
 * here the state itself is asked.
 */
async function isStateChanged({ session, stored }: EndedApply): Promise<boolean> {
  if (session.context.signal.aborted) return false;
  const pulled = await captureCommand(session, { kind: 'pull-state' }).catch(() => null);
  if (pulled?.kind !== 'document') return false;
  const now = parseStateVersion(pulled.text.toString());
  return now?.lineage !== stored.state?.lineage || now?.serial !== stored.state?.serial;
}
