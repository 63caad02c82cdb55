// What becomes of an apply that waits in line once a push was looked at, or somebody has taken back what it stands on?
import { log } from '@temporalio/workflow';
import type { Desk } from './desk.ts';
import { changeProject } from './desk.ts';
import type { ApplyGrant, Refusal } from './model/apply.ts';
import { grantApply, isGrant } from './model/apply.ts';
import type { RunId } from './model/identifiers.ts';
import type { ProjectRequest } from './model/lock.ts';
import type { PullRequest } from './model/pull-request.ts';
import { applyQuestion, findProject, knownProjects, projectsFound } from './model/pull-request-state.ts';
import type { Findings } from './model/round.ts';
import { planOf } from './model/round.ts';
import type { Wished } from './taking-turns.ts';
import { endWish } from './taking-turns.ts';
import { tellProjects } from './telling-projects.ts';

/**
 * What was granted for an older head is refused when its turn comes. Where the plan is the same, it is granted anew and
 * keeps its place; where it would not be granted any more, whoever wished it hears why at once.
 */
export async function renewQueued(desk: Desk): Promise<void> {
  for (const { project, apply } of knownProjects(desk.state)) {
    // Things go on while one of them is told: each is looked at as it is by then.
    const wished = apply === null ? null : stillQueued(desk, project.name, apply.runId);
    const request = wished === null ? null : renewal(desk, wished);
    if (request === null) continue;
    try {
      await tellProjects(desk, [project], request);
    } catch (error) {
      // It is refused with its reason when its turn comes.
      log.error('an apply in line could not be renewed', { project: project.name, error });
    }
  }
}

/** To be called when what was said is recorded: whoever wished what would not be granted any more hears why at once. */
export async function endUngranted(desk: Desk, name: string, runId: RunId): Promise<void> {
  const wished = stillQueued(desk, name, runId);
  const { pullRequest, ref } = desk.state;
  // While it is planned nobody knows yet, and after a merge its check says what is missing: its turn decides.
  if (wished === null || desk.planning !== null || pullRequest?.state !== 'open') return;
  const answer = grantApply(applyQuestion({ ...desk.state, pullRequest }, wished, wished.apply.trigger));
  if (isGrant(answer)) return;
  endWish(desk, wished, answer);
  await tellProjects(desk, [wished.project], { kind: 'withdraw', ref });
}

function stillQueued({ state }: Desk, name: string, runId: RunId): Wished | null {
  const project = findProject(state, name);
  if (project?.apply?.phase.kind !== 'queued' || project.apply.runId !== runId) return null;
  return { ...project, apply: project.apply };
}

/** Null where nothing is to be said of it: it stands as it was granted, or nobody knows yet. */
function renewal(desk: Desk, wished: Wished): ProjectRequest | null {
  const { project, apply } = wished;
  const { ref } = desk.state;
  // Whoever closed it waits for nothing any more, and what it holds is for others.
  if (desk.state.pullRequest?.state === 'closed') return { kind: 'withdraw', ref };
  const answer = answerNow(desk, wished);
  if (answer === null) return null;
  if (!isGrant(answer)) {
    endWish(desk, wished, answer);
    return { kind: 'withdraw', ref };
  }
  changeProject(desk, project.name, { apply: { ...apply, head: answer.head } });
  return { kind: 'renew', ref, runId: apply.runId, grant: answer };
}

function answerNow({ planning, state }: Desk, wished: Wished): ApplyGrant | Refusal | null {
  const { pullRequest, round } = state;
  if (planning !== null || pullRequest?.state !== 'open' || round?.head !== pullRequest.head) return null;
  const ask = () => grantApply(applyQuestion({ ...state, pullRequest }, wished, wished.apply.trigger));
  if (projectsFound(state) !== null && wished.result?.kind === 'failed') return ask();
  if (!isForOlderHead(wished, pullRequest)) return null;
  if (leavesNothing(round.findings))
    return { kind: 'stale', project: wished.project.name, reason: 'head moved' };
  // Its plan is of code that was taken out.
  if (wished.gone === true || projectsFound(state) === null) return null;
  return wished.verdicts !== null && planOf(wished)?.digest === wished.apply.digest ? ask() : null;
}

const isForOlderHead = ({ apply: { head } }: Wished, pullRequest: PullRequest): boolean =>
  head !== undefined && head !== pullRequest.head;

/** Only another push can bring a plan: what was granted before can never run. */
const leavesNothing = ({ kind }: Findings): boolean => kind === 'conflict' || kind === 'config-broken';
