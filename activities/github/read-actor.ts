// What may this person do in this repository at this moment?
import { z } from 'zod';
import type { Actor } from '../../workflows/model/actor.ts';
import type { Repository } from '../../workflows/model/repository.ts';
import { shareReadings } from '../share-readings.ts';
import type { GitHub } from './client.ts';

const permissionSchema = z.object({ permission: z.enum(['admin', 'write', 'read', 'none']) });
const membershipSchema = z.object({ state: z.enum(['active', 'pending']) });

type ActorRequest = {
  readonly repository: Repository;
  readonly login: string;
  readonly teams: readonly string[];
};

/** Asked live: rights that were taken away must not count for more than the second in which everybody gets one answer. */
export function createActorReader(github: GitHub): (request: ActorRequest) => Promise<Actor> {
  const permissionOf = shareReadings(
    ({ repository, login }: Pick<ActorRequest, 'repository' | 'login'>) =>
      readPermission(github, repository, login),
    ({ repository, login }) => `${repository.id}/${login.toLowerCase()}`,
  );
  const membershipOf = shareReadings(
    ({ repository, team, login }: Omit<ActorRequest, 'teams'> & { readonly team: string }) =>
      isMember(github, repository, team, login),
    ({ repository, team, login }) => `${repository.installationId}/${team}/${login}`.toLowerCase(),
  );
  return async ({ repository, login, teams }) => {
    const [permission, memberships] = await Promise.all([
      permissionOf({ repository, login }),
      Promise.all(
        teams.map(async (team) => ((await membershipOf({ repository, team, login })) ? [team] : [])),
      ),
    ]);
    return { login, permission, teams: memberships.flat() };
  };
}

/** `maintain` counts as write and `triage` as read, as GitHub itself maps them here. */
async function readPermission(
  github: GitHub,
  repository: Repository,
  username: string,
): Promise<Actor['permission']> {
  const { installationId, owner, name: repo } = repository;
  const route = 'GET /repos/{owner}/{repo}/collaborators/{username}/permission';
  const answer = await github.rest(installationId, route, { owner, repo, username });
  return answer === null ? 'none' : permissionSchema.parse(answer).permission;
}

/** `team` is `@org/slug`. A pending invitation is no membership. */
async function isMember(
  github: GitHub,
  repository: Repository,
  team: string,
  username: string,
): Promise<boolean> {
  const [org = '', team_slug = ''] = team.slice(1).split('/');
  const route = 'GET /orgs/{org}/teams/{team_slug}/memberships/{username}';
  const answer = await github.rest(repository.installationId, route, { org, team_slug, username });
  return answer !== null && membershipSchema.parse(answer).state === 'active';
}
