// Which values does a plan mark as sensitive?
import { isExactNumber, isRecord } from './exact-json.ts';
import type { PlanDocument, PlannedChange } from './plan-json.ts';

/** Every text or number below a mark, in resources, outputs and sensitive root variables. */
export function sensitiveValues(document: PlanDocument): ReadonlySet<string> {
  const found = new Set<string>();
  const changes = [
    ...document.resource_changes.map((resource) => resource.change),
    ...Object.values(document.output_changes),
  ];
  for (const change of changes) collectFromChange(change, found);
  for (const [name, { value }] of Object.entries(document.variables)) {
    if (isSensitiveVariable(document.configuration, name)) collectAll(value, found);
  }
  return found;
}

function collectFromChange(change: PlannedChange, found: Set<string>): void {
  collectMarked(change.before, change.before_sensitive, found);
  collectMarked(change.after, change.after_sensitive, found);
}

function collectMarked(value: unknown, marks: unknown, found: Set<string>): void {
  if (marks === true) {
    collectAll(value, found);
  } else if (Array.isArray(value) && Array.isArray(marks)) {
    for (const [index, item] of value.entries()) collectMarked(item, marks[index], found);
  } else if (isRecord(value) && isRecord(marks)) {
    for (const key of Object.keys(marks)) collectMarked(value[key], marks[key], found);
  }
}

function collectAll(value: unknown, found: Set<string>): void {
  if (typeof value === 'string') found.add(value);
  else if (typeof value === 'number' || isExactNumber(value)) found.add(JSON.stringify(value));
  else if (Array.isArray(value) || isRecord(value)) {
    for (const item of Object.values(value)) collectAll(item, found);
  }
}

/** `variables` carries no mark of its own: the configuration says which are sensitive, or not kept (ephemeral). */
function isSensitiveVariable(configuration: unknown, name: string): boolean {
  const root = isRecord(configuration) ? configuration.root_module : undefined;
  const variables = isRecord(root) ? root.variables : undefined;
  const variable = isRecord(variables) ? variables[name] : undefined;
  return isRecord(variable) && (variable.sensitive === true || variable.ephemeral === true);
}
