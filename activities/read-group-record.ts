// What do the pull requests of a merge group show, and what did people say to it?
import type { ControlActivities } from '../workflows/activities.ts';
import type { MemberPlan } from '../workflows/model/merge-group.ts';
import type { Store } from './store/store.ts';

type Request = Parameters<ControlActivities['readGroupRecord']>[0];

/** The newest plan of each project on each pull request; a pull request that never planned one is left out. */
export async function readGroupRecord(
  store: Store,
  { repository, members, projects }: Request,
): Promise<readonly MemberPlan[]> {
  const repositoryId = repository.id;
  const found = members.flatMap(({ number, author }) =>
    projects.map(async (project): Promise<readonly MemberPlan[]> => {
      const newest = await store.newestPlans.find({ repositoryId, number, project });
      if (newest === null) return [];
      const said = await store.approvals.read({ repositoryId, number }, project, newest.digest);
      return [{ number, author, project, ...newest, ...said }];
    }),
  );
  return (await Promise.all(found)).flat();
}
