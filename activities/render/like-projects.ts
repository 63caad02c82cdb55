// Which projects read the same, so that they are shown once?
import { createHash } from 'node:crypto';
import type { PlanChanges } from '../../workflows/model/change.ts';
import type { PlanId } from '../../workflows/model/identifiers.ts';
import type { ProjectView } from '../../workflows/model/view.ts';
import type { ChangeGroup } from './plan-diff.ts';
import { groupChanges } from './plan-diff.ts';
import { otherSentences } from './verdicts.ts';

/** Projects with the same changes, in table order. `groups` is null when the changes could not be read. */
export type LikeProjects = {
  readonly projects: readonly [ProjectView, ...ProjectView[]];
  readonly groups: readonly ChangeGroup[] | null;
};

/** A module that fifty projects share changes the same in each: said once, with their names. */
export function likeProjects(
  projects: readonly ProjectView[],
  changes: ReadonlyMap<PlanId, PlanChanges>,
): readonly LikeProjects[] {
  const changing = projects.filter(({ plan }) => plan?.hasChanges === true);
  const outlines = Map.groupBy(changing, outline);
  const likes = new Map<string, [ProjectView, ...ProjectView[]]>();
  for (const project of changing) {
    const alone = outlines.get(outline(project))?.length === 1;
    const key = alone ? project.name : likeness(project, changes);
    const found = likes.get(key);
    if (found === undefined) likes.set(key, [project]);
    else found.push(project);
  }
  return [...likes.values()].map((alike) => {
    const known = changesOf(alike[0], changes);
    return { projects: alike, groups: known === undefined ? null : groupChanges(known) };
  });
}

const changesOf = (
  { plan }: ProjectView,
  changes: ReadonlyMap<PlanId, PlanChanges>,
): PlanChanges | undefined => (plan === null ? undefined : changes.get(plan.id));

/** What can be compared without a look at the changes; those that differ here differ. */
function outline({ plan, status, verdicts }: ProjectView): string {
  const { counts, outputChanges, destroy, warnings } = plan ?? {};
  return JSON.stringify([status.kind, counts, outputChanges, destroy, warnings, otherSentences(verdicts)]);
}

/** A digest: the changes of a large plan are megabytes. */
function likeness(project: ProjectView, changes: ReadonlyMap<PlanId, PlanChanges>): string {
  const known = changesOf(project, changes);
  if (known === undefined) return project.name;
  return createHash('sha256').update(outline(project)).update(JSON.stringify(known)).digest('base64');
}
