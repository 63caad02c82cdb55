// May a group of the merge queue be merged: would it do exactly what people approved on its pull requests?
import type { Approval, MissingApproval, Rejection } from './approval.ts';
import { missingApprovals, rulesAsked } from './approval.ts';
import type { BranchBar } from './branch-bar.ts';
import type { Rules } from './configuration.ts';
import { isForWantOf } from './dependencies.ts';
import { reach } from './dependency-graph.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { PlanDigest, Sha } from './identifiers.ts';
import type { Override } from './override.ts';
import { mayOverride, withOverrides } from './override.ts';
import type { Plan, PlanResult } from './plan.ts';
import type { AffectedProject } from './project.ts';
import type { Repository } from './repository.ts';
import type { Unmet } from './requirement.ts';
import { findUnapproved } from './requirement.ts';
import type { Standing } from './standing.ts';
import type { Verdict } from './verdict.ts';
import { blocks } from './verdict.ts';

/** Pull requests that GitHub's merge queue has put together on one commit. */
export type MergeGroup = {
  readonly repository: Repository;
  /** What the base branch would be moved to; its checks stand here. */
  readonly headSha: Sha;
  /** The last of its pull requests, which the queue's branch is named after. */
  readonly number: number;
  /** What the group stands on: the base branch, or the group before it in the queue. */
  readonly baseSha: Sha;
  /** Name of the branch that it would be merged into, without `refs/heads/`. */
  readonly base: string;
  /** When the queue asked (ISO 8601, GitHub's clock), where that is long ago. */
  readonly askedAt?: string;
};

/** What GitHub proposes for a queue. */
const usualLimitMinutes = 60;
/** Enough to write three checks though GitHub has trouble; of a short limit that would be too much. */
const maxReserveMs = 10 * 60_000;

/**
 * Milliseconds after its request by which a group is answered, whatever is still being planned: an answer of ours names
 * the cause, the queue's own says nothing. `limitMinutes`: how long the queue waits; null where nobody could read it.
 */
export function answerWithinMs(limitMinutes: number | null): number {
  const limit = (limitMinutes ?? usualLimitMinutes) * 60_000;
  return limit - Math.min(limit / 6, maxReserveMs);
}

/** Plans of a group are no plans of a pull request: under this number nobody takes one for what was shown there. */
export const groupPlanNumber = 0;

/** The newest plan of one project on one of the group's pull requests, and what people said to it there. */
export type MemberPlan = {
  readonly number: number;
  readonly author: string;
  /** Who made or pushed its head. */
  readonly pushers: readonly string[];
  readonly project: string;
  readonly digest: PlanDigest;
  /** People could see a plan of this digest on the pull request. */
  readonly shown: boolean;
  /** With the rights that people have at this moment; what reviews took back is left out. */
  readonly approvals: readonly Approval[];
  readonly rejections: readonly Rejection[];
  readonly overrides: readonly Override[];
  /** How it stands at GitHub; of the reviews those that approve its head. */
  readonly standing: Pick<Standing, 'head' | 'reviews' | 'decision'>;
};

/** One project of the group: what planning it on the group's commit came to. Null: not there yet. */
export type GroupProject = {
  readonly project: AffectedProject;
  readonly result: PlanResult | null;
  readonly verdicts: readonly Verdict[] | null;
  /** The policies and rules that gave them; null while they have not answered. */
  readonly bundle: string | null;
};

/** What stands between one project and the merge. `number`: the pull request that speaks for it. */
export type GroupAnswer =
  | { readonly kind: 'planning' }
  | {
      readonly kind: 'failed';
      readonly diagnostics: readonly Diagnostic[];
      readonly diagnosticCount: number;
    }
  /** It can only be planned when these are applied, and is looked at again then. What was said is absent in older histories. */
  | {
      readonly kind: 'after';
      readonly projects: readonly string[];
      readonly diagnostics?: readonly Diagnostic[];
      readonly diagnosticCount?: number;
    }
  | { readonly kind: 'no-changes' }
  /** None of the group's pull requests ever showed a plan of it. */
  | { readonly kind: 'never-shown' }
  /** These show other plans. */
  | { readonly kind: 'differs'; readonly numbers: readonly number[] }
  /** Nothing may be applied from the branch that it would be merged into. */
  | { readonly kind: 'barred'; readonly bar: BranchBar }
  | { readonly kind: 'denied'; readonly policies: readonly string[] }
  | { readonly kind: 'rejected'; readonly number: number; readonly by: string }
  | {
      readonly kind: 'approvals-missing';
      readonly number: number;
      /** Who opened it: their own yes may not count. */
      readonly author: string;
      readonly missing: readonly MissingApproval[];
    }
  /** `apply.require` wants a review. What else it wants of an open pull request is the queue's own business. */
  | {
      readonly kind: 'unreviewed';
      readonly number: number;
      readonly unmet: Extract<Unmet, { kind: 'approved' }>;
    }
  /** `apply.on: comment`: it has to be applied before it is merged. */
  | { readonly kind: 'not-applied' }
  | { readonly kind: 'approved'; readonly number: number };

