// What exactly do pull requests look like that changed, and what was said on them lately?
import { z } from 'zod';
import type { SeenComment, SeenPullRequest, SeenReview } from '../../workflows/model/healing.ts';
import type { InstallationId } from '../../workflows/model/identifiers.ts';
import type { PullRequest } from '../../workflows/model/pull-request.ts';
import type { GitHub } from './client.ts';
import {
  author,
  ghost,
  listOf,
  pullRequestFields,
  pullRequestNode,
  pullRequestOf,
} from './pull-request-facts.ts';

export type PullRequestDetails = {
  readonly pullRequest: PullRequest;
  readonly seen: SeenPullRequest;
  /** The last ones, oldest first. */
  readonly comments: readonly SeenComment[];
  readonly reviews: readonly SeenReview[];
};

/** A comment may be 64 KiB: twenty times as many of them as are read of each make some megabytes at worst. */
const batchSize = 20;
/** Nobody says more than this between two looks; ours is edited in place. */
const lastComments = 30;
const lastReviews = 20;

const query = `query($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on PullRequest {
      ${pullRequestFields}
      updatedAt
      comments(last: ${lastComments}) {
        nodes { id fullDatabaseId body createdAt lastEditedAt author { __typename login } }
      }
      reviews(last: ${lastReviews}) {
        nodes { fullDatabaseId state submittedAt updatedAt author { __typename login } }
      }
    }
  }
}`;

const databaseId = z.coerce.number<string | number>().int();
const answer = z.object({
  nodes: z.array(
    pullRequestNode
      .extend({
        updatedAt: z.string(),
        comments: listOf(
          z.object({
            id: z.string(),
            fullDatabaseId: databaseId,
            body: z.string(),
            createdAt: z.string(),
            lastEditedAt: z.string().nullable(),
            author,
          }),
        ),
        reviews: listOf(
          z.object({
            fullDatabaseId: databaseId,
            state: z.string(),
            submittedAt: z.string().nullable(),
            updatedAt: z.string(),
            author,
          }),
        ),
      })
      .nullable(),
  ),
});

/** By node id; those that are gone are left out. */
export async function readDetails(
  github: Pick<GitHub, 'graphql'>,
  installationId: InstallationId,
  nodeIds: readonly string[],
): Promise<readonly PullRequestDetails[]> {
  const found: PullRequestDetails[] = [];
  for (let start = 0; start < nodeIds.length; start += batchSize) {
    const ids = nodeIds.slice(start, start + batchSize);
    const { data } = await github.graphql(installationId, query, { ids });
    found.push(...answer.parse(data).nodes.flatMap((node) => (node === null ? [] : [detailsOf(node)])));
  }
  return found;
}

type Node = NonNullable<z.infer<typeof answer>['nodes'][number]>;

function detailsOf(node: Node): PullRequestDetails {
  const pullRequest = pullRequestOf(node);
  return {
    pullRequest,
    seen: { ...pullRequest, updatedAt: node.updatedAt },
    comments: node.comments.map(({ id, fullDatabaseId, body, createdAt, lastEditedAt, author: by }) => ({
      id: fullDatabaseId,
      nodeId: id,
      body,
      createdAt,
      edited: lastEditedAt !== null,
      author: by === null ? null : { login: by.login, human: by.__typename === 'User' },
    })),
    reviews: node.reviews.map(({ fullDatabaseId, state, submittedAt, updatedAt, author: by }) => ({
      id: fullDatabaseId,
      state: state.toLowerCase(),
      at: submittedAt,
      updatedAt,
      login: by?.login ?? ghost,
    })),
  };
}
