// Which webhooks have arrived?
import { z } from 'zod';
import type { RepositoryId } from '../../workflows/model/identifiers.ts';
import type { Sql } from './connection.ts';

/** One webhook, without what it carried. `guid` is GitHub's, the same on a redelivery. */
export type Delivery = {
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly repositoryId: RepositoryId | null;
  readonly number: number | null;
  /** What it was about, where that is said only once, by whichever delivery. */
  readonly subject: string | null;
};

/**
 * A record to look at and to compare with GitHub's own log. It decides nothing: workflows know themselves which
 * deliveries they have seen, and one that is logged here may still have been lost before it reached them.
 */
export type Deliveries = {
  save(delivery: Delivery): Promise<void>;
  /** Those of `guids` that have not arrived. */
  missing(guids: readonly string[]): Promise<readonly string[]>;
  /** Those of `subjects` that no delivery of this repository was about. */
  unheard(repositoryId: RepositoryId, subjects: readonly string[]): Promise<readonly string[]>;
};

const rows = z.array(z.object({ guid: z.string() }));
const subjectRows = z.array(z.object({ subject: z.string() }));

export function createDeliveries(sql: Sql): Deliveries {
  return {
    async save({ guid, event, action, repositoryId, number, subject }) {
      await sql`insert into delivery (guid, event, action, repository_id, number, subject)
        values (${guid}, ${event}, ${action}, ${repositoryId}, ${number}, ${subject}) on conflict (guid) do nothing`;
    },
    async missing(guids) {
      if (guids.length === 0) return [];
      const found = rows.parse(await sql`select guid from delivery where guid in ${sql([...guids])}`);
      const arrived = new Set(found.map(({ guid }) => guid));
      return guids.filter((guid) => !arrived.has(guid));
    },
    async unheard(repositoryId, subjects) {
      if (subjects.length === 0) return [];
      const found = subjectRows.parse(
        await sql`select subject from delivery
          where repository_id = ${repositoryId} and subject in ${sql([...subjects])}`,
      );
      const heard = new Set(found.map(({ subject }) => subject));
      return subjects.filter((subject) => !heard.has(subject));
    },
  };
}
