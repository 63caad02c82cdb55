// What is there to see? The view of a pull request, computed from its whole state.

import { isOneOf } from './approval.ts';
import { rulesFor } from './configuration.ts';
import { isForWantOf, openDependencies } from './dependencies.ts';
import { nothingEdited } from './edited-policies.ts';
import { checksOf } from './picture-checks.ts';
import { deletedProjects, isOpen } from './picture-deleted.ts';
import { headlineOf } from './picture-headline.ts';
import type { PullRequest } from './pull-request.ts';
import type { PullRequestState } from './pull-request-state.ts';
import {
  authorsOf,
  findProject,
  missingFor,
  projectsFound,
  rejectedBy,
  requirementQuestion,
  rulesOf,
  unmetFor,
  verdictsOf,
} from './pull-request-state.ts';
import { requirementsOf, unmetRequirements } from './requirement.ts';
import type { ApplyState, ProjectState, Round } from './round.ts';
import { isApplied, planOf, refusalOf } from './round.ts';
import { blocks } from './verdict.ts';
import type { AppliesOn, ProjectStatus, ProjectView, View } from './view.ts';

/** Null before the pull request was read for the first time and a round was begun. */
export function viewOf(state: PullRequestState): View | null {
  const { pullRequest, round } = state;
  if (round === null || pullRequest === null) return null;
  const found = projectsFound(state);
  const projects = (found?.projects ?? []).map((project) => projectView(state, project));
  const headline = headlineOf({ state, round, pullRequest, projects });
  return {
    repository: state.ref.repository,
    number: state.ref.number,
    nodeId: pullRequest.nodeId,
    author: pullRequest.author,
    sha: shownSha(pullRequest, round),
    head: round.head,
    base: pullRequest.base,
    baseSha: found === null ? null : (round.shownBase ?? found.source.base),
    roundId: round.shownId,
    ...(pullRequest.state === 'open' ? {} : { over: true as const }),
    headline,
    projects,
    deleted: found === null ? [] : deletedProjects(found),
    counting: (found?.deleted ?? []).filter(isOpen).map(({ project }) => project.name),
    checks: checksOf({ state, round, pullRequest, projects }),
    mergeRefusal: mergeRefusal(state, pullRequest),
    editsConfiguration: found?.editsConfiguration ?? false,
    inactiveEntries: found?.inactiveEntries ?? [],
    editedPolicies: found?.editedPolicies ?? nothingEdited,
    plannedAt: round.plannedAt,
    comment:
      round.findings.kind !== 'inspecting' &&
      (round.lasting || (headline.kind !== 'planning' && found?.deleted.some(isOpen) !== true)),
  };
}

/** Once somebody has merged it, or closed it, nothing is left to be done by hand. */
const mergeRefusal = ({ autoMerge }: PullRequestState, { head, state }: PullRequest): string | null =>
  state === 'open' && autoMerge?.head === head ? autoMerge.refusal : null;

/** After a merge the checks follow the apply on the merge commit. */
function shownSha(pullRequest: PullRequest, round: Round): View['sha'] {
  return pullRequest.state === 'merged' && pullRequest.mergeCommit !== null
    ? pullRequest.mergeCommit
    : round.head;
}

function projectView(state: PullRequestState, project: ProjectState): ProjectView {
  const plan = planOf(project);
  return {
    name: project.project.name,
    dir: project.project.dir,
    status: statusOf(state, project),
    runId: project.runId,
    plan,
    verdicts: verdictsOf(state, project) ?? [],
    required: requiredOf(state, project),
    ...wordsOn(state, project),
    leftBehind: project.leftBehind,
    voided: project.voided,
  };
}

function requiredOf(state: PullRequestState, project: ProjectState): ProjectView['required'] {
  const question = requirementQuestion(state, project);
  if (question === null || planOf(project)?.hasChanges !== true || isApplied(project)) return [];
  const unmet = unmetRequirements(question);
  return requirementsOf(question).map((requirement) => ({
    requirement,
    unmet: unmet.find(({ kind }) => kind === requirement) ?? null,
  }));
}

