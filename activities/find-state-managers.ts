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

/** `number`: the pull request that would end it. */
type Ending = { readonly place: ProjectPlace; readonly lineage: string | null; readonly number: number };

/**
 * Who lives on, or was applied by a pull request that is still open, and was last planned with the same state: a state
 * keeps its lineage for life, also where it was copied. So only what the same pull request adds is called a move.
 */
export function managerOf(end: Ending, uses: readonly StateUse[], living: Living): StateManager | null {
  const { place, lineage, number } = end;
  const { projects, added } = living;
  const own = uses.filter((use) => isAt(place, use)).map((use) => use.lineage);
  const lineages = new Set((lineage === null ? own : [lineage]).filter((each) => each !== null));
  const others = uses.filter((use) => !isAt(place, use) && use.lineage !== null && lineages.has(use.lineage));
  const sharing = [...projects, ...added].filter((project) => others.some((use) => isAt(project, use)));
  const known = sharing.find((project) => !isAmong(added, project));
  const isGone = !isAmong(projects, place);
  const manager = known ?? sharing[0];
  if (manager !== undefined) {
    const moved = isGone && known === undefined ? ({ moved: true } as const) : {};
    return { kind: 'managed', project: manager.name, number: null, ...moved };
  }
  const applied = others.find((use) => use.appliedUnmerged && use.number !== number);
  if (applied !== undefined) return { kind: 'managed', project: applied.name, number: applied.number };
  return isGone ? unplannedOf(end, uses, living) : null;
}

/**
 * Of a project that is gone, a directory that the same pull request adds is a rename until its plan says otherwise;
 * workspaces of one directory never share a state.
 */
function unplannedOf(
  { place: { dir }, number }: Ending,
  uses: readonly StateUse[],
  { projects, added }: Living,
): StateManager | null {
  // What another pull request has once planned there was other code.
  const isPlanned = (project: Project): boolean =>
    uses.some((use) => use.number === number && isAt(project, use));
  const unplanned = added.find((project) => project.dir !== dir && !isPlanned(project));
  if (unplanned === undefined) return null;
  const inactive = isAmong(projects, unplanned) ? {} : ({ inactive: true } as const);
  return { kind: 'unplanned', project: unplanned.name, ...inactive };
}

const isAmong = (projects: readonly Project[], place: ProjectPlace): boolean =>
  projects.some((project) => isAt(place, project));

const isAt = (place: ProjectPlace, { dir, workspace }: Pick<Project, 'dir' | 'workspace'>): boolean =>
  place.dir === dir && place.workspace === workspace;
