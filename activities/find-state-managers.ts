// Is what a destroy would take down another project's, too?
import type { PlanId } from '../workflows/model/identifiers.ts';
import type { Project } from '../workflows/model/project.ts';
import type { StateManager } from '../workflows/model/state-manager.ts';
import type { ControlActivities } from '../workflows/port/control.ts';
import type { ProjectPlace } from '../workflows/port/record.ts';
import type { GitHub } from './github/client.ts';
import { originOf } from './inspect-pull-request.ts';
import type { Living, SourceInspector } from './source/inspect.ts';
import type { StateUse } from './store/state-use.ts';
import type { Store } from './store/store.ts';

export type ManagerDependencies = {
  readonly github: GitHub;
  readonly source: Pick<SourceInspector, 'findLiving'>;
  readonly store: Pick<Store, 'runs' | 'stateUses'>;
};

/** As the port says. */
export async function findStateManagers(
  { github, source, store }: ManagerDependencies,
  { ref, pullRequest, endings }: Question,
): Promise<readonly (StateManager | null)[]> {
  const origin = await originOf({ github }, ref);
  const [uses, living, lineages] = await Promise.all([
    store.stateUses.find(ref.repository.id),
    source.findLiving({ origin, pullRequest }),
    Promise.all(endings.map(({ planId }) => readLineage(store, planId))),
  ]);
  return endings.map((ending, index) =>
    managerOf({ place: ending, lineage: lineages[index] ?? null, number: ref.number }, uses, living),
  );
}

type Question = Parameters<ControlActivities['findStateManagers']>[0];

async function readLineage(
  { runs }: ManagerDependencies['store'],
  planId: PlanId | null,
): Promise<string | null> {
  return planId === null ? null : ((await runs.readPlan(planId)).state?.lineage ?? null);
}

/**
 * Who lives on, or was applied by a pull request that is still open, and was last planned with the same state: a state
 * keeps its lineage for life, also where it was copied. Of a project that is gone, a directory that the same pull request
 * adds is a rename until its plan says otherwise; workspaces of one directory never share a state.
 */
export function managerOf(
  end: { readonly place: ProjectPlace; readonly lineage: string | null; readonly number: number },
  uses: readonly StateUse[],
  { projects, added }: Living,
): StateManager | null {
  const { place, lineage, number } = end;
  const own = uses.filter((use) => isAt(place, use)).map((use) => use.lineage);
  const lineages = new Set((lineage === null ? own : [lineage]).filter((each) => each !== null));
  const others = uses.filter((use) => !isAt(place, use) && use.lineage !== null && lineages.has(use.lineage));
  const living = projects.find((project) => others.some((use) => isAt(project, use)));
  if (living !== undefined) return { kind: 'managed', project: living.name, number: null };
  const applied = others.find((use) => use.appliedUnmerged && use.number !== number);
  if (applied !== undefined) return { kind: 'managed', project: applied.name, number: applied.number };
  if (projects.some((project) => isAt(place, project))) return null;
  const unplanned = added.find(
    (project) => project.dir !== place.dir && !uses.some((use) => isAt(project, use)),
  );
  return unplanned === undefined ? null : { kind: 'unplanned', project: unplanned.name };
}

const isAt = (place: ProjectPlace, { dir, workspace }: Pick<Project, 'dir' | 'workspace'>): boolean =>
  place.dir === dir && place.workspace === workspace;
