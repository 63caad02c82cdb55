// What shape has what was written down, perhaps by an older version?
import { z } from 'zod';
import type { PlanChanges } from '../../workflows/model/change.ts';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import {
  parseInstallationId,
  parsePlanDigest,
  parsePlanId,
  parseRepositoryId,
  parseRunId,
  parseSha,
  parseSourceDigest,
} from '../../workflows/model/identifiers.ts';
import type { Mergeability } from '../../workflows/model/mergeability.ts';
import type { PullRequest } from '../../workflows/model/pull-request.ts';
import type { Repository } from '../../workflows/model/repository.ts';
import type { OwnCheck } from '../../workflows/model/shared-head.ts';
import type { Standing } from '../../workflows/model/standing.ts';
import type { PlanBytes, StoredPlan } from '../run-store.ts';

const sha = z.string().transform(parseSha);
const count = z.int().nonnegative();

export const diagnosticSchema = z.object({
  severity: z.enum(['error', 'warning']),
  summary: z.string(),
  detail: z.string(),
  path: z.string().exactOptional(),
  startLine: z.number().exactOptional(),
  endLine: z.number().exactOptional(),
  startColumn: z.number().exactOptional(),
  endColumn: z.number().exactOptional(),
  address: z.string().exactOptional(),
}) satisfies z.ZodType<Diagnostic>;

export const repositorySchema = z.object({
  installationId: z.number().transform(parseInstallationId),
  id: z.number().transform(parseRepositoryId),
  nodeId: z.string(),
  owner: z.string(),
  name: z.string(),
  webUrl: z.string(),
}) satisfies z.ZodType<Repository>;

export const storedPlanSchema = z.object({
  plan: z.object({
    id: z.string().transform(parsePlanId),
    runId: z.string().transform(parseRunId),
    project: z.object({
      name: z.string(),
      dir: z.string(),
      workspace: z.string(),
      engine: z.enum(['terraform', 'tofu']),
    }),
    digest: z.string().transform(parsePlanDigest),
    counts: z.object({
      add: count,
      change: count,
      replace: count,
      destroy: count,
      import: count,
      move: count,
      forget: count,
    }),
    outputChanges: count,
    hasChanges: z.boolean(),
    risky: z.array(z.object({ address: z.string(), action: z.enum(['destroy', 'replace', 'forget']) })),
    warnings: z.array(diagnosticSchema),
    sourceDigest: z.string().transform(parseSourceDigest),
    head: sha,
    base: sha,
    engineVersion: z.string(),
    destroy: z.boolean(),
  }),
  repository: repositorySchema,
  number: z.number(),
  source: z.object({ head: sha, base: sha, tree: sha }),
  state: z.object({ lineage: z.string(), serial: z.number() }).nullable(),
  planFileSha256: z.string(),
  // Plans of the first release were stored without these.
  varFiles: z.array(z.string()).default([]),
  moduleDirs: z.array(z.string()).default([]),
  missedModules: z.array(z.string()).default([]),
}) satisfies z.ZodType<StoredPlan>;

const value = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('absent') }),
  z.object({ kind: z.literal('known'), json: z.string() }),
  z.object({ kind: z.literal('sensitive') }),
  z.object({ kind: z.literal('unknown') }),
]);

export const planChangesSchema = z.object({
  resources: z.array(
    z.object({
      address: z.string(),
      type: z.string(),
      action: z.enum(['create', 'update', 'replace', 'delete', 'forget', 'read', 'move', 'import']),
      attributes: z.array(
        z.object({ path: z.string(), before: value, after: value, forcesReplacement: z.boolean() }),
      ),
      previousAddress: z.string().exactOptional(),
      importId: z.string().exactOptional(),
      reason: z.string().exactOptional(),
      createFirst: z.literal(true).exactOptional(),
      deposed: z.string().exactOptional(),
    }),
  ),
  outputs: z.array(z.object({ name: z.string(), before: value, after: value })),
}) satisfies z.ZodType<PlanChanges>;

export const planMasksSchema = z.array(z.string()) satisfies z.ZodType<PlanBytes['masks']>;

const mergeabilitySchema = z.object({
  state: z.enum(['behind', 'blocked', 'clean', 'dirty', 'draft', 'has_hooks', 'unknown', 'unstable']),
  required: z.array(
    z.object({ name: z.string(), state: z.enum(['passed', 'failed', 'running', 'missing']) }),
  ),
  strict: z.boolean(),
  openConversations: z.boolean(),
  unreadable: z.array(z.string()),
}) satisfies z.ZodType<Mergeability>;

export const standingSchema = z.object({
  readAt: z.string(),
  head: sha,
  reviews: z.array(
    z.object({
      login: z.string(),
      state: z.enum(['approved', 'changes-requested', 'dismissed']),
      commit: sha.nullable(),
      submittedAt: z.string(),
      mayWrite: z.boolean(),
    }),
  ),
  decision: z.enum(['approved', 'changes-requested', 'review-required']).nullable(),
  pushers: z.array(z.string()),
  authorMayWrite: z.boolean().nullable(),
  mergeability: mergeabilitySchema.nullable(),
}) satisfies z.ZodType<Standing>;

export const pullRequestSchema = z.object({
  nodeId: z.string(),
  number: z.number(),
  title: z.string(),
  author: z.string(),
  state: z.enum(['open', 'closed', 'merged']),
  draft: z.boolean(),
  fork: z.boolean(),
  head: sha,
  base: z.string(),
  baseSha: sha,
  mergeCommit: sha.nullable(),
  mergedBy: z.string().nullable(),
  mergedAt: z.string().nullable(),
  labels: z.array(z.string()),
}) satisfies z.ZodType<PullRequest>;

const completed = ['success', 'neutral', 'failure', 'action_required', 'cancelled'] as const;

export const ownChecksSchema = z.array(
  z.object({
    name: z.string(),
    title: z.string(),
    state: z.union([
      z.object({ status: z.enum(['queued', 'in_progress']) }),
      z.object({ status: z.literal('completed'), conclusion: z.enum(completed) }),
    ]),
  }),
) satisfies z.ZodType<OwnCheck[]>;
