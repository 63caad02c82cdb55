// Who did what, when, and was it allowed? The audit record: it only grows.
import { z } from 'zod';
import type { RepositoryId } from '../../workflows/model/identifiers.ts';
import type { AuditEvent } from '../../workflows/port/record.ts';
import type { Sql } from './connection.ts';
import { closeTimeoutSeconds, connect } from './connection.ts';

/** An event as it was recorded. `at`: ISO 8601, the database's clock. */
export type RecordedEvent = Omit<AuditEvent, 'repository'> & {
  readonly repository: string;
  readonly at: string;
};

/** Which events somebody wants to see. Null asks for all. */
export type EventQuestion = {
  readonly project: string;
  /** `owner/name`, in whatever case. */
  readonly repository: string | null;
  readonly number: number | null;
  readonly since: Date | null;
};

export type Events = {
  /** `key` names the fact: the same key is recorded once, however often it is appended. */
  append(key: string, event: AuditEvent): Promise<void>;
  /** Of one pull request, oldest first. */
  list(place: {
    readonly repositoryId: RepositoryId;
    readonly number: number;
  }): Promise<readonly RecordedEvent[]>;
  /** Of one project, and what was said to all projects of the pull requests that concern it; oldest first. */
  search(question: EventQuestion): Promise<readonly RecordedEvent[]>;
  /** Everything that events were ever about, in order. */
  targets(): Promise<readonly string[]>;
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

/** Only the record, for whoever reads it; the tables must be there. */
export function connectEvents(url: string): Events & { readonly close: () => Promise<void> } {
  const sql = connect(url, { debug: () => undefined });
  return { ...createEvents(sql), close: () => sql.end({ timeout: closeTimeoutSeconds }) };
}

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
    async search({ project, repository, number, since }) {
      return rows.parse(
        await sql`select repository, number, actor, action, target, digest, allowed, reason, at from event
          where (target = ${project} or (target = '' and (repository_id, number) in
              (select repository_id, number from event where target = ${project})))
            and (${repository}::text is null or lower(repository) = lower(${repository}))
            and (${number}::integer is null or number = ${number})
            and (${since}::timestamptz is null or at >= ${since})
          order by id`,
      );
    },
    async targets() {
      const found = await sql`select distinct target from event where target <> '' order by target`;
      return z
        .array(z.object({ target: z.string() }))
        .parse(found)
        .map(({ target }) => target);
    },
  };
}
