// Which projects does a repository have?
import { posix } from 'node:path';
import { dependencyGraph, nameOf } from '../../workflows/model/configuration.ts';
import type { ConfigurationFile, ProjectEntry } from '../../workflows/model/configuration-schema.ts';
import type { DependencyGraph } from '../../workflows/model/dependency-graph.ts';
import { defaultProjectName, type Project } from '../../workflows/model/project.ts';
import { type CodeMap, codeDirectory, directoriesAround, engineOf } from './code-map.ts';
import { configurationPath } from './configuration-path.ts';
import { findInputs, type Inputs } from './inputs.ts';
import { directoryMatcher, type ModifiedGlob, parseModifiedGlob } from './modified-glob.ts';
import { loadedValues } from './modules.ts';

/** A project of one tree, with what can change its plan. */
export type RepositoryProject = Project & {
  /** Null for one that was found by its code alone. */
  readonly entry: ProjectEntry | null;
  readonly whenModified: readonly ModifiedGlob[];
  /** Files among its inputs that belong to others: hatchet.yaml, values of other projects in this directory. */
  readonly foreign: ReadonlySet<string>;
  /** Found when it is first asked for. */
  readonly inputs: () => Inputs;
};

export type RepositoryProjects = {
  readonly map: CodeMap;
  readonly projects: readonly RepositoryProject[];
  /** Also of those that hatchet.yaml lists and this tree has no code of. */
  readonly dependsOn: DependencyGraph;
  /** Their directories: the files there are nobody else's. */
  readonly dirs: ReadonlySet<string>;
  /** Directories around them. */
  readonly around: ReadonlySet<string>;
};

/** Root modules that hatchet.yaml does not list, where it lets them be found. */
export function discoveredDirectories(
  map: CodeMap,
  {
    autodiscover,
    projects,
  }: Pick<ConfigurationFile, 'autodiscover'> & { readonly projects: readonly { readonly dir: string }[] },
): string[] {
  if (autodiscover === false) return [];
  const listed = new Set(projects.flatMap(({ dir }) => [dir, codeDirectory(map, dir) ?? dir]));
  const { include, exclude } = autodiscover === true ? { include: ['**'], exclude: [] } : autodiscover;
  const [isIncluded, isExcluded] = [directoryMatcher(include), directoryMatcher(exclude)];
  return [...map.roots].filter((dir) => !listed.has(dir) && isIncluded(dir) && !isExcluded(dir));
}

/** Those that are listed, where their directory has code, and those that are found. */
export function findProjects(map: CodeMap, file: ConfigurationFile): RepositoryProjects {
  const listed = file.projects.filter(({ dir }) => codeDirectory(map, dir) !== null);
  const discovered = discoveredDirectories(map, file);
  const dirs = new Set([...listed.map(({ dir }) => dir), ...discovered]);
  const siblings = Map.groupBy(listed, ({ dir }) => dir);
  const projects = [
    ...listed.map((entry) => projectOf(map, dirs, entry.dir, entry, siblings.get(entry.dir) ?? [])),
    ...discovered.map((dir) => projectOf(map, dirs, dir, null, [])),
  ];
  return { map, projects, dependsOn: dependencyGraph(file), dirs, around: directoriesAround(dirs) };
}

function projectOf(
  map: CodeMap,
  dirs: ReadonlySet<string>,
  dir: string,
  entry: ProjectEntry | null,
  siblings: readonly ProjectEntry[],
): RepositoryProject {
  const engine = entry?.engine ?? engineOf(map, codeDirectory(map, dir) ?? dir);
  const varFiles = entry?.var_files ?? [];
  const whenModified = (entry?.when_modified ?? []).map((glob) => parseModifiedGlob(dir, glob));
  const workspace = entry?.workspace ?? 'default';
  let inputs: Inputs | null = null;
  return {
    name: entry === null ? defaultProjectName(dir, workspace) : nameOf(entry),
    ...{ dir, workspace, engine, entry },
    whenModified: whenModified.filter((glob) => glob !== null),
    foreign: new Set([configurationPath, ...valuesOfOthers(entry, siblings)]),
    inputs: () => {
      inputs ??= findInputs(map, { dir, engine, varFiles }, dirs);
      return inputs;
    },
  };
}

/** `dev.tfvars` says nothing to the project that is planned with `prod.tfvars` in the same directory. */
function valuesOfOthers(entry: ProjectEntry | null, siblings: readonly ProjectEntry[]): string[] {
  if (entry === null) return [];
  const own = new Set(entry.var_files.map((file) => posix.join(entry.dir, file)));
  return siblings
    .flatMap((other) => other.var_files.map((file) => posix.join(other.dir, file)))
    .filter((path) => !own.has(path) && !loadedValues.test(posix.basename(path)));
}
