// Which trees were read lately, and what do they hold?
import type { Sha } from '../../workflows/model/identifiers.ts';

/** `file` and `executable` differ by mode only; a `submodule`'s sha is a commit of another repository. */
export type EntryKind = 'file' | 'executable' | 'symlink' | 'directory' | 'submodule';
export type TreeEntry = { readonly name: string; readonly kind: EntryKind; readonly sha: Sha };

export type TreeCache = {
  get(sha: Sha): readonly TreeEntry[] | undefined;
  set(sha: Sha, entries: readonly TreeEntry[]): void;
};

/** About 40 MB; trees never change, and the next inspection of a repository reads nearly the same ones. */
const maxCachedEntries = 200_000;

/** Forgets the trees that were read first. */
export function createTreeCache(): TreeCache {
  const trees = new Map<Sha, readonly TreeEntry[]>();
  let entryCount = 0;
  return {
    get: (sha) => trees.get(sha),
    set(sha, entries) {
      if (trees.has(sha)) return;
      trees.set(sha, entries);
      entryCount += entries.length + 1;
      for (const [oldest, forgotten] of trees) {
        if (entryCount <= maxCachedEntries) break;
        trees.delete(oldest);
        entryCount -= forgotten.length + 1;
      }
    },
  };
}
