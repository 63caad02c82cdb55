// How is a pull request planned? Inspect, then plan and judge each project side by side; the newest head wins.
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  log,
  sleep,
  TimeoutFailure,
  uuid4,
} from '@temporalio/workflow';
import type { Inspection } from './activities.ts';
import type { Desk } from './desk.ts';
import { changeProject } from './desk.ts';
import { rulesFor } from './model/configuration.ts';
import type { Diagnostic } from './model/diagnostic.ts';
import type { RunId } from './model/identifiers.ts';
import { parseRunId } from './model/identifiers.ts';
import type { PlanResult } from './model/plan.ts';
import type { AffectedProject } from './model/project.ts';
import type { PullRequest } from './model/pull-request.ts';
import { findProject, projectsFound, withPullRequest } from './model/pull-request-state.ts';
import type { Findings, ProjectState, ProjectsFound } from './model/round.ts';
import { isApplied, isUnderWay, isUnknown, planOf } from './model/round.ts';
import type { Verdict } from './model/verdict.ts';
import { askProject, inspect, judge, planProjectIn } from './proxies.ts';
import { defaultPool } from './queues.ts';

/** Why a round begins. `asked`: `only` names what is planned again; empty = all. */
export type RoundReason =
  | { readonly kind: 'changed' }
  | { readonly kind: 'asked'; readonly only: readonly string[] };

/** Cancels the round under way and begins another. Resolves when it is over or was overtaken by a newer one. */
export async function beginRound(desk: Desk, reason: RoundReason): Promise<'finished' | 'overtaken'> {
  desk.planning?.cancel();
  const scope = new CancellationScope();
  desk.planning = scope;
  const before = projectsFound(desk.state) ?? desk.state.round?.before ?? null;
  desk.state = { ...desk.state, round: freshRound(desk, before) };
  desk.stale = true;
  try {
    await scope.run(() => runRound(desk, scope, reason));
    return desk.planning === scope ? 'finished' : 'overtaken';
  } catch (error) {
    if (desk.planning !== scope) return 'overtaken';
    if (!isCancellation(error)) findNothing(desk, error);
    return 'finished';
  } finally {
    // Whatever still runs after a failure must not run on.
    scope.cancel();
    if (desk.planning === scope) {
      desk.planning = null;
      desk.stale = true;
    }
  }
}

/** While an apply runs, its project stays on the picture. */
function freshRound(desk: Desk, before: ProjectsFound | null): NonNullable<Desk['state']['round']> {
  const { pullRequest, round } = desk.state;
  if (pullRequest === null) throw ApplicationFailure.nonRetryable('a round needs a pull request');
  const busy = before?.projects.some(isUnderWay);
  return {
    id: parseRunId(uuid4()),
    head: pullRequest.head,
    findings: before !== null && busy ? before : { kind: 'inspecting' },
    before,
    plannedAt: round?.plannedAt ?? null,
  };
}

/** An operator's problem, or one that retries did not mend: people get a neutral line, the log the cause. */
function findNothing(desk: Desk, error: unknown): void {
  const { round } = desk.state;
  if (round === null) return;
  log.error('planning failed', { runId: round.id, error });
  desk.state = { ...desk.state, round: { ...round, findings: { kind: 'operator-error', runId: round.id } } };
}

async function runRound(desk: Desk, scope: CancellationScope, reason: RoundReason): Promise<void> {
  const inspection = await inspect({ ref: desk.state.ref });
  // The answer can come in the same moment as a newer push or a cancel.
  if (desk.planning !== scope) return;
  const before = projectsFound(desk.state) ?? desk.state.round?.before ?? null;
  desk.state = withPullRequest(desk.state, inspection.pullRequest);
  const findings = assess(desk, inspection, reason, before);
  const { round } = desk.state;
  if (round === null) return;
  desk.state = { ...desk.state, round: { ...round, head: inspection.pullRequest.head, findings } };
  if (findings.kind !== 'projects') return;
  const open = findings.projects.filter((project) => project.result === null);
  const telling = tellProgress(desk);
  await Promise.all(
    open.map((project) => planAndJudge(desk, inspection.pullRequest, project.project, reason)),
  ).finally(() => telling.cancel());
  finishRound(desk);
}

/** A quick plan is shown once, when it is finished; whoever waits longer is told how far it is, ever less often. */
const firstProgressMs = 5_000;
const maxProgressMs = 60_000;

