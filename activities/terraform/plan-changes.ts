// What of a plan may people see?
import type { OutputChange, PlanChanges, ResourceChange } from '../../workflows/model/change.ts';
import { attributeChanges, wholeChange } from './attribute-changes.ts';
import { changeAction } from './change-action.ts';
import type { Mask } from './mask.ts';
import type { PlanDocument, PlannedResource } from './plan-json.ts';
import { isUnchangedOutput, isUntouched } from './plan-json.ts';

/** Everything that is not a no-op, without what is sensitive. */
export function planChanges(document: PlanDocument, mask: Mask): PlanChanges {
  return {
    resources: document.resource_changes
      .filter((resource) => !isUntouched(resource))
      .map((resource) => resourceChange(resource, mask)),
    outputs: outputChanges(document, mask),
  };
}

function resourceChange(resource: PlannedResource, mask: Mask): ResourceChange {
  const action = changeAction(resource);
  const { importing, actions } = resource.change;
  return {
    address: resource.address,
    type: resource.type,
    action,
    // A forgotten object stays as it is: only the state lets go of it.
    attributes: action === 'forget' ? [] : attributeChanges(resource.change, mask),
    ...(resource.previous_address === undefined ? {} : { previousAddress: resource.previous_address }),
    ...(importing ? { importId: mask(importText(importing)) } : {}),
    ...(resource.action_reason === undefined ? {} : { reason: resource.action_reason }),
    ...(action === 'replace' && actions[0] === 'create' ? { createFirst: true as const } : {}),
    ...(resource.deposed === undefined ? {} : { deposed: resource.deposed }),
  };
}

/** Resources are imported by an id or, since Terraform 1.12, by an identity object. */
function importText(importing: Readonly<Record<string, unknown>>): string {
  const { id, identity } = importing;
  if (typeof id === 'string' && id !== '') return id;
  return identity === undefined || identity === null ? 'known after apply' : JSON.stringify(identity);
}

function outputChanges(document: PlanDocument, mask: Mask): readonly OutputChange[] {
  return Object.entries(document.output_changes)
    .filter(([, change]) => !isUnchangedOutput(change))
    .map(([name, change]) => ({ name, ...wholeChange(change, mask) }));
}
