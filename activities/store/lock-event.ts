// Who held a project when? The history of its lock: it only grows.
import { z } from 'zod';
import type { ProjectKey } from './apply.ts';
import type { Sql } from './connection.ts';

export type LockEvent = {
  readonly kind: 'taken' | 'released' | 'frozen' | 'unlocked' | 'settled';
  /** The pull request that holds or held it. */
  readonly number: number;
  readonly fence: number;
  readonly reason: string;
};

export type LockEvents = {
  /** `key` names the fact: the same key is recorded once. */
  append(key: string, project: ProjectKey, event: LockEvent): Promise<void>;
  /** Oldest first; `at` is ISO 8601, the database's clock. */
  list(project: ProjectKey): Promise<readonly (LockEvent & { readonly at: string })[]>;
};

const rows = z.array(
  z.object({
    kind: z.enum(['taken', 'released', 'frozen', 'unlocked', 'settled']),
    number: z.number(),
    fence: z.number(),
    reason: z.string(),
    at: z.date().transform((date) => date.toISOString()),
  }),
);

export function createLockEvents(sql: Sql): LockEvents {
  return {
    async append(key, { repositoryId, dir, workspace }, { kind, number, fence, reason }) {
      await sql`insert into lock_event (key, repository_id, dir, workspace, number, kind, fence, reason)
        values (${key}, ${repositoryId}, ${dir}, ${workspace}, ${number}, ${kind}, ${fence}, ${reason})
        on conflict (key) do nothing`;
    },
    async list({ repositoryId, dir, workspace }) {
      return rows.parse(
        await sql`select kind, number, fence, reason, at from lock_event
          where repository_id = ${repositoryId} and dir = ${dir} and workspace = ${workspace} order by id`,
      );
    },
  };
}
