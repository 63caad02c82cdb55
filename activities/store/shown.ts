// What did we write last to GitHub, per pull request and surface?
import { z } from 'zod';
import type { Surface, SurfaceMemory } from '../github/surfaces.ts';
import type { Sql } from './connection.ts';

const rows = z.array(
  z.object({
    key: z.string(),
    nodeId: z.string(),
    hash: z.string(),
    annotationsHash: z.string(),
    open: z.boolean(),
    at: z.string().nullable(),
  }),
) satisfies z.ZodType<Surface[]>;

export function createShown(sql: Sql): SurfaceMemory {
  return {
    async read({ repository, number }) {
      return rows.parse(
        await sql`select key, node_id as "nodeId", hash, annotations_hash as "annotationsHash", open, shown_at as at
          from shown
          where repository_id = ${repository.id} and number = ${number} order by key`,
      );
    },
    async save({ repository, number }, surfaces) {
      if (surfaces.length === 0) return;
      const written = surfaces.map(({ key, nodeId, hash, annotationsHash, conclusion = null, open, at }) => ({
        repository_id: repository.id,
        number,
        key,
        node_id: nodeId,
        hash,
        annotations_hash: annotationsHash,
        conclusion,
        open,
        shown_at: at,
      }));
      await sql`insert into shown ${sql(written)} on conflict (repository_id, number, key) do update
        set node_id = excluded.node_id, hash = excluded.hash, annotations_hash = excluded.annotations_hash,
          conclusion = excluded.conclusion, open = excluded.open, shown_at = excluded.shown_at, written_at = now()`;
    },
    async forget({ repository, number }, keys) {
      if (keys.length === 0) return;
      await sql`delete from shown
        where repository_id = ${repository.id} and number = ${number} and key in ${sql([...keys])}`;
    },
  };
}
