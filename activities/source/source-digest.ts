// Which files is a project planned from, as one number?
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { parseSourceDigest, type SourceDigest } from '../../workflows/model/identifiers.ts';
import { join, type Listing } from './listing.ts';
import type { ProjectMap, RootModule } from './root-modules.ts';
import type { TreeEntry } from './tree-cache.ts';

/**
 * SHA-256 over path, kind and object name of every file among a project's inputs, sorted by path. Nested projects
 * are left out unless they are an input by themselves.
 */
export function sourceDigest(map: ProjectMap, root: RootModule): SourceDigest {
  const files = new Map<string, TreeEntry>();
  for (const input of root.inputs) addFiles(map, root, input, files);
  const hash = createHash('sha256');
  for (const path of [...files.keys()].sort()) {
    const entry = files.get(path);
    // JSON escapes line feeds and lone surrogates, so that no two lists are written alike.
    hash.update(`${JSON.stringify([path, entry?.kind, entry?.sha])}\n`);
  }
  return parseSourceDigest(hash.digest('hex'));
}

function addFiles(map: ProjectMap, root: RootModule, path: string, files: Map<string, TreeEntry>): void {
  const entries = map.listing.directories.get(path);
  if (entries === undefined) {
    const entry = fileEntry(map.listing, path);
    if (entry !== undefined) files.set(path, entry);
    return;
  }
  for (const entry of entries) {
    const below = join(path, entry.name);
    if (entry.kind !== 'directory') files.set(below, entry);
    else if (!root.inputs.has(below) && !map.roots.has(below)) addFiles(map, root, below, files);
  }
}

function fileEntry(listing: Listing, path: string): TreeEntry | undefined {
  return listing.directories.get(posix.dirname(path))?.find((entry) => entry.name === posix.basename(path));
}
