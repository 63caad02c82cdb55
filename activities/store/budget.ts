// What was written to GitHub lately, counted by all processes together?
import { z } from 'zod';
import type { WriteBudget, WriteLimit } from '../github/budget.ts';
import { limitsFor } from '../github/budget.ts';
import type { Sql } from './connection.ts';
import { asJson } from './connection.ts';

/** Coarse enough for a few hundred rows an hour, fine enough to come back soon. */
const slotSeconds = 5;
/** A limit of seconds (in tests of it) needs finer slots. */
const slotsPerWindow = 12;

const rows = z.tuple([z.object({ wait: z.number() })]);

/** The clock is the database's: the processes' own need not agree. */
export function createBudget(sql: Sql, limits: readonly WriteLimit[]): WriteBudget {
  const slot = Math.min(slotSeconds, ...limits.map(({ seconds }) => seconds / slotsPerWindow));
  return {
    async take(installation, cost) {
      const given = asJson(limitsFor(limits, cost));
      const [{ wait }] = rows.parse([
        ...(await sql`select spend_github(${installation}, 1, ${cost.content}, ${slot}, ${given}::text::json) as wait`),
      ]);
      return Math.ceil(wait);
    },
    async pause(installation, ms) {
      await sql`insert into github_pause (installation_id, until)
        values (${installation}, clock_timestamp() + make_interval(secs => ${ms / 1000}))
        on conflict (installation_id) do update set until = greatest(github_pause.until, excluded.until)`;
    },
  };
}
