// What is a project planned from, as one number?
import { createHash } from 'node:crypto';
import { parseSourceDigest, type SourceDigest } from '../../workflows/model/identifiers.ts';
import type { AffectedProject } from '../../workflows/model/project.ts';
import { directoriesAround } from './code-map.ts';
import { entryAt, join } from './listing.ts';
import type { ModifiedGlob } from './modified-glob.ts';
import type { RepositoryProject, RepositoryProjects } from './repository-projects.ts';

/** What decides on a plan beside the files; the pool because its runners have the credentials. */
export type PlanSettings = Pick<AffectedProject, 'workspace' | 'engine' | 'varFiles' | 'version' | 'pool'>;

type Line = readonly [path: string, kind: string, sha: string];

/**
 * SHA-256 over the settings, and over path, kind and object name of every file among a project's inputs. A directory
 * that is an input with all below it is one line, its tree's name; nested projects are left out unless they are an
 * input by themselves.
 */
export function createSourceDigests(repository: RepositoryProjects) {
  const globbed = new Map<string, string>();

  function globDigest(glob: ModifiedGlob): string {
    const known = globbed.get(glob.id);
    if (known !== undefined) return known;
    const digest = hash([...filesBelow(repository, glob.below)].filter(([path]) => glob.matches(path)));
    globbed.set(glob.id, digest);
    return digest;
  }

  return (project: RepositoryProject, settings: PlanSettings): SourceDigest => {
    const { workspace, engine, varFiles, version, pool } = settings;
    const lines = new Map<string, Line>();
    const split = directoriesAround(project.foreign);
    for (const input of project.inputs().paths) addLines(repository, project, split, input, lines);
    const said = [workspace, engine, varFiles, version?.constraint ?? null, pool];
    return parseSourceDigest(hash([said, project.whenModified.map(globDigest), ...inOrder(lines)]));
  };
}

function addLines(
  repository: RepositoryProjects,
  project: RepositoryProject,
  split: ReadonlySet<string>,
  path: string,
  lines: Map<string, Line>,
): void {
  const { listing } = repository.map;
  const tree = listing.trees.get(path);
  if (tree === undefined) {
    const entry = entryAt(listing, path);
    if (entry !== undefined) lines.set(path, [path, entry.kind, entry.sha]);
    return;
  }
  if (!repository.around.has(path) && !split.has(path)) {
    lines.set(path, [path, 'directory', tree]);
    return;
  }
  for (const { name, kind, sha } of listing.directories.get(path) ?? []) {
    const below = join(path, name);
    if (kind === 'directory') {
      if (!repository.dirs.has(below)) addLines(repository, project, split, below, lines);
    } else if (!project.foreign.has(below)) lines.set(below, [below, kind, sha]);
  }
}

function* filesBelow({ map: { listing } }: RepositoryProjects, path: string): Generator<Line> {
  const entries = listing.directories.get(path);
  const file = entries === undefined ? entryAt(listing, path) : undefined;
  if (file !== undefined) yield [path, file.kind, file.sha];
  const ahead = entries === undefined ? [] : [path];
  for (let at = ahead.pop(); at !== undefined; at = ahead.pop()) {
    for (const { name, kind, sha } of listing.directories.get(at) ?? []) {
      const below = join(at, name);
      if (kind === 'directory') ahead.push(below);
      else yield [below, kind, sha];
    }
  }
}

function inOrder(lines: ReadonlyMap<string, Line>): Line[] {
  return [...lines.values()].sort(([left], [right]) => (left < right ? -1 : 1));
}

/** JSON escapes line feeds and lone surrogates, so that no two lists are written alike. */
function hash(lines: readonly unknown[]): string {
  const sum = createHash('sha256');
  for (const line of lines) sum.update(`${JSON.stringify(line)}\n`);
  return sum.digest('hex');
}
