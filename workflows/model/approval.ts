// Who said yes to what, and what is still missing?

import type { Actor } from './actor.ts';
import { canWrite } from './actor.ts';
import type { Rules } from './configuration.ts';
import type { PlanDigest, SourceDigest } from './identifiers.ts';
import type { ApprovalRule, Verdict } from './verdict.ts';

/** A person's yes to one plan digest, with the rights the person had when giving it. */
export type Approval = {
  readonly actor: Actor;
  readonly project: string;
  readonly digest: PlanDigest;
  /** What the project was planned from, so that a voided approval can say what changed. */
  readonly sourceDigest: SourceDigest;
  readonly via: 'comment' | 'button' | 'review';
  /** ISO 8601, GitHub's clock; of a click, ours when it arrived: it was made some time before. */
  readonly at: string;
  /** Of a click: when the plan began to be made (ISO 8601, our clock). Before that nobody could click on it. */
  readonly notBefore?: string | undefined;
};

/** Why a yes that somebody gave to the plan on show counts no more. */
export type LossReason =
  | 'review dismissed'
  | 'review withdrawn'
  | 'changes requested'
  | 'right lost'
  | 'apply begun'
  | 'plan changed'
  | 'pushed since';

/** A yes that is gone, also when the plan that it was given to comes back. */
export type LostApproval = {
  readonly project: string;
  readonly digest: PlanDigest;
  /** What the project was planned from when it was given; absent where an earlier version noted it. */
  readonly sourceDigest?: SourceDigest;
  readonly login: string;
  readonly why: LossReason;
};

/** A person's no to one plan digest; it blocks until the same person approves or the digest changes. */
export type Rejection = Omit<Approval, 'via' | 'notBefore'> & { readonly via: 'comment' | 'button' };

/** A rule that is not met yet. */
export type MissingApproval = {
  readonly project: string;
  readonly rule: ApprovalRule;
  readonly given: number;
};

/** What hatchet.yaml and the policies ask of a plan before it may be applied. */
export function rulesAsked({ approvals }: Rules, verdicts: readonly Verdict[]): readonly ApprovalRule[] {
  const configured = approvals.count > 0 ? [{ ...approvals, message: '', source: 'hatchet.yaml' }] : [];
  return [...configured, ...verdicts.flatMap((verdict) => verdict.approvals)];
}

/** Does this person's yes count for this rule? Logins compare without case, as GitHub does. */
export function admits(rule: ApprovalRule, actor: Actor, authors: readonly string[]): boolean {
  if (!canWrite(actor)) return false;
  if (!rule.author && isOneOf(authors, actor.login)) return false;
  return rule.by.length === 0 || isNamedIn(rule.by, actor);
}

/** `by`: logins and `@org/team`, as hatchet.yaml and policies write them. */
export function isNamedIn(by: readonly string[], actor: Actor): boolean {
  return by.some((name) =>
    isTeam(name)
      ? actor.teams.some((team) => sameLogin(team, name))
      : sameLogin(name.replace(/^@/, ''), actor.login),
  );
}

export const isTeam = (name: string): boolean => name.startsWith('@') && name.includes('/');

/** The rules that `approvals` do not meet. One person counts once per rule, and for every rule that admits them. */
export function missingApprovals(question: {
  readonly project: string;
  readonly digest: PlanDigest;
  readonly rules: readonly ApprovalRule[];
  readonly approvals: readonly Approval[];
  /** Who opened the pull request, and who pushed its head. */
  readonly authors: readonly string[];
}): readonly MissingApproval[] {
  const { project, digest, rules, approvals, authors } = question;
  const valid = approvals.filter((approval) => approval.project === project && approval.digest === digest);
  return rules.flatMap((rule) => {
    const people = new Set(
      valid.filter(({ actor }) => admits(rule, actor, authors)).map(({ actor }) => actor.login.toLowerCase()),
    );
    return people.size < rule.count ? [{ project, rule, given: people.size }] : [];
  });
}

export const isOneOf = (logins: readonly string[], login: string): boolean =>
  logins.some((each) => sameLogin(each, login));

export function sameLogin(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
