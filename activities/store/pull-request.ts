// What did GitHub say last about a pull request?
import { z } from 'zod';
import { projectCheckName } from '../../workflows/model/check.ts';
import type { RepositoryId, Sha } from '../../workflows/model/identifiers.ts';
import type { PullRequest } from '../../workflows/model/pull-request.ts';
import type { OpenPullRequest } from '../../workflows/model/refresh.ts';
import type { Repository } from '../../workflows/model/repository.ts';
import type { Standing } from '../../workflows/model/standing.ts';
import type { Sql } from './connection.ts';
import { asJson } from './connection.ts';
import { pullRequestSchema, repositorySchema, standingSchema } from './documents.ts';

/** `readAt`: ISO 8601, when GitHub was asked. */
export type KnownPullRequest = {
  readonly repository: Repository;
  readonly pullRequest: PullRequest;
  /** Null: not kept; saving null leaves what is known. */
  readonly standing: Standing | null;
  readonly readAt: string;
};

export type PullRequests = {
  /** An older answer never replaces a newer one. */
  save(known: KnownPullRequest): Promise<void>;
  find(place: {
    readonly repositoryId: RepositoryId;
    readonly number: number;
  }): Promise<KnownPullRequest | null>;
  /** All that are open on this base branch, oldest first. */
  listBasedOn(repositoryId: RepositoryId, base: string): Promise<readonly PullRequest[]>;
  /** Numbers of those that are open and have this head, oldest first. */
  listAt(repositoryId: RepositoryId, head: Sha): Promise<readonly number[]>;
  /** Oldest first; `planned`: which of `projects` it has planned at any time, or tried to. */
  listOpen(repositoryId: RepositoryId, projects: readonly string[]): Promise<readonly OpenPullRequest[]>;
};

const rows = z
  .array(
    z.object({
      repository: repositorySchema,
      pullRequest: pullRequestSchema,
      standing: standingSchema.nullable(),
      readAt: z.date().transform((date) => date.toISOString()),
    }),
  )
  .max(1);

const documentRows = z.array(z.object({ document: pullRequestSchema }));

const numberRows = z.array(z.object({ number: z.number() }));

/** A plan that failed is kept nowhere: that its check was written tells of it, where projects have checks of their own. */
const projectInKey = `^check:[0-9a-f]+:${projectCheckName('')}(.*)$`;

const openRows = z.array(
  z.object({ number: z.number(), base: z.string(), planned: z.array(z.string()) }),
) satisfies z.ZodType<OpenPullRequest[]>;

export function createPullRequests(sql: Sql): PullRequests {
  return {
    async save({ repository, pullRequest, standing, readAt }) {
      await sql`insert into pull_request (repository_id, number, repository, document, open, merge_commit, standing, read_at)
        values (${repository.id}, ${pullRequest.number}, ${asJson(repository)}::text::json,
          ${asJson(pullRequest)}::text::json, ${pullRequest.state === 'open'}, ${pullRequest.mergeCommit},
          nullif(${asJson(standing)}::text, 'null')::json, ${readAt})
        on conflict (repository_id, number) do update
        set repository = excluded.repository, document = excluded.document, open = excluded.open,
          merge_commit = excluded.merge_commit,
          standing = coalesce(excluded.standing, pull_request.standing), read_at = excluded.read_at
        where pull_request.read_at <= excluded.read_at`;
    },
    async find({ repositoryId, number }) {
      const found =
        await sql`select repository, document as "pullRequest", standing, read_at as "readAt" from pull_request
        where repository_id = ${repositoryId} and number = ${number}`;
      return rows.parse(found)[0] ?? null;
    },
    async listBasedOn(repositoryId, base) {
      const found = await sql`select document from pull_request
        where repository_id = ${repositoryId} and document ->> 'state' = 'open' and document ->> 'base' = ${base}
        order by number`;
      return documentRows.parse(found).map(({ document }) => document);
    },
    async listAt(repositoryId, head) {
      const found = await sql`select number from pull_request
        where repository_id = ${repositoryId} and document ->> 'state' = 'open' and document ->> 'head' = ${head}
        order by number`;
      return numberRows.parse(found).map(({ number }) => number);
    },
    async listOpen(repositoryId, projects) {
      const found = await sql`with known as (
          select number, document ->> 'base' as base from pull_request
          where repository_id = ${repositoryId} and document ->> 'state' = 'open'
        ), touched as (
          select number, project from plan
            where repository_id = ${repositoryId} and number in (select number from known)
          union
          select number, substring(key from ${projectInKey}::text) from shown
            where repository_id = ${repositoryId} and number in (select number from known)
        )
        select number, base, coalesce((select json_agg(project order by project) from touched
            where touched.number = known.number
              and project in (select json_array_elements_text(${asJson(projects)}::text::json))),
          '[]'::json) as planned
        from known order by number`;
      return openRows.parse(found);
    },
  };
}
