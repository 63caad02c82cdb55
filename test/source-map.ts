// What does a tree of plain files look like to the checks of hatchet.yaml?
import { posix } from 'node:path';
import { type CodeMap, mapCode } from '../activities/source/code-map.ts';
import type { Listing } from '../activities/source/listing.ts';
import type { Module } from '../activities/source/modules.ts';
import type { EntryKind, TreeEntry } from '../activities/source/tree-cache.ts';
import type { Sha } from '../workflows/model/identifiers.ts';

const sha = 'a'.repeat(40) as Sha;
const said = { state: true, provider: false, broken: false, calls: [], reads: [], requiredVersions: [] };
const rootModule: Module = {
  said: { terraform: said, tofu: said },
  ...{ onlyTofu: false, marked: false, pointers: [], strays: [] },
};

/** Every directory with a `.tf` file is a root module; a path that ends in `@` is a submodule, in `~` a link. */
export function mapOf(paths: readonly string[]): CodeMap {
  const directories = new Map<string, TreeEntry[]>([['.', []]]);
  for (const path of paths) addPath(directories, path);
  const listing: Listing = {
    directories,
    trees: new Map([...directories.keys()].map((directory) => [directory, sha])),
    links: new Map(),
  };
  const code = [...directories].filter(([, entries]) => entries.some(({ name }) => name.endsWith('.tf')));
  return mapCode(listing, new Map(code.map(([directory]) => [directory, rootModule])), new Map());
}

function addPath(directories: Map<string, TreeEntry[]>, path: string): void {
  const kinds: Readonly<Record<string, EntryKind>> = { '@': 'submodule', '~': 'symlink' };
  addEntry(directories, path.replace(/[@~]$/, ''), kinds[path.slice(-1)] ?? 'file');
}

function addEntry(directories: Map<string, TreeEntry[]>, path: string, kind: EntryKind): void {
  const above = posix.dirname(path);
  if (!directories.has(above)) {
    directories.set(above, []);
    addEntry(directories, above, 'directory');
  }
  const entries = directories.get(above);
  const name = posix.basename(path);
  if (entries?.some((entry) => entry.name === name) === false) entries.push({ name, kind, sha });
}
