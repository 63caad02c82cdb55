// Does a path of `policies:` lead to policies?
import { posix } from 'node:path';
import { isPolicyFile } from '../../workflows/model/edited-policies.ts';
import { entryAt, join, type Listing } from './listing.ts';
import { isRegular } from './modules.ts';
import type { TreeEntry } from './tree-cache.ts';

/** What is wrong with the path, to follow its name; null for a policy or a directory of some. No link is followed. */
export function policyProblem(listing: Listing, path: string): string | null {
  const clean = posix.normalize(path).replace(/(.)\/$/, '$1');
  if (listing.directories.has(clean)) {
    if (hasFile(listing, clean, isPolicyFile)) return null;
    return hasFile(listing, clean, isRego) ? 'has no Rego files but tests' : 'has no Rego files';
  }
  const entry = entryAt(listing, clean);
  if (entry === undefined) return 'is not there';
  if (entry.kind === 'symlink')
    return 'is a symbolic link, which is not followed: name the place that it leads to';
  if (entry.kind === 'submodule') return 'is a Git submodule: Hatchet reads this repository only';
  if (isPolicyFile(entry.name)) return null;
  return isRego(entry.name) ? 'is a test, which judges nothing' : 'is neither a Rego file nor a directory';
}

const isRego = (name: string): boolean => name.endsWith('.rego');

function hasFile(listing: Listing, directory: string, isWanted: (name: string) => boolean): boolean {
  const isFound = (entry: TreeEntry): boolean =>
    entry.kind === 'directory'
      ? hasFile(listing, join(directory, entry.name), isWanted)
      : isRegular(entry) && isWanted(entry.name);
  return (listing.directories.get(directory) ?? []).some(isFound);
}
