// What has a run printed so far, while it goes on?
import { z } from 'zod';
import type { RunId } from '../../workflows/model/identifiers.ts';
import type { LogSink } from '../run-store.ts';
import type { Keyring } from './artifact.ts';
import type { Sql } from './connection.ts';

export type LogChunk = { readonly seq: number; readonly text: string };

export type LiveLogs = LogSink & {
  /**
   * What came after chunk `after` (-1: all of it). Null when that chunk is gone: the run is over and its log kept,
   * or another attempt began anew.
   */
  read(runId: RunId, after: number): Promise<readonly LogChunk[] | null>;
  /** Of runs that never kept their log. How many chunks there were. */
  deleteOld(): Promise<number>;
};

/** No run is allowed to take longer. */
const keepHours = 24;
const rows = z.array(z.object({ seq: z.number(), sealed: z.instanceof(Buffer) }));

export function createLiveLogs(sql: Sql, keyring: Keyring): LiveLogs {
  return {
    async append(runId, seq, text) {
      const sealed = keyring.seal(Buffer.from(text), contextOf(runId, seq));
      // Later chunks are those of an attempt that was given up.
      await sql`with stale as (delete from log_chunk where run_id = ${runId} and seq > ${seq})
        insert into log_chunk (run_id, seq, sealed) values (${runId}, ${seq}, ${sealed})
        on conflict (run_id, seq) do update set sealed = excluded.sealed, created_at = now()`;
    },
    async read(runId, after) {
      const found = rows.parse(
        await sql`select seq, sealed from log_chunk where run_id = ${runId} and seq >= ${after} order by seq`,
      );
      if (after >= 0 && found[0]?.seq !== after) return null;
      return found
        .filter(({ seq }) => seq > after)
        .map(({ seq, sealed }) => ({ seq, text: keyring.open(sealed, contextOf(runId, seq)).toString() }));
    },
    async deleteOld() {
      const { count } = await sql`delete from log_chunk
        where created_at < now() - make_interval(hours => ${keepHours})`;
      return count;
    },
  };
}

/** Sealed bytes open in their own row only. */
const contextOf = (runId: RunId, seq: number): string => `log/${runId}/${seq}`;
