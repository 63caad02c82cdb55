// What would the base branch look like with this pull request in it?
import { parseSha, type Sha } from '../../workflows/model/identifiers.ts';
import { userError } from '../faults.ts';
import { decodeName } from './file-name.ts';
import type { Mirror } from './mirror.ts';

export type Merge =
  | { readonly kind: 'merged'; readonly tree: Sha }
  | { readonly kind: 'conflict'; readonly files: readonly string[] };

/** What merging `head` into `base` gives, and what the pull request itself changes is counted from. */
export type MergeResult = { readonly merge: Merge; readonly mergeBase: Sha };

/** Most pull requests have fewer commits, and looking at one takes a tenth of starting a process. */
const maxCommitsLookedAt = 32;
/** A conflict in more files than this is shown by its first ones. */
const maxConflictsNamed = 100;

/** UserError: the two share no history. */
export async function mergePullRequest(mirror: Mirror, base: Sha, head: Sha): Promise<MergeResult> {
  const headCommit = await mirror.objects.readCommit(head);
  if (headCommit !== null && (await isRecentAncestor(mirror, base, head))) {
    return { merge: { kind: 'merged', tree: headCommit.tree }, mergeBase: base };
  }
  const [mergeBase, merge] = await Promise.all([
    findMergeBase(mirror, base, head),
    mergeCommits(mirror, base, head),
  ]);
  if (mergeBase === null) throw unrelated();
  return { merge, mergeBase };
}

/** False also when it is an ancestor farther away: the caller has another way then. */
async function isRecentAncestor(mirror: Mirror, ancestor: Sha, head: Sha): Promise<boolean> {
  const seen = new Set([head]);
  for (const sha of seen) {
    if (sha === ancestor) return true;
    if (seen.size > maxCommitsLookedAt) return false;
    for (const parent of (await mirror.objects.readCommit(sha))?.parents ?? []) seen.add(parent);
  }
  return false;
}

/**
 * Merges `head` into `base` without a working tree, as GitHub would.
 * UserError: the two share no history. Source: git-merge-tree(1), exit codes 0 clean and 1 conflict.
 */
async function mergeCommits(mirror: Mirror, base: Sha, head: Sha): Promise<Merge> {
  const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', base, head];
  const result = await mirror.git(args);
  if (result.code > 1 && (await findMergeBase(mirror, base, head)) === null) throw unrelated();
  if (result.code > 1) throw new Error(`git merge-tree failed: ${result.stderr.trim()}`);
  const [tree = '', ...files] = splitNul(result.stdout);
  if (result.code === 0) return { kind: 'merged', tree: parseSha(tree) };
  const named = new Set(files.filter((file) => file !== ''));
  return { kind: 'conflict', files: [...named].slice(0, maxConflictsNamed) };
}

/** The best common ancestor; null when the two share no history. */
export async function findMergeBase(mirror: Mirror, left: Sha, right: Sha): Promise<Sha | null> {
  const result = await mirror.git(['merge-base', left, right]);
  if (result.code === 1) return null;
  if (result.code !== 0) throw new Error(`git merge-base failed: ${result.stderr.trim()}`);
  return parseSha(result.stdout.toString().trim());
}

function splitNul(bytes: Buffer): string[] {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    const stop = end < 0 ? bytes.length : end;
    parts.push(decodeName(bytes.subarray(at, stop)).toWellFormed());
    at = stop + 1;
  }
  return parts;
}

function unrelated() {
  return userError([
    {
      severity: 'error',
      summary: 'The branches share no history',
      detail:
        'The head cannot be merged into the base branch: they have no common commit. Rebase it onto the base.',
    },
  ]);
}
