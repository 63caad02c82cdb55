// What is known of one run, for whoever opens its page?
import { ApplicationFailure } from '@temporalio/common';
import type { ApplyOutcome } from '../../workflows/model/apply.ts';
import type { PlanChanges } from '../../workflows/model/change.ts';
import type { PlanId, RunId } from '../../workflows/model/identifiers.ts';
import type { PullRequest } from '../../workflows/model/pull-request.ts';
import type { Verdict } from '../../workflows/model/verdict.ts';
import type { StoredPlan } from '../run-store.ts';
import type { RunRecord } from '../store/run.ts';
import type { Store } from '../store/store.ts';

/** What its page is made from. */
export type RunReport = {
  readonly run: RunRecord;
  readonly status: RunStatus;
  /** Nothing more will come. */
  readonly isOver: boolean;
  /** Null when GitHub was never asked. */
  readonly pullRequest: PullRequest | null;
  /** The plan that it made or applies. */
  readonly plan: StoredPlan | null;
  /** Null when they are no longer kept. */
  readonly changes: PlanChanges | null;
  /** Null while the policies have not answered. */
  readonly verdicts: readonly Verdict[] | null;
  readonly outcome: ApplyOutcome | null;
  readonly log: RunLogText;
};

export type RunStatus =
  | 'planning'
  | 'planned'
  | 'plan-failed'
  | 'applying'
  | 'applied'
  | 'apply-failed'
  | 'refused'
  | 'unknown'
  /** Cancelled, overtaken or lost: the pull request says which. */
  | 'without-result';

/** `after`: the chunk that the text ends with; -1 before the first. */
export type RunLogText =
  | { readonly kind: 'kept'; readonly text: string }
  | { readonly kind: 'live'; readonly text: string; readonly after: number }
  | { readonly kind: 'none' };

/** Null when no picture ever named such a run. */
export async function readRunReport(store: Store, id: RunId): Promise<RunReport | null> {
  const run = await store.shownRuns.find(id);
  if (run === null) return null;
  const { repository, number } = run.ref;
  const [pullRequest, plan, outcome, log] = await Promise.all([
    store.pullRequests.find({ repositoryId: repository.id, number }),
    run.planId === null ? null : readPlan(store, run.planId),
    run.kind === 'apply' ? store.applies.find(id) : null,
    readLog(store, run),
  ]);
  return {
    run,
    status: statusOf(run),
    isOver: isOver(run),
    pullRequest: pullRequest?.pullRequest ?? null,
    plan: plan?.stored ?? null,
    changes: plan?.changes ?? null,
    verdicts: plan?.verdicts ?? null,
    outcome: outcome?.outcome ?? null,
    log,
  };
}

export function isOver({ kind, endedAt, judged, logKept, apply }: RunRecord): boolean {
  if (endedAt !== null) return true;
  return kind === 'plan' ? judged || logKept : apply !== null && apply.state !== 'begun';
}

function statusOf(run: RunRecord): RunStatus {
  const { kind, planId, logKept, endedAt, apply } = run;
  if (kind === 'plan') {
    if (planId !== null) return 'planned';
    if (logKept) return 'plan-failed';
    return endedAt === null ? 'planning' : 'without-result';
  }
  if (apply === null) return endedAt === null ? 'applying' : 'without-result';
  const { state } = apply;
  return state === 'begun' ? 'applying' : state === 'failed' ? 'apply-failed' : state;
}

async function readPlan(store: Store, id: PlanId) {
  const [stored, changes, judgement] = await Promise.all([
    store.runs.readPlan(id),
    ifKept(store.runs.readPlanChanges(id)),
    store.verdicts.read(id),
  ]);
  return { stored, changes, verdicts: judgement?.verdicts ?? null };
}

async function readLog({ artifacts, liveLogs }: Store, run: RunRecord): Promise<RunLogText> {
  const id = run.kind === 'plan' && run.planId !== null ? run.planId : run.id;
  const kept = await ifKept(artifacts.find({ id, kind: 'log' }));
  if (kept !== null) return { kind: 'kept', text: kept.toString() };
  if (isOver(run)) return { kind: 'none' };
  const chunks = (await liveLogs.read(run.id, -1)) ?? [];
  return {
    kind: 'live',
    text: chunks.map(({ text }) => text).join(''),
    after: chunks.at(-1)?.seq ?? -1,
  };
}

/** What has expired after months is not shown; the rest of the page is. */
async function ifKept<Kept>(reading: Promise<Kept>): Promise<Kept | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ApplicationFailure && error.nonRetryable) return null;
    throw error;
  }
}
