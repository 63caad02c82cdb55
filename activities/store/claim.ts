// Which process may apply the plan of an apply that has begun, and until when can that be called back?
import { z } from 'zod';
import type { ApplyGrant, ApplyOutcome, Refusal } from '../../workflows/model/apply.ts';
import { refusalByWords } from '../../workflows/model/apply.ts';
import type { RunId } from '../../workflows/model/identifiers.ts';
import { parseRepositoryId } from '../../workflows/model/identifiers.ts';
import type { PlanTaking } from '../run-store.ts';
import { createApprovals } from './approval.ts';
import type { Sql } from './connection.ts';
import { asJson } from './connection.ts';

/** `taken`: a process has it, or the apply is over. `holds`: nothing that was said keeps it from being applied. */
export type CallBackAnswer = 'called back' | 'taken' | 'holds' | 'not begun';

export type Claims = {
  /** To this process alone, unless what people say by now refuses it; null: another has it, or the apply is over. */
  take(request: PlanTaking): Promise<'yours' | Refusal | null>;
  /** A process has it, and has not said how it ended. */
  isTaken(runId: RunId): Promise<boolean>;
  /** To be asked once a word against the apply is recorded. */
  callBack(runId: RunId): Promise<CallBackAnswer>;
};

/**
 * The row of the apply decides, in single statements: whoever takes the plan does not see a word that is recorded at
 * that moment, but whoever recorded it calls back afterwards, and one of the two finds the row changed by the other.
 */
export function createClaims(sql: Sql): Claims {
  return {
    async take(taking) {
      let heard: readonly string[] = [];
      while (!(await takeUnless(sql, taking, heard))) {
        const row = await find(sql, taking.runId);
        if (row === null || row.isTaken || row.state !== 'begun') return refusalOf(row);
        // Each time somebody has said something more: people end before the database does.
        const found = await hear(sql, row);
        heard = found.heard;
        await refuse(sql, taking.runId, found.refusal);
      }
      return 'yours';
    },
    async isTaken(runId) {
      const row = await find(sql, runId);
      return row?.state === 'begun' && row.isTaken;
    },
    async callBack(runId) {
      const row = await find(sql, runId);
      if (row === null) return 'not begun';
      if (row.state === 'refused') return 'called back';
      if (row.isTaken || row.state !== 'begun') return 'taken';
      const { refusal } = await hear(sql, row);
      if (refusal === null) return 'holds';
      await refuse(sql, runId, refusal);
      return refusalOf(await find(sql, runId)) === null ? 'taken' : 'called back';
    },
  };
}

/** `heard`: whose taking back of a yes changes nothing, because enough others say yes. */
async function takeUnless(
  sql: Sql,
  { planId, runId, taker }: PlanTaking,
  heard: readonly string[],
): Promise<boolean> {
  const { count } = await sql`update apply set taken_by = ${taker}
    where run_id = ${runId} and plan_id = ${planId} and state = 'begun'
      and (taken_by = ${taker} or (taken_by is null and not exists (select from approval as word
        where word.repository_id = apply.repository_id and word.number = apply.number
          and word.project = apply.project and word.digest = apply.digest
          and (word.decision = 'reject' or (word.decision = 'withdraw'
            and word.login not in (select json_array_elements_text(${asJson(heard)}::text::json))
            and exists (select from json_array_elements(apply.grant_facts -> 'approvals') as yes
              where lower(yes -> 'actor' ->> 'login') = word.login))))))`;
  return count === 1;
}

/** Only what nobody has taken. */
async function refuse(sql: Sql, runId: RunId, refusal: Refusal | null): Promise<void> {
  if (refusal === null) return;
  const outcome: ApplyOutcome = { kind: 'refused', refusal };
  await sql`update apply set state = 'refused', outcome = ${asJson(outcome)}::text::json,
      finished_at = clock_timestamp()
    where run_id = ${runId} and state = 'begun' and taken_by is null`;
}

/** What people say to it now. */
async function hear(
  sql: Sql,
  { repositoryId, number, grant }: Row,
): Promise<{ readonly refusal: Refusal | null; readonly heard: readonly string[] }> {
  const words = await createApprovals(sql).read({ repositoryId, number }, grant.project.name, grant.digest);
  const standing = words.approvals.map(({ actor }) => actor.login.toLowerCase());
  const before = grant.approvals.map(({ actor }) => actor.login.toLowerCase());
  return {
    refusal: refusalByWords(grant, words),
    heard: before.filter((login) => !standing.includes(login)),
  };
}

const rows = z
  .array(
    z.object({
      state: z.enum(['begun', 'applied', 'failed', 'refused', 'unknown']),
      isTaken: z.boolean(),
      repositoryId: z.number().transform(parseRepositoryId),
      number: z.number(),
      /** Only read back by whom it was written. */
      grant: z.custom<ApplyGrant>((facts) => typeof facts === 'object' && facts !== null),
      refusal: z.custom<Refusal>((value) => typeof value === 'object').nullable(),
    }),
  )
  .max(1);
type Row = z.infer<typeof rows>[number];

async function find(sql: Sql, runId: RunId): Promise<Row | null> {
  const found =
    await sql`select state, taken_by is not null as "isTaken", repository_id as "repositoryId", number,
      grant_facts as grant, case when state = 'refused' then outcome -> 'refusal' end as refusal
    from apply where run_id = ${runId}`;
  return rows.parse(found)[0] ?? null;
}

const refusalOf = (row: Row | null): Refusal | null => row?.refusal ?? null;
