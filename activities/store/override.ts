// Who overrode which policies, for which plan and why?
import { z } from 'zod';
import { type PlanDigest, parsePlanDigest } from '../../workflows/model/identifiers.ts';
import type { Override } from '../../workflows/model/override.ts';
import type { Place } from './approval.ts';
import type { Sql } from './connection.ts';
import { asJson } from './connection.ts';

export type Overrides = {
  /** Repeating it changes nothing. */
  save(place: Place, override: Override): Promise<void>;
  /** Its author said no at that time (ISO 8601): what they overrode of this plan until then counts no more. */
  withdraw(place: Place, override: Override, at: string): Promise<void>;
  /** Of one plan, without what was withdrawn, in the order in which people spoke. */
  read(place: Place, project: string, digest: PlanDigest): Promise<readonly Override[]>;
};

const documents = z.array(
  z.object({
    document: z.object({
      actor: z.object({
        login: z.string(),
        permission: z.enum(['none', 'read', 'write', 'admin']),
        teams: z.array(z.string()),
      }),
      project: z.string(),
      digest: z.string().transform(parsePlanDigest),
      bundle: z.string(),
      policies: z.array(z.string()),
      reason: z.string(),
      at: z.string(),
    }) satisfies z.ZodType<Override>,
  }),
);

export function createOverrides(sql: Sql): Overrides {
  return {
    async save({ repositoryId, number }, override) {
      const { project, digest, bundle, actor, at } = override;
      await sql`insert into policy_override
          (repository_id, number, project, digest, bundle_digest, login, document, decided_at)
        values (${repositoryId}, ${number}, ${project}, ${digest}, ${bundle}, ${actor.login.toLowerCase()},
          ${asJson(override)}::text::json, ${at})
        on conflict do nothing`;
    },
    async withdraw({ repositoryId, number }, { project, digest, actor, at: given }, at) {
      // A reading of two clocks can put the no before what it takes back.
      await sql`insert into policy_override_withdrawal (repository_id, number, project, digest, login, decided_at)
        values (${repositoryId}, ${number}, ${project}, ${digest}, ${actor.login.toLowerCase()},
          greatest(${at}::timestamptz, ${given}::timestamptz))
        on conflict do nothing`;
    },
    async read({ repositoryId, number }, project, digest) {
      const found = await sql`select document from policy_override given
        where repository_id = ${repositoryId} and number = ${number} and project = ${project}
          and digest = ${digest} and not exists (select from policy_override_withdrawal back
            where back.repository_id = given.repository_id and back.number = given.number
              and back.project = given.project and back.digest = given.digest and back.login = given.login
              and back.decided_at >= given.decided_at)
        order by decided_at, login`;
      return documents.parse(found).map(({ document }) => document);
    },
  };
}
