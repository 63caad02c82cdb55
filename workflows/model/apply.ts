// May this plan be applied now, and what came of it?
import type { Approval, LostApproval, MissingApproval, Rejection } from './approval.ts';
import { missingApprovals } from './approval.ts';
import type { BranchBar } from './branch-bar.ts';
import type { Finding } from './comparison.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { PlanDigest, PlanId, RunId, Sha } from './identifiers.ts';
import type { Plan } from './plan.ts';
import type { Project } from './project.ts';
import type { PullRequest } from './pull-request.ts';
import type { Unmet } from './requirement.ts';
import type { LockMark } from './state-lock.ts';
import type { StateManager } from './state-manager.ts';
import type { UnwrittenState } from './unwritten-state.ts';
import type { ApprovalRule, Verdict } from './verdict.ts';
import { blocks } from './verdict.ts';

/** Milliseconds. Its runner asks an apply that takes too long to stop; what was asked to may still wait for its cloud. */
export const longestStopMs = 30 * 60_000;

declare const granted: unique symbol;

/**
 * The proof that one plan may be applied. Only `grantApply` makes one; `beginApply` checks its claims again
 * right before Terraform starts. Plain JSON, so it can cross Temporal.
 */
export type ApplyGrant = {
  readonly [granted]: true;
  readonly planId: PlanId;
  readonly digest: PlanDigest;
  readonly project: Project;
  readonly number: number;
  /** What the pull request's head must still be; the merge commit's first parent is not asked after a merge. */
  readonly head: Sha;
  readonly trigger: ApplyTrigger;
  /** The round whose findings it stands on: applies of one may be checked by one reading of GitHub. */
  readonly roundId: RunId | null;
  /** Whose runners apply it, and how long they may take. */
  readonly pool: string;
  readonly timeoutMs: number;
  /** How long it waits for a runner before somebody looks whether there is one. */
  readonly poolWaitMs: number;
  readonly approvals: readonly Approval[];
  /** The pull request whose apply it may go over although that is not part of what it stands on; null = none. */
  readonly over: number | null;
  /** Who counted as an author when it was granted. */
  readonly authors: readonly string[];
  /** The rules that these approvals meet. */
  readonly rules: readonly ApprovalRule[];
};

/** Why an apply starts, and for whom. */
export type ApplyTrigger =
  | { readonly kind: 'merge'; readonly actor: string; readonly mergeCommit: Sha }
  | { readonly kind: 'comment' | 'button'; readonly actor: string };

