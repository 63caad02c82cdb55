// Who else manages what a destroy would take down?
import type { Diagnostic } from './diagnostic.ts';
import type { PlanResult } from './plan.ts';

export type StateManager =
  /**
   * Its plans are made from the same state, or from a copy of it. `number`: the pull request that applied it, where no
   * merge contains it yet. `moved`: one pull request adds it and deletes the code of the other; absent: nobody knows.
   */
  | {
      readonly kind: 'managed';
      readonly project: string;
      readonly number: number | null;
      readonly moved?: true;
    }
  /**
   * The same pull request adds it, and it was never planned: its state may be the same. `inactive`: only the hatchet.yaml
   * that it edits has it, so that nothing here plans it.
   */
  | { readonly kind: 'unplanned'; readonly project: string; readonly inactive?: true };

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
    const way =
      manager.inactive === true
        ? 'Only the hatchet.yaml that this pull request edits has it, so this pull request cannot plan it: add its entry in an earlier one.'
        : `Comment /hatchet plan once ${other} can be planned.`;
    const detail = `Once ${other} is planned, and has another state, the end of ${project} can be planned. ${way} ${goOn}`;
    return { summary, detail };
  }
  if (manager.moved === true) {
    return {
      summary: `Its state is managed by ${other}.`,
      detail: `${project} has moved there: to destroy what it has would destroy what ${other} manages. If both are to end, delete the code of both. ${goOn}`,
    };
  }
  const where = manager.number === null ? '' : `, as #${manager.number} has applied it`;
  return {
    summary: `It has the same state (lineage) as ${other}${where}.`,
    detail: `To destroy what ${project} has could destroy what ${other} manages. Where that is one state, ${project} needs no end: deleting its code is enough. Where it is a copy, end ${project} by hand, or give it a state of its own (a new lineage) first. ${goOn}`,
  };
}
