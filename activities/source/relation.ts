// Which of two commits comes after the other?
import type { Sha } from '../../workflows/model/identifiers.ts';
import { findMergeBase } from './merge.ts';
import type { Mirror } from './mirror.ts';

/** How one commit stands to another: it is an ancestor (`older`), a descendant (`newer`), or neither. */
export type Relation = 'same' | 'older' | 'newer' | 'diverged';

/** Both commits are in the mirror. */
export async function relateCommits(mirror: Mirror, mine: Sha, other: Sha): Promise<Relation> {
  if (mine === other) return 'same';
  const common = await findMergeBase(mirror, mine, other);
  if (common === mine) return 'older';
  return common === other ? 'newer' : 'diverged';
}
