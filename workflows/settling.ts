// What does a person decide about an apply whose outcome nobody knows?

import type { Desk } from './desk.ts';
import { changeProject } from './desk.ts';
import { playRound } from './going-on.ts';
import type { ApplyOutcome, Refusal } from './model/apply.ts';
import type { Comparison } from './model/comparison.ts';
import { ownLocksOf } from './model/comparison.ts';
import type { ProjectState } from './model/round.ts';
import { findingOf, isUnknown } from './model/round.ts';
import { tagOfLocks } from './model/state-lock.ts';
import type { CommandRefusal, Reply } from './port/answer.ts';
import { askProjects } from './proxies.ts';
import { takeBackUsed } from './taking-back.ts';
import { tellProjects } from './telling-projects.ts';
import type { Wish } from './wishes.ts';

type Undecided = CommandRefusal | Extract<Refusal, { kind: 'state-unwritten' }>;
type Decision = Undecided | Extract<Reply, { kind: 'done' }> | null;

type Compared = {
  readonly state: ProjectState;
  readonly comparison: Comparison;
  readonly atWorkUntil?: string;
};

/** What is there is taken as it is: the outcome is what was found, and the lock stays. */
export async function accept(desk: Desk, wish: Wish, projects: readonly ProjectState[]): Promise<Decision> {
  const compared = comparedOf(projects);
  if ('kind' in compared) return compared;
  await settleAll(desk, compared.all, wish.actor);
  return null;
}

/** The same, and what is left is planned anew, once the Terraform that began it is known to be over. */
export async function applyRest(
  desk: Desk,
  wish: Wish,
  projects: readonly ProjectState[],
): Promise<Decision> {
  const compared = comparedOf(projects);
  if ('kind' in compared) return compared;
  for (const { state, atWorkUntil: until } of compared.all)
    if (until !== undefined) return { kind: 'maybe-at-work', project: state.project.name, until };
  await settleAll(desk, compared.all, wish.actor);
  const only = compared.all.map(({ state }) => state.project.name);
  void playRound(desk, { kind: 'asked', only, as: 'same' });
  return null;
}

/**
 * Terraform's own lock that the apply left behind is broken, and what is there is looked at again. Only the locks that
 * the button was made for: another that was found since is another decision.
 */
export async function forceUnlock(
  desk: Desk,
  wish: Wish,
  projects: readonly ProjectState[],
): Promise<Decision> {
  const { ref } = desk.state;
  const findings = projects.flatMap((state) => findingOf(state) ?? []);
  const locks = ownLocksOf(findings);
  if (locks.length > 0 && wish.locks !== tagOfLocks(locks)) return { kind: 'button-outdated' };
  const asked = projects.flatMap((state) => {
    const finding = findingOf(state);
    if (finding?.kind !== 'state-locked' || !finding.own) return [];
    const { dir, workspace } = state.project;
    const request = { kind: 'unlock-state', ref, lockId: finding.lock.id } as const;
    return [{ project: { dir, workspace }, request }];
  });
  if (asked.length === 0) return { kind: 'no-own-lock' };
  await askProjects({ repository: ref.repository, asked });
  return { kind: 'done', to: wish.actor, text: 'state lock is being broken' };
}

function comparedOf(projects: readonly ProjectState[]): { readonly all: readonly Compared[] } | Undecided {
  const unknown = projects.filter(isUnknown);
  const all = unknown.flatMap((state) => {
    const finding = findingOf(state);
    return finding?.kind === 'compared' ? [{ ...finding, state }] : [];
  });
  const open = unknown.find((state) => !all.some((each) => each.state === state));
  if (open !== undefined) return notCompared(open);
  return all.length === 0 ? { kind: 'nothing-unknown' } : { all };
}

/** Whatever is planned without its state would be made once more. */
function notCompared(open: ProjectState): Undecided {
  const project = open.project.name;
  const finding = findingOf(open);
  return finding?.kind === 'unwritten'
    ? { kind: 'state-unwritten', project, state: finding.state }
    : { kind: 'not-compared', project };
}

async function settleAll(desk: Desk, all: readonly Compared[], actor: string): Promise<void> {
  await Promise.all(all.map((each) => settle(desk, each, actor)));
  desk.stale = true;
}

async function settle(desk: Desk, { state, comparison }: Compared, actor: string): Promise<void> {
  const { apply, project } = state;
  if (apply?.phase.kind !== 'over') return;
  const { ref } = desk.state;
  const { runId } = apply;
  const outcome = outcomeOf(runId, comparison, actor);
  await tellProjects(desk, [project], { kind: 'settle', ref, runId, outcome });
  // Whoever said yes while nobody knew how it ended has said it to an apply that was begun.
  takeBackUsed(desk, project.name, apply.digest);
  changeProject(desk, project.name, { apply: { ...apply, phase: { ...apply.phase, outcome } } });
}

function outcomeOf(runId: ApplyRunId, { done, total }: Comparison, actor: string): ApplyOutcome {
  const finishedAt = new Date().toISOString();
  if (done === total) return { kind: 'applied', runId, finishedAt, reconciled: true };
  return {
    kind: 'failed',
    runId,
    finishedAt,
    diagnostics: [
      {
        severity: 'warning',
        summary: `Contact was lost during the apply, and ${actor} took what is there as it is.`,
        detail: 'What is not done stays undone until a new plan is applied.',
      },
    ],
    diagnosticCount: 1,
    done,
    total,
    stateKept: false,
  };
}

type ApplyRunId = Extract<ApplyOutcome, { kind: 'applied' }>['runId'];
