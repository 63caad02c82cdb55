// What would a merge group plan, and which pull requests are in it?
import type { Sha } from '../../workflows/model/identifiers.ts';
import type { MergeGroup } from '../../workflows/model/merge-group.ts';
import type { Origin } from './fetch-queue.ts';
import type { SourceInspection, SourceInspector } from './inspect.ts';
import type { Mirror, Mirrors } from './mirror.ts';
import type { Commit } from './objects.ts';

/** An open pull request that may be in the group. */
export type Candidate = { readonly number: number; readonly head: Sha };

export type GroupSource = Pick<SourceInspection, 'configuration' | 'edited' | 'source'> & {
  /** Numbers of its pull requests, ascending; never empty. */
  readonly members: readonly number[];
};

export type GroupInspector = {
  /**
   * Plans what the group's commit holds against what the group stands on, whose configuration counts.
   * Errors as of `SourceInspector.inspect`; a group that is gone is worth a retry until somebody says so.
   */
  inspect(request: {
    readonly origin: Origin;
    readonly group: MergeGroup;
    readonly candidates: readonly Candidate[];
  }): Promise<GroupSource>;
};

/** GitHub puts at most 100 pull requests into a group, and rebases at most 100 commits of each. */
const maxGroupCommits = 10_000;

export function createGroupInspector(deps: {
  readonly mirrors: Mirrors;
  readonly source: SourceInspector;
}): GroupInspector {
  return {
    async inspect({ origin, group, candidates }) {
      const { number } = group;
      const wish = { branches: [], pullRequests: [], commits: [group.headSha] };
      const begun = deps.mirrors.fetch(origin, wish);
      begun.catch(() => undefined);
      // The commit holds all of its base, so merging the two is the commit itself.
      const facts = { number, state: 'open', head: group.headSha, mergeCommit: null } as const;
      const found = await deps.source.inspect({
        origin,
        pullRequest: { ...facts, base: group.base, baseSha: group.baseSha },
        begun,
      });
      const { configuration, edited, source } = found;
      const mirror = await deps.mirrors.open(origin.repository);
      const commits = await ownCommits(mirror, group);
      if (commits.some(({ parents }) => parents.length === 1)) await bringHeads(deps, origin, candidates);
      const members = await findMembers(mirror, commits, candidates);
      const all = [...new Set([...members, number])].sort((left, right) => left - right);
      return { configuration, edited, source, members: all };
    },
  };
}

/** A squashed or rebased group does not hold the heads themselves; one that cannot be had is not compared. */
async function bringHeads(
  { mirrors }: { readonly mirrors: Mirrors },
  origin: Origin,
  candidates: readonly Candidate[],
): Promise<void> {
  const { objects } = await mirrors.open(origin.repository);
  const there = await Promise.all(candidates.map(({ head }) => objects.has(head)));
  const missing = candidates.filter((_, index) => there[index] === false).map(({ number }) => number);
  if (missing.length === 0) return;
  await mirrors.fetch(origin, { branches: [], pullRequests: missing, commits: [] }).catch(() => undefined);
}

/**
 * Those whose merge is among the group's own commits: a merge commit has their head as second parent, a squash ends
 * its first line with their number, a rebased commit is a copy of their head. What a title claims beyond that is no
 * proof, and nobody is asked who is not an open pull request.
 */
async function findMembers(
  mirror: Mirror,
  commits: readonly Commit[],
  candidates: readonly Candidate[],
): Promise<readonly number[]> {
  const members = await Promise.all(
    candidates.map(async ({ number, head }) => {
      const original = await mirror.objects.readCommit(head);
      return commits.some((commit) => isMergeOf(commit, number, head, original)) ? [number] : [];
    }),
  );
  return members.flat();
}

function isMergeOf(commit: Commit, number: number, head: Sha, original: Commit | null): boolean {
  if (commit.parents.length > 1) return commit.parents.slice(1).includes(head);
  const [firstLine = ''] = commit.message.split('\n');
  if (firstLine.trimEnd().endsWith(`(#${number})`)) return true;
  return original !== null && commit.author === original.author && commit.message === original.message;
}

/** From the group's commit down to what it stands on, along the first parents. */
async function ownCommits({ objects }: Mirror, { headSha, baseSha }: MergeGroup): Promise<readonly Commit[]> {
  const commits: Commit[] = [];
  let at: Sha | undefined = headSha;
  while (at !== undefined && at !== baseSha && commits.length < maxGroupCommits) {
    const commit: Commit | null = await objects.readCommit(at);
    if (commit === null) throw new Error(`commit ${at} is missing in the mirror`);
    commits.push(commit);
    at = commit.parents[0];
  }
  return commits;
}
