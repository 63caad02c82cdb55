// Which modules did init find that a project's code does not name?
import type { Logger } from 'pino';
import type { RepositoryId } from '../../workflows/model/identifiers.ts';
import type { Inputs } from './inputs.ts';
import type { RepositoryProject, RepositoryProjects } from './repository-projects.ts';

export type PlannedPlace = {
  readonly dir: string;
  readonly workspace: string;
  /** Its code cannot be followed to the end: whatever its newest plan used may be used again. */
  readonly uncertain: boolean;
};

/** What the newest plan of a project was made from: directories of the repository, links resolved. */
export type PlannedModules = {
  readonly dir: string;
  readonly workspace: string;
  /** All that init found. */
  readonly moduleDirs: readonly string[];
  /** Those of them that the code it was made from does not name. */
  readonly missedModules: readonly string[];
};
/** Where nothing was missed, places that are not uncertain may be left out of the answer. */
export type ReadPlannedModules = (
  repository: RepositoryId,
  places: readonly PlannedPlace[],
) => Promise<readonly PlannedModules[]>;

type Deps = { readonly read: ReadPlannedModules; readonly log: Pick<Logger, 'info'> };

/**
 * The same projects; one for which init found more than its code names has those directories among its inputs, too, so
 * that anything below them changes it. The newest plan of a project may be of other code, in which it calls other
 * modules: of a project whose code can be followed, only those count that were missed in the very code that was planned.
 * The first such plan widens what the project stands for: it is then planned once more.
 */
export async function addPlannedModules(
  { read, log }: Deps,
  repository: RepositoryId,
  found: RepositoryProjects,
): Promise<RepositoryProjects> {
  const places = found.projects.map((project) => placeOf(found, project));
  const planned = new Map((await read(repository, places)).map((one) => [keyOf(one), one]));
  const projects = found.projects.map((project, index) => {
    const newest = planned.get(keyOf(project));
    const meant = places[index]?.uncertain === true ? newest?.moduleDirs : newest?.missedModules;
    const missed = (meant ?? []).filter((dir) => !project.inputs().modules.has(dir));
    if (missed.length === 0) return project;
    log.info({ repository, project: project.name, modules: missed }, 'modules that only init found');
    const inputs = widen(project.inputs(), missed);
    return { ...project, inputs: () => inputs };
  });
  return { ...found, projects };
}

/** Uncertain: a source that is computed when it runs, or code that only Terraform itself can read. */
function placeOf(
  { map }: RepositoryProjects,
  { dir, workspace, engine, inputs }: RepositoryProject,
): PlannedPlace {
  const { untraced, modules } = inputs();
  const isBroken = (module: string) => map.modules.get(module)?.said[engine].broken === true;
  return { dir, workspace, uncertain: untraced.length > 0 || [...modules].some(isBroken) };
}

const widen = (inputs: Inputs, dirs: readonly string[]): Inputs => ({
  ...inputs,
  paths: new Set([...inputs.paths, ...dirs]),
  modules: new Set([...inputs.modules, ...dirs]),
  foundByInit: new Set(dirs),
});

const keyOf = ({ dir, workspace }: { readonly dir: string; readonly workspace: string }): string =>
  JSON.stringify([dir, workspace]);
