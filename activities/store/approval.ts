// Who said yes or no to which digest?
import { z } from 'zod';
import type { Approval, Rejection } from '../../workflows/model/approval.ts';
import type { PlanDigest, RepositoryId } from '../../workflows/model/identifiers.ts';
import { parsePlanDigest, parseSourceDigest } from '../../workflows/model/identifiers.ts';
import type { Sql } from './connection.ts';
import { asJson } from './connection.ts';

/** The pull request in which it was said. */
export type Place = { readonly repositoryId: RepositoryId; readonly number: number };
export type Decisions = {
  readonly approvals: readonly Approval[];
  readonly rejections: readonly Rejection[];
};

/** One word of each person on each digest holds, in whatever order they arrive: as `replacesWord` has it. */
export type Approvals = {
  saveApproval(place: Place, approval: Approval): Promise<void>;
  saveRejection(place: Place, rejection: Rejection): Promise<void>;
  /** It counts no more; only a later word of the same person does. */
  withdraw(place: Place, approval: Approval): Promise<void>;
  /**
   * In the order in which people spoke. A yes that was given before an apply of this digest began was for that one: it is
   * left out once that is over, however it ended.
   */
  read(place: Place, project: string, digest: PlanDigest): Promise<Decisions>;
};

const said = z.object({
  actor: z.object({
    login: z.string(),
    permission: z.enum(['none', 'read', 'write', 'admin']),
    teams: z.array(z.string()),
  }),
  project: z.string(),
  digest: z.string().transform(parsePlanDigest),
  sourceDigest: z.string().transform(parseSourceDigest),
  at: z.string(),
});
const approval = said.extend({
  via: z.enum(['comment', 'button', 'review']),
  notBefore: z.string().optional(),
}) satisfies z.ZodType<Approval>;
const rejection = said.extend({ via: z.enum(['comment', 'button']) }) satisfies z.ZodType<Rejection>;
const rows = z.array(
  z.discriminatedUnion('decision', [
    z.object({ decision: z.literal('approve'), document: approval }),
    z.object({ decision: z.literal('reject'), document: rejection }),
    z.object({ decision: z.literal('withdraw'), document: approval }),
  ]),
);

export function createApprovals(sql: Sql): Approvals {
  return {
    saveApproval: (place, word) => save(sql, place, 'approve', word),
    saveRejection: (place, word) => save(sql, place, 'reject', word),
    withdraw: (place, word) => save(sql, place, 'withdraw', word),
    async read({ repositoryId, number }, project, digest) {
      const found = rows.parse(
        await sql`select decision, document from approval
          where repository_id = ${repositoryId} and number = ${number} and project = ${project} and digest = ${digest}
            and (decision <> 'approve' or decided_at > coalesce((select max(begun_at) from apply
              where repository_id = ${repositoryId} and number = ${number} and project = ${project}
                and digest = ${digest} and state in ('applied', 'failed', 'unknown')), '-infinity'))
          order by decided_at, login`,
      );
      return {
        approvals: found.flatMap((row) => (row.decision === 'approve' ? [row.document] : [])),
        rejections: found.flatMap((row) => (row.decision === 'reject' ? [row.document] : [])),
      };
    },
  };
}

async function save(
  sql: Sql,
  { repositoryId, number }: Place,
  decision: 'approve' | 'reject' | 'withdraw',
  word: Approval | Rejection,
): Promise<void> {
  const login = word.actor.login.toLowerCase();
  await sql`insert into approval
      (repository_id, number, project, digest, login, decision, document, decided_at, surely_after)
    values (${repositoryId}, ${number}, ${word.project}, ${word.digest}, ${login}, ${decision},
      ${asJson(word)}::text::json, ${word.at}, ${surelyAfter(word)})
    on conflict (repository_id, number, project, digest, login) do update
    set decision = excluded.decision, document = excluded.document, decided_at = excluded.decided_at,
      surely_after = excluded.surely_after
    where case
      -- Of two of a kind the later; what was withdrawn comes back only by a later word.
      when (approval.decision = 'reject') = (excluded.decision = 'reject')
        then approval.decided_at < excluded.decided_at
          or (approval.decided_at = excluded.decided_at and approval.decision <> 'withdraw')
      when excluded.decision = 'reject' then approval.surely_after <= excluded.decided_at
      else excluded.surely_after > approval.decided_at
    end`;
}

/** Before any word: nobody knows when the click was made. */
const longAgo = '1970-01-01T00:00:00Z';

function surelyAfter(word: Approval | Rejection): string {
  if (word.via !== 'button') return word.at;
  return ('notBefore' in word ? word.notBefore : undefined) ?? longAgo;
}
