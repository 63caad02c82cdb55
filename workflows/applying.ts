// How does a granted plan get to the project's workflow, and what is made of the news that comes back?
import { log, uuid4, workflowInfo } from '@temporalio/workflow';
import type { ProjectPlace } from './activities.ts';
import type { Desk } from './desk.ts';
import { changeProject } from './desk.ts';
import type { ProjectNews } from './messages.ts';
import type { ApplyGrant, ApplyTrigger, Refusal } from './model/apply.ts';
import { grantApply, isGrant } from './model/apply.ts';
import { rulesFor } from './model/configuration.ts';
import { inApplyOrder, openDependencies } from './model/dependencies.ts';
import type { RunId } from './model/identifiers.ts';
import { parseRunId } from './model/identifiers.ts';
import { applyQuestion, findProject, knownProjects, projectsFound } from './model/pull-request-state.ts';
import type { ApplyState, ProjectState } from './model/round.ts';
import { isApplied, isHeld, isSettled, isUnderWay, planOf } from './model/round.ts';
import { askProject } from './proxies.ts';

type Refused = { readonly project: string; readonly refusal: Refusal };
/** Allowed, and on the picture already; its project is still to be asked. */
type Granted = {
  readonly kind: 'granted';
  readonly place: ProjectPlace;
  readonly runId: RunId;
  readonly grant: ApplyGrant;
};
type Held = { readonly kind: 'held' };

/** Starts what can be started and holds what comes after it; the refusals of the rest. */
export async function startApplies(
  desk: Desk,
  projects: readonly ProjectState[],
  trigger: ApplyTrigger,
): Promise<readonly Refused[]> {
  const refused: Refused[] = [];
  const granted: Granted[] = [];
  const held: string[] = [];
  for (const each of inApplyOrder(projectsFound(desk.state)?.projects ?? [])) {
    const { name } = each.project;
    if (!projects.some(({ project }) => project.name === name)) continue;
    const start = startOrHold(desk, name, trigger);
    if (start.kind === 'granted') granted.push(start);
    else if (start.kind === 'held') held.push(name);
    else refused.push({ project: name, refusal: start });
  }
  await askAll(desk, granted, held);
  return refused;
}

/** What comes after something that is on its way waits for it; what comes after something else is refused. */
function startOrHold(desk: Desk, name: string, trigger: ApplyTrigger): Granted | Held | Refusal {
  const projects = projectsFound(desk.state)?.projects ?? [];
  const project = projects.find((each) => each.project.name === name);
  if (project === undefined) return { kind: 'not-planned', project: name };
  const dependencies = openDependencies(projects, name);
  if (dependencies.length === 0) return startApply(desk, project, trigger);
  if (project.result?.kind === 'failed') return { kind: 'dependency-open', project: name, dependencies };
  const refusal = refusalOf(desk, project, trigger);
  if (refusal !== null) return refusal;
  const onTheirWay = dependencies.every((other) => {
    const state = findProject(desk.state, other);
    return state !== null && (isUnderWay(state) || isHeld(state));
  });
  if (!onTheirWay) return { kind: 'dependency-open', project: name, dependencies };
  hold(desk, project, trigger, dependencies);
  return { kind: 'held' };
}

function hold(desk: Desk, project: ProjectState, trigger: ApplyTrigger, after: readonly string[]): void {
  const plan = planOf(project);
  if (plan === null) return;
  const runId = parseRunId(uuid4());
  const apply: ApplyState = { runId, digest: plan.digest, plan, trigger, phase: { kind: 'held', after } };
  changeProject(desk, project.project.name, { apply });
}

/** Null when it could start now, were it not for what it depends on. */
function refusalOf(desk: Desk, project: ProjectState, trigger: ApplyTrigger): Refusal | null {
  const { pullRequest } = desk.state;
  if (pullRequest === null) return { kind: 'not-planned', project: project.project.name };
  const answer = grantApply(applyQuestion({ ...desk.state, pullRequest }, project, trigger));
  return isGrant(answer) ? null : answer;
}

/** The apply of one project, to be asked for; else why it may not be. */
function startApply(desk: Desk, project: ProjectState, trigger: ApplyTrigger): Granted | Refusal {
  const { pullRequest } = desk.state;
  if (pullRequest === null) return { kind: 'not-planned', project: project.project.name };
  // Somebody else may have asked while this was on its way.
  if (isUnderWay(project) || isApplied(project)) {
    return { kind: 'already-applied', project: project.project.name };
  }
  const grant = grantApply(applyQuestion({ ...desk.state, pullRequest }, project, trigger));
  if (!isGrant(grant)) return grant;
  const plan = planOf(project);
  if (plan === null) return { kind: 'not-planned', project: project.project.name };
  const { name, dir, workspace } = project.project;
  const runId = parseRunId(uuid4());
  const phase = { kind: 'asked' } as const;
  changeProject(desk, name, { apply: { runId, digest: grant.digest, plan, trigger, phase } });
  touch(desk, { name, dir, workspace });
  return { kind: 'granted', place: { dir, workspace }, runId, grant };
}

