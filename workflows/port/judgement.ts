// What is asked of the policies, and what do they answer?
import type { Rules } from '../model/configuration.ts';
import type { PlanId, Sha } from '../model/identifiers.ts';
import type { PullRequest } from '../model/pull-request.ts';
import type { Repository } from '../model/repository.ts';
import type { Verdict } from '../model/verdict.ts';

export type JudgeRequest = {
  readonly planId: PlanId;
  /** What holds for the plan's project. */
  readonly rules: Rules;
  /** Commit of the base branch that the repository's own policies are read from. */
  readonly base: Sha;
  readonly repository: Repository;
  readonly pullRequest: PullRequest;
  /** Two commits: the files that differ are those that it changes. Read from git, however many. */
  readonly changes: { readonly from: Sha; readonly to: Sha };
  readonly trigger: string;
};

/** `bundle`: the policies and the rules that spoke, lowercase hex SHA-256. */
export type Judgement = { readonly verdicts: readonly Verdict[]; readonly bundle: string };