function tellProgress(desk: Desk): CancellationScope {
  const scope = new CancellationScope();
  const tick = async (): Promise<void> => {
    for (let wait = firstProgressMs; ; wait = Math.min(wait * 2, maxProgressMs)) {
      await sleep(wait);
      desk.stale = true;
    }
  };
  // It only ever ends by being cancelled.
  scope.run(tick).catch(() => undefined);
  return scope;
}

function finishRound(desk: Desk): void {
  const { round } = desk.state;
  if (round !== null)
    desk.state = { ...desk.state, round: { ...round, plannedAt: new Date().toISOString() } };
}

/** What there is to plan, or why there is nothing. */
function assess(
  desk: Desk,
  inspection: Inspection,
  reason: RoundReason,
  before: ProjectsFound | null,
): Findings {
  const { pullRequest, configuration, source, edited } = inspection;
  if (source.kind === 'closed') return remains(before);
  if (configuration.kind === 'broken')
    return { kind: 'config-broken', where: 'base', problems: configuration.problems };
  if (edited !== null && edited.problems.length > 0) {
    return { kind: 'config-broken', where: 'head', problems: edited.problems };
  }
  if (source.kind === 'conflict') return { kind: 'conflict', files: source.files };
  const affected = source.projects.length > 0 && pullRequest.state === 'open';
  if (affected && pullRequest.draft && reason.kind !== 'asked') return { kind: 'draft' };
  if (affected && pullRequest.fork && desk.state.allowedHead !== pullRequest.head) return { kind: 'fork' };
  return {
    kind: 'projects',
    source: source.source,
    configuration: configuration.configuration,
    changedFiles: inspection.changedFiles,
    editsConfiguration: edited !== null,
    projects: [
      ...source.projects.map((project) => startProject(desk, project, reason, before)),
      ...leftUnderWay(source.projects, before),
    ],
  };
}

/** Of a closed pull request only what was asked to be applied is still to be seen. */
function remains(before: ProjectsFound | null): Findings {
  const projects = (before?.projects ?? []).filter(({ apply, result }) => apply !== null && result !== null);
  return before === null || projects.length === 0 ? { kind: 'cancelled' } : { ...before, projects };
}

/** What is being applied stays on the picture, also when the newest commit no longer touches it. */
function leftUnderWay(
  now: readonly AffectedProject[],
  before: ProjectsFound | null,
): readonly ProjectState[] {
  const gone = (before?.projects ?? []).filter(
    ({ project }) => !now.some(({ name }) => name === project.name),
  );
  return gone.filter((project) => project.result !== null && (isUnderWay(project) || isUnknown(project)));
}

/** A project keeps its plan where nothing can have changed it: after a merge of the same files, or when not asked for. */
function startProject(
  desk: Desk,
  project: AffectedProject,
  reason: RoundReason,
  before: ProjectsFound | null,
): ProjectState {
  const prior = before?.projects.find((each) => each.project.name === project.name) ?? null;
  const fresh = freshProject(project, prior);
  if (prior === null || prior.result?.kind !== 'planned') return fresh;
  // A plan that was refused right before its apply is not what it seems.
  const refused = prior.apply?.phase.kind === 'over' && prior.apply.phase.outcome.kind === 'refused';
  const same = prior.project.sourceDigest === project.sourceDigest && prior.verdicts !== null && !refused;
  const merged =
    desk.state.pullRequest?.state === 'merged' && (reason.kind === 'changed' || isApplied(prior));
  const notAsked = reason.kind === 'asked' && reason.only.length > 0 && !reason.only.includes(project.name);
  const keeps = same && (merged || (notAsked && planOf(prior)?.head === desk.state.pullRequest?.head));
  if (!keeps) return fresh;
  const { digest } = prior.result.plan;
  return { ...prior, project, changedByMerge: merged && !desk.state.reviewed.includes(digest) };
}

function freshProject(project: AffectedProject, prior: ProjectState | null): ProjectState {
  return {
    project,
    result: null,
    verdicts: null,
    apply: prior !== null && (isUnderWay(prior) || isUnknown(prior)) ? prior.apply : null,
    shownAt: null,
    replaced: prior !== null && prior.shownAt !== null,
    voided: null,
    changedByMerge: false,
  };
}

