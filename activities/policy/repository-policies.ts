// Which policies does a repository bring itself, as they are on its base branch?
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { isPolicyFile } from '../../workflows/model/edited-policies.ts';
import type { Sha } from '../../workflows/model/identifiers.ts';
import type { Objects } from '../source/objects.ts';
import type { TreeEntry } from '../source/tree-cache.ts';
import type { PolicySource } from './policy-source.ts';

/** `digest`: SHA-256 over names and texts, lowercase hex. `problem`: one sentence, without a full stop. */
export type RepositoryPolicies =
  | { readonly kind: 'found'; readonly digest: string; readonly sources: readonly PolicySource[] }
  | { readonly kind: 'unusable'; readonly problem: string };

/** Far more than any set of policies that is read by people; a checked-in dependency is no policy. */
const maxFiles = 300;
const maxFileBytes = 256 * 1024;
const maxEntries = 5_000;
/** The longest directory that git can check out on Linux has fewer segments. */
const maxDepth = 40;

type Place = { readonly tree: Sha; readonly called: string };
type Found = { readonly path: string; readonly sha: Sha };
class Unusable extends Error {}

/**
 * All `*.rego` files at or below `path` (relative to the repository) without tests, from git objects: nothing is
 * checked out and no link is followed. Rejects when the mirror does not have the commit.
 */
export async function readRepositoryPolicies(
  objects: Objects,
  base: Sha,
  path: string,
): Promise<RepositoryPolicies> {
  const commit = await objects.readCommit(base);
  if (commit === null) throw new Error(`commit ${base} is missing in the mirror`);
  return readPoliciesIn(objects, { tree: commit.tree, called: 'on the base branch' }, path);
}

/** As `readRepositoryPolicies`, from any tree; `called`: how people call it, after "there is no policies ". */
export async function readPoliciesIn(
  objects: Objects,
  place: Place,
  path: string,
): Promise<RepositoryPolicies> {
  try {
    const files = await filesAt(objects, place, path);
    if (files.length === 0) throw new Unusable(`there is no Rego file below ${path} ${place.called}`);
    const sources = await Promise.all(files.map((file) => readSource(objects, file)));
    const digest = createHash('sha256').update(JSON.stringify(sources)).digest('hex');
    return { kind: 'found', digest, sources };
  } catch (error) {
    if (error instanceof Unusable) return { kind: 'unusable', problem: error.message };
    throw error;
  }
}

async function filesAt(
  objects: Objects,
  { tree: root, called }: Place,
  path: string,
): Promise<readonly Found[]> {
  const clean = posix.normalize(path).replace(/\/$/, '');
  if (clean.startsWith('..') || clean.startsWith('/'))
    throw new Unusable(`${path} leads out of the repository`);
  let directory = root;
  const segments = clean === '.' ? [] : clean.split('/');
  for (const [index, segment] of segments.entries()) {
    const entry: TreeEntry | undefined = (await objects.readTree(directory)).find(
      ({ name }) => name === segment,
    );
    if (entry === undefined) throw new Unusable(`there is no ${path} ${called}`);
    const last = index === segments.length - 1;
    if (last && isPolicy(entry)) return [{ path: clean, sha: entry.sha }];
    if (entry.kind !== 'directory') throw new Unusable(`${path} is no directory of Rego files ${called}`);
    directory = entry.sha;
  }
  return filesBelow(objects, clean === '.' ? '' : `${clean}/`, directory);
}

/** Sorted by path, so that the same files always compile to the same bytes. */
async function filesBelow(objects: Objects, prefix: string, tree: Sha): Promise<readonly Found[]> {
  const found: Found[] = [];
  let entries = 0;
  let level: { prefix: string; tree: Sha }[] = [{ prefix, tree }];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw new Unusable(`${prefix} is deeper than ${maxDepth} directories`);
    const below: typeof level = [];
    for (const directory of level) {
      const listed = await objects.readTree(directory.tree);
      entries += listed.length;
      if (entries > maxEntries) throw new Unusable(`there are more than ${maxEntries} files below ${prefix}`);
      for (const entry of listed) {
        const path = `${directory.prefix}${entry.name}`;
        if (entry.kind === 'directory') below.push({ prefix: `${path}/`, tree: entry.sha });
        else if (isPolicy(entry)) found.push({ path, sha: entry.sha });
      }
    }
    level = below;
  }
  if (found.length > maxFiles)
    throw new Unusable(`there are more than ${maxFiles} Rego files below ${prefix}`);
  return found.sort((left, right) => (left.path < right.path ? -1 : 1));
}

/** A link could lead anywhere. */
const isPolicy = ({ name, kind }: TreeEntry): boolean =>
  (kind === 'file' || kind === 'executable') && isPolicyFile(name);

async function readSource(objects: Objects, { path, sha }: Found): Promise<PolicySource> {
  const bytes = await objects.readBlob(sha, maxFileBytes);
  if (bytes === null) throw new Error(`blob ${sha} is missing in the mirror`);
  if (bytes === 'too-large') throw new Unusable(`${path} is larger than ${maxFileBytes / 1024} KiB`);
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    throw new Unusable(`${path} is not valid UTF-8`);
  }
}
