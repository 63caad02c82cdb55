// Who pushed which commit?
import { z } from 'zod';
import type { RepositoryId, Sha } from '../../workflows/model/identifiers.ts';
import type { Sql } from './connection.ts';

/** GitHub tells it in webhooks only; whose name a commit carries says nothing, because anybody can write it there. */
export type Pushes = {
  /** Repeating it changes nothing. */
  save(push: {
    readonly repositoryId: RepositoryId;
    /** What a branch was moved to. */
    readonly head: Sha;
    readonly login: string;
  }): Promise<void>;
  /** Logins of everybody who moved any branch there; empty: nobody told. */
  by(repositoryId: RepositoryId, head: Sha): Promise<readonly string[]>;
};

const rows = z.array(z.object({ login: z.string() }));

export function createPushes(sql: Sql): Pushes {
  return {
    async save({ repositoryId, head, login }) {
      await sql`insert into push (repository_id, head, login) values (${repositoryId}, ${head}, ${login})
        on conflict (repository_id, head, login) do nothing`;
    },
    async by(repositoryId, head) {
      const found = await sql`select login from push
        where repository_id = ${repositoryId} and head = ${head} order by login`;
      return rows.parse(found).map(({ login }) => login);
    },
  };
}
