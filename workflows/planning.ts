// How is a pull request planned? Inspect, then plan and judge each project side by side; the newest head wins.
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  log,
  sleep,
  uuid4,
} from '@temporalio/workflow';
import { assess } from './assessing.ts';
import type { Desk } from './desk.ts';
import { noteMerge } from './desk.ts';
import { lookAtRunners, waitsForRunner } from './looking-at-runners.ts';
import type { Again, RoundReason } from './model/again.ts';
import { addAgain, againFor, againOf, nothingAgain } from './model/again.ts';
import { parseRunId } from './model/identifiers.ts';
import { seesSame, wasToldOtherwise } from './model/keep-plan.ts';
import { withPullRequest } from './model/pull-request-state.ts';
import type { DeletedState, Findings, ProjectState, ProjectsFound, Round } from './model/round.ts';
import { isApplied, isHeld, isUnderWay, planOf } from './model/round.ts';
import { newerStanding } from './model/standing.ts';
import type { RoundWork } from './planning-projects.ts';
import { countDeleted, judgePlan, noteDeleted, planAndJudge } from './planning-projects.ts';
import { leaveGone, takeTurns } from './planning-turns.ts';
import { fullDiskType } from './port/inspection.ts';
import { inspect } from './proxies.ts';
import { progressMs } from './showing.ts';
import { takeBackUsed } from './taking-back.ts';