/** All at once: each has a workflow of its own. When one could not be asked, nothing goes on to wait for it. */
async function askAll(desk: Desk, granted: readonly Granted[], held: readonly string[]): Promise<void> {
  const asked = await Promise.allSettled(granted.map((each) => ask(desk, each)));
  const lost = asked.find((each) => each.status === 'rejected');
  // Only now: the answer to whoever asked goes out in the same write.
  desk.stale ||= granted.length + held.length > 0;
  if (lost === undefined) return;
  for (const name of held) changeProject(desk, name, { apply: null });
  throw lost.reason;
}

async function ask(desk: Desk, { place, runId, grant }: Granted): Promise<void> {
  const { ref } = desk.state;
  const replyTo = workflowInfo().workflowId;
  try {
    await askProject({
      repository: ref.repository,
      project: place,
      request: { kind: 'apply', ref, replyTo, runId, grant },
    });
  } catch (error) {
    // It never got there: the plan is as ready as before.
    if (findProject(desk.state, grant.project.name)?.apply?.runId === runId)
      changeProject(desk, grant.project.name, { apply: null });
    throw error;
  }
}

/** From its first apply on, this pull request may own the project and has to give it up one day. */
function touch(desk: Desk, project: Desk['state']['touched'][number]): void {
  const { touched } = desk.state;
  if (touched.some(({ name }) => name === project.name)) return;
  desk.state = { ...desk.state, touched: [...touched, project] };
}

/** After a merge, everything that is ready is applied; what is not says on the check what it waits for. */
export async function applyMerged(desk: Desk): Promise<void> {
  const { pullRequest } = desk.state;
  const found = projectsFound(desk.state);
  if (pullRequest?.state !== 'merged' || pullRequest.mergeCommit === null || found === null) return;
  const trigger: ApplyTrigger = {
    kind: 'merge',
    actor: pullRequest.mergedBy ?? pullRequest.author,
    mergeCommit: pullRequest.mergeCommit,
  };
  const open = found.projects.filter(
    (project) =>
      rulesFor(found.configuration, project.project.name).apply.on === 'merge' &&
      planOf(project)?.hasChanges === true &&
      !isSettled(project) &&
      isUntried(project),
  );
  for (const { project, refusal } of await startApplies(desk, open, trigger))
    log.info('not applied on merge', { project, refusal: refusal.kind });
}

/** Never asked for, or refused before it began: what ran once needs a new plan first. */
const isUntried = ({ apply }: ProjectState): boolean =>
  apply === null || (apply.phase.kind === 'over' && apply.phase.outcome.kind === 'refused');

/** Notes how far an apply is. True when the plan on show no longer tells the truth and has to be made again. */
export function noteNews(desk: Desk, news: ProjectNews): boolean {
  const project = findProject(desk.state, news.project);
  if (project?.apply?.runId !== news.runId) return false;
  // Nobody waits until news have arrived before telling the next: the end is the last word.
  if (news.kind !== 'finished' && project.apply.phase.kind === 'over') return false;
  if (news.kind === 'queued') {
    const { owner, position } = news;
    const { phase } = project.apply;
    // Whoever looks takes it for running until then.
    if (phase.kind === 'queued') desk.progressed = true;
    else desk.stale = true;
    const since = phase.kind === 'queued' ? phase.since : new Date().toISOString();
    changeProject(desk, news.project, {
      apply: { ...project.apply, phase: { kind: 'queued', owner, position, since } },
    });
    return false;
  }
  if (news.kind === 'applying') {
    const startedAt = new Date().toISOString();
    desk.progressed = true;
    changeProject(desk, news.project, {
      apply: { ...project.apply, phase: { kind: 'applying', startedAt } },
    });
    return false;
  }
  const { outcome } = news;
  if (outcome.kind === 'applied') desk.progressed = true;
  else desk.stale = true;
  changeProject(desk, news.project, {
    apply: { ...project.apply, phase: { kind: 'over', startedAt: startOf(project.apply), outcome } },
  });
  if (outcome.kind === 'refused') tellRefusal(desk, project.apply, outcome.refusal);
  const stale = outcome.kind === 'refused' && ['stale', 'already-applied'].includes(outcome.refusal.kind);
  return stale || planOf(project)?.digest !== project.apply.digest;
}

const startOf = ({ phase }: ApplyState): string | null => ('startedAt' in phase ? phase.startedAt : null);

/** A merge has nobody to answer: its check says what is missing. */
export function tellRefusal(desk: Desk, { runId, trigger }: ApplyState, refusal: Refusal): void {
  if (trigger.kind === 'merge') return;
  const reply = { kind: 'refused', to: trigger.actor, verb: 'apply', refusal } as const;
  desk.answers.push({ id: runId, commentNodeId: null, reaction: null, reply });
}

/** Nothing that this pull request asked for is still on its way. */
export function isQuiet(desk: Desk): boolean {
  return !knownProjects(desk.state).some(isUnderWay);
}
