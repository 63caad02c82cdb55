// What is a merge group, and what of it would be planned?

import type { MergeGroup } from '../workflows/model/merge-group.ts';
import type { PullRequest } from '../workflows/model/pull-request.ts';
import { isOutside } from '../workflows/model/target.ts';
import type { GroupInspection } from '../workflows/port/inspection.ts';
import type { GitHub } from './github/client.ts';
import { readDefaultBranch } from './github/default-branch.ts';
import { readPullRequest } from './github/read-pull-request.ts';
import { findBar } from './inspect-pull-request.ts';
import type { Origin } from './source/fetch-queue.ts';
import type { GroupInspector } from './source/group.ts';
import type { SourceInspector } from './source/inspect.ts';
import type { Store } from './store/store.ts';

export type InspectGroupDependencies = {
  readonly github: GitHub;
  readonly source: SourceInspector;
  readonly groups: GroupInspector;
  readonly store: Store;
  readonly poolWaitMs: number;
};

/** `outside`: a writer has to allow what of it is planned. */
type Member = PullRequest & { readonly outside: boolean };

export async function inspectGroup(
  deps: InspectGroupDependencies,
  { group }: { readonly group: MergeGroup },
): Promise<GroupInspection> {
  const { github, groups, store, poolWaitMs } = deps;
  const { repository } = group;
  const token = await github.gitToken(repository);
  const origin = { repository: repository.id, url: github.gitUrl(repository), token };
  const candidates = await store.pullRequests.listBasedOn(repository.id, group.base);
  const [found, defaultBranch] = await Promise.all([
    groups.inspect({ origin, group, candidates }),
    readDefaultBranch(github, repository),
  ]);
  const members = await Promise.all(found.members.map((number) => memberOf(deps, group, number)));
  const { configuration, edited, source } = found;
  if (source.kind !== 'merged') throw new Error(`the merge group ${group.headSha} does not hold its base`);
  const { projects } = source;
  const barred = await findBar(deps, origin, group, { found: source, defaultBranch });
  const forks = projects.length === 0 ? [] : members.filter(({ outside }) => outside);
  const unplanned = await Promise.all(forks.map((fork) => isUnplanned(deps, origin, group, fork)));
  return {
    configuration,
    barred,
    edited,
    poolWaitMs,
    members: members.map(({ outside: _, ...member }) => member),
    unplannedForks: forks.flatMap(({ number }, index) => (unplanned[index] ? [number] : [])),
    source: source.source,
    forkedAt: source.forkedAt,
    projects,
  };
}

/** One that Hatchet never heard of is asked for at GitHub, and a fork: code that nobody allowed must not run by it. */
async function memberOf(
  { github, store }: InspectGroupDependencies,
  { repository }: MergeGroup,
  number: number,
): Promise<Member> {
  const known = await store.pullRequests.find({ repositoryId: repository.id, number });
  if (known !== null && !isOutside(known.pullRequest, known.standing))
    return { ...known.pullRequest, outside: false };
  const { pullRequest } = await readPullRequest(github, { repository, number });
  return { ...pullRequest, outside: isOutside(pullRequest, known?.standing ?? null) };
}

/**
 * Planning runs the code of a fork, so a writer must have allowed exactly this commit: then it was planned. One that
 * touches no project runs nowhere.
 */
async function isUnplanned(
  { source, store }: InspectGroupDependencies,
  origin: Origin,
  { repository, baseSha }: MergeGroup,
  fork: PullRequest,
): Promise<boolean> {
  const place = { repositoryId: repository.id, number: fork.number, head: fork.head };
  if (await store.newestPlans.wasPlanned(place)) return false;
  const alone = await source.inspect({ origin, pullRequest: { ...fork, baseSha }, begun: null });
  return alone.source.kind !== 'merged' || alone.source.projects.length > 0;
}
