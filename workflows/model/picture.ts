// What is there to see? The view of a pull request, computed from its whole state.

import { checksOf } from './picture-checks.ts';
import { headlineOf } from './picture-headline.ts';
import type { PullRequest } from './pull-request.ts';
import type { PullRequestState } from './pull-request-state.ts';
import { missingFor, projectsFound, rejectedBy } from './pull-request-state.ts';
import type { ApplyState, ProjectState, Round } from './round.ts';
import { planOf } from './round.ts';
import { blocks } from './verdict.ts';
import type { ProjectStatus, ProjectView, View } from './view.ts';

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
    baseSha: found?.source.base ?? null,
    roundId: round.id,
    headline,
    projects,
    deleted: [],
    checks: checksOf({ state, round, pullRequest, projects }),
    editsConfiguration: found?.editsConfiguration ?? false,
    plannedAt: round.plannedAt,
    comment: round.findings.kind !== 'inspecting' && headline.kind !== 'planning',
  };
}

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
    runId: plan?.runId ?? null,
    plan,
    verdicts: project.verdicts ?? [],
    approvedBy: state.approvals
      .filter((yes) => yes.project === project.project.name && yes.digest === plan?.digest)
      .map((yes) => yes.actor.login),
    voided: project.voided,
  };
}

/** How far one project is, the latest step first. */
export function statusOf(state: PullRequestState, project: ProjectState): ProjectStatus {
  const { result, verdicts, apply } = project;
  if (apply !== null) {
    const applying = applyStatus(apply);
    if (applying !== null) return applying;
  }
  if (result === null) {
    return state.round?.findings.kind === 'cancelled'
      ? { kind: 'cancelled' }
      : { kind: 'planning', since: null };
  }
  if (result.kind === 'failed') {
    return { kind: 'failed', diagnostics: result.diagnostics, diagnosticCount: result.diagnosticCount };
  }
  if (!result.plan.hasChanges) return { kind: 'no-changes' };
  if (verdicts === null) return { kind: 'judging' };
  if (verdicts.some(blocks)) return { kind: 'denied' };
  const no = rejectedBy(state, project);
  if (no !== null) return { kind: 'rejected', by: no };
  const missing = missingFor(state, project);
  return missing.length > 0 ? { kind: 'waiting-for-approval', missing } : { kind: 'ready' };
}

/** Null when the apply was refused: then the plan's own status is what counts. */
function applyStatus(apply: ApplyState): ProjectStatus | null {
  const { phase, trigger } = apply;
  switch (phase.kind) {
    case 'asked':
    case 'applying':
      return {
        kind: 'applying',
        since: phase.kind === 'applying' ? phase.startedAt : null,
        runId: apply.runId,
      };
    case 'queued':
      return { kind: 'queued', behind: phase.owner, position: phase.position, since: null };
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
      };
    case 'unknown':
      return { kind: 'unknown', reason: outcome.reason };
    case 'refused':
      return null;
    default:
      return outcome satisfies never;
  }
}