/** Who said yes to the plan on show, and whose yes to it is gone. Whoever pushed since is an author now. */
function wordsOn(state: PullRequestState, project: ProjectState): Pick<ProjectView, 'approvedBy' | 'lost'> {
  const { name } = project.project;
  const digest = planOf(project)?.digest;
  const isAbout = (each: { readonly project: string; readonly digest: string }): boolean =>
    each.project === name && each.digest === digest;
  const logins = state.approvals.filter(isAbout).map(({ actor }) => actor.login);
  const own = rulesOf(state, project).some(({ author }) => author) ? [] : authorsOf(state);
  return {
    approvedBy: logins.filter((login) => !isOneOf(own, login)),
    lost: [
      ...state.lost.filter(isAbout).map(({ login, why }) => ({ login, why })),
      ...logins
        .filter((login) => isOneOf(own, login))
        .map((login) => ({ login, why: 'pushed since' as const })),
    ],
  };
}

/** How far one project is, the latest step first. */
export function statusOf(state: PullRequestState, project: ProjectState): ProjectStatus {
  const { result, apply } = project;
  const verdicts = verdictsOf(state, project);
  const before = dependenciesOf(state, project);
  if (apply !== null) {
    const applying =
      apply.phase.kind === 'held' ? heldStatus(state, project, before) : applyStatus(apply, apply.phase);
    if (applying !== null) return applying;
  }
  const refusal = refusalOf(project);
  if (refusal?.kind === 'superseded') return { kind: 'superseded', by: refusal.by };
  const stopped = refusal?.kind === 'dependency-failed' ? refusal.dependencies : [];
  const failed = stopped.filter((name) => before.includes(name) && wasTried(state, name));
  if (failed.length > 0) return { kind: 'stopped', projects: failed };
  if (result === null) {
    const locked = lockedStatus(state, project);
    if (locked !== null) return locked;
    return state.round?.findings.kind === 'cancelled' ? { kind: 'cancelled' } : planningStatus(project);
  }
  if (result.kind === 'failed') {
    const { diagnostics, diagnosticCount } = result;
    return isForWantOf(project, before)
      ? { kind: 'after', projects: before, since: project.since, diagnostics, diagnosticCount }
      : { kind: 'failed', diagnostics, diagnosticCount };
  }
  if (!result.plan.hasChanges) return { kind: 'no-changes' };
  if (project.unwritten !== undefined) return { kind: 'state-unwritten', state: project.unwritten };
  if (verdicts === null) return { kind: 'judging' };
  if (projectsFound(state)?.barred !== undefined) return { kind: 'barred' };
  if (verdicts.some(blocks)) return { kind: 'denied' };
  const no = rejectedBy(state, project);
  if (no !== null) return { kind: 'rejected', by: no };
  const missing = missingFor(state, project);
  const applies = appliesOn(state, project);
  const planned = project.resultAt === undefined ? {} : { plannedAt: project.resultAt };
  if (missing.length > 0) return { kind: 'waiting-for-approval', missing, applies, ...planned };
  const unmet = unmetFor(state, project);
  return unmet.length > 0
    ? { kind: 'waiting-for-requirements', unmet, applies, ...planned }
    : { kind: 'ready', applies };
}

/** Its run is under way, or waits for a runner that has room for it. */
function planningStatus({ project, since, takenAt }: ProjectState): ProjectStatus {
  return takenAt === null
    ? { kind: 'planning', since, waitsFor: project.pool }
    : { kind: 'planning', since: takenAt ?? since };
}

/** Its apply did not come to an end that lets others go on, and no newer plan is there. */
function wasTried(state: PullRequestState, name: string): boolean {
  const phase = findProject(state, name)?.apply?.phase;
  return phase?.kind === 'over' && phase.outcome.kind !== 'applied';
}

