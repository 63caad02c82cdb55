// How does a control process come to commits that another one may have fetched?

import type { Sha } from '../../workflows/model/identifiers.ts';
import type { Repository } from '../../workflows/model/repository.ts';
import type { GitHub } from '../github/client.ts';
import type { Mirrors } from '../source/mirror.ts';
import type { Objects } from '../source/objects.ts';

export type MirrorAccess = {
  readonly mirrors: Pick<Mirrors, 'open' | 'fetch'>;
  readonly github: Pick<GitHub, 'gitUrl' | 'gitToken'>;
};

/** The objects of the mirror; a process whose mirror lacks some of the commits fetches those. Errors as of `fetch`. */
export async function openWith(
  { mirrors, github }: MirrorAccess,
  repository: Repository,
  wanted: readonly Sha[],
): Promise<Objects> {
  const { objects } = await mirrors.open(repository.id);
  const there = await Promise.all(wanted.map((commit) => objects.has(commit)));
  const commits = wanted.filter((_, index) => there[index] === false);
  if (commits.length > 0) {
    const url = github.gitUrl(repository);
    const origin = { repository: repository.id, url, token: await github.gitToken(repository) };
    await mirrors.fetch(origin, { branches: [], pullRequests: [], commits });
  }
  return objects;
}
