// Which wishes to apply are taken, and what is made of the news that comes back?
import { log, uuid4 } from '@temporalio/workflow';
import type { Desk } from './desk.ts';
import { changeProject, noteEvent } from './desk.ts';
import type { ProjectNews } from './messages.ts';
import type { ApplyOutcome, ApplyTrigger, Refusal } from './model/apply.ts';
import { grantApply, isGrant } from './model/apply.ts';
import { sameLogin } from './model/approval.ts';
import { githubItself } from './model/authorize.ts';
import type { Finding } from './model/comparison.ts';
import { rulesFor } from './model/configuration.ts';
import { inApplyOrder, isForWantOf, openDependencies } from './model/dependencies.ts';
import { parseRunId } from './model/identifiers.ts';
import { applyQuestion, findProject, knownProjects, projectsFound } from './model/pull-request-state.ts';
import type { ApplyState, ProjectState } from './model/round.ts';
import { isApplied, isHeld, isSettled, isUnderWay, refusalOf as lastRefusal, planOf } from './model/round.ts';
import type { Turn } from './model/turn.ts';
import { takeBack, takeBackUsed } from './taking-back.ts';
import type { TurnNews } from './taking-turns.ts';
import { giveBack, goOn, lockOf, noteBegun, tellRefusal } from './taking-turns.ts';

type Refused = { readonly project: string; readonly refusal: Refusal };

/** Starts what can be started and holds what comes after something else; the refusals of the rest. */
export async function startApplies(
  desk: Desk,
  projects: readonly ProjectState[],
  trigger: ApplyTrigger,
): Promise<readonly Refused[]> {
  const refused: Refused[] = [];
  const held: string[] = [];
  for (const each of inApplyOrder(projectsFound(desk.state)?.projects ?? [])) {
    const { name } = each.project;
    if (!projects.some(({ project }) => project.name === name)) continue;
    const refusal = holdOrRefuse(desk, name, trigger);
    if (refusal === null) held.push(name);
    else refused.push({ project: name, refusal });
  }
  await begin(desk, held);
  return refused;
}

/** What comes after something that is on its way waits for it; what comes after something else is refused. */
function holdOrRefuse(desk: Desk, name: string, trigger: ApplyTrigger): Refusal | null {
  const projects = projectsFound(desk.state)?.projects ?? [];
  const project = projects.find((each) => each.project.name === name);
  if (project === undefined) return { kind: 'not-planned', project: name };
  // Somebody else may have asked while this was on its way.
  if (isUnderWay(project) || isApplied(project)) return { kind: 'already-applied', project: name };
  const dependencies = openDependencies(projects, name);
  if (isForWantOf(project, dependencies)) return { kind: 'dependency-open', project: name, dependencies };
  const refusal = refusalOf(desk, project, trigger);
  if (refusal !== null) return refusal;
  const onTheirWay = dependencies.every((other) => {
    const state = findProject(desk.state, other);
    return state !== null && (isUnderWay(state) || isHeld(state));
  });
  if (!onTheirWay) return { kind: 'dependency-open', project: name, dependencies };
  hold(desk, project, trigger, dependencies);
  return null;
}

/** It starts when what it needs is applied, and when the project is this pull request's. */
function hold(desk: Desk, project: ProjectState, trigger: ApplyTrigger, after: readonly string[]): void {
  const plan = planOf(project);
  if (plan === null) return;
  const { name } = project.project;
  const [runId, since] = [parseRunId(uuid4()), new Date().toISOString()];
  const apply: ApplyState = {
    runId,
    digest: plan.digest,
    plan,
    trigger,
    phase: { kind: 'held', after, since },
  };
  const wanted = lockOf(desk, name) === 'none' ? null : ({ kind: 'wanted' } as const);
  changeProject(desk, name, { apply, turn: project.turn ?? wanted });
}

/** Null when it could start now, were it not for what it depends on. */
function refusalOf(desk: Desk, project: ProjectState, trigger: ApplyTrigger): Refusal | null {
  const { pullRequest } = desk.state;
  if (pullRequest === null) return { kind: 'not-planned', project: project.project.name };
  const answer = grantApply(applyQuestion({ ...desk.state, pullRequest }, project, trigger));
  return isGrant(answer) ? null : answer;
}

/** When a project could not be asked, nothing goes on to wait for it. */
async function begin(desk: Desk, held: readonly string[]): Promise<void> {
  if (held.length === 0) return;
  try {
    await goOn(desk);
  } catch (error) {
    for (const name of held) {
      const project = findProject(desk.state, name);
      if (project !== null && isHeld(project)) changeProject(desk, name, { apply: null, turn: null });
    }
    throw error;
  } finally {
    // Only now: the answer to whoever asked goes out in the same write.
    desk.stale = true;
  }
}

