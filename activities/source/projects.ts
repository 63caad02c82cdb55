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

/** In the same order. UserError: one has a name that cannot be shown. */
export async function describeProjects(
  repository: RepositoryProjects,
  projects: readonly RepositoryProject[],
  files: SmallFiles,
): Promise<AffectedProject[]> {
  const digestOf = createSourceDigests(repository);
  const here = new Set(projects.map(({ name }) => name));
  return Promise.all(
    projects.map(async (project): Promise<AffectedProject> => {
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
        problems: problems.slice(0, maxDiagnosticsCarried),
      };
    }),
  );
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
