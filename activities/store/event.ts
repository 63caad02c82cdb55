// Who did what, when, and was it allowed? The audit record: it only grows.
import { z } from 'zod';
import type { AuditEvent } from '../../workflows/activities.ts';
import type { RepositoryId } from '../../workflows/model/identifiers.ts';
import type { Sql } from './connection.ts';

/** An event as it was recorded. `at`: ISO 8601, the database's clock. */
export type RecordedEvent = Omit<AuditEvent, 'repository'> & {
  readonly repository: string;
  readonly at: string;
};

export type Events = {
  /** `key` names the fact: the same key is recorded once, however often it is appended. */
  append(key: string, event: AuditEvent): Promise<void>;
  /** Of one pull request, oldest first. */
  list(place: {
    readonly repositoryId: RepositoryId;
    readonly number: number;
  }): Promise<readonly RecordedEvent[]>;
};

const rows = z.array(
  z.object({
    repository: z.string(),
    number: z.number().nullable(),
    actor: z.string(),
    action: z.string(),
    target: z.string(),
    digest: z.string().nullable(),
    allowed: z.boolean(),
    reason: z.string(),
    at: z.date().transform((date) => date.toISOString()),
  }),
) satisfies z.ZodType<readonly RecordedEvent[]>;

export function createEvents(sql: Sql): Events {
  return {
    async append(key, { repository, number, actor, action, target, digest, allowed, reason }) {
      const name = `${repository.owner}/${repository.name}`;
      await sql`insert into event
          (key, repository_id, repository, number, actor, action, target, digest, allowed, reason)
        values (${key}, ${repository.id}, ${name}, ${number}, ${actor}, ${action}, ${target}, ${digest},
          ${allowed}, ${reason})
        on conflict (key) do nothing`;
    },
    async list({ repositoryId, number }) {
      return rows.parse(
        await sql`select repository, number, actor, action, target, digest, allowed, reason, at from event
          where repository_id = ${repositoryId} and number = ${number} order by id`,
      );
    },
  };
}
