// What does GitHub say about a pull request right now? One GraphQL request.
import { z } from 'zod';
import { parseSha } from '../../workflows/model/identifiers.ts';
import type { PullRequest } from '../../workflows/model/pull-request.ts';
import type { PullRequestRef } from '../../workflows/model/repository.ts';
import type { Review, Standing } from '../../workflows/model/standing.ts';
import { operatorError } from '../faults.ts';
import type { GitHub } from './client.ts';
import { type DefaultBranch, defaultBranchOf, defaultBranchRef } from './default-branch.ts';
import {
  author,
  listOf,
  login,
  pullRequestFields,
  pullRequestNode,
  pullRequestOf,
} from './pull-request-facts.ts';

const query = `query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    defaultBranchRef { name target { oid } }
    pullRequest(number: $number) {
      ${pullRequestFields}
      reviewDecision
      latestOpinionatedReviews(first: 100) {
        nodes { author { __typename login } authorCanPushToRepository state submittedAt commit { oid } }
      }
      commits(last: 1) {
        nodes { commit { oid author { user { login } } committer { user { login } } } }
      }
    }
  }
}`;

const review = z.object({
  author,
  authorCanPushToRepository: z.boolean(),
  // A comment and a draft of a review are no opinion: GitHub leaves them out here.
  state: z.enum(['APPROVED', 'CHANGES_REQUESTED', 'DISMISSED', 'COMMENTED', 'PENDING']),
  submittedAt: z.string().nullable(),
  commit: z.object({ oid: z.string() }).nullable(),
});
const signature = z.object({ user: login }).nullable();
const commit = z.object({ oid: z.string(), author: signature, committer: signature });
const answerSchema = z.object({
  repository: z
    .object({
      defaultBranchRef: defaultBranchRef.nullable(),
      pullRequest: pullRequestNode
        .extend({
          reviewDecision: z.enum(['APPROVED', 'CHANGES_REQUESTED', 'REVIEW_REQUIRED']).nullable(),
          latestOpinionatedReviews: listOf(review),
          commits: listOf(z.object({ commit })),
        })
        .nullable(),
    })
    .nullable(),
});

type Found = NonNullable<NonNullable<z.infer<typeof answerSchema>['repository']>['pullRequest']>;

export type PullRequestReading = {
  readonly pullRequest: PullRequest;
  readonly standing: Standing;
  /** Null: the repository has none. */
  readonly defaultBranch: DefaultBranch | null;
};

/** OperatorError when the App cannot see the repository or the pull request (any more). */
export async function readPullRequest(
  github: GitHub,
  { repository, number }: PullRequestRef,
): Promise<PullRequestReading> {
  const { owner, name, installationId } = repository;
  const readAt = new Date().toISOString();
  const answer = await github.graphql(installationId, query, { owner, name, number });
  const seen = answerSchema.parse(answer.data).repository;
  const found = seen?.pullRequest ?? null;
  if (seen === null || found === null) {
    throw operatorError(`GitHub shows no pull request ${owner}/${name}#${number} to this installation`);
  }
  return {
    pullRequest: pullRequestOf(found),
    standing: standingOf(found, readAt),
    defaultBranch: defaultBranchOf(seen.defaultBranchRef),
  };
}

const decisions = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes-requested',
  REVIEW_REQUIRED: 'review-required',
} as const;
const opinions = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes-requested',
  DISMISSED: 'dismissed',
} as const;

function standingOf(found: Found, readAt: string): Standing {
  const newest = found.commits.at(-1)?.commit;
  const makers = newest?.oid === found.headRefOid ? [newest.author, newest.committer] : [];
  return {
    readAt,
    head: parseSha(found.headRefOid),
    reviews: found.latestOpinionatedReviews.flatMap(reviewOf),
    decision: found.reviewDecision === null ? null : decisions[found.reviewDecision],
    pushers: [...new Set(makers.flatMap((maker) => maker?.user?.login ?? []))],
    authorMayWrite: authorMayWrite(found),
    mergeability: null,
  };
}

/** Only Apps with write make branches here; of a person nobody asked yet, and a deleted account has no rights. */
function authorMayWrite({ author, isCrossRepository }: Found): boolean | null {
  if (author === null) return false;
  return author.__typename === 'Bot' && !isCrossRepository ? true : null;
}

function reviewOf(found: z.infer<typeof review>): readonly Review[] {
  // An App says what it was made to say: no yes and no no of a person. GitHub names it as a person could be named, too.
  if (found.author?.__typename !== 'User' || found.submittedAt === null) return [];
  if (found.state === 'COMMENTED' || found.state === 'PENDING') return [];
  return [
    {
      login: found.author.login,
      state: opinions[found.state],
      commit: found.commit === null ? null : parseSha(found.commit.oid),
      submittedAt: found.submittedAt,
      mayWrite: found.authorCanPushToRepository,
    },
  ];
}
