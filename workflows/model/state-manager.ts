// Who else manages what a destroy would take down?
import type { Diagnostic } from './diagnostic.ts';
import type { PlanResult } from './plan.ts';

export type StateManager =
  /** Its plans are made from the same state. `number`: the pull request that applied it, where no merge contains it yet. */
  | { readonly kind: 'managed'; readonly project: string; readonly number: number | null }
  /** The same pull request adds it, and it was never planned: its state may be the same. */
  | { readonly kind: 'unplanned'; readonly project: string };

/** The plan of an end that must not come: nothing of it is offered. `unknown`: nobody could be asked. */
export function refuseEnd(
  project: string,
  runId: Extract<PlanResult, { kind: 'failed' }>['runId'],
  manager: StateManager | 'unknown',
): PlanResult {
  const diagnostics: readonly Diagnostic[] = [{ severity: 'error', ...wordsOn(project, manager) }];
  return { kind: 'failed', runId, diagnostics, diagnosticCount: 1 };
}

function wordsOn(project: string, manager: StateManager | 'unknown'): Pick<Diagnostic, 'summary' | 'detail'> {
  const goOn = 'Comment /hatchet plan to go on without this plan.';
  if (manager === 'unknown') {
    const summary = 'Whether another project manages its state could not be looked up.';
    return { summary, detail: 'Nothing is destroyed before that is known. Ask for the plan again.' };
  }
  const other = manager.project;
  if (manager.kind === 'unplanned') {
    const summary = `${other} may manage its state: it is new here, and not planned.`;
    const detail = `Once ${other} is planned, and has another state, the end of ${project} can be planned. An entry that this pull request adds to hatchet.yaml is planned after a merge only: add it in an earlier one. ${goOn}`;
    return { summary, detail };
  }
  const where = manager.number === null ? '' : `, as #${manager.number} has applied it`;
  return {
    summary: `Its state is managed by ${other}${where}.`,
    detail: `To destroy what ${project} has would destroy what ${other} manages. If ${project} has moved there, nothing is to be done; if both are to end, delete the code of both. ${goOn}`,
  };
}
