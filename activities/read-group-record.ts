// What do the pull requests of a merge group show, and what did people say to it?
import type { ControlActivities } from '../workflows/activities.ts';
import type { MemberPlan } from '../workflows/model/merge-group.ts';
import type { Place } from './store/approval.ts';
import type { Store } from './store/store.ts';

type Request = Parameters<ControlActivities['readGroupRecord']>[0];

/** The newest plan of each project on each pull request; a pull request that never planned one is left out. */
export async function readGroupRecord(
  store: Store,
  { repository, members, projects }: Request,
): Promise<readonly MemberPlan[]> {
  const found = await Promise.all(
    members.map((member) => readMember(store, { repositoryId: repository.id, ...member }, projects)),
  );
  return found.flat();
}

async function readMember(
  store: Store,
  { author, ...place }: Place & { readonly author: string },
  projects: readonly string[],
): Promise<readonly MemberPlan[]> {
  const known = await store.pullRequests.find(place);
  const head = known?.pullRequest.head;
  const pushed = head === undefined ? [] : await store.pushes.by(place.repositoryId, head);
  const pushers = [...new Set([...(known?.standing?.pushers ?? []), ...pushed])];
  const plans = projects.map(async (project): Promise<readonly MemberPlan[]> => {
    const newest = await store.newestPlans.find({ ...place, project });
    if (newest === null) return [];
    const [said, overrides] = await Promise.all([
      store.approvals.read(place, project, newest.digest),
      store.overrides.read(place, project, newest.digest),
    ]);
    return [{ number: place.number, author, pushers, project, ...newest, ...said, overrides }];
  });
  return (await Promise.all(plans)).flat();
}
