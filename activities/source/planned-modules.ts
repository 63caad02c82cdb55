// Which modules did init find that a project's code does not name?
import type { Logger } from 'pino';
import type { RepositoryId } from '../../workflows/model/identifiers.ts';
import type { Inputs } from './inputs.ts';
import type { RepositoryProject, RepositoryProjects } from './repository-projects.ts';

/** What the newest plan of a project was made from: directories of the repository, links resolved. */
export type PlannedModules = {
  readonly dir: string;
  readonly workspace: string;
  readonly moduleDirs: readonly string[];
};
export type ReadPlannedModules = (repository: RepositoryId) => Promise<readonly PlannedModules[]>;

type Deps = { readonly read: ReadPlannedModules; readonly log: Pick<Logger, 'info'> };

/**
 * The same projects; one whose code cannot be followed to the end has the directories among its inputs, too, that
 * its newest plan used, so that anything below them changes it. Nobody is asked where all code can be followed. The
 * first such plan widens what the project stands for: it is then planned once more.
 */
export async function addPlannedModules(
  { read, log }: Deps,
  repository: RepositoryId,
  found: RepositoryProjects,
): Promise<RepositoryProjects> {
  if (!found.projects.some((project) => isUncertain(found, project))) return found;
  const planned = new Map((await read(repository)).map((one) => [placeOf(one), one.moduleDirs]));
  const projects = found.projects.map((project) => {
    const { modules } = project.inputs();
    const missed = (planned.get(placeOf(project)) ?? []).filter((dir) => !modules.has(dir));
    if (missed.length === 0 || !isUncertain(found, project)) return project;
    log.info({ repository, project: project.name, modules: missed }, 'modules that only init found');
    const inputs = widen(project.inputs(), missed);
    return { ...project, inputs: () => inputs };
  });
  return { ...found, projects };
}

/** A source that is computed when it runs, or code that only Terraform itself can read. */
function isUncertain({ map }: RepositoryProjects, { engine, inputs }: RepositoryProject): boolean {
  const { untraced, modules } = inputs();
  return (
    untraced.length > 0 || [...modules].some((dir) => map.modules.get(dir)?.said[engine].broken === true)
  );
}

const widen = (inputs: Inputs, dirs: readonly string[]): Inputs => ({
  ...inputs,
  paths: new Set([...inputs.paths, ...dirs]),
  modules: new Set([...inputs.modules, ...dirs]),
});

const placeOf = ({ dir, workspace }: { readonly dir: string; readonly workspace: string }): string =>
  JSON.stringify([dir, workspace]);
