// Which files differ between two trees?
import type { Sha } from '../../workflows/model/identifiers.ts';
import { checkSize, join } from './listing.ts';
import type { Objects } from './objects.ts';
import type { TreeEntry } from './tree-cache.ts';

/** Paths of the files that differ, sorted. UserError: more than any checkout could hold. */
export async function compareTrees(objects: Objects, left: Sha, right: Sha): Promise<string[]> {
  const changed: string[] = [];
  let count = 0;
  let level: { path: string; trees: readonly [Sha | null, Sha | null] }[] = [
    { path: '.', trees: [left, right] },
  ];
  while (level.length > 0) {
    const read = await Promise.all(level.map(({ trees }) => differingEntries(objects, trees)));
    const below: typeof level = [];
    for (const [index, { path: directory }] of level.entries()) {
      const differing = read[index] ?? [];
      count += differing.length;
      checkSize(count, directory);
      for (const [name, pair] of differing) {
        const path = join(directory, name);
        if (pair.some((entry) => entry !== undefined && entry.kind !== 'directory')) changed.push(path);
        if (pair.some((entry) => entry?.kind === 'directory'))
          below.push({ path, trees: [treeOf(pair[0]), treeOf(pair[1])] });
      }
    }
    level = below;
  }
  return changed.sort();
}

type Pair = readonly [TreeEntry | undefined, TreeEntry | undefined];

async function differingEntries(
  objects: Objects,
  [left, right]: readonly [Sha | null, Sha | null],
): Promise<readonly (readonly [string, Pair])[]> {
  if (left === right) return [];
  const before = left === null ? [] : await objects.readTree(left);
  const after = right === null ? [] : await objects.readTree(right);
  // Whole new or vanished directories are the many ones: no need to look names up there.
  if (left === null) return after.map((entry) => [entry.name, [undefined, entry]] as const);
  if (right === null) return before.map((entry) => [entry.name, [entry, undefined]] as const);
  const was = new Map(before.map((entry) => [entry.name, entry]));
  const is = new Map(after.map((entry) => [entry.name, entry]));
  return [...new Set([...was.keys(), ...is.keys()])]
    .map((name) => [name, [was.get(name), is.get(name)]] as const)
    .filter(([, [old, now]]) => old?.sha !== now?.sha || old?.kind !== now?.kind);
}

function treeOf(entry: TreeEntry | undefined): Sha | null {
  return entry?.kind === 'directory' ? entry.sha : null;
}
