// What does GitHub say about a pull request right now? One GraphQL request.
import { z } from 'zod';
import { parseSha } from '../../workflows/model/identifiers.ts';
import type { PullRequest } from '../../workflows/model/pull-request.ts';
import type { PullRequestRef } from '../../workflows/model/repository.ts';
import { operatorError } from '../faults.ts';
import type { GitHub } from './client.ts';

const query = `query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      id number title state isDraft isCrossRepository headRefOid baseRefName baseRefOid
      author { login }
      baseRef { target { oid } }
      mergedBy { login } mergedAt
      mergeCommit { oid }
      labels(first: 50) { nodes { name } }
    }
  }
}`;

const login = z.object({ login: z.string() }).nullable();
const answerSchema = z.object({
  repository: z
    .object({
      pullRequest: z
        .object({
          id: z.string(),
          number: z.int(),
          title: z.string(),
          state: z.enum(['OPEN', 'CLOSED', 'MERGED']),
          isDraft: z.boolean(),
          isCrossRepository: z.boolean(),
          headRefOid: z.string(),
          baseRefName: z.string(),
          baseRefOid: z.string(),
          author: login,
          baseRef: z.object({ target: z.object({ oid: z.string() }).nullable() }).nullable(),
          mergedBy: login,
          mergedAt: z.string().nullable(),
          mergeCommit: z.object({ oid: z.string() }).nullable(),
          labels: z
            .object({ nodes: z.array(z.object({ name: z.string() }).nullable()).nullable() })
            .nullable(),
        })
        .nullable(),
    })
    .nullable(),
});

/** GitHub shows the deleted account of an author under this name. */
const ghost = 'ghost';

/** OperatorError when the App cannot see the repository or the pull request (any more). */
export async function readPullRequest(
  github: GitHub,
  { repository, number }: PullRequestRef,
): Promise<PullRequest> {
  const { owner, name, installationId } = repository;
  const answer = await github.graphql(installationId, query, { owner, name, number });
  const found = answerSchema.parse(answer.data).repository?.pullRequest;
  if (found === undefined || found === null) {
    throw operatorError(`GitHub shows no pull request ${owner}/${name}#${number} to this installation`);
  }
  return {
    nodeId: found.id,
    number: found.number,
    title: found.title,
    author: found.author?.login ?? ghost,
    state: ({ OPEN: 'open', CLOSED: 'closed', MERGED: 'merged' } as const)[found.state],
    draft: found.isDraft,
    fork: found.isCrossRepository,
    head: parseSha(found.headRefOid),
    base: found.baseRefName,
    baseSha: parseSha(found.baseRef?.target?.oid ?? found.baseRefOid),
    mergeCommit: found.mergeCommit === null ? null : parseSha(found.mergeCommit.oid),
    mergedBy: found.mergedBy?.login ?? null,
    mergedAt: found.mergedAt,
    labels: (found.labels?.nodes ?? []).flatMap((label) => (label === null ? [] : [label.name])),
  };
}
