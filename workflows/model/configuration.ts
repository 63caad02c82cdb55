// What may hatchet.yaml say, and what holds when it says nothing?
import { z } from 'zod';

const login = z.string().regex(/^@?[A-Za-z0-9][A-Za-z0-9_-]*(?:\/[A-Za-z0-9._-]+)?$/, 'a login or @org/team');

const approvals = z.strictObject({
  count: z.int().min(0).max(10).default(0),
  by: z.array(login).default([]),
  author: z.boolean().default(false),
  from: z.array(z.enum(['comment', 'button', 'review'])).default(['comment', 'button', 'review']),
});

/** The schema of hatchet.yaml. Unknown keys are errors: a misspelt safeguard must not be silently absent. */
export const configurationSchema = z.strictObject({
  version: z.literal(1),
  approvals: approvals.default(approvals.parse({})),
  /** Resource address globs that no plan may destroy or replace. */
  protect: z.array(z.string().min(1).max(200)).default([]),
});

export type Configuration = z.infer<typeof configurationSchema>;

/** What holds without a hatchet.yaml. */
export const defaultConfiguration: Configuration = configurationSchema.parse({ version: 1 });
