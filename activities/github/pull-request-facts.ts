// How does GitHub's GraphQL API tell what a pull request is?
import { z } from 'zod';
import { parseSha } from '../../workflows/model/identifiers.ts';
import type { PullRequest } from '../../workflows/model/pull-request.ts';

/** Of the type PullRequest: what `pullRequestNode` holds. */
export const pullRequestFields = `
  id number title state isDraft isCrossRepository headRefOid baseRefName baseRefOid
  author { __typename login }
  baseRef { target { oid } }
  mergedBy { __typename login } mergedAt
  mergeCommit { oid }
  labels(first: 100) { nodes { name } }`;

/** Of an account that is there; null for one that was deleted. */
export const login = z.object({ login: z.string() }).nullable();
export const author = z.object({ __typename: z.string(), login: z.string() }).nullable();

/** The nodes of a connection that are there. */
export const listOf = <Node extends z.ZodType>(node: Node) =>
  z
    .object({ nodes: z.array(node.nullable()).nullable() })
    .nullable()
    .transform((found) => (found?.nodes ?? []).filter((each) => each !== null));

export const pullRequestNode = z.object({
  id: z.string(),
  number: z.int(),
  title: z.string(),
  state: z.enum(['OPEN', 'CLOSED', 'MERGED']),
  isDraft: z.boolean(),
  isCrossRepository: z.boolean(),
  headRefOid: z.string(),
  baseRefName: z.string(),
  baseRefOid: z.string(),
  author,
  baseRef: z.object({ target: z.object({ oid: z.string() }).nullable() }).nullable(),
  mergedBy: author,
  mergedAt: z.string().nullable(),
  mergeCommit: z.object({ oid: z.string() }).nullable(),
  labels: listOf(z.object({ name: z.string() })),
});

/** GitHub shows a deleted account under this name. */
export const ghost = 'ghost';

const states = { OPEN: 'open', CLOSED: 'closed', MERGED: 'merged' } as const;

export function pullRequestOf(found: z.infer<typeof pullRequestNode>): PullRequest {
  return {
    nodeId: found.id,
    number: found.number,
    title: found.title,
    author: found.author?.login ?? ghost,
    state: states[found.state],
    draft: found.isDraft,
    fork: found.isCrossRepository,
    head: parseSha(found.headRefOid),
    base: found.baseRefName,
    baseSha: parseSha(found.baseRef?.target?.oid ?? found.baseRefOid),
    mergeCommit: found.mergeCommit === null ? null : parseSha(found.mergeCommit.oid),
    mergedBy: mergerOf(found.mergedBy),
    mergedAt: found.mergedAt,
    labels: found.labels.map(({ name }) => name),
  };
}

/** GraphQL leaves out what webhooks add to an App's name, and without it nobody could tell it from a person's. */
function mergerOf(found: z.infer<typeof author>): string | null {
  if (found === null) return null;
  return found.__typename === 'Bot' && !found.login.endsWith('[bot]') ? `${found.login}[bot]` : found.login;
}
