// What is known of a project before it is planned?

import { dependenciesThrough } from '../../workflows/model/dependency-graph.ts';
import { maxDiagnosticsCarried } from '../../workflows/model/diagnostic.ts';
import type { AffectedProject } from '../../workflows/model/project.ts';
import { userError } from '../faults.ts';
import { findProblems } from './project-problems.ts';
import type { RepositoryProject, RepositoryProjects } from './repository-projects.ts';
import type { SmallFiles } from './small-files.ts';
import { createSourceDigests } from './source-digest.ts';
import { versionRequirement } from './version-requirement.ts';

/** Control characters, and the halves that stand for bytes that are no UTF-8. */
const unshowable = /[\p{Cc}\p{Cs}]/u;

/** Names of modules that travel with the projects of a pull request: ten for each of 500 projects, some 200 KB. */
const maxModulesCarried = 5_000;

/** In the same order. UserError: one has a name that cannot be shown. */
export async function describeProjects(
  repository: RepositoryProjects,
  projects: readonly RepositoryProject[],
  files: SmallFiles,
): Promise<AffectedProject[]> {
  const digestOf = createSourceDigests(repository);
  const here = new Set(projects.map(({ name }) => name));
  const modules = namedModules(projects);
  return Promise.all(
    projects.map(async (project, index): Promise<AffectedProject> => {
      const { name, dir, workspace, engine, entry } = project;
      if (unshowable.test(dir)) throw unnameable(dir);
      const version = await versionRequirement(repository.map, project, files);
      const varFiles = entry?.var_files ?? [];
      const pool = entry?.pool ?? 'default';
      const problems = await findProblems(repository.map, project, files);
      return {
        ...{ name, dir, workspace, engine, varFiles, version, pool },
        sourceDigest: digestOf(project, { workspace, engine, varFiles, version, pool }),
        dependsOn: dependenciesThrough(repository.dependsOn, name, here),
        ...modules[index],
        problems: problems.slice(0, maxDiagnosticsCarried),
      };
    }),
  );
}

/** Nothing for those for whom there is no room left. */
function namedModules(projects: readonly RepositoryProject[]): readonly Pick<AffectedProject, 'modules'>[] {
  let room = maxModulesCarried;
  return projects.map(({ dir, inputs }) => {
    const { modules, foundByInit } = inputs();
    const named = [...modules].filter((module) => module !== dir && !foundByInit.has(module));
    if (named.length > room) return {};
    room -= named.length;
    return { modules: named };
  });
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
