// Which open pull requests were last shown on the same commit, and what does each say there?
import { z } from 'zod';
import type { HeadMemory } from '../github/shared-head.ts';
import type { Sql } from './connection.ts';
import { asJson } from './connection.ts';
import { ownChecksSchema } from './documents.ts';

const rows = z.array(z.object({ number: z.number(), sha: z.string(), checks: ownChecksSchema }));

export function createHeads(sql: Sql): HeadMemory {
  return {
    async read({ repository, number }, sha) {
      const found = rows.parse(
        await sql`select head.number, head.sha, head.checks from shown_head head
          left join pull_request known using (repository_id, number)
          where head.repository_id = ${repository.id} and (head.number = ${number} or (known.open and head.sha in (
            select ${sha} union all
            select sha from shown_head where repository_id = ${repository.id} and number = ${number})))
          order by head.number`,
      );
      return {
        own: found.find((one) => one.number === number) ?? null,
        others: found.filter((one) => one.number !== number),
      };
    },
    async save({ repository, number }, { sha, checks }) {
      await sql`insert into shown_head (repository_id, number, sha, checks)
        values (${repository.id}, ${number}, ${sha}, ${asJson(checks)}::text::json)
        on conflict (repository_id, number) do update set sha = excluded.sha, checks = excluded.checks`;
    },
    async forget({ repository, number }) {
      await sql`delete from shown_head where repository_id = ${repository.id} and number = ${number}`;
    },
  };
}