const dependenciesOf = (state: PullRequestState, { project }: ProjectState): readonly string[] =>
  openDependencies(projectsFound(state)?.projects ?? [], project.name);

/** Null when nothing is in its way any more: its plan is made anew. */
function heldStatus(
  state: PullRequestState,
  { turn, apply }: ProjectState,
  projects: readonly string[],
): ProjectStatus | null {
  const held = apply?.phase.kind === 'held' ? apply.phase.since : undefined;
  const since = held === undefined ? {} : { since: held };
  if (projects.length > 0) return { kind: 'held', projects, ...since };
  if (turn?.kind === 'behind') return { ...turn, kind: 'queued', behind: turn.owner };
  if (apply === null || turn === null || turn.kind === 'yours') return null;
  const before = waitingProjects(state).map(({ project }) => project.name);
  return before.length > 0
    ? { kind: 'held', projects: before, ...since }
    : { kind: 'applying', since: null, ...(held === undefined ? {} : { askedAt: held }), runId: apply.runId };
}

/** The projects at which the pull request waits in line. */
const waitingProjects = (state: PullRequestState): readonly ProjectState[] =>
  (projectsFound(state)?.projects ?? []).filter(
    ({ turn, apply }) => turn?.kind === 'behind' || apply?.phase.kind === 'queued',
  );

/** Where the lock comes before the plan, and somebody else has it. */
function lockedStatus(state: PullRequestState, { project, turn }: ProjectState): ProjectStatus | null {
  const found = projectsFound(state);
  if (found === null || rulesFor(found.configuration, project.name).lock !== 'plan') return null;
  const [first] = turn?.kind === 'wanted' ? waitingProjects(state) : [];
  const at = first ?? { project, turn };
  return at.turn?.kind === 'behind' ? { ...at.turn, kind: 'locked', project: at.project.name } : null;
}

function appliesOn(state: PullRequestState, { project }: ProjectState): AppliesOn {
  const found = projectsFound(state);
  return found === null ? 'merge' : rulesFor(found.configuration, project.name).apply.on;
}

type Phase = Exclude<ApplyState['phase'], { kind: 'held' }>;

/** Null when the apply was refused: then the plan's own status is what counts. */
function applyStatus(apply: ApplyState, phase: Phase): ProjectStatus | null {
  const { trigger } = apply;
  switch (phase.kind) {
    case 'asked':
      return {
        kind: 'applying',
        since: null,
        ...(phase.since === undefined ? {} : { askedAt: phase.since }),
        runId: apply.runId,
      };
    case 'applying':
      return { kind: 'applying', since: phase.startedAt, runId: apply.runId };
    case 'queued':
      return { kind: 'queued', behind: phase.owner, position: phase.position, since: phase.since };
    case 'over':
      break;
    default:
      return phase satisfies never;
  }
  const { outcome } = phase;
  switch (outcome.kind) {
    case 'applied':
      return {
        kind: 'applied',
        ...(phase.startedAt === null ? {} : { startedAt: phase.startedAt }),
        at: outcome.finishedAt,
        by: trigger.actor,
        on: trigger.kind,
        runId: outcome.runId,
      };
    case 'failed':
      return {
        kind: 'apply-failed',
        diagnostics: outcome.diagnostics,
        diagnosticCount: outcome.diagnosticCount,
        done: outcome.done,
        total: outcome.total,
        ...(outcome.stateKept ? { stateKept: true } : {}),
        ...(outcome.stateOnRunner ? { stateOnRunner: true } : {}),
        runId: outcome.runId,
      };
    case 'unknown':
      return {
        kind: 'unknown',
        reason: outcome.reason,
        runId: outcome.runId,
        ...(outcome.finding === undefined ? {} : { finding: outcome.finding }),
      };
    case 'refused':
      return null;
    default:
      return outcome satisfies never;
  }
}
