// Which files does a tree hold, and where do its symbolic links lead?
import { posix } from 'node:path';
import type { Sha } from '../../workflows/model/identifiers.ts';
import { userError } from '../faults.ts';
import { decodeName, isSafeName } from './file-name.ts';
import type { Objects } from './objects.ts';
import type { TreeEntry } from './tree-cache.ts';

/** A whole tree in memory. Paths have `/` between segments; the root is `.`. */
export type Listing = {
  /** Each directory's entries, directories of the tree only: links are not followed. */
  readonly directories: ReadonlyMap<string, readonly TreeEntry[]>;
  /** The name of each directory's tree: equal names, equal content. */
  readonly trees: ReadonlyMap<string, Sha>;
  /** What each symbolic link says, by its path. */
  readonly links: ReadonlyMap<string, string>;
};

export type Resolved =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly entry: TreeEntry }
  | { readonly kind: 'missing' }
  /** Leads out of the repository, or in a circle. */
  | { readonly kind: 'outside' };

/** As many as the largest public monorepos hold; a small pack can unfold to billions of entries. */
const maxTreeEntries = 500_000;
/** PATH_MAX: nothing deeper can be checked out. */
const maxPathLength = 4096;
/** Linux gives up after 40 links on one way, too. */
const maxLinkHops = 40;

/** UserError: more than any checkout could hold, or names that git itself refuses to check out. */
export async function listTree(objects: Objects, tree: Sha): Promise<Listing> {
  const directories = new Map<string, readonly TreeEntry[]>();
  const trees = new Map<string, Sha>();
  const links: { path: string; sha: Sha }[] = [];
  let count = 0;
  let level: { path: string; sha: Sha }[] = [{ path: '.', sha: tree }];
  while (level.length > 0) {
    const read = await Promise.all(level.map(({ sha }) => objects.readTree(sha)));
    const below: typeof level = [];
    for (const [index, { path: directory, sha: own }] of level.entries()) {
      const entries = read[index] ?? [];
      directories.set(directory, entries);
      trees.set(directory, own);
      count += entries.length;
      checkSize(count, directory);
      for (const { name, kind, sha } of entries) {
        const path = join(directory, name);
        if (!isSafeName(name)) throw unsafeName(path);
        if (kind === 'directory') below.push({ path, sha });
        else if (kind === 'symlink') links.push({ path, sha });
      }
    }
    level = below;
  }
  const targets = await Promise.all(links.map(({ sha }) => readLink(objects, sha)));
  return {
    directories,
    trees,
    links: new Map(links.map(({ path }, index) => [path, targets[index] ?? '/'])),
  };
}

/** One that is too long to be followed counts as leading out. */
async function readLink(objects: Objects, sha: Sha): Promise<string> {
  const target = await objects.readBlob(sha, maxPathLength);
  return Buffer.isBuffer(target) ? decodeName(target) : '/';
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
  const entry = entryAt(listing, path);
  return entry === undefined ? { kind: 'missing' } : { kind: 'file', path, entry };
}

/** The path itself, then every directory above it, the root last. */
export function* upwards(path: string): Generator<string> {
  let at = path;
  for (; at !== '.'; at = posix.dirname(at)) yield at;
  yield at;
}

/** The entry of a path in its directory; links are not followed. */
export function entryAt(listing: Listing, path: string): TreeEntry | undefined {
  const name = posix.basename(path);
  return listing.directories.get(posix.dirname(path))?.find((entry) => entry.name === name);
}

/** `path.join` for what is already clean, without its cost. */
export function join(directory: string, name: string): string {
  return directory === '.' ? name : `${directory}/${name}`;
}

/** UserError: `count` entries, or a path as long as `directory`, cannot be checked out. */
export function checkSize(count: number, directory: string): void {
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
