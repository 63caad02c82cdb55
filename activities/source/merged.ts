// What stood in the base branch before a pull request was merged, and after?
import type { Sha } from '../../workflows/model/identifiers.ts';
import { findMergeBase } from './merge.ts';
import type { Mirror } from './mirror.ts';
import type { Commit } from './objects.ts';

export type MergedSource = {
  /** The base branch's last commit without anything of the pull request. */
  readonly base: Sha;
  /** The tree of the merge commit. */
  readonly tree: Sha;
  readonly mergeBase: Sha;
};

/** GitHub rebases no more than this. */
const maxRebasedCommits = 100;
/** GitHub writes all commits of one rebase in one go; these are many seconds more than that takes. */
const rebaseSpanSeconds = 600;

/**
 * - Merge commit: two parents, the first is the base.
 * - Squash: one parent, which is the base.
 * - Rebase: as many new commits as the pull request had, each with its author, date and message; the base is below the
 *   lowest. Taking only the last one's parent would judge a pull request by a configuration that itself changed.
 *
 * A head that was pushed to the base branch directly looks like a squash of its last commit.
 */
export async function findMergedSource(mirror: Mirror, head: Sha, mergeCommit: Sha): Promise<MergedSource> {
  const merged = await readCommit(mirror, mergeCommit);
  const [first] = merged.parents;
  if (first === undefined) throw new Error(`merge commit ${mergeCommit} has no parent`);
  const mergeBase = (await findMergeBase(mirror, first, head)) ?? first;
  const base = merged.parents.length > 1 ? first : await belowRebased(mirror, merged, head, mergeBase);
  return { base, tree: merged.tree, mergeBase: mergeBase === head ? base : mergeBase };
}

async function belowRebased(mirror: Mirror, merged: Commit, head: Sha, fork: Sha): Promise<Sha> {
  let rebased = merged;
  let base = firstParent(merged);
  let original: Sha | undefined = head;
  for (let step = 0; step < maxRebasedCommits && original !== undefined && original !== fork; step++) {
    const commit: Commit = await readCommit(mirror, original);
    original = commit.parents[0];
    if (!isCopy(rebased, commit) || !isOneRebase(rebased, merged)) continue;
    const below = firstParent(rebased);
    if (below === undefined) break;
    base = below;
    rebased = await readCommit(mirror, below);
  }
  if (base === undefined) throw new Error('the merge commit has no parent');
  return base;
}

function firstParent(commit: Commit): Sha | undefined {
  return commit.parents.length === 1 ? commit.parents[0] : undefined;
}

function isCopy(rebased: Commit, original: Commit): boolean {
  return rebased.author === original.author && rebased.message === original.message;
}

function isOneRebase(rebased: Commit, merged: Commit): boolean {
  return Math.abs(committedAt(rebased) - committedAt(merged)) <= rebaseSpanSeconds;
}

/** Seconds since 1970, from `Name <address> seconds zone`. */
function committedAt(commit: Commit): number {
  return Number(commit.committer.split(' ').at(-2));
}

async function readCommit(mirror: Mirror, sha: Sha): Promise<Commit> {
  const commit = await mirror.objects.readCommit(sha);
  if (commit === null) throw new Error(`commit ${sha} is missing in the mirror`);
  return commit;
}