/** A merge is a wish to apply, too: whoever may not say `apply` cannot do it that way. */
function noteBarred(
  desk: Desk,
  { actor, mergeCommit }: Extract<ApplyTrigger, { kind: 'merge' }>,
  reason: string,
): void {
  const event = { actor, action: 'apply', target: '', digest: null, allowed: false, reason };
  noteEvent(desk, `merge/${mergeCommit}/${reason}`, event);
}

/** Of what was asked for together, that which may not be applied. */
export function noteRefusals(desk: Desk, key: string, actor: string, refused: readonly Refused[]): void {
  for (const { project: target, refusal } of refused) {
    const project = findProject(desk.state, target);
    const digest = (project === null ? null : planOf(project)?.digest) ?? null;
    const event = { actor, action: 'apply', target, digest, allowed: false, reason: refusal.kind };
    noteEvent(desk, `${key}/${target}/${refusal.kind}/${digest}`, event);
  }
}

/**
 * After a merge, everything that is ready is applied; what is not says on the check what it waits for, and belongs to
 * this pull request until then. Whether whoever merged may apply is asked right before it begins.
 */
export async function applyMerged(desk: Desk): Promise<void> {
  const { pullRequest } = desk.state;
  const found = projectsFound(desk.state);
  if (pullRequest?.state !== 'merged' || pullRequest.mergeCommit === null || found === null) return;
  const trigger: ApplyTrigger = {
    kind: 'merge',
    actor: pullRequest.mergedBy ?? githubItself.login,
    mergeCommit: pullRequest.mergeCommit,
  };
  // It waits for nobody, and keeps nobody out.
  if (found.barred !== undefined) return noteBarred(desk, trigger, 'branch-barred');
  for (const project of found.projects.filter(isUnclaimed(desk)))
    changeProject(desk, project.project.name, { turn: { kind: 'wanted' } });
  const open = (projectsFound(desk.state)?.projects ?? []).filter(
    (project) =>
      rulesFor(found.configuration, project.project.name).apply.on === 'merge' &&
      planOf(project)?.hasChanges === true &&
      !isSettled(project) &&
      isUntried(project),
  );
  const refused = await startApplies(desk, open, trigger);
  for (const { project, refusal } of refused)
    log.info('not applied on merge', { project, refusal: refusal.kind });
  noteRefusals(desk, `merge/${trigger.mergeCommit}`, trigger.actor, refused);
  await goOn(desk);
}

/** It has something to apply, or nobody knows what because its plan failed; and nobody has asked for it yet. */
const isUnclaimed =
  (desk: Desk) =>
  (project: ProjectState): boolean =>
    !isSettled(project) && project.turn === null && lockOf(desk, project.project.name) !== 'none';

/** Never asked for, or refused before it began: what ran once needs a new plan first. */
const isUntried = ({ apply }: ProjectState): boolean =>
  apply === null || (apply.phase.kind === 'over' && apply.phase.outcome.kind === 'refused');

/** Notes how far an apply is. True when the plan on show no longer tells the truth and has to be made again. */
export function noteNews(desk: Desk, news: ApplyNews): boolean {
  const project = findProject(desk.state, news.project);
  if (project?.apply?.runId !== news.runId) return false;
  if (news.kind === 'state-kept') return noteStateKept(desk, project);
  if (news.kind === 'found') return noteFinding(desk, project, news.finding);
  // Nobody waits until news have arrived before telling the next: the end is the last word. Only what was taken back in
  // the very moment in which a runner had it goes on all the same.
  const goesOn = news.kind === 'finished' || (news.kind === 'applying' && lastRefusal(project) !== null);
  if (!goesOn && project.apply.phase.kind === 'over') return false;
  // Whoever wished it was told why it was taken back.
  if (lastRefusal(project) !== null && isWithdrawal(news)) return false;
  if (news.kind === 'queued') {
    const { owner, position } = news;
    const { phase } = project.apply;
    // Whoever looks takes it for running until then.
    if (phase.kind === 'queued') desk.progressed = true;
    else desk.stale = true;
    const since = phase.kind === 'queued' ? phase.since : new Date().toISOString();
    changeProject(desk, news.project, {
      apply: { ...project.apply, phase: { kind: 'queued', owner, position, since } },
      // Whatever was said of an earlier ask: who stands in line does not own it.
      turn: project.turn === null ? null : { kind: 'asked' },
    });
    return false;
  }
  if (news.kind === 'starting') {
    // Whoever hears it late has heard more since.
    if (project.apply.phase.kind !== 'queued') return false;
    desk.progressed = true;
    const since = new Date().toISOString();
    changeProject(desk, news.project, { apply: { ...project.apply, phase: { kind: 'asked', since } } });
    return false;
  }
  if (news.kind === 'applying') {
    const startedAt = new Date().toISOString();
    desk.progressed = true;
    noteBegun(desk, news.project);
    changeProject(desk, news.project, {
      apply: { ...project.apply, phase: { kind: 'applying', startedAt } },
      turn: turnAfter(desk, project, 'applying'),
    });
    return false;
  }
  const { outcome } = news;
  if (outcome.kind === 'applied') desk.progressed = true;
  else desk.stale = true;
  if (outcome.kind === 'refused') {
    tellRefusal(desk, project.apply, outcome.refusal);
    forgetLost(desk, project.apply, outcome.refusal);
    void giveBack(desk, project.project);
  } else noteBegun(desk, news.project);
  if (outcome.kind === 'failed' || outcome.kind === 'unknown')
    takeBackUsed(desk, news.project, project.apply.digest);
  changeProject(desk, news.project, {
    apply: { ...project.apply, phase: { kind: 'over', startedAt: startOf(project.apply, outcome), outcome } },
    turn: turnAfter(desk, project, outcome.kind),
  });
  const stale = outcome.kind === 'refused' && isOutdated(outcome.refusal);
  if (outcome.kind === 'refused' && outcome.refusal.kind === 'diverged')
    changeProject(desk, news.project, { over: outcome.refusal.by });
  return stale || planOf(project)?.digest !== project.apply.digest;
}

