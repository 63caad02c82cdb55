// What does `terraform show -json` say of a plan file?
import { z } from 'zod';
import { operatorError } from '../faults.ts';
import { parseExact } from './exact-json.ts';

const changeSchema = z.object({
  actions: z.array(z.string()),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
  after_unknown: z.unknown().optional(),
  before_sensitive: z.unknown().optional(),
  after_sensitive: z.unknown().optional(),
  replace_paths: z.array(z.array(z.unknown())).optional(),
  importing: z.record(z.string(), z.unknown()).nullish(),
});

const resourceSchema = z.object({
  address: z.string(),
  previous_address: z.string().optional(),
  module_address: z.string().optional(),
  mode: z.string(),
  type: z.string(),
  name: z.string(),
  deposed: z.string().optional(),
  action_reason: z.string().optional(),
  change: changeSchema,
});

const planSchema = z.object({
  // What this file was written against; a new major version may mean something else by the same names.
  format_version: z.string().regex(/^1\./),
  terraform_version: z.string(),
  resource_changes: z.array(resourceSchema).default([]),
  output_changes: z.record(z.string(), changeSchema).default({}),
  variables: z.record(z.string(), z.object({ value: z.unknown().optional() })).default({}),
  configuration: z.unknown().optional(),
  // Terraform 1.14: what is run beside the changes.
  action_invocations: z.array(z.unknown()).default([]),
  // Looked through for sensitive values only, and never kept.
  prior_state: z.unknown().optional(),
  planned_values: z.unknown().optional(),
  resource_drift: z.unknown().optional(),
  deferred_changes: z.unknown().optional(),
});

export type PlannedChange = z.infer<typeof changeSchema>;
export type PlannedResource = z.infer<typeof resourceSchema>;
/** The parts of the document that Hatchet uses, unredacted. Unknown parts are left out. */
export type PlanDocument = z.infer<typeof planSchema>;

/**
 * Parses the document once; numbers keep all their digits. OperatorError when it is not such a document.
 * Source: developer.hashicorp.com/terraform/internals/json-format (format version 1.x).
 */
export function parsePlanJson(text: string): PlanDocument {
  const parsed = planSchema.safeParse(parseDocument(text));
  if (!parsed.success) {
    const places = parsed.error.issues.map((issue) => issue.path.join('.')).slice(0, 5);
    throw operatorError(`the plan's JSON is not as expected at ${places.join(', ')}`);
  }
  return parsed.data;
}

function parseDocument(text: string): unknown {
  try {
    return parseExact(text);
  } catch {
    // The parser's message quotes the text, and the text holds secrets.
    throw operatorError("the plan's JSON cannot be parsed");
  }
}

/** A resource that a plan only mentions: nothing would be done to it, not even in the state. */
export function isUntouched({ change, previous_address: previous }: PlannedResource): boolean {
  const nothing = change.actions.length === 1 && change.actions[0] === 'no-op';
  return nothing && previous === undefined && (change.importing ?? undefined) === undefined;
}

export function isUnchangedOutput(change: PlannedChange): boolean {
  return change.actions.length === 1 && change.actions[0] === 'no-op';
}
