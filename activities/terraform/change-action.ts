// What does a plan do to one resource, in one word, and how does that add up?
import type { ChangeAction } from '../../workflows/model/change.ts';
import type { ChangeCounts, RiskyChange } from '../../workflows/model/plan.ts';
import { operatorError } from '../faults.ts';
import type { PlannedResource } from './plan-json.ts';

/** Terraform's `actions`, joined. Source: developer.hashicorp.com/terraform/internals/json-format (change representation). */
const actionOf: Readonly<Record<string, ChangeAction>> = {
  create: 'create',
  read: 'read',
  update: 'update',
  delete: 'delete',
  forget: 'forget',
  'delete,create': 'replace',
  'create,delete': 'replace',
  // The old object is let go instead of destroyed, but another one takes its place.
  'create,forget': 'replace',
};

/**
 * OperatorError for actions that this version does not know: guessing could hide a destruction.
 * A resource that is moved or imported and changed besides is named by the change.
 */
export function changeAction(resource: PlannedResource): ChangeAction {
  const actions = resource.change.actions.join(',');
  if (actions === 'no-op') return isImport(resource) ? 'import' : 'move';
  const action = actionOf[actions];
  if (action === undefined) throw operatorError(`the plan holds an unknown action: ${actions}`);
  return action;
}

function isImport(resource: PlannedResource): boolean {
  return (resource.change.importing ?? undefined) !== undefined;
}

const countedAs = {
  create: 'add',
  update: 'change',
  replace: 'replace',
  delete: 'destroy',
  forget: 'forget',
  // Counted apart, since they come together with the others; reads are never counted.
  move: null,
  import: null,
  read: null,
} as const satisfies Record<ChangeAction, keyof ChangeCounts | null>;

/** A resource that is imported and updated counts in both columns, as Terraform does it. */
export function countChanges(resources: readonly PlannedResource[]): ChangeCounts {
  const counts = { add: 0, change: 0, replace: 0, destroy: 0, import: 0, move: 0, forget: 0 };
  for (const resource of resources) {
    const column = countedAs[changeAction(resource)];
    if (column !== null) counts[column] += 1;
    if (isImport(resource)) counts.import += 1;
    if (resource.previous_address !== undefined) counts.move += 1;
  }
  return counts;
}

const riskOf: Partial<Record<ChangeAction, RiskyChange['action']>> = {
  delete: 'destroy',
  replace: 'replace',
  forget: 'forget',
};

/** All of them, destroys first. */
export function riskyChanges(resources: readonly PlannedResource[]): readonly RiskyChange[] {
  const risky = resources.flatMap((resource) => {
    const action = riskOf[changeAction(resource)];
    return action === undefined ? [] : [{ address: resource.address, action }];
  });
  const order = ['destroy', 'replace', 'forget'];
  return risky.sort((left, right) => order.indexOf(left.action) - order.indexOf(right.action));
}
