// Which pull requests are open, and which have changed lately, in all repositories of one installation?
import { z } from 'zod';
import type { SeenPullRequest } from '../../workflows/model/healing.ts';
import type { InstallationId } from '../../workflows/model/identifiers.ts';
import { parseRepositoryId, parseSha } from '../../workflows/model/identifiers.ts';
import type { Repository } from '../../workflows/model/repository.ts';
import type { GitHub } from './client.ts';

/** One repository as it was looked at. */
export type SeenRepository = {
  /** As GitHub names it now. */
  readonly repository: Repository;
  /** Nothing can be written there. */
  readonly archived: boolean;
  /** All that are open, oldest first. */
  readonly open: readonly ListedPullRequest[];
  /** Those in any state that changed since the last look, newest change first. */
  readonly recent: readonly SeenPullRequest[];
};

/** `queued`: it is in a merge queue. */
export type ListedPullRequest = SeenPullRequest & { readonly queued: boolean };

/** What to look at, and from when on changes count (ISO 8601). */
export type Place = { readonly repository: Repository; readonly since: string };

/** GitHub's largest page, also of `nodes(ids:)`. Source: docs.github.com/graphql/overview/rate-limits-and-node-limits-for-the-graphql-api */
const pageSize = 100;
/** Most repositories have fewer changes between two looks; the rest is on further pages. */
const recentSize = 10;
/** What changed in more pull requests at once is found as the difference that it makes. */
const maxRecentPages = 5;

// No lists within these lists: GitHub counts each of them once per pull request that there could be.
const facts = `fragment facts on PullRequest {
  id number state isDraft headRefOid baseRefName baseRefOid mergedAt updatedAt isInMergeQueue
  baseRef { target { oid } }
}`;

const firstQuery = `query($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on Repository {
      id databaseId name url isArchived owner { login }
      open: pullRequests(states: OPEN, first: ${pageSize}, orderBy: { field: CREATED_AT, direction: ASC }) {
        pageInfo { hasNextPage endCursor } nodes { ...facts }
      }
      recent: pullRequests(first: ${recentSize}, orderBy: { field: UPDATED_AT, direction: DESC }) {
        pageInfo { hasNextPage endCursor } nodes { ...facts }
      }
    }
  }
}
${facts}`;

const pageQuery = (list: 'open' | 'recent'): string => `query($id: ID!, $after: String!) {
  node(id: $id) {
    ... on Repository {
      list: pullRequests(${
        list === 'open'
          ? 'states: OPEN, orderBy: { field: CREATED_AT, direction: ASC }'
          : 'orderBy: { field: UPDATED_AT, direction: DESC }'
      }, first: ${pageSize}, after: $after) {
        pageInfo { hasNextPage endCursor } nodes { ...facts }
      }
    }
  }
}
${facts}`;

const pullRequest = z.object({
  id: z.string(),
  number: z.int(),
  state: z.enum(['OPEN', 'CLOSED', 'MERGED']),
  isDraft: z.boolean(),
  headRefOid: z.string(),
  baseRefName: z.string(),
  baseRefOid: z.string(),
  mergedAt: z.string().nullable(),
  updatedAt: z.string(),
  isInMergeQueue: z.boolean(),
  baseRef: z.object({ target: z.object({ oid: z.string() }).nullable() }).nullable(),
});
const list = z.object({
  pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  nodes: z.array(pullRequest.nullable()).nullable(),
});
const firstAnswer = z.object({
  nodes: z.array(
    z
      .object({
        id: z.string(),
        databaseId: z.int(),
        name: z.string(),
        url: z.string(),
        isArchived: z.boolean(),
        owner: z.object({ login: z.string() }),
        open: list,
        recent: list,
      })
      .nullable(),
  ),
});
const pageAnswer = z.object({ node: z.object({ list }).nullable() });

type Pages = z.infer<typeof list>;

/** Repositories that the installation can no longer see are left out. */
export async function listPullRequests(
  github: Pick<GitHub, 'graphql'>,
  installationId: InstallationId,
  places: readonly Place[],
): Promise<readonly SeenRepository[]> {
  const found: SeenRepository[] = [];
  for (let start = 0; start < places.length; start += pageSize) {
    const batch = places.slice(start, start + pageSize);
    const ids = batch.map(({ repository }) => repository.nodeId);
    const { data } = await github.graphql(installationId, firstQuery, { ids });
    for (const node of firstAnswer.parse(data).nodes) {
      const since = batch.find(({ repository }) => repository.id === node?.databaseId)?.since;
      if (node === null || since === undefined) continue;
      const isRecent = ({ updatedAt }: SeenPullRequest): boolean =>
        Date.parse(updatedAt) >= Date.parse(since);
      const more = (which: 'open' | 'recent') => readPage(github, installationId, node.id, which);
      found.push({
        repository: {
          installationId,
          id: parseRepositoryId(node.databaseId),
          nodeId: node.id,
          owner: node.owner.login,
          name: node.name,
          webUrl: node.url,
        },
        archived: node.isArchived,
        open: await allPages(node.open, more('open'), () => true),
        recent: (await allPages(node.recent, more('recent'), isRecent, maxRecentPages)).filter(isRecent),
      });
    }
  }
  return found;
}

/** Goes on while the last one of a page is still `wanted`. */
async function allPages(
  first: Pages,
  read: (after: string) => Promise<Pages | null>,
  wanted: (last: SeenPullRequest) => boolean,
  maxPages = Number.POSITIVE_INFINITY,
): Promise<readonly ListedPullRequest[]> {
  const found = seenOf(first);
  let page: Pages | null = first;
  for (let pages = 1; pages < maxPages; pages += 1) {
    const last = found.at(-1);
    const { hasNextPage, endCursor }: Pages['pageInfo'] = page.pageInfo;
    if (!hasNextPage || endCursor === null || last === undefined || !wanted(last)) break;
    page = await read(endCursor);
    if (page === null) break;
    found.push(...seenOf(page));
  }
  return found;
}

const readPage =
  (github: Pick<GitHub, 'graphql'>, installationId: InstallationId, id: string, which: 'open' | 'recent') =>
  async (after: string): Promise<Pages | null> => {
    const { data } = await github.graphql(installationId, pageQuery(which), { id, after });
    return pageAnswer.parse(data).node?.list ?? null;
  };

const states = { OPEN: 'open', CLOSED: 'closed', MERGED: 'merged' } as const;

function seenOf({ nodes }: Pages): ListedPullRequest[] {
  return (nodes ?? []).flatMap((node) =>
    node === null
      ? []
      : [
          {
            nodeId: node.id,
            number: node.number,
            state: states[node.state],
            draft: node.isDraft,
            head: parseSha(node.headRefOid),
            base: node.baseRefName,
            baseSha: parseSha(node.baseRef?.target?.oid ?? node.baseRefOid),
            mergedAt: node.mergedAt,
            updatedAt: node.updatedAt,
            queued: node.isInMergeQueue,
          },
        ],
  );
}