export type GroupQuestion = {
  readonly group: GroupProject;
  /** All projects of the group: a dependency among them is applied first. */
  readonly all: readonly GroupProject[];
  /** The plans of this project on the group's pull requests. */
  readonly plans: readonly MemberPlan[];
  readonly rules: Rules;
  /** Why nothing may be applied from the base branch; null: it may. */
  readonly barred: BranchBar | null;
};

/** Every rule is asked in the order in which people would mend it; the first that does not hold is the answer. */
export function answerGroup(question: GroupQuestion): GroupAnswer {
  const { result, verdicts } = question.group;
  if (result === null) return { kind: 'planning' };
  if (result.kind === 'failed') return failedOrAfter(question, result);
  const { plan } = result;
  if (!plan.hasChanges) return { kind: 'no-changes' };
  if (question.barred !== null) return { kind: 'barred', bar: question.barred };
  const shown = question.plans.filter((each) => each.shown);
  if (shown.length === 0) return { kind: 'never-shown' };
  const same = shown.filter((each) => each.digest === plan.digest);
  if (same.length === 0) return { kind: 'differs', numbers: shown.map(({ number }) => number) };
  if (verdicts === null) return { kind: 'planning' };
  const { bundle } = question.group;
  const words = same.map((each) => wordOf(each, plan, { verdicts, bundle }, question.rules));
  const [first = { kind: 'never-shown' }] = words;
  const approved = words.find(({ kind }) => kind === 'approved') ?? first;
  return approved.kind === 'approved' && question.rules.apply.on === 'comment'
    ? { kind: 'not-applied' }
    : approved;
}

function failedOrAfter(
  { group, all }: GroupQuestion,
  { diagnostics, diagnosticCount }: Extract<PlanResult, { kind: 'failed' }>,
): GroupAnswer {
  const said = { diagnostics, diagnosticCount };
  const changing = all.filter(({ result }) => result?.kind !== 'planned' || result.plan.hasChanges);
  const before = reach(group.project.name, (each) => namedBy(all, each));
  const first = changing.map(({ project }) => project.name).filter((name) => before.has(name));
  return isForWantOf(group, first)
    ? { kind: 'after', projects: first, ...said }
    : { kind: 'failed', ...said };
}

const namedBy = (all: readonly GroupProject[], name: string): readonly string[] =>
  all.find(({ project }) => project.name === name)?.project.dependsOn ?? [];

/** What the people of one pull request said to exactly this plan. The merge will ask the same. */
function wordOf(
  { number, author, pushers, project, approvals, rejections, overrides, standing }: MemberPlan,
  { digest }: Plan,
  { verdicts, bundle }: { readonly verdicts: readonly Verdict[]; readonly bundle: string | null },
  rules: Rules,
): GroupAnswer {
  const authors = [author, ...pushers];
  const words = overrides.filter(({ actor }) => mayOverride(rules.overrides, actor, authors));
  const denying = withOverrides(verdicts, { project, digest, bundle }, words).filter(blocks);
  if (denying.length > 0) return { kind: 'denied', policies: denying.map(({ policy }) => policy) };
  const [no] = rejections;
  if (no !== undefined) return { kind: 'rejected', number, by: no.actor.login };
  const missing = missingApprovals({
    ...{ project, digest, approvals, authors },
    rules: rulesAsked(rules, verdicts),
  });
  if (missing.length > 0) return { kind: 'approvals-missing', number, author, missing };
  const unmet = rules.apply.require.includes('approved')
    ? findUnapproved({ rules, standing, authors, head: standing.head })
    : null;
  return unmet === null ? { kind: 'approved', number } : { kind: 'unreviewed', number, unmet };
}

/** Whose pull request the policies are asked about: one that shows this very plan, else the last of the group. */
export function speakerFor(
  project: string,
  digest: PlanDigest,
  plans: readonly MemberPlan[],
  last: number,
): number {
  const same = plans.find((each) => each.project === project && each.shown && each.digest === digest);
  return same?.number ?? last;
}
