// What do the pull requests of a merge group show, what did people say to it, and does that still count?

import type { Actor } from '../workflows/model/actor.ts';
import type { MemberPlan } from '../workflows/model/merge-group.ts';
import { lossByReview } from '../workflows/model/review.ts';
import type { Standing } from '../workflows/model/standing.ts';
import type { ControlActivities } from '../workflows/port/control.ts';
import type { Store } from './store/store.ts';

export type GroupRecordDependencies = {
  readonly store: Pick<Store, 'newestPlans' | 'approvals' | 'overrides'>;
  readonly readStanding: ControlActivities['readStanding'];
  readonly readActor: ControlActivities['readActor'];
};

type Request = Parameters<ControlActivities['readGroupRecord']>[0];
type Member = Request['members'][number];

/**
 * The newest plan of each project on each pull request; a pull request that never planned one is left out. Whoever said
 * something has the rights of this moment, and a yes that reviews took back is gone: the merge will ask the same.
 */
export async function readGroupRecord(
  deps: GroupRecordDependencies,
  request: Request,
): Promise<readonly MemberPlan[]> {
  const found = await Promise.all(request.members.map((member) => readMember(deps, request, member)));
  return found.flat();
}

async function readMember(
  deps: GroupRecordDependencies,
  { repository, projects }: Request,
  { number, author }: Member,
): Promise<readonly MemberPlan[]> {
  const standing = await deps.readStanding({ ref: { repository, number }, mergeability: false });
  const { pushers, reviews, head } = standing;
  const place = { repositoryId: repository.id, number };
  const asToday = <Word extends { readonly actor: Actor }>(words: readonly Word[]): Promise<Word[]> =>
    Promise.all(
      words.map(async (word) => {
        const { login, teams } = word.actor;
        // A team that they were not in when they spoke gives them no voice now.
        return { ...word, actor: await deps.readActor({ repository, login, teams }) };
      }),
    );
  const plans = projects.map(async (project): Promise<readonly MemberPlan[]> => {
    const newest = await deps.store.newestPlans.find({ ...place, project });
    if (newest === null) return [];
    const [{ approvals, rejections }, overrides] = await Promise.all([
      deps.store.approvals.read(place, project, newest.digest),
      deps.store.overrides.read(place, project, newest.digest),
    ]);
    const standingYeses = approvals.filter((yes) => lossByReview(reviews, yes) === null);
    return [
      {
        ...{ number, author, pushers, project, ...newest, rejections },
        approvals: await asToday(standingYeses),
        overrides: await asToday(overrides),
        standing: { head, decision: standing.decision, reviews: approving(standing) },
      },
    ];
  });
  return (await Promise.all(plans)).flat();
}

/** Those that could meet `apply.require`: the rest need not be carried for each of many projects. */
const approving = ({ reviews, head }: Standing): Standing['reviews'] =>
  reviews.filter(({ state, commit }) => state === 'approved' && commit === head);
