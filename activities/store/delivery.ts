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
};

/**
 * A record to look at and to compare with GitHub's own log. It decides nothing: workflows know themselves which
 * deliveries they have seen, and one that is logged here may still have been lost before it reached them.
 */
export type Deliveries = {
  save(delivery: Delivery): Promise<void>;
  /** Those of `guids` that have not arrived. */
  missing(guids: readonly string[]): Promise<readonly string[]>;
};

const rows = z.array(z.object({ guid: z.string() }));

export function createDeliveries(sql: Sql): Deliveries {
  return {
    async save({ guid, event, action, repositoryId, number }) {
      await sql`insert into delivery (guid, event, action, repository_id, number)
        values (${guid}, ${event}, ${action}, ${repositoryId}, ${number}) on conflict (guid) do nothing`;
    },
    async missing(guids) {
      if (guids.length === 0) return [];
      const found = rows.parse(await sql`select guid from delivery where guid in ${sql([...guids])}`);
      const arrived = new Set(found.map(({ guid }) => guid));
      return guids.filter((guid) => !arrived.has(guid));
    },
  };
}
