// Which runs does a picture name?
import type { ProjectView, View } from '../../workflows/model/view.ts';
import type { ShownRun } from '../store/run.ts';

/** Each once, of all projects. */
export function shownRuns({ projects }: View): readonly ShownRun[] {
  const all = projects.flatMap(shownRunsOf);
  return [...new Map(all.map((run) => [run.id, run])).values()];
}

/** The run that plans or planned the project, and the one that applies or applied it: the latest is the last. */
export function shownRunsOf(project: ProjectView): readonly ShownRun[] {
  return [...planRuns(project), ...applyRuns(project)];
}

/** The policies' answer belongs to the page of a plan: it is over when they have given it. */
function planRuns({ name, status, runId, plan }: ProjectView): readonly ShownRun[] {
  const running = status.kind === 'planning' || status.kind === 'judging';
  const common = { kind: 'plan', project: name } as const;
  const earlier =
    plan === null || plan.runId === runId ? [] : [{ ...common, id: plan.runId, running: false }];
  return runId === null ? earlier : [...earlier, { ...common, id: runId, running }];
}

function applyRuns({ name, status }: ProjectView): readonly ShownRun[] {
  if (!('runId' in status) || status.runId === undefined) return [];
  return [{ kind: 'apply', project: name, id: status.runId, running: status.kind === 'applying' }];
}
