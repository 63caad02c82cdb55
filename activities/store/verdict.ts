// What did the policies say to a plan, and with which rules?
import { z } from 'zod';
import type { PlanId } from '../../workflows/model/identifiers.ts';
import type { Verdict } from '../../workflows/model/verdict.ts';
import type { Sql } from './connection.ts';
import { asJson } from './connection.ts';

/** `bundleDigest`: the policies that spoke, lowercase hex SHA-256. */
export type Judgement = { readonly bundleDigest: string; readonly verdicts: readonly Verdict[] };

export type Verdicts = {
  /** Replaces what was said before: only the current policies count. The plan must be in the store. */
  save(planId: PlanId, judgement: Judgement): Promise<void>;
  /** Null when the plan was never judged, which is not the same as no verdicts. */
  read(planId: PlanId): Promise<Judgement | null>;
};

const finding = z.object({ message: z.string(), address: z.string().exactOptional() });
const approvalRule = z.object({
  count: z.number(),
  by: z.array(z.string()),
  message: z.string(),
  author: z.boolean(),
  source: z.string(),
});
const verdict = z.object({
  policy: z.string(),
  level: z.enum(['mandatory', 'advisory']),
  denials: z.array(finding),
  warnings: z.array(finding),
  approvals: z.array(approvalRule),
  error: z.string().nullable(),
}) satisfies z.ZodType<Verdict>;
const rows = z.array(z.object({ bundleDigest: z.string(), verdicts: z.array(verdict) })).max(1);

export function createVerdicts(sql: Sql): Verdicts {
  return {
    async save(planId, { bundleDigest, verdicts }) {
      await sql`insert into verdict (plan_id, bundle_digest, verdicts)
        values (${planId}, ${bundleDigest}, ${asJson(verdicts)}::text::json)
        on conflict (plan_id) do update
        set bundle_digest = excluded.bundle_digest, verdicts = excluded.verdicts, judged_at = now()`;
    },
    async read(planId) {
      const found =
        await sql`select bundle_digest as "bundleDigest", verdicts from verdict where plan_id = ${planId}`;
      return rows.parse(found)[0] ?? null;
    },
  };
}
