// How does a project get its plan and its verdicts within a round?
import { isCancellation, log, uuid4 } from '@temporalio/workflow';
import type { Desk } from './desk.ts';
import { changeProject } from './desk.ts';
import type { RoundReason } from './model/again.ts';
import { rulesFor } from './model/configuration.ts';
import { parseRunId } from './model/identifiers.ts';
import type { Plan, PlanResult } from './model/plan.ts';
import type { AffectedProject } from './model/project.ts';
import type { PullRequest } from './model/pull-request.ts';
import { findProject, projectsFound } from './model/pull-request-state.ts';
import type { DeletedState, ProjectState, ProjectsFound } from './model/round.ts';
import { refuseEnd } from './model/state-manager.ts';
import { judgeOrTell, planOrTell } from './plan-or-tell.ts';
import type { PlanRequest } from './port/run.ts';
import { findStateManagers } from './proxies.ts';
import { tellProjects } from './telling-projects.ts';

/** One round's work: what it found belongs to it alone once a newer round has begun. */
export type RoundWork = {
  readonly desk: Desk;
  readonly roundId: string;
  readonly found: ProjectsFound;
  readonly pullRequest: PullRequest;
  readonly reason: RoundReason;
  /** The tree of the base, where deleted projects still are. */
  readonly baseTree: ProjectState['tree'];
};

const isOvertaken = ({ desk, roundId }: RoundWork): boolean => desk.state.round?.id !== roundId;

/** `others`: the round's other plans; whether an end may come is known when those are made. */
export async function planAndJudge(
  work: RoundWork,
  { project, tree, destroy }: ProjectState,
  others: Promise<unknown>,
): Promise<void> {
  const { desk, found } = work;
  const source = tree === null ? found.source : { ...found.source, tree };
  const runId = parseRunId(uuid4());
  changeProject(desk, project.name, { runId });
  const made = await planInRound(work, { runId, project, source, destroy });
  if (isOvertaken(work)) return;
  const result = await endUnlessManaged(work, made, others);
  if (isOvertaken(work)) return;
  const resultAt = new Date().toISOString();
  changeProject(desk, project.name, { result, resultAt, ...compare(desk, project, result) });
  if (result.kind === 'failed') return;
  await endOldWish(desk, project, result.plan.digest);
  await judgePlan(work, project.name, result.plan);
}

/** Also of a plan that was kept: until the answer is there, the old one is on show, and nothing is applied. */
export async function judgePlan(work: RoundWork, project: string, plan: Plan): Promise<void> {
  const { desk, found, pullRequest, reason } = work;
  const rules = rulesFor(found.configuration, project);
  const { verdicts, bundle } = await judgeOrTell({
    planId: plan.id,
    rules,
    base: found.source.base,
    repository: desk.state.ref.repository,
    pullRequest,
    changes: { from: found.forkedAt, to: found.source.head },
    trigger: pullRequest.state === 'merged' ? 'merge' : reason.kind === 'asked' ? 'asked' : 'changed',
  });
  // A newer round may have taken over while the policies were asked: its projects are none of ours.
  if (!isOvertaken(work)) changeProject(desk, project, { verdicts, bundle });
}

/** How many resources would stay: a plan of the project's end, from the code that it had. */
export async function countDeleted(work: RoundWork, deleted: DeletedState): Promise<DeletedState> {
  const { found, baseTree } = work;
  const { project } = deleted;
  const source = baseTree === null ? found.source : { ...found.source, tree: baseTree };
  const result = await planInRound(work, { runId: parseRunId(uuid4()), project, source, destroy: true });
  return { ...deleted, resources: result.kind === 'planned' ? result.plan.counts.destroy : 'unknown' };
}

/** Once everything is planned it is known which of them were only moved. */
export async function noteDeleted(work: RoundWork, deleted: readonly DeletedState[]): Promise<void> {
  const { desk, pullRequest } = work;
  const endings = deleted.map(({ project: { dir, workspace } }) => ({ dir, workspace, planId: null }));
  const managers = await findStateManagers({ ref: desk.state.ref, pullRequest, endings }).catch(
    (error: unknown) => {
      if (isCancellation(error)) throw error;
      // Their end is not planned before this is known: there it is asked again.
      log.error('nobody could say which states are managed elsewhere', { error });
      return [];
    },
  );
  const { round } = desk.state;
  const found = projectsFound(desk.state);
  if (isOvertaken(work) || round === null || found === null) return;
  const known = deleted.map(({ manager: _, open: __, ...each }, index) => {
    const manager = managers[index] ?? null;
    return manager === null ? each : { ...each, manager };
  });
  desk.state = { ...desk.state, round: { ...round, findings: { ...found, deleted: known } } };
}

/** Nothing of the end of a project is offered whose state another one manages. */
async function endUnlessManaged(
  { desk, pullRequest }: RoundWork,
  made: PlanResult,
  others: Promise<unknown>,
): Promise<PlanResult> {
  if (made.kind === 'failed' || !made.plan.destroy || !made.plan.hasChanges) return made;
  await others;
  const { id: planId, project, runId } = made.plan;
  const { dir, workspace, name } = project;
  try {
    const endings = [{ dir, workspace, planId }];
    const [manager] = await findStateManagers({ ref: desk.state.ref, pullRequest, endings });
    return manager === null ? made : refuseEnd(name, runId, manager ?? 'unknown');
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error('nobody could say whether a state is managed elsewhere', { runId, project: name, error });
    return refuseEnd(name, runId, 'unknown');
  }
}

/** A wish to apply was for one digest: what waits in a queue for another one is taken back. */
async function endOldWish(desk: Desk, project: AffectedProject, digest: string): Promise<void> {
  const apply = findProject(desk.state, project.name)?.apply;
  if (apply?.phase.kind !== 'queued' || apply.digest === digest) return;
  await tellProjects(desk, [project], { kind: 'withdraw', ref: desk.state.ref });
}

function planInRound(
  { desk, found }: RoundWork,
  wanted: Omit<PlanRequest, 'repository' | 'number'>,
): Promise<PlanResult> {
  const { repository, number } = desk.state.ref;
  const { timeout } = rulesFor(found.configuration, wanted.project.name).plan;
  return planOrTell({ repository, number, ...wanted }, { timeoutMs: timeout, waitMs: found.poolWaitMs });
}

/** Against the plan that was on show before: whose yes is gone and why, and does a merge need another look? */
function compare(
  { state }: Desk,
  project: AffectedProject,
  result: PlanResult,
): Pick<ProjectState, 'voided' | 'changedByMerge'> {
  const digest = result.kind === 'planned' ? result.plan.digest : null;
  // What could not be planned takes nothing back: the same plan may come of the next try.
  if (digest === null) return { voided: null, changedByMerge: false };
  const replaced = state.lost.filter(({ why }) => why === 'plan changed' || why === 'apply begun');
  const lost = [...replaced, ...state.approvals.map((yes) => ({ ...yes, login: yes.actor.login }))].filter(
    (yes) => yes.project === project.name && yes.digest !== digest,
  );
  const people = [...new Set(lost.map(({ login }) => login))];
  const merged = state.pullRequest?.state === 'merged';
  const changedByMerge = merged && !state.reviewed.includes(digest);
  const filesChanged = lost.at(-1)?.sourceDigest !== project.sourceDigest;
  const why = filesChanged ? "the project's files changed" : 'what exists or the base branch changed';
  const voided =
    people.length > 0
      ? `The approval of ${people.map((login) => `@${login}`).join(', ')} no longer counts: ${why}.`
      : null;
  return { voided, changedByMerge };
}