async function planAndJudge(
  desk: Desk,
  pullRequest: PullRequest,
  project: AffectedProject,
  reason: RoundReason,
): Promise<void> {
  const found = projectsFound(desk.state);
  if (found === null) return;
  const runId = parseRunId(uuid4());
  const { repository, number } = desk.state.ref;
  const roundId = desk.state.round?.id;
  const result = await planOrTell({
    repository,
    number,
    project,
    source: found.source,
    runId,
    destroy: false,
  });
  if (desk.state.round?.id !== roundId) return;
  changeProject(desk, project.name, { result, ...compare(desk, project, result, pullRequest) });
  if (result.kind === 'failed') return;
  await endOldWish(desk, project, result.plan.digest);
  const verdicts = await judgeOrTell({
    planId: result.plan.id,
    rules: rulesFor(found.configuration, project.name),
    base: found.source.base,
    repository,
    pullRequest,
    changedFiles: found.changedFiles,
    trigger: pullRequest.state === 'merged' ? 'merge' : reason.kind,
  });
  // A newer round may have taken over while the policies were asked: its projects are none of ours.
  if (desk.state.round?.id === roundId) changeProject(desk, project.name, { verdicts });
}

/** A wish to apply was for one digest: what waits in a queue for another one is taken back. */
async function endOldWish(desk: Desk, project: AffectedProject, digest: string): Promise<void> {
  const apply = findProject(desk.state, project.name)?.apply;
  if (apply?.phase.kind !== 'queued' || apply.digest === digest) return;
  const { ref } = desk.state;
  await askProject({ repository: ref.repository, project, request: { kind: 'withdraw', ref } });
}

/** Policies that cannot be asked have not said yes. */
async function judgeOrTell(request: Parameters<typeof judge>[0]): Promise<readonly Verdict[]> {
  try {
    return await judge(request);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error('the policies could not be asked', { planId: request.planId, error });
    const unclear = { denials: [], warnings: [], approvals: [], error: 'the policies could not be asked' };
    return [{ policy: 'hatchet', level: 'mandatory', ...unclear }];
  }
}

/** What the user can mend is shown on the project; the other projects are not held up by it. */
async function planOrTell(request: Parameters<ReturnType<typeof planProjectIn>>[0]): Promise<PlanResult> {
  try {
    return await planProjectIn(defaultPool)(request);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error('a project could not be planned', {
      runId: request.runId,
      project: request.project.name,
      error,
    });
    return failedPlan(request.runId, error);
  }
}

function failedPlan(runId: RunId, error: unknown): PlanResult {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (cause instanceof ApplicationFailure && cause.type === 'UserError') {
    const diagnostics = (cause.details?.[0] ?? []) as readonly Diagnostic[];
    return { kind: 'failed', runId, diagnosticCount: diagnostics.length, diagnostics };
  }
  const detail = `The cause is in Hatchet's log under run ${runId}.`;
  const diagnostics: readonly Diagnostic[] = [{ severity: 'error', summary: summaryOf(cause), detail }];
  return { kind: 'failed', runId, diagnosticCount: 1, diagnostics };
}

function summaryOf(cause: Error | undefined): string {
  if (!(cause instanceof TimeoutFailure)) return 'Hatchet could not run Terraform.';
  return cause.timeoutType === 'SCHEDULE_TO_START'
    ? `No runner of the pool \`${defaultPool}\` answered.`
    : 'The plan took too long, or its runner was lost.';
}

/** Against the plan that was on show before: whose yes is gone and why, and does a merge need another look? */
function compare(
  desk: Desk,
  project: AffectedProject,
  result: PlanResult,
  pullRequest: PullRequest,
): Pick<ProjectState, 'voided' | 'changedByMerge'> {
  const digest = result.kind === 'planned' ? result.plan.digest : null;
  const lost = desk.state.approvals.filter((yes) => yes.project === project.name && yes.digest !== digest);
  const people = [...new Set(lost.map((yes) => yes.actor.login))];
  const changedByMerge =
    pullRequest.state === 'merged' && digest !== null && !desk.state.reviewed.includes(digest);
  const filesChanged =
    findProject(desk.state, project.name)?.project.sourceDigest !== lastSourceDigest(desk, project);
  const why = filesChanged ? "the project's files changed" : 'what exists or the base branch changed';
  const voided =
    people.length > 0
      ? `The approval of ${people.map((login) => `@${login}`).join(', ')} no longer counts: ${why}.`
      : null;
  return { voided, changedByMerge };
}

function lastSourceDigest(desk: Desk, project: AffectedProject): string | null {
  const yes = desk.state.approvals.findLast((each) => each.project === project.name);
  return yes?.sourceDigest ?? null;
}
