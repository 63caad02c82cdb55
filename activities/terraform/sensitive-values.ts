// Which values does a plan mark as sensitive?
import { isExactNumber, isRecord, parseExact } from './exact-json.ts';

type Found = Set<string>;

/**
 * Every text or number below a mark, wherever the document of a plan has one: in changes, in what drifted, in the state
 * before and after (what data sources read while it was planned stands there alone), in outputs and sensitive root
 * variables. Parts of another shape are passed over. Source: developer.hashicorp.com/terraform/internals/json-format.
 */
export function sensitiveValues(document: unknown): ReadonlySet<string> {
  const found: Found = new Set();
  if (!isRecord(document)) return found;
  for (const part of ['resource_changes', 'resource_drift']) {
    for (const { change } of recordsIn(document[part])) collectFromChange(change, found);
  }
  for (const { resource_change: deferred } of recordsIn(document.deferred_changes))
    collectFromChange(isRecord(deferred) ? deferred.change : null, found);
  for (const change of recordsIn(document.output_changes)) collectFromChange(change, found);
  collectFromState(document.planned_values, found);
  collectFromState(isRecord(document.prior_state) ? document.prior_state.values : null, found);
  collectFromVariables(document, found);
  return found;
}

/** As `sensitiveValues`, of the document's text. Throws an Error, without any of that text, when it is no JSON. */
export function sensitiveValuesIn(planJson: Uint8Array): ReadonlySet<string> {
  let document: unknown;
  try {
    document = parseExact(new TextDecoder().decode(planJson));
  } catch {
    throw new Error('the plan is no well-formed JSON');
  }
  return sensitiveValues(document);
}

/** The records of a list, or of a record's values. */
function recordsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (Array.isArray(value)) return value.filter(isRecord);
  return isRecord(value) ? Object.values(value).filter(isRecord) : [];
}

function collectFromChange(change: unknown, found: Found): void {
  if (!isRecord(change)) return;
  collectMarked(change.before, change.before_sensitive, found);
  collectMarked(change.after, change.after_sensitive, found);
}

/** The `values` of a state: its outputs, and the resources of its modules. */
function collectFromState(values: unknown, found: Found): void {
  if (!isRecord(values)) return;
  for (const { value, sensitive } of recordsIn(values.outputs)) collectMarked(value, sensitive, found);
  const modules = [values.root_module].filter(isRecord);
  for (const module of modules) {
    for (const resource of recordsIn(module.resources))
      collectMarked(resource.values, resource.sensitive_values, found);
    modules.push(...recordsIn(module.child_modules));
  }
}

function collectMarked(value: unknown, marks: unknown, found: Found): void {
  if (marks === true) {
    collectAll(value, found);
  } else if (Array.isArray(value) && Array.isArray(marks)) {
    for (const [index, item] of value.entries()) collectMarked(item, marks[index], found);
  } else if (isRecord(value) && isRecord(marks)) {
    for (const key of Object.keys(marks)) collectMarked(value[key], marks[key], found);
  }
}

function collectAll(value: unknown, found: Found): void {
  if (typeof value === 'string') found.add(value);
  else if (typeof value === 'number' || isExactNumber(value)) found.add(JSON.stringify(value));
  else if (Array.isArray(value) || isRecord(value)) {
    for (const item of Object.values(value)) collectAll(item, found);
  }
}

function collectFromVariables(document: Readonly<Record<string, unknown>>, found: Found): void {
  const { variables, configuration } = document;
  if (!isRecord(variables)) return;
  for (const [name, variable] of Object.entries(variables)) {
    if (isSecretVariable(configuration, name) && isRecord(variable)) collectAll(variable.value, found);
  }
}

/** `variables` carries no mark of its own: the configuration says which are sensitive, or not kept (ephemeral). */
export function isSecretVariable(configuration: unknown, name: string): boolean {
  const root = isRecord(configuration) ? configuration.root_module : null;
  const declared = isRecord(root) ? root.variables : null;
  const said = isRecord(declared) ? declared[name] : null;
  return isRecord(said) && (said.sensitive === true || said.ephemeral === true);
}
