// What becomes of an apply that waits in line when a push changes nothing of its project?
import { log } from '@temporalio/workflow';
import type { Desk } from './desk.ts';
import { changeProject } from './desk.ts';
import { grantApply, isGrant } from './model/apply.ts';
import type { ProjectRequest } from './model/lock.ts';
import type { PullRequest } from './model/pull-request.ts';
import { applyQuestion, projectsFound } from './model/pull-request-state.ts';
import { planOf } from './model/round.ts';
import type { Wished } from './taking-turns.ts';
import { endWish } from './taking-turns.ts';
import { tellProjects } from './telling-projects.ts';

/**
 * What was granted for an older head is refused when its turn comes. Where the plan is the same, it is granted anew and
 * keeps its place; where it would not be granted any more, whoever wished it hears why at once.
 */
export async function renewQueued(desk: Desk): Promise<void> {
  const { pullRequest, round } = desk.state;
  if (desk.planning !== null || pullRequest?.state !== 'open' || round?.head !== pullRequest.head) return;
  const queued = (projectsFound(desk.state)?.projects ?? []).flatMap((project) =>
    project.apply?.phase.kind === 'queued' ? [{ ...project, apply: project.apply }] : [],
  );
  for (const wished of queued) {
    const { apply, verdicts, project } = wished;
    const same = verdicts !== null && planOf(wished)?.digest === apply.digest;
    if (!same || apply.head === undefined || apply.head === pullRequest.head) continue;
    const request = renewal(desk, wished, pullRequest);
    try {
      await tellProjects(desk, [project], request);
    } catch (error) {
      // It is refused with its reason when its turn comes.
      log.error('an apply in line could not be renewed', { project: project.name, error });
    }
  }
}

function renewal(desk: Desk, wished: Wished, pullRequest: PullRequest): ProjectRequest {
  const { project, apply } = wished;
  const { ref } = desk.state;
  const answer = grantApply(applyQuestion({ ...desk.state, pullRequest }, wished, apply.trigger));
  if (!isGrant(answer)) {
    endWish(desk, wished, answer);
    return { kind: 'withdraw', ref };
  }
  changeProject(desk, project.name, { apply: { ...apply, head: answer.head } });
  return { kind: 'renew', ref, runId: apply.runId, grant: answer };
}
