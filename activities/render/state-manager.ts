// Why is the end of a project not planned or applied that another one manages?
import type { StateManager } from '../../workflows/model/state-manager.ts';
import { named } from './wording.ts';

/** Without a capital at the start: it follows a name or a colon. */
export function managedSentence(project: string, manager: StateManager): string {
  const other = named(manager.project);
  if (manager.kind === 'unplanned')
    return `the end of ${named(project)} is not planned before ${other} is: that is new here, and may manage the same state. ${planRemedy(manager)}.`;
  if (manager.moved === true)
    return `${named(project)} has moved to ${other}: its state is managed there, so destroying it would destroy what ${other} manages. If both are to end, delete the code of both.`;
  return `${named(project)} has ${sameState(manager)}: destroying it could destroy what ${other} manages. Where that is one state, deleting the code of ${named(project)} is enough. ${copyRemedy(named(project))}`;
}

/** What is known where one lineage says no more. */
export function sameState({ project, number }: Managed): string {
  const byWhom = number === null ? '' : ` (applied by #${number}, not merged)`;
  return `the same state (lineage) as ${named(project)}${byWhom}`;
}

/** `whom`: as it is to be shown. */
export const copyRemedy = (whom: string): string =>
  `Where it is a copy, end ${whom} by hand, or give it a state of its own (a new lineage) first.`;

/** How the plan comes about that an end waits for; without a full stop. */
export function planRemedy({ project, inactive }: Unplanned): string {
  const other = named(project);
  return inactive === true
    ? `Only the edited \`hatchet.yaml\` has ${other}, so this pull request cannot plan it: add its entry in an earlier pull request`
    : `Comment \`/hatchet plan\` once ${other} can be planned`;
}

type Managed = Extract<StateManager, { kind: 'managed' }>;
type Unplanned = Extract<StateManager, { kind: 'unplanned' }>;