/** Cancels the round under way and begins another. Resolves when it is over or was overtaken by a newer one. */
export async function beginRound(desk: Desk, reason: RoundReason): Promise<'finished' | 'overtaken'> {
  desk.planning?.cancel();
  const scope = new CancellationScope();
  desk.planning = scope;
  desk.state = { ...desk.state, round: freshRound(desk, reason) };
  // Between an apply and the look at what comes after it there is nothing to do for anybody, and nothing to press.
  if (reason.kind === 'dependency') desk.progressed = true;
  else desk.stale = true;
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

/** While an apply runs, or nothing of the pull request's own has changed, what was on show of this head stays there. */
function freshRound(desk: Desk, reason: RoundReason): Round {
  const { pullRequest, round } = desk.state;
  if (pullRequest === null) throw ApplicationFailure.nonRetryable('a round needs a pull request');
  const before = lastFound(round);
  const busy = before?.projects.some((project) => isUnderWay(project) || isHeld(project));
  const sameHead = before?.source.head === pullRequest.head;
  const quiet = (reason.kind === 'refresh' || reason.kind === 'dependency') && round?.findings === before;
  const id = parseRunId(uuid4());
  const again = addAgain(round?.again ?? nothingAgain, againFor(reason));
  return {
    id,
    shownId: quiet && round !== null ? round.shownId : id,
    head: pullRequest.head,
    findings:
      before !== null && sameHead && (busy || quiet)
        ? withoutFailures(before, again)
        : { kind: 'inspecting' },
    before,
    again,
    shownBase: round?.shownBase ?? null,
    plannedAt: round?.plannedAt ?? null,
    lasting: false,
  };
}

/** What failed and is planned again is being planned: its failure is no news any more. */
function withoutFailures(found: ProjectsFound, again: Again): ProjectsFound {
  const projects = found.projects.map((each) =>
    each.result?.kind === 'failed' && againOf(again, each.project.name) !== null
      ? { ...each, result: null }
      : each,
  );
  return { ...found, projects };
}

/** What was found last, and of a round that found nothing yet or nothing any more what was there before it. */
function lastFound(round: Round | null): ProjectsFound | null {
  return round?.findings.kind === 'projects' ? round.findings : (round?.before ?? null);
}

/** The round ends without projects; what was found of them is kept for the next one. */
export function endRound(desk: Desk, findings: Findings): void {
  const { round } = desk.state;
  if (round === null) return;
  desk.state = {
    ...desk.state,
    round: { ...round, findings, before: lastFound(round), again: nothingAgain },
  };
}

/** An operator's problem, or one that retries did not mend: people get a neutral line, the log the cause. */
function findNothing(desk: Desk, error: unknown): void {
  const { round } = desk.state;
  log.error('planning failed', { runId: round?.id, error });
  if (round === null) return;
  const { id: runId, again: owed } = round;
  endRound(desk, { kind: 'operator-error', runId, ...(isFullDisk(error) ? { why: 'full disk' } : {}) });
  if (desk.state.round !== null) desk.state = { ...desk.state, round: { ...desk.state.round, again: owed } };
}

const isFullDisk = (error: unknown): boolean =>
  error instanceof ActivityFailure &&
  error.cause instanceof ApplicationFailure &&
  error.cause.type === fullDiskType;

async function runRound(desk: Desk, scope: CancellationScope, reason: RoundReason): Promise<void> {
  const inspection = await inspect({ ref: desk.state.ref, expected: desk.state.pullRequest });
  // The answer can come in the same moment as a newer push or a cancel.
  if (desk.planning !== scope || desk.state.round === null) return;
  const { pullRequest } = inspection;
  const before = lastFound(desk.state.round);
  if (desk.state.pullRequest?.state !== 'merged') noteMerge(desk, pullRequest);
  desk.state = {
    ...withPullRequest(desk.state, pullRequest),
    standing: newerStanding(desk.state.standing, inspection.standing),
  };
  const { round } = desk.state;
  if (round === null) return;
  const now = new Date().toISOString();
  const findings = assess({ state: desk.state, inspection, reason, again: round.again, before, now });
  if (findings.kind !== 'projects') {
    desk.state = { ...desk.state, round: { ...round, head: pullRequest.head, findings } };
    return;
  }
  const { source } = inspection;
  const same = showsSame(before, findings);
  const shown = same ? {} : { shownId: round.id, shownBase: findings.source.base };
  const settled = { head: pullRequest.head, findings, ...shown, before: null, again: nothingAgain };
  desk.state = { ...desk.state, round: { ...round, ...settled } };
  takeBackApplied(desk, before, findings);
  // Where nothing is claimed but that it is being planned, the next thing worth telling is what came of it.
  const told = round.findings.kind === 'inspecting' && round.head === pullRequest.head;
  if (!told) desk.stale = true;
  const baseTree = source.kind === 'merged' ? source.deleted.tree : null;
  await leaveGone(desk, before, findings);
  await workOn({ desk, roundId: round.id, found: findings, pullRequest, reason, baseTree }, before);
  if (!same) finishRound(desk);
}

/** What is planned again after it was applied is something else to do, also where it comes to the same. */
function takeBackApplied(desk: Desk, before: ProjectsFound | null, { projects }: ProjectsFound): void {
  for (const { project, apply } of before?.projects.filter(isApplied) ?? []) {
    const now = projects.find((each) => each.project.name === project.name);
    if (apply !== null && now?.result === null) takeBackUsed(desk, project.name, apply.digest);
  }
}

/** Every plan that is on show lives on, and nothing else came: then a click on a check means what it meant before. */
function showsSame(before: ProjectsFound | null, { source, projects }: ProjectsFound): boolean {
  const plans = ({ projects: all }: Pick<ProjectsFound, 'projects'>): string =>
    JSON.stringify(all.map((project) => [project.project.name, planOf(project)?.id ?? null]));
  const complete = projects.every(({ result }) => result !== null);
  return complete && before?.source.head === source.head && plans(before) === plans({ projects });
}

/** Everything side by side; as many at once as the runners have room for. */
async function workOn(work: RoundWork, before: ProjectsFound | null): Promise<void> {
  const { desk, found } = work;
  // A policy may say something else of a merge than of the pull request that it was.
  const same = work.pullRequest.state !== 'merged' && seesSame(before, found);
  const telling = tellProgress(desk);
  const locked = await takeTurns(work).catch((error: unknown) => {
    telling.cancel();
    throw error;
  });
  const workOnOne = (project: ProjectState, others: Promise<unknown>): readonly Promise<void>[] => {
    if (locked.has(project.project.name)) return [];
    if (project.result === null) return [planAndJudge(work, project, others)];
    const plan = planOf(project);
    const judged = same && project.verdicts !== null && !wasToldOtherwise(project);
    return plan === null || judged ? [] : [judgePlan(work, project.project.name, plan)];
  };
  const living = found.projects
    .filter(({ destroy }) => !destroy)
    .flatMap((project) => workOnOne(project, Promise.resolve()));
  const others = Promise.allSettled(living);
  const ends = found.projects
    .filter(({ destroy }) => destroy)
    .flatMap((project) => workOnOne(project, others));
  const counted = found.deleted.map((deleted) =>
    deleted.resources === null ? countDeleted(work, deleted) : Promise.resolve(deleted),
  );
  await Promise.all([...living, ...ends, lookAtDeleted(work, counted, others)]).finally(() =>
    telling.cancel(),
  );
}

async function lookAtDeleted(
  work: RoundWork,
  counted: readonly Promise<DeletedState>[],
  others: Promise<unknown>,
): Promise<void> {
  if (counted.length === 0) return;
  const [deleted] = await Promise.all([Promise.all(counted), others]);
  await noteDeleted(work, deleted);
}

/** A quick plan is shown once, when it is finished; whoever waits longer is told how far it is, ever less often. */
const maxProgressMs = 60_000;
/** What waits for a runner may have one the next moment, and nobody tells. A look costs half a dozen events of the history. */
const lookAgainMs = { first: 5_000, later: 15_000 };
/** After that it is no matter of moments. */
const firstLooksMs = 60_000;

function tellProgress(desk: Desk): CancellationScope {
  const scope = new CancellationScope();
  const tick = async (): Promise<void> => {
    let waited = 0;
    for (let wait = progressMs; ; wait = Math.min(wait * 2, maxProgressMs)) {
      for (const due = waited + wait; waited < due; ) {
        const pause = Math.min(due - waited, untilNextLook(desk, waited));
        await sleep(pause);
        waited += pause;
        await lookAtRunners(desk);
      }
      const { round } = desk.state;
      if (round !== null) desk.state = { ...desk.state, round: { ...round, lasting: true } };
      desk.stale = true;
    }
  };
  // It only ever ends by being cancelled.
  scope.run(tick).catch(() => undefined);
  return scope;
}

/** Milliseconds; endless where there is nothing to look for. */
function untilNextLook(desk: Desk, waited: number): number {
  if (!waitsForRunner(desk)) return Number.POSITIVE_INFINITY;
  return waited < firstLooksMs ? lookAgainMs.first : lookAgainMs.later;
}

function finishRound(desk: Desk): void {
  const { round } = desk.state;
  if (round !== null)
    desk.state = { ...desk.state, round: { ...round, plannedAt: new Date().toISOString() } };
}
