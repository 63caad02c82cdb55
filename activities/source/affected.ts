// Which projects can a change to some files reach, and which does it end?
import { codeDirectory } from './code-map.ts';
import { upwards } from './listing.ts';
import type { ModifiedGlob } from './modified-glob.ts';
import type { RepositoryProject, RepositoryProjects } from './repository-projects.ts';

type Watch = { readonly project: RepositoryProject; readonly glob: ModifiedGlob };

/** The projects of `now` that a change to `changed` can reach, in the order of their names. */
export function findAffected(
  now: RepositoryProjects,
  before: RepositoryProjects,
  changed: readonly string[],
): RepositoryProject[] {
  const users = groupByPath(now.projects, (project) => project.inputs().paths);
  const watches = groupByPath(
    now.projects.flatMap((project) => project.whenModified.map((glob): Watch => ({ project, glob }))),
    ({ glob }) => [glob.below],
  );
  const affected = new Set<RepositoryProject>();
  for (const path of changed) {
    let shielded = false;
    for (const at of upwards(path)) {
      for (const { project, glob } of watches.get(at) ?? []) if (glob.matches(path)) affected.add(project);
      if (shielded) continue;
      for (const project of users.get(at) ?? []) {
        if (at === path || !project.foreign.has(path)) affected.add(project);
      }
      shielded = now.dirs.has(at) || before.dirs.has(at);
    }
  }
  return [...affected].sort(byName);
}

/** Projects of `before` whose directory has no code any more, or that nothing tells from a module any more. */
export function findDeleted(now: RepositoryProjects, before: RepositoryProjects): RepositoryProject[] {
  const left = new Set(now.projects.map(placeOf));
  return before.projects
    .filter((project) => !left.has(placeOf(project)))
    .filter(({ entry, dir }) => entry === null || codeDirectory(now.map, dir) === null)
    .sort(byName);
}

/**
 * Projects of `before` whose code stays, and that nothing plans any more once hatchet.yaml is what the pull request
 * makes of it: it lists them no longer, or lets them be found no longer. `after`: the projects by that file.
 */
export function findUnlisted(
  after: Pick<RepositoryProjects, 'projects'>,
  before: RepositoryProjects,
  deleted: readonly RepositoryProject[],
): RepositoryProject[] {
  const left = new Set([...after.projects, ...deleted].map(placeOf));
  return before.projects.filter((project) => !left.has(placeOf(project))).sort(byName);
}

/** Of `now`, each once, those that `before` does not have. */
export function findAdded(
  now: readonly RepositoryProject[],
  before: readonly RepositoryProject[],
): RepositoryProject[] {
  const known = new Set(before.map(placeOf));
  const added = now.filter((project) => !known.has(placeOf(project)));
  return [...new Map(added.map((project) => [placeOf(project), project])).values()].sort(byName);
}

/**
 * Projects of `after`, which hatchet.yaml has once it is what the pull request makes of it, that are not planned so
 * before: they are new, or are planned otherwise then.
 */
export function findActivated(
  { projects: after }: Pick<RepositoryProjects, 'projects'>,
  { projects: now }: Pick<RepositoryProjects, 'projects'>,
): RepositoryProject[] {
  const known = new Set(now.map(settingsOf));
  return after.filter((project) => !known.has(settingsOf(project))).sort(byName);
}

/** What a plan is made by, of all that hatchet.yaml can say. */
const settingsOf = ({ name, dir, workspace, engine, entry }: RepositoryProject): string =>
  JSON.stringify([
    name,
    dir,
    workspace,
    engine,
    entry?.version,
    entry?.var_files ?? [],
    entry?.pool ?? 'default',
  ]);

function groupByPath<Item>(
  items: readonly Item[],
  paths: (item: Item) => Iterable<string>,
): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    for (const path of paths(item)) {
      const group = groups.get(path);
      if (group === undefined) groups.set(path, [item]);
      else group.push(item);
    }
  }
  return groups;
}

const placeOf = ({ dir, workspace }: RepositoryProject): string => JSON.stringify([dir, workspace]);

function byName(left: RepositoryProject, right: RepositoryProject): number {
  return left.name < right.name ? -1 : 1;
}
