// How do control processes come to a repository's policies, whichever of them fetched the commit?
import type { GitHub } from '../github/client.ts';
import { createMemo } from '../source/memo.ts';
import type { Mirrors } from '../source/mirror.ts';
import type { ReadPolicies } from './judge-repository.ts';
import type { RepositoryPolicies } from './repository-policies.ts';
import { readRepositoryPolicies } from './repository-policies.ts';

/** Each of a few texts; a base branch moves, and open pull requests stand on some of its last commits. */
const maxKept = 200;

/** Reads from the mirror; a process whose mirror does not have the commit yet fetches it. */
export function createPolicyReader(options: {
  readonly mirrors: Pick<Mirrors, 'open' | 'fetch'>;
  readonly github: Pick<GitHub, 'gitUrl' | 'gitToken'>;
}): ReadPolicies {
  const { mirrors, github } = options;
  const known = createMemo<RepositoryPolicies>(maxKept);
  return ({ repository, base, path }) =>
    known(JSON.stringify([repository.id, base, path]), async () => {
      const { objects } = await mirrors.open(repository.id);
      if (!(await objects.has(base))) {
        const origin = {
          repository: repository.id,
          url: github.gitUrl(repository),
          token: await github.gitToken(repository),
        };
        await mirrors.fetch(origin, { branches: [], pullRequests: [], commits: [base] });
      }
      return readRepositoryPolicies(objects, base, path);
    });
}
