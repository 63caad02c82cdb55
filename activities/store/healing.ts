// What does the schedule that heals remember from one look to the next?
import { z } from 'zod';
import type { KnownPullRequest } from '../../workflows/model/healing.ts';
import type { RepositoryId } from '../../workflows/model/identifiers.ts';
import type { Repository } from '../../workflows/model/repository.ts';
import type { Difference } from '../../workflows/port/healing.ts';
import type { Sql } from './connection.ts';
import { asJson } from './connection.ts';
import { pullRequestSchema, repositorySchema } from './documents.ts';

/** `lookedAt`: when the last look began that came to an end there, ISO 8601 by GitHub's clock; null before the first. */
export type InstalledRepository = { readonly repository: Repository; readonly lookedAt: string | null };

export type Healing = {
  /** Null when GitHub was last asked for the list longer ago than `maxAgeMs`, or never. */
  installed(maxAgeMs: number): Promise<readonly InstalledRepository[] | null>;
  /** Where the App is installed now; what is no longer in the list is forgotten. */
  saveInstalled(repositories: readonly Repository[]): Promise<void>;
  /** Until when GitHub's deliveries were looked at (ISO 8601); null before the first look. */
  deliveriesUntil(): Promise<string | null>;
  saveDeliveriesUntil(at: string): Promise<void>;
  /** True the first time: GitHub is asked once to send a webhook again. */
  claimRedelivery(guid: string): Promise<boolean>;
  /** By repository: those open in the record, or with something to apply, or with open checks, or among `numbers`. */
  known(
    places: readonly { readonly repositoryId: RepositoryId; readonly numbers: readonly number[] }[],
  ): Promise<ReadonlyMap<number, readonly KnownPullRequest[]>>;
  /** Those of `differences` that were not told with these facts for `maxAgeMs`. */
  untold(
    differences: readonly Omit<Difference, 'told'>[],
    maxAgeMs: number,
  ): Promise<readonly Omit<Difference, 'told'>[]>;
  /** These repositories were looked at; of what was told there, only what still differs is remembered. */
  saveLook(look: {
    readonly at: string;
    readonly looked: readonly RepositoryId[];
    readonly differences: readonly Difference[];
  }): Promise<void>;
};

const time = z.date().transform((date) => date.toISOString());
const installedRows = z.array(z.object({ repository: repositorySchema, lookedAt: time.nullable() }));
const freshRows = z.array(z.object({ fresh: z.boolean() }));
const untilRows = z.array(z.object({ until: time.nullable() }));
const knownRows = z.array(
  z.object({
    repositoryId: z.number(),
    document: pullRequestSchema,
    gates: z.array(z.string()),
    openChecks: z.boolean(),
    applying: z.boolean(),
    unapplied: z.boolean(),
  }),
);
const placeRows = z.array(z.object({ index: z.number() }));

/** The check that stands on every head and on every merge commit. */
const gate = 'hatchet/apply';

function knownOf({ repositoryId, document, gates, ...rest }: z.infer<typeof knownRows>[number]) {
  const { nodeId, number, state, draft, head, base, baseSha, mergeCommit } = document;
  const shown = gates.includes(`check:${mergeCommit ?? head}:${gate}`);
  const known: KnownPullRequest = {
    ...{ nodeId, number, state, draft, head, base, baseSha },
    ...{ shown, ...rest },
  };
  return { repositoryId, ...known };
}

export function createHealing(sql: Sql): Healing {
  return {
    async installed(maxAgeMs) {
      const [row] = freshRows.parse(
        await sql`select coalesce(listed_at > now() - make_interval(secs => ${maxAgeMs / 1000}), false) as fresh
          from healing`,
      );
      if (row?.fresh !== true) return null;
      return installedRows.parse(
        await sql`select document as repository, looked_at as "lookedAt" from installed_repository order by id`,
      );
    },
    async saveInstalled(repositories) {
      const listed = asJson(repositories.map((repository) => ({ id: repository.id, document: repository })));
      await sql`with listed as (
          select * from json_to_recordset(${listed}::text::json) as one(id bigint, document json)
        ), gone as (
          delete from installed_repository where id not in (select id from listed)
        ), noted as (
          update healing set listed_at = now()
        )
        insert into installed_repository (id, document) select id, document from listed
        on conflict (id) do update set document = excluded.document`;
    },
    async deliveriesUntil() {
      const [row] = untilRows.parse(await sql`select deliveries_until as until from healing`);
      return row?.until ?? null;
    },
    async saveDeliveriesUntil(at) {
      await sql`update healing set deliveries_until = greatest(deliveries_until, ${at})`;
    },
    async claimRedelivery(guid) {
      const claimed =
        await sql`insert into redelivery (guid) values (${guid}) on conflict (guid) do nothing returning guid`;
      return claimed.length > 0;
    },
    async known(places) {
      if (places.length === 0) return new Map();
      const found = await sql`with place as (
          select "repositoryId" as id, numbers
          from json_to_recordset(${asJson(places)}::text::json) as one("repositoryId" bigint, numbers json)
        )
        select repository_id as "repositoryId", document,
          (select coalesce(json_agg(key), '[]'::json) from shown where shown.repository_id = known.repository_id
            and shown.number = known.number and key like ${`%:${gate}`}) as gates,
          exists (select from shown where shown.repository_id = known.repository_id
            and shown.number = known.number and shown.open) as "openChecks",
          exists (select from apply where apply.repository_id = known.repository_id
            and apply.number = known.number and state = 'begun') as applying,
          (repository_id, number) in (select repository_id, number from unapplied_merge) as unapplied
        from pull_request known
        where (open and repository_id in (select id from place))
          or (repository_id, number) in (
            select repository_id, number from shown where open and repository_id in (select id from place)
            union all select repository_id, number from unapplied_merge where repository_id in (select id from place)
            union all select id, value::integer from place, json_array_elements_text(numbers))
        order by repository_id, number`;
      return Map.groupBy(knownRows.parse(found).map(knownOf), ({ repositoryId }) => repositoryId);
    },
    async untold(differences, maxAgeMs) {
      if (differences.length === 0) return [];
      const places = asJson(differences.map((difference, index) => ({ index, ...difference })));
      const found = placeRows.parse(
        await sql`select index from json_to_recordset(${places}::text::json)
            as one(index integer, "repositoryId" bigint, number integer, what text, facts text)
          where not exists (select from told_difference told where told.repository_id = one."repositoryId"
            and told.number = one.number and told.what = one.what and told.facts = one.facts
            and told.told_at > now() - make_interval(secs => ${maxAgeMs / 1000}))`,
      );
      const indexes = new Set(found.map(({ index }) => index));
      return differences.filter((_, index) => indexes.has(index));
    },
    async saveLook({ at, looked, differences }) {
      await sql`with looked as (
          select value::bigint as id from json_array_elements_text(${asJson(looked)}::text::json)
        ), differing as (
          select * from json_to_recordset(${asJson(differences)}::text::json)
            as one("repositoryId" bigint, number integer, what text, facts text, told boolean)
        ), noted as (
          update installed_repository set looked_at = ${at} where id in (select id from looked)
        ), settled as (
          delete from told_difference told where repository_id in (select id from looked)
            and not exists (select from differing where differing."repositoryId" = told.repository_id
              and differing.number = told.number and differing.what = told.what)
        )
        insert into told_difference (repository_id, number, what, facts)
          select "repositoryId", number, what, facts from differing where told
        on conflict (repository_id, number, what) do update set facts = excluded.facts, told_at = now()`;
    },
  };
}
