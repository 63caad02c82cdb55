// What did the policies answer on one plan?

/** What a policy asks for before a plan may be applied. `by`: logins and `@org/team`; empty = anyone with write. */
export type ApprovalRule = {
  readonly count: number;
  readonly by: readonly string[];
  readonly message: string;
  /** May the pull request's author give it? */
  readonly author: boolean;
  /** The policy (or `hatchet.yaml`) that asks. */
  readonly source: string;
};

export type Finding = { readonly message: string; readonly address?: string };

/** One policy's answer on one plan. Anything but a clear answer is `error`, and an error blocks like a denial. */
export type Verdict = {
  readonly policy: string;
  readonly level: 'mandatory' | 'advisory';
  readonly denials: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly approvals: readonly ApprovalRule[];
  /** Why it could not be evaluated; null when it answered. */
  readonly error: string | null;
  /** Who lifted its denial, and why; absent where nobody did. */
  readonly overridden?: { readonly by: string; readonly reason: string };
};

/** Those that Hatchet brings along. They look at the plan and at hatchet.yaml; a repository's own see much more. */
export const builtInPolicies: readonly string[] = ['destroy', 'protect'];

/** A verdict in one word, the worst first. */
export type VerdictWord = 'error' | 'deny' | 'overridden' | 'needs approval' | 'warn' | 'pass';

export function summarizeVerdict(verdict: Verdict): VerdictWord {
  if (verdict.error !== null) return 'error';
  if (verdict.denials.length > 0) return verdict.overridden === undefined ? 'deny' : 'overridden';
  if (verdict.approvals.length > 0) return 'needs approval';
  return verdict.warnings.length > 0 ? 'warn' : 'pass';
}

/** Does it stop the apply? Those whom hatchet.yaml names can lift a denial, and nobody a missing answer. */
export function blocks(verdict: Verdict): boolean {
  if (verdict.error !== null) return true;
  return verdict.level === 'mandatory' && verdict.denials.length > 0 && verdict.overridden === undefined;
}
