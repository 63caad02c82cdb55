// How does a test keep Hatchet in the middle of a step? It holds a table that the step needs.
import postgres from 'postgres';
import { onTestFinished, vi } from 'vitest';
import { patienceMs } from './story.ts';
import type { World } from './world.ts';

export type HeldTable = {
  /** Resolves when so many have come to the table and wait for it. */
  readonly untilWaiting: (count: number) => Promise<void>;
  /** Everybody who waits goes on. */
  readonly release: () => Promise<void>;
};

/** From now on nobody else reads or writes the table: to be used where no other test is at work. */
export async function holdTable({ databaseUrl }: World, table: string): Promise<HeldTable> {
  const sql = postgres(databaseUrl, { max: 2, onnotice: () => undefined });
  const holder = await sql.reserve();
  await holder`begin`;
  await holder`lock table ${sql(table)} in access exclusive mode`;
  const waiting = () => sql`select 1 from pg_locks join pg_class on pg_class.oid = pg_locks.relation
    where not granted and relname = ${table}`;
  let held = true;
  const release = async (): Promise<void> => {
    if (!held) return;
    held = false;
    await holder`commit`;
    holder.release();
    await sql.end();
  };
  // Whatever becomes of the test, others need the table.
  onTestFinished(release);
  return {
    untilWaiting: async (count) => {
      const came = async () => (await waiting()).length >= count;
      await vi.waitUntil(came, { timeout: patienceMs, interval: 50 });
    },
    release,
  };
}