const isWithdrawal = (news: ApplyNews): boolean =>
  news.kind === 'finished' && news.outcome.kind === 'refused' && news.outcome.refusal.kind === 'withdrawn';

/** What it would do has to be looked at once more. */
const isOutdated = ({ kind }: Refusal): boolean =>
  ['stale', 'already-applied', 'diverged', 'managed-elsewhere'].includes(kind);

export type ApplyNews = Exclude<ProjectNews, { kind: TurnNews['kind'] }>;

/** What has begun makes the project this pull request's; what is refused leaves it to whoever had it before. */
function turnAfter(
  desk: Desk,
  { project }: ProjectState,
  end: ApplyOutcome['kind'] | 'applying',
): Turn | null {
  if (lockOf(desk, project.name) === 'none') return null;
  const turn = findProject(desk.state, project.name)?.turn ?? null;
  return end !== 'refused' || turn?.kind === 'yours' ? { kind: 'yours' } : null;
}

/** Right before the apply some of those who had said yes could not have said it any more. */
function forgetLost(desk: Desk, { digest }: ApplyState, refusal: Refusal): void {
  if (refusal.kind !== 'approval-lost') return;
  const { project } = refusal;
  const losses = refusal.lost.flatMap(({ login, why }) =>
    desk.state.approvals
      .filter((yes) => yes.project === project && yes.digest === digest && sameLogin(yes.actor.login, login))
      .map((approval) => ({ approval, why })),
  );
  takeBack(desk, losses);
}

/** Until now it was on the disk of its runner alone. */
function noteStateKept(desk: Desk, { project, apply, unwritten }: ProjectState): false {
  if (apply?.phase.kind !== 'over' || apply.phase.outcome.kind !== 'failed') return false;
  const { stateOnRunner: _, ...outcome } = apply.phase.outcome;
  const phase = { ...apply.phase, outcome: { ...outcome, stateKept: true } };
  const kept = unwritten?.runId === apply.runId ? { unwritten: { ...unwritten, kept: true } } : {};
  changeProject(desk, project.name, { apply: { ...apply, phase }, ...kept });
  desk.stale = true;
  return false;
}

/** It changes what people can decide, and nothing that is planned. */
function noteFinding(desk: Desk, { project, apply }: ProjectState, finding: Finding): false {
  if (apply?.phase.kind !== 'over' || apply.phase.outcome.kind !== 'unknown') return false;
  const phase = { ...apply.phase, outcome: { ...apply.phase.outcome, finding } };
  changeProject(desk, project.name, { apply: { ...apply, phase } });
  desk.stale = true;
  return false;
}

/** Its runner knows best; one that is over at once was never told of before. */
function startOf({ phase }: ApplyState, outcome: ApplyOutcome): string | null {
  const told = outcome.kind === 'applied' ? outcome.startedAt : undefined;
  return told ?? ('startedAt' in phase ? phase.startedAt : null);
}

/** Nothing that this pull request asked for is still on its way. */
export function isQuiet(desk: Desk): boolean {
  return !knownProjects(desk.state).some(isUnderWay);
}
