// How do control processes come to a repository's policies, whichever of them fetched the commit?
import { createMemo } from '../source/memo.ts';
import type { ReadPolicies } from './judge-repository.ts';
import type { MirrorAccess } from './open-mirror.ts';
import { openWith } from './open-mirror.ts';
import type { RepositoryPolicies } from './repository-policies.ts';
import { readRepositoryPolicies } from './repository-policies.ts';

/** Each of a few texts; a base branch moves, and open pull requests stand on some of its last commits. */
const maxKept = 200;

export function createPolicyReader(access: MirrorAccess): ReadPolicies {
  const known = createMemo<RepositoryPolicies>(maxKept);
  return ({ repository, base, path }) =>
    known(JSON.stringify([repository.id, base, path]), async () => {
      const objects = await openWith(access, repository, [base]);
      return readRepositoryPolicies(objects, base, path);
    });
}
