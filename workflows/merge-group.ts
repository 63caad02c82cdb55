// May GitHub's merge queue merge this group? It is planned as it is and compared with what people approved.
import {
  CancellationScope,
  condition,
  isCancellation,
  log,
  setHandler,
  sleep,
  uuid4,
} from '@temporalio/workflow';
import { groupDestroyedSignal } from './messages.ts';
import type { Rules } from './model/configuration.ts';
import { rulesFor } from './model/configuration.ts';
import type { RunId } from './model/identifiers.ts';
import { parseRunId } from './model/identifiers.ts';
import type { GroupProject, MemberPlan, MergeGroup } from './model/merge-group.ts';
import { answerGroup, answerWithinMs, groupPlanNumber, speakerFor } from './model/merge-group.ts';
import type { GroupFindings, WrittenCheck } from './model/merge-group-checks.ts';
import { groupChecks } from './model/merge-group-checks.ts';
import type { PlanResult } from './model/plan.ts';
import { judgeOrTell, planOrTell } from './plan-or-tell.ts';
import type { GroupInspection } from './port/inspection.ts';
import { inspectGroup, readGroupRecord, readQueueLimit, showGroup } from './proxies.ts';

/** The one mutable record of the workflow. */
type Desk = {
  readonly group: MergeGroup;
  readonly runId: RunId;
  findings: GroupFindings;
  /** What stands on the group's commit. */
  written: readonly WrittenCheck[];
};

/** Started when checks are requested; over when they are completed, whatever happens on the way. */
export async function mergeGroupWorkflow(group: MergeGroup): Promise<void> {
  const desk: Desk = { group, runId: parseRunId(uuid4()), findings: { kind: 'inspecting' }, written: [] };
  const work = new CancellationScope();
  const begunAt = group.askedAt === undefined ? Date.now() : Date.parse(group.askedAt);
  let destroyed = false;
  let done = false;
  let overdue = false;
  setHandler(groupDestroyedSignal, () => {
    destroyed = true;
  });
  // A group that is gone before the work begins is not even begun with.
  await condition(() => destroyed, 1);
  if (destroyed) return;
  const announcing = show(desk).catch((error: unknown) => {
    log.warn('a merge group could not be announced', { runId: desk.runId, error });
  });
  const working = work
    .run(() => plan(desk))
    .finally(() => {
      done = true;
    });
  working.catch(() => undefined);
  const waiting = new CancellationScope();
  waiting
    .run(() => untilOverdue(group, begunAt))
    .then(() => {
      overdue = true;
    })
    // The group was answered before.
    .catch(() => undefined);
  await condition(() => done || destroyed || overdue);
  if (done) desk.findings = await working.catch((error: unknown) => admitTrouble(desk, error));
  else desk.findings = { kind: destroyed ? 'destroyed' : 'overdue' };
  work.cancel();
  waiting.cancel();
  await announcing;
  await show(desk);
}

/** `begunAt`: when checks were requested, in milliseconds. */
async function untilOverdue(group: MergeGroup, begunAt: number): Promise<void> {
  const limit = await readQueueLimit({ group }).catch((error: unknown) => {
    if (isCancellation(error)) throw error;
    log.warn('the time limit of a merge queue could not be read', { error });
    return null;
  });
  await sleep(Math.max(1, begunAt + answerWithinMs(limit) - Date.now()));
}

function admitTrouble({ runId }: Desk, error: unknown): GroupFindings {
  log.error('a merge group could not be planned', { runId, error });
  return { kind: 'operator-error', runId };
}

async function show(desk: Desk): Promise<void> {
  const { group, runId, findings, written } = desk;
  const view = { group, runId, findings, checks: groupChecks({ group, findings }) };
  desk.written = await showGroup({ view, written });
}

/** What planning the group's commit came to, compared with what its pull requests show. */
async function plan(desk: Desk): Promise<GroupFindings> {
  const inspection = await inspectGroup({ group: desk.group });
  const { configuration, edited, unplannedForks, projects, barred } = inspection;
  if (configuration.kind === 'broken')
    return { kind: 'config-broken', where: 'base', problems: configuration.problems };
  if (edited !== null && edited.problems.length > 0)
    return { kind: 'config-broken', where: 'head', problems: edited.problems };
  if (unplannedForks.length > 0) return { kind: 'fork', numbers: unplannedForks };
  const rulesOf = (project: string): Rules => rulesFor(configuration.configuration, project);
  const planned = await Promise.all(
    projects.map(async (project) => ({
      project,
      result: await planProject(desk, inspection, project, rulesOf(project.name)),
    })),
  );
  const plans = await readGroupRecord({
    repository: desk.group.repository,
    members: inspection.members.map(({ number, author }) => ({ number, author })),
    projects: projects.map(({ name }) => name),
  });
  const judged = await Promise.all(
    planned.map(async ({ project, result }) => ({
      project,
      result,
      ...(await judgeProject(desk, inspection, result, plans, rulesOf(project.name))),
    })),
  );
  return {
    kind: 'projects',
    projects: judged.map((each) => projectView(each, { all: judged, plans, rulesOf, barred })),
  };
}

function planProject(
  { group }: Desk,
  { source, poolWaitMs }: GroupInspection,
  project: GroupProject['project'],
  rules: Rules,
): Promise<PlanResult> {
  const { repository } = group;
  const runId = parseRunId(uuid4());
  const request = { repository, number: groupPlanNumber, project, source, runId, destroy: false };
  return planOrTell(request, { timeoutMs: rules.plan.timeout, waitMs: poolWaitMs });
}

/** Policies are asked as on the pull request that shows this very plan. */
async function judgeProject(
  { group }: Desk,
  { source, members, forkedAt }: GroupInspection,
  result: PlanResult,
  plans: readonly MemberPlan[],
  rules: Rules,
): Promise<Pick<GroupProject, 'verdicts' | 'bundle'>> {
  if (result.kind === 'failed') return notJudged;
  const { id, project, digest } = result.plan;
  const speaker = speakerFor(project.name, digest, plans, group.number);
  const pullRequest = members.find(({ number }) => number === speaker) ?? members.at(-1);
  if (pullRequest === undefined) return notJudged;
  return judgeOrTell({
    planId: id,
    rules,
    base: source.base,
    repository: group.repository,
    pullRequest,
    changes: { from: forkedAt, to: source.head },
    trigger: 'merge-group',
  });
}

const notJudged = { verdicts: null, bundle: null } as const;

function projectView(
  group: GroupProject,
  known: {
    readonly all: readonly GroupProject[];
    readonly plans: readonly MemberPlan[];
    readonly rulesOf: (project: string) => Rules;
    readonly barred: GroupInspection['barred'];
  },
) {
  const { all, plans, rulesOf, barred } = known;
  const { name } = group.project;
  const own = plans.filter(({ project }) => project === name);
  return {
    name,
    plan: group.result?.kind === 'planned' ? group.result.plan : null,
    verdicts: group.verdicts ?? [],
    answer: answerGroup({ group, all, plans: own, rules: rulesOf(name), barred }),
  };
}
