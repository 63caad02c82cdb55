// Which files can the plan of a project depend on?
import { posix } from 'node:path';
import type { Engine } from '../../workflows/model/project.ts';
import { type CodeMap, codeDirectory, isLocal, versionFilePaths } from './code-map.ts';
import { resolvePath, upwards } from './listing.ts';

export type Inputs = {
  /** Files, and directories with all below them; also those that are not there (any more). */
  readonly paths: ReadonlySet<string>;
  /** Module directories whose code is read, links followed. */
  readonly modules: ReadonlySet<string>;
  /** Those of them that no code names, as far as it can be followed. */
  readonly foundByInit: ReadonlySet<string>;
  /** Files and directories that its code names, by their path as it is named. */
  readonly named: ReadonlySet<string>;
  /** Paths of module sources that are no directory of this tree. */
  readonly missing: ReadonlySet<string>;
  /** Modules whose source leaves the repository. */
  readonly outside: readonly OutsideCall[];
  /** Modules with a computed source, as `name in directory`. */
  readonly untraced: readonly string[];
};

/** `dir`: where the module is called. */
export type OutsideCall = { readonly name: string; readonly source: string; readonly dir: string };

/** More is a circle that passes through symbolic links and never repeats a path. */
const maxModulesPerProject = 2_000;

type Walk = {
  readonly map: CodeMap;
  readonly engine: Engine;
  readonly dir: string;
  readonly isProject: ReadonlySet<string>;
  readonly paths: Set<string>;
  readonly modules: Set<string>;
  readonly foundByInit: ReadonlySet<string>;
  readonly named: Set<string>;
  readonly missing: Set<string>;
  readonly outside: OutsideCall[];
  readonly untraced: string[];
  /** Directories of modules as their sources name them; grows while it is walked. */
  readonly reached: Set<string>;
};

/** `isProject`: directories whose files are nobody else's input, unless they are named as one. */
export function findInputs(
  map: CodeMap,
  project: { readonly dir: string; readonly engine: Engine; readonly varFiles: readonly string[] },
  isProject: ReadonlySet<string>,
): Inputs {
  const { dir, engine } = project;
  const empty = { paths: new Set<string>(), modules: new Set<string>(), named: new Set<string>() };
  const walk: Walk = {
    foundByInit: new Set(),
    ...{ map, engine, dir, isProject, ...empty },
    ...{ missing: new Set<string>(), outside: [], untraced: [], reached: new Set([dir]) },
  };
  for (const path of walk.reached) addModule(walk, path);
  for (const file of project.varFiles) addNamed(walk, posix.join(dir, file));
  addLinkTargets(walk);
  for (const file of versionFilePaths(dir)) walk.paths.add(file);
  return walk;
}

/** As both engines do, links are followed first; then what the code there names is joined to it as text. */
function addModule(walk: Walk, path: string): void {
  const { map, engine, reached } = walk;
  addPath(walk, path);
  const resolved = resolvePath(map.listing, path);
  if (resolved.kind !== 'directory') walk.missing.add(path);
  if (resolved.kind !== 'directory' || reached.size > maxModulesPerProject) return;
  walk.modules.add(resolved.path);
  const said = map.modules.get(resolved.path)?.said[engine];
  for (const call of said?.calls ?? []) {
    if (call.computed) addComputed(walk, resolved.path, call);
    else if (isLocal(call.source)) {
      const next = inTree(posix.join(resolved.path, call.source));
      if (next === null) walk.outside.push({ name: call.name, source: call.source, dir: resolved.path });
      else reached.add(next);
    }
  }
  const root = codeDirectory(map, walk.dir) ?? walk.dir;
  for (const read of said?.reads ?? []) {
    addNamed(walk, posix.join(read.from === 'module' ? resolved.path : root, read.path));
  }
}

/**
 * A source that only OpenTofu can compute, and only when it runs: every module below the directory that it begins
 * with, or every module of the repository, may be meant.
 */
function addComputed(
  walk: Walk,
  path: string,
  { name, source }: { readonly name: string; readonly source: string },
): void {
  walk.untraced.push(`${name} in ${path}`);
  if (source !== '' && !isLocal(source)) return;
  const beginning = posix.join(path, source.slice(0, source.lastIndexOf('/') + 1)).replace(/(.)\/$/, '$1');
  const isNamed =
    source !== '' && beginning !== '.' && !path.startsWith(`${beginning}/`) && path !== beginning;
  if (isNamed && inTree(beginning) === null) return;
  if (isNamed) addPath(walk, beginning);
  for (const dir of walk.map.modules.keys()) {
    if (isNamed ? dir === beginning || dir.startsWith(`${beginning}/`) : !walk.isProject.has(dir)) {
      walk.reached.add(dir);
    }
  }
}

function addNamed(walk: Walk, path: string): void {
  const clean = inTree(path.replace(/(.)\/$/, '$1'));
  if (clean === null) return;
  walk.named.add(clean);
  addPath(walk, clean);
}

/** The path, the links that it passes, and what they lead to. */
function addPath({ map: { listing }, paths }: Walk, path: string): void {
  paths.add(path);
  if (listing.links.size === 0) return;
  for (const above of upwards(path)) if (listing.links.has(above)) paths.add(above);
  const resolved = resolvePath(listing, path);
  if (resolved.kind === 'directory' || resolved.kind === 'file') paths.add(resolved.path);
}

/** Null for a path that leaves the repository. */
function inTree(path: string): string | null {
  const clean = path.replace(/(.)\/$/, '$1');
  return clean === '..' || clean.startsWith('../') || clean.startsWith('/') ? null : clean;
}

/** What links inside the inputs lead to is read through them; and so are the links found there. */
function addLinkTargets({ map: { listing }, isProject, paths }: Walk): void {
  const links = new Set(listing.links.keys());
  for (let size = -1; size !== paths.size; ) {
    size = paths.size;
    for (const link of links) {
      if (!covers(paths, isProject, link)) continue;
      links.delete(link);
      const resolved = resolvePath(listing, link);
      if (resolved.kind === 'directory' || resolved.kind === 'file') paths.add(resolved.path);
    }
  }
}

/** Nested projects are nobody else's input, unless they are named as one. */
function covers(paths: ReadonlySet<string>, isProject: ReadonlySet<string>, path: string): boolean {
  for (const at of upwards(path)) {
    if (paths.has(at)) return true;
    if (isProject.has(at)) return false;
  }
  return false;
}
