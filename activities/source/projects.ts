// Which projects can a change to some files reach, and which does it end?
import { type AffectedProject, defaultProjectName, type Project } from '../../workflows/model/project.ts';
import { userError } from '../faults.ts';
import { upwards } from './listing.ts';
import type { ProjectMap, RootModule } from './root-modules.ts';
import { sourceDigest } from './source-digest.ts';

const workspace = 'default';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what cannot be shown
const unshowable = /[\u0000-\u001f\u007f]/;

/** The projects that a change to `changed` can reach, in the order of their names. UserError: one has a name that cannot be shown. */
export function affectedProjects(
  map: ProjectMap,
  before: ProjectMap,
  changed: readonly string[],
): AffectedProject[] {
  const users = new Map<string, RootModule[]>();
  for (const root of map.roots.values()) {
    for (const input of root.inputs) users.set(input, [...(users.get(input) ?? []), root]);
  }
  const affected = new Set<RootModule>();
  for (const path of changed) {
    for (const at of upwards(path)) {
      for (const root of users.get(at) ?? []) affected.add(root);
      if (map.roots.has(at) || before.roots.has(at)) break;
    }
  }
  return [...affected].map((root) => toProject(map, root)).sort(byName);
}

/** Projects of `before` that are none any more. */
export function deletedProjects(map: ProjectMap, before: ProjectMap): AffectedProject[] {
  return [...before.roots.values()]
    .filter((root) => !map.roots.has(root.dir))
    .map((root) => toProject(before, root))
    .sort(byName);
}

function toProject(map: ProjectMap, root: RootModule): AffectedProject {
  const { dir, engine } = root;
  if (!dir.isWellFormed() || unshowable.test(dir)) throw unnameable(dir);
  return {
    name: defaultProjectName(dir, workspace),
    dir,
    workspace,
    engine,
    sourceDigest: sourceDigest(map, root),
    varFiles: [],
    version: null,
    pool: 'default',
    dependsOn: [],
    problems: [],
  };
}

function byName(left: Project, right: Project): number {
  return left.name < right.name ? -1 : 1;
}

function unnameable(dir: string) {
  return userError([
    {
      severity: 'error',
      summary: 'A project has a name that cannot be shown',
      detail: `The directory ${JSON.stringify(dir.toWellFormed())} has control characters or no valid UTF-8 in its name. Rename it.`,
    },
  ]);
}
