// What does it depend on at a pull request, whether somebody may do something there?
import type { Target } from './authorize.ts';
import { defaultConfiguration } from './configuration.ts';
import type { PullRequest } from './pull-request.ts';
import type { PullRequestState } from './pull-request-state.ts';
import { authorsOf, knownProjects, projectsFound, rulesOf } from './pull-request-state.ts';
import type { Standing } from './standing.ts';

/** From a fork, or of somebody who may not write here: then a writer has to allow each commit. */
export const isOutside = (
  { fork }: Pick<PullRequest, 'fork'>,
  standing: Pick<Standing, 'authorMayWrite'> | null,
): boolean => fork || standing?.authorMayWrite === false;

export function targetOf(state: PullRequestState): Target {
  const { pullRequest, standing } = state;
  const rules = knownProjects(state).flatMap((project) => rulesOf(state, project));
  return {
    authors: authorsOf(state),
    outside: pullRequest !== null && isOutside(pullRequest, standing),
    authorMayApprove: rules.some(({ author }) => author),
    overrides: (projectsFound(state)?.configuration ?? defaultConfiguration).overrides,
  };
}
