// What does one line of Terraform's `-json` output say?
import { z } from 'zod';

const positionSchema = z.object({ line: z.number(), column: z.number() });

const diagnosticSchema = z.object({
  severity: z.enum(['error', 'warning']),
  summary: z.string(),
  detail: z.string().default(''),
  address: z.string().optional(),
  range: z.object({ filename: z.string(), start: positionSchema, end: positionSchema }).optional(),
});

/** As Terraform wrote it: the file's name is relative to its working directory. */
export type RawDiagnostic = z.infer<typeof diagnosticSchema>;

const resourceSchema = z.object({ addr: z.string() });

const lineSchema = z.object({
  type: z.string(),
  '@message': z.string().default(''),
  '@timestamp': z.string().default(''),
  diagnostic: z.unknown().optional(),
  change: z.object({ resource: resourceSchema, action: z.string() }).optional().catch(undefined),
  hook: z
    .object({ resource: resourceSchema, action: z.string().default('') })
    .optional()
    .catch(undefined),
});

export type TerraformEvent =
  | { readonly kind: 'version' }
  | { readonly kind: 'diagnostic'; readonly diagnostic: RawDiagnostic }
  | { readonly kind: 'planned'; readonly address: string; readonly action: string }
  | { readonly kind: 'started' | 'completed' | 'errored'; readonly address: string; readonly action: string }
  /** Something is done with a resource that is no change: it is read, for example. */
  | { readonly kind: 'working' }
  | { readonly kind: 'other' };

/** One event and how the log tells it. */
export type EventLine = { readonly event: TerraformEvent; readonly text: string };

/**
 * Junk and types that this version does not know are `other`, and keep their text: new ones come with every release.
 * Source: developer.hashicorp.com/terraform/internals/machine-readable-ui
 */
export function parseEvent(line: string): EventLine {
  const parsed = lineSchema.safeParse(parseJson(line));
  if (!parsed.success) return { event: { kind: 'other' }, text: line };
  const { '@message': message, '@timestamp': timestamp } = parsed.data;
  const event = eventOf(parsed.data);
  const detail = event.kind === 'diagnostic' ? event.diagnostic.detail : '';
  return { event, text: [`${timestamp} ${message}`, ...(detail === '' ? [] : [detail])].join('\n') };
}

const hookKinds = {
  apply_start: 'started',
  apply_complete: 'completed',
  apply_errored: 'errored',
} as const satisfies Record<string, TerraformEvent['kind']>;

function eventOf({ type, diagnostic, change, hook }: z.infer<typeof lineSchema>): TerraformEvent {
  if (type === 'version') return { kind: 'version' };
  if (type === 'diagnostic') {
    const parsed = diagnosticSchema.safeParse(diagnostic);
    return parsed.success ? { kind: 'diagnostic', diagnostic: parsed.data } : { kind: 'other' };
  }
  if (type === 'planned_change' && change !== undefined) {
    return { kind: 'planned', address: change.resource.addr, action: change.action };
  }
  if (hook !== undefined && isHookType(type)) {
    return { kind: hookKinds[type], address: hook.resource.addr, action: hook.action };
  }
  return { kind: hook === undefined ? 'other' : 'working' };
}

function isHookType(type: string): type is keyof typeof hookKinds {
  return Object.hasOwn(hookKinds, type);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
