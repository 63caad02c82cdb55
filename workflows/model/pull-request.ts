// What does GitHub say about a pull request at one moment?
import type { Sha } from './identifiers.ts';

/** A pull request as last read from GitHub, never assembled from webhooks. */
export type PullRequest = {
  /** GraphQL node id; comments are added to it. */
  readonly nodeId: string;
  readonly number: number;
  readonly title: string;
  readonly author: string;
  readonly state: 'open' | 'closed' | 'merged';
  readonly draft: boolean;
  /** The head lives in another repository. */
  readonly fork: boolean;
  readonly head: Sha;
  /** Branch name of the base, without `refs/heads/`. */
  readonly base: string;
  readonly baseSha: Sha;
  readonly mergeCommit: Sha | null;
  /** Who merged it; null while it is not merged. */
  readonly mergedBy: string | null;
  /** ISO 8601, GitHub's clock; null while it is not merged. */
  readonly mergedAt: string | null;
  readonly labels: readonly string[];
};

/** What exactly is planned: one tree, and the commits that it was made from. */
export type Source = {
  readonly head: Sha;
  readonly base: Sha;
  /** The tree of the merge result (or of the merge commit, after a merge). */
  readonly tree: Sha;
};