/** Why a plan may not be applied. Shown to people, so each kind has its sentence in activities/render. */
export type Refusal =
  | { readonly kind: 'not-planned'; readonly project: string }
  | { readonly kind: 'plan-failed'; readonly project: string }
  | { readonly kind: 'stale'; readonly project: string; readonly reason: StaleReason }
  | { readonly kind: 'not-judged'; readonly project: string }
  /**
   * `overriders`: whom hatchet.yaml lets set it aside; absent: nobody, or as an earlier version told it.
   * `unevaluated`: a policy gave no answer, and nobody can set that aside.
   */
  | {
      readonly kind: 'denied';
      readonly project: string;
      readonly policies: readonly string[];
      readonly overriders?: readonly string[];
      readonly unevaluated?: true;
    }
  | { readonly kind: 'rejected'; readonly project: string; readonly by: string }
  | {
      readonly kind: 'approvals-missing';
      readonly project: string;
      readonly missing: readonly MissingApproval[];
    }
  /** Yeses that counted when it was granted count no more. */
  | {
      readonly kind: 'approval-lost';
      readonly project: string;
      readonly lost: readonly Pick<LostApproval, 'login' | 'why'>[];
      readonly missing: readonly MissingApproval[];
    }
  | { readonly kind: 'requirements-unmet'; readonly project: string; readonly unmet: readonly Unmet[] }
  /** Its base branch is none that may be applied from. */
  | { readonly kind: 'branch-barred'; readonly bar: BranchBar }
  /** Whoever asked for it, or merged it, may not apply at this moment. */
  | {
      readonly kind: 'asker-denied';
      readonly project: string;
      readonly login: string;
      readonly needs: 'read' | 'write';
    }
  | { readonly kind: 'draft' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'already-applied'; readonly project: string }
  | {
      readonly kind: 'dependency-open';
      readonly project: string;
      readonly dependencies: readonly string[];
    }
  /** What it depends on was to be applied before it, and was not. */
  | {
      readonly kind: 'dependency-failed';
      readonly project: string;
      readonly dependencies: readonly string[];
    }
  /** What `by` has applied contains this merge, and more. */
  | { readonly kind: 'superseded'; readonly project: string; readonly by: number }
  /** The newer merge of `by` contains this one and was not applied to its end: it comes first. */
  | { readonly kind: 'newer-unfinished'; readonly project: string; readonly by: number }
  /** What `by` has applied is not part of what this stands on: somebody has to say that it may go over it. */
  | { readonly kind: 'diverged'; readonly project: string; readonly by: number }
  /** It is `owner`'s, and to wait for it while these are held could be for ever. */
  | {
      readonly kind: 'out-of-order';
      readonly project: string;
      readonly owner: number;
      readonly holds: readonly string[];
    }
  | { readonly kind: 'apply-failed'; readonly project: string }
  | { readonly kind: 'withdrawn'; readonly project: string }
  /** A state that Terraform could not write has to be put back first. */
  | { readonly kind: 'state-unwritten'; readonly project: string; readonly state: UnwrittenState }
  /** What it would destroy is, or may be, what another project manages. */
  | { readonly kind: 'managed-elsewhere'; readonly project: string; readonly manager: StateManager }
  | { readonly kind: 'frozen'; readonly project: string; readonly reason: string };

export type StaleReason =
  | 'head moved'
  | 'base moved'
  | 'digest changed'
  | 'state changed'
  | 'applied elsewhere'
  | 'configuration changed'
  | 'policies changed'
  | 'too old'
  /** It was applied, tried, or called back before: a plan is handed out once. */
  | 'plan used'
  | 'dependency applied';

