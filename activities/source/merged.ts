// What stood in the base branch before a pull request was merged, and after?
import type { Sha } from '../../workflows/model/identifiers.ts';
import { parseSha } from '../../workflows/model/identifiers.ts';
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
 * - Rebase: as many new commits as the pull request had without its merges, each with its author, date and message; the
 *   base is below the lowest. Taking only the last one's parent would judge a pull request by a configuration that itself changed.
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

/**
 * The walk matches each commit with any of the pull request's own, in whatever order they were rebased. Where copies of
 * some are still below the end of the walk, nobody knows where the rebase began: then what both sides stand on counts.
 */
async function belowRebased(mirror: Mirror, merged: Commit, head: Sha, fork: Sha): Promise<Sha> {
  const left = await ownCommits(mirror, head, merged);
  let base = firstParent(merged);
  if (base === undefined) throw new Error('the merge commit has no parent');
  let rebased = merged;
  while (isOneRebase(rebased, merged) && takeOriginal(left, rebased)) {
    const below = firstParent(rebased);
    if (below === undefined) break;
    base = below;
    if (left.length === 0) return base;
    rebased = await readCommit(mirror, below);
  }
  return (await holdsCopy(mirror, { from: base, to: fork }, left, merged)) ? fork : base;
}

/** What a rebase copies: it leaves out merges, and goes into what they brought along. */
async function ownCommits(mirror: Mirror, head: Sha, merged: Commit): Promise<Commit[]> {
  const [first] = merged.parents;
  const range = [head, ...(first === undefined ? [] : [`^${first}`])];
  const args = ['rev-list', '--no-merges', `--max-count=${maxRebasedCommits + 1}`, ...range, '--'];
  const listed = await mirror.git(args);
  if (listed.code !== 0) throw new Error(`git rev-list failed: ${listed.stderr.trim()}`);
  const shas = listed.stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map(parseSha);
  if (shas.length > maxRebasedCommits) return [];
  return Promise.all(shas.map((sha) => readCommit(mirror, sha)));
}

/** True when it is a copy of one that is left, which then is no longer. */
function takeOriginal(left: Commit[], rebased: Commit): boolean {
  const index = left.findIndex((original) => isCopy(rebased, original));
  if (index >= 0) left.splice(index, 1);
  return index >= 0;
}

async function holdsCopy(
  mirror: Mirror,
  { from, to }: { readonly from: Sha; readonly to: Sha },
  originals: readonly Commit[],
  merged: Commit,
): Promise<boolean> {
  let at: Sha | undefined = from;
  for (let step = 0; step < maxRebasedCommits && at !== undefined && at !== to; step++) {
    const commit: Commit = await readCommit(mirror, at);
    if (!isOneRebase(commit, merged)) return false;
    if (originals.some((original) => isCopy(commit, original))) return true;
    at = firstParent(commit);
  }
  return false;
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
