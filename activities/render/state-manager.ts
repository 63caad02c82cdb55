// Why is the end of a project not planned or applied that another one manages?
import type { StateManager } from '../../workflows/model/state-manager.ts';
import { named } from './wording.ts';

/** Without a capital at the start: it follows a name or a colon. */
export function managedSentence(project: string, manager: StateManager): string {
  const other = named(manager.project);
  if (manager.kind === 'unplanned')
    return `the end of ${named(project)} is not planned before ${other} is: that is new here, and may manage the same state.`;
  return `${named(project)} has moved to ${other}${byWhom(manager)}: its state is managed there, so destroying it would destroy what ${other} manages. If both are to end, delete the code of both.`;
}

/** " (applied by #3, not merged)" */
export function byWhom({ number }: Extract<StateManager, { kind: 'managed' }>): string {
  return number === null ? '' : ` (applied by #${number}, not merged)`;
}