/** What applying came to. `unknown`: contact was lost after Terraform may have started. */
export type ApplyOutcome =
  | {
      readonly kind: 'applied';
      readonly runId: RunId;
      /** When Terraform was started; absent where its runner does not say. */
      readonly startedAt?: string;
      readonly finishedAt: string;
      /** Contact was lost, and a fresh plan found everything done. */
      readonly reconciled?: true;
    }
  | {
      readonly kind: 'failed';
      readonly runId: RunId;
      readonly finishedAt: string;
      readonly diagnostics: readonly Diagnostic[];
      readonly diagnosticCount: number;
      /** Resources changed before the failure, of how many. */
      readonly done: number;
      readonly total: number;
      /** Terraform could not write the state; it is kept, encrypted, in the store. */
      readonly stateKept: boolean;
      /** It is not in the store yet: only the runner's disk has it, and goes on trying. */
      readonly stateOnRunner?: true;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | {
      readonly kind: 'unknown';
      readonly runId: RunId;
      readonly reason: string;
      /** What the runner wrote down of the state lock that Terraform would take; absent where it could not. */
      readonly mark?: LockMark;
      /** Terraform could not write the state, and only the runner's disk has it yet. */
      readonly stateOnRunner?: true;
      /** Its runner says that Terraform has come to its end; absent: it may still be at work. */
      readonly ended?: true;
      /** What a fresh plan says since; absent until there is one. */
      readonly finding?: Finding;
    };

/** Everything the decision stands on, as it is now. */
export type ApplyQuestion = {
  readonly project: string;
  readonly plan: Plan | null;
  readonly planFailed: boolean;
  readonly verdicts: readonly Verdict[] | null;
  readonly approvals: readonly Approval[];
  readonly rejections: readonly Rejection[];
  readonly over: number | null;
  readonly rules: readonly ApprovalRule[];
  /** Whom hatchet.yaml lets set denials aside. */
  readonly overriders?: readonly string[];
  /** What `apply.require` wants and what does not hold. */
  readonly unmet: readonly Unmet[];
  readonly pullRequest: PullRequest;
  /** Why nothing may be applied from its base branch; null: it may. */
  readonly barred: BranchBar | null;
  /** Who opened it, and who pushed its head. */
  readonly authors: readonly string[];
  /** The head that was looked at last: a plan may be older, when nothing since could change it. */
  readonly head: Sha;
  readonly trigger: ApplyTrigger;
  readonly roundId: RunId | null;
  readonly pool: string;
  readonly timeoutMs: number;
  readonly poolWaitMs: number;
};

/** The one way to an `ApplyGrant`: every rule is asked, the first that does not hold is the answer. */
export function grantApply(question: ApplyQuestion): ApplyGrant | Refusal {
  const { project, plan, pullRequest, trigger } = question;
  if (pullRequest.state === 'closed') return { kind: 'closed' };
  if (pullRequest.state === 'open' && pullRequest.draft) return { kind: 'draft' };
  if (question.barred !== null) return { kind: 'branch-barred', bar: question.barred };
  if (question.planFailed) return { kind: 'plan-failed', project };
  if (plan === null) return { kind: 'not-planned', project };
  // After a merge the plan's files were compared with the merge commit's: the head says nothing any more.
  const moved = pullRequest.state === 'open' && question.head !== pullRequest.head;
  if (moved) return { kind: 'stale', project, reason: 'head moved' };
  if (question.verdicts === null) return { kind: 'not-judged', project };
  const denial = denialBy(project, question.verdicts, question.overriders ?? []);
  if (denial !== null) return denial;
  const rejection = question.rejections.find((no) => no.project === project && no.digest === plan.digest);
  if (rejection !== undefined) return { kind: 'rejected', project, by: rejection.actor.login };
  const missing = missingApprovals({ ...question, digest: plan.digest });
  if (missing.length > 0) return { kind: 'approvals-missing', project, missing };
  if (question.unmet.length > 0) return { kind: 'requirements-unmet', project, unmet: question.unmet };
  const approvals = question.approvals.filter((yes) => yes.project === project && yes.digest === plan.digest);
  const claims: Omit<ApplyGrant, typeof granted> = {
    planId: plan.id,
    digest: plan.digest,
    project: plan.project,
    number: pullRequest.number,
    head: question.head,
    trigger,
    roundId: question.roundId,
    pool: question.pool,
    timeoutMs: question.timeoutMs,
    poolWaitMs: question.poolWaitMs,
    approvals,
    over: question.over,
    authors: question.authors,
    rules: question.rules,
  };
  return claims as ApplyGrant;
}

/** What policies have against it. `overriders`: whom hatchet.yaml lets set denials aside. Null: nothing. */
export function denialBy(
  project: string,
  verdicts: readonly Verdict[],
  overriders: readonly string[],
): Extract<Refusal, { kind: 'denied' }> | null {
  const blocking = verdicts.filter(blocks);
  if (blocking.length === 0) return null;
  const denied = { kind: 'denied', project, policies: blocking.map(({ policy }) => policy) } as const;
  if (blocking.some(({ error }) => error !== null)) return { ...denied, unevaluated: true };
  return overriders.length > 0 ? { ...denied, overriders } : denied;
}

/** What people said since, where it keeps a granted apply from being carried out; null: they still want it. */
export function refusalByWords(
  { project: { name: project }, digest, rules, authors }: ApplyGrant,
  said: { readonly approvals: readonly Approval[]; readonly rejections: readonly Rejection[] },
): Refusal | null {
  const [no] = said.rejections;
  if (no !== undefined) return { kind: 'rejected', project, by: no.actor.login };
  const missing = missingApprovals({ project, digest, rules, authors, approvals: said.approvals });
  return missing.length > 0 ? { kind: 'approvals-missing', project, missing } : null;
}

export function isGrant(answer: ApplyGrant | Refusal): answer is ApplyGrant {
  return !('kind' in answer);
}
