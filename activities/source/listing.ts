// Which files does a tree hold, and where do its symbolic links lead?
import { posix } from 'node:path';
import type { Sha } from '../../workflows/model/identifiers.ts';
import { userError } from '../faults.ts';
import { isSafeName } from './file-name.ts';
import type { Objects, TreeEntry } from './objects.ts';

/** A whole tree in memory. Paths have `/` between segments; the root is `.`. */
export type Listing = {
  /** Each directory's entries, directories of the tree only: links are not followed. */
  readonly directories: ReadonlyMap<string, readonly TreeEntry[]>;
  /** What each symbolic link says, by its path. */
  readonly links: ReadonlyMap<string, string>;
};

export type Resolved =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly entry: TreeEntry }
  | { readonly kind: 'missing' }
  /** Leads out of the repository, or in a circle. */
  | { readonly kind: 'outside' };

/** Ten times the largest monorepos; a small pack can unfold to billions of entries. */
export const maxTreeEntries = 1_000_000;
/** PATH_MAX: nothing deeper can be checked out. */
const maxPathLength = 4096;
/** Linux gives up after 40 links on one way, too. */
const maxLinkHops = 40;

/** UserError: more than any checkout could hold, or names that git itself refuses to check out. */
export async function listTree(objects: Objects, tree: Sha): Promise<Listing> {
  const directories = new Map<string, readonly TreeEntry[]>();
  const linkEntries: { path: string; sha: Sha }[] = [];
  let count = 0;

  async function walk(sha: Sha, directory: string): Promise<void> {
    const entries = await objects.readTree(sha);
    count += entries.length;
    checkSize(count, directory);
    directories.set(directory, entries);
    const below: Promise<void>[] = [];
    for (const entry of entries) {
      if (!isSafeName(entry.name)) throw unsafeName(join(directory, entry.name));
      if (entry.kind === 'directory') below.push(walk(entry.sha, join(directory, entry.name)));
      else if (entry.kind === 'symlink')
        linkEntries.push({ path: join(directory, entry.name), sha: entry.sha });
    }
    await Promise.all(below);
  }

  await walk(tree, '.');
  const links = await Promise.all(
    linkEntries.map(async ({ path, sha }) => {
      const target = await objects.readBlob(sha, maxPathLength);
      return [path, Buffer.isBuffer(target) ? target.toString('utf8') : '/'] as const;
    }),
  );
  return { directories, links: new Map(links) };
}

/** Paths of the files that differ, in the order of the trees; `null` stands for an empty tree. */
export async function compareTrees(objects: Objects, left: Sha | null, right: Sha | null): Promise<string[]> {
  const changed: string[] = [];
  let count = 0;

  async function compare(leftTree: Sha | null, rightTree: Sha | null, directory: string): Promise<void> {
    if (leftTree === rightTree) return;
    const [before, after] = await Promise.all(
      [leftTree, rightTree].map(async (sha) => (sha === null ? [] : await objects.readTree(sha))),
    );
    const differing = differingNames(before ?? [], after ?? []);
    count += differing.length;
    checkSize(count, directory);
    const below: Promise<void>[] = [];
    for (const [name, pair] of differing) {
      const path = join(directory, name);
      if (pair.some((entry) => entry !== undefined && entry.kind !== 'directory')) changed.push(path);
      const [was, is] = pair.map((entry) => (entry?.kind === 'directory' ? entry.sha : null));
      if (was || is) below.push(compare(was ?? null, is ?? null, path));
    }
    await Promise.all(below);
  }

  await compare(left, right, '.');
  return changed.sort();
}

type Pair = readonly [TreeEntry | undefined, TreeEntry | undefined];

function differingNames(before: readonly TreeEntry[], after: readonly TreeEntry[]): [string, Pair][] {
  const was = new Map(before.map((entry) => [entry.name, entry]));
  const is = new Map(after.map((entry) => [entry.name, entry]));
  return [...new Set([...was.keys(), ...is.keys()])]
    .map((name): [string, Pair] => [name, [was.get(name), is.get(name)]])
    .filter(([, [old, now]]) => old?.sha !== now?.sha || old?.kind !== now?.kind);
}

/** Where a path leads when every symbolic link on the way is followed, as the file system would. */
export function resolvePath(listing: Listing, path: string): Resolved {
  const ahead = path.split('/').reverse();
  let here = '.';
  let hops = 0;
  let missing = false;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..' && here === '.') return { kind: 'outside' };
    here = name === '..' ? posix.dirname(here) : join(here, name);
    const target = listing.links.get(here);
    if (target === undefined) {
      missing ||= !listing.directories.has(here) && ahead.length > 0;
      continue;
    }
    hops += 1;
    if (hops > maxLinkHops || target.startsWith('/')) return { kind: 'outside' };
    ahead.push(...target.split('/').reverse());
    here = posix.dirname(here);
  }
  return missing ? { kind: 'missing' } : found(listing, here);
}

function found(listing: Listing, path: string): Resolved {
  if (listing.directories.has(path)) return { kind: 'directory', path };
  const entry = listing.directories
    .get(posix.dirname(path))
    ?.find((one) => one.name === posix.basename(path));
  return entry === undefined ? { kind: 'missing' } : { kind: 'file', path, entry };
}

/** The path itself, then every directory above it, the root last. */
export function* upwards(path: string): Generator<string> {
  let at = path;
  for (; at !== '.'; at = posix.dirname(at)) yield at;
  yield at;
}

/** `path.join` for what is already clean, without its cost. */
export function join(directory: string, name: string): string {
  return directory === '.' ? name : `${directory}/${name}`;
}

function checkSize(count: number, directory: string): void {
  if (count > maxTreeEntries) {
    throw userError([
      diagnostic(`More than ${maxTreeEntries} files`, 'The repository is too large to be planned.'),
    ]);
  }
  if (directory.length > maxPathLength) {
    throw userError([
      diagnostic('A path is too long', `${show(directory.slice(0, 200))}… cannot be checked out.`),
    ]);
  }
}

function unsafeName(path: string) {
  return userError([diagnostic('A file name is not allowed', `${show(path)} cannot be checked out.`)]);
}

function diagnostic(summary: string, detail: string) {
  return { severity: 'error', summary, detail } as const;
}

function show(path: string): string {
  return path.toWellFormed().slice(0, maxPathLength);
}
