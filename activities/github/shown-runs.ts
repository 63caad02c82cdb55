// Which runs does a picture name?
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import type { ProjectView, View } from '../../workflows/model/view.ts';
import type { ShownRun } from '../store/run.ts';

/** Each once, of all projects. */
export function shownRuns(view: View): readonly ShownRun[] {
  const all = [...brokenRuns(view), ...view.projects.flatMap(shownRunsOf)];
  return [...new Map(all.map((run) => [run.id, run])).values()];
}

/** The planning that failed before its projects were known: none, or one. */
export function brokenRuns({ headline }: Pick<View, 'headline'>): readonly ShownRun[] {
  if (headline.kind !== 'operator-error') return [];
  const id = headline.runId;
  return [{ id, kind: 'plan', project: '', running: false, said: brokenWords(id) }];
}

const brokenWords = (id: string): string => `Hatchet could not find out what there is to plan.

It could not read the pull request, fetch its commits or look into them. The code is not the cause.
Whoever runs Hatchet finds the cause in its log under ${id}; then comment /hatchet plan.
`;

/** The run that plans or planned the project, and the one that applies or applied it: the latest is the last. */
export function shownRunsOf(project: ProjectView): readonly ShownRun[] {
  return [...planRuns(project), ...applyRuns(project)];
}

/** The policies' answer belongs to the page of a plan: it is over when they have given it. */
function planRuns({ name, status, runId, plan }: ProjectView): readonly ShownRun[] {
  const running = status.kind === 'planning' || status.kind === 'judging';
  const said = status.kind === 'failed' ? { said: failureWords(status.diagnostics) } : {};
  const common = { kind: 'plan', project: name } as const;
  const earlier =
    plan === null || plan.runId === runId ? [] : [{ ...common, id: plan.runId, running: false }];
  return runId === null ? earlier : [...earlier, { ...common, id: runId, running, ...said }];
}

const failureWords = (diagnostics: readonly Diagnostic[]): string =>
  diagnostics.map(({ summary, detail }) => `${summary}\n${detail}\n`).join('\n');

/** Nobody writes their log but their runner: that one is kept says that Terraform is over. */
function applyRuns({ name, status }: ProjectView): readonly ShownRun[] {
  if (!('runId' in status) || status.runId === undefined) return [];
  return [{ kind: 'apply', project: name, id: status.runId, running: status.kind === 'applying' }];
}
