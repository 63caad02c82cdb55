// Is everything applied, and does hatchet.yaml want the pull request merged then?
import { rulesFor } from './configuration.ts';
import type { PullRequestState } from './pull-request-state.ts';
import { projectsFound } from './pull-request-state.ts';
import { isApplied, isSettled } from './round.ts';

export type MergeMethod = 'merge' | 'squash' | 'rebase';

/**
 * Null where nothing is to be merged: all projects must want the same method, be applied by a comment and have nothing
 * left to do; one that the pull request deletes is somebody's decision.
 */
export function autoMergeMethod(state: PullRequestState): MergeMethod | null {
  const { pullRequest, round, autoMerge } = state;
  const found = projectsFound(state);
  if (found === null || pullRequest === null || round === null) return null;
  if (found.barred !== undefined) return null;
  if (pullRequest.state !== 'open' || pullRequest.draft || pullRequest.head !== round.head) return null;
  if (autoMerge?.head === pullRequest.head || found.deleted.length > 0) return null;
  if (!found.projects.every(isSettled) || !found.projects.some(isApplied)) return null;
  const rules = found.projects.map(({ project }) => rulesFor(found.configuration, project.name).apply);
  const [method = false, ...others] = [...new Set(rules.map(({ auto_merge }) => auto_merge))];
  return method === false || others.length > 0 || rules.some(({ on }) => on !== 'comment') ? null : method;
}
