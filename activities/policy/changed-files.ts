// Which files does a pull request change, all of them?

import type { Sha } from '../../workflows/model/identifiers.ts';
import type { JudgeRequest } from '../../workflows/port/judgement.ts';
import { createMemo } from '../source/memo.ts';
import type { Objects } from '../source/objects.ts';
import { compareTrees } from '../source/tree-diff.ts';
import type { MirrorAccess } from './open-mirror.ts';
import { openWith } from './open-mirror.ts';

/** Paths, sorted. Rejects when the mirror has not got the commits and cannot get them. */
export type ReadChangedFiles = (
  request: Pick<JudgeRequest, 'repository' | 'changes'>,
) => Promise<readonly string[]>;

/** The projects of a pull request are judged one after the other; the list of a large one takes a megabyte. */
const maxKept = 10;

export function createChangedFilesReader(access: MirrorAccess): ReadChangedFiles {
  const known = createMemo<readonly string[]>(maxKept);
  return ({ repository, changes: { from, to } }) =>
    known([repository.id, from, to].join(':'), async () => {
      const objects = await openWith(access, repository, [from, to]);
      const [before, after] = await Promise.all([treeOf(objects, from), treeOf(objects, to)]);
      const changed = await compareTrees(objects, before, after);
      return changed.map((path) => path.toWellFormed());
    });
}

async function treeOf(objects: Objects, sha: Sha): Promise<Sha> {
  const commit = await objects.readCommit(sha);
  if (commit === null) throw new Error(`commit ${sha} is missing in the mirror`);
  return commit.tree;
}
