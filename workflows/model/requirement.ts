// Is the pull request what `apply.require` of hatchet.yaml wants it to be?
import { isOneOf } from './approval.ts';
import type { Rules } from './configuration.ts';
import type { Sha } from './identifiers.ts';
import type { MergeBlock } from './mergeability.ts';
import { mergeBlocks } from './mergeability.ts';
import type { PullRequest } from './pull-request.ts';
import type { Standing } from './standing.ts';

export type Requirement = Rules['apply']['require'][number];

/** One requirement that does not hold, and why. */
export type Unmet =
  | { readonly kind: 'approved'; readonly why: 'no review' | 'changes requested' | 'review required' }
  | { readonly kind: 'mergeable'; readonly blocks: readonly MergeBlock[] }
  | { readonly kind: 'up_to_date'; readonly base: string };

export type RequirementQuestion = {
  readonly rules: Pick<Rules, 'apply' | 'approvals'>;
  readonly pullRequest: Pick<PullRequest, 'state' | 'head' | 'base'>;
  /** Null before it was read: then nothing holds. */
  readonly standing: Standing | null;
  /** The head contains the tip of the base branch. */
  readonly containsBase: boolean;
  /** Who opened it, and who pushed its head. */
  readonly authors: readonly string[];
};

/** What is asked of the pull request now: of a merged one nothing that only merging is about. */
export function requirementsOf({ rules, pullRequest }: RequirementQuestion): readonly Requirement[] {
  const asked = [...new Set(rules.apply.require)];
  return pullRequest.state === 'merged' ? asked.filter((each) => each === 'approved') : asked;
}

/** In the order of hatchet.yaml; empty when all hold. */
export function unmetRequirements(question: RequirementQuestion): readonly Unmet[] {
  return requirementsOf(question).flatMap((requirement) => findUnmet(requirement, question) ?? []);
}

function findUnmet(requirement: Requirement, question: RequirementQuestion): Unmet | null {
  const { pullRequest, standing, containsBase } = question;
  switch (requirement) {
    case 'approved':
      return findUnapproved({ ...question, head: question.pullRequest.head });
    case 'mergeable': {
      const read = standing?.head === pullRequest.head ? standing : null;
      const mergeability = read?.mergeability ?? null;
      if (read === null || mergeability === null) return { kind: 'mergeable', blocks: [{ kind: 'unknown' }] };
      const blocks = mergeBlocks(mergeability, { decision: read.decision, containsBase });
      return blocks.length === 0 ? null : { kind: 'mergeable', blocks };
    }
    case 'up_to_date':
      return containsBase ? null : { kind: 'up_to_date', base: pullRequest.base };
    default:
      return requirement satisfies never;
  }
}

type ReviewQuestion = {
  readonly rules: Pick<Rules, 'approvals'>;
  readonly head: Sha;
  readonly standing: Pick<Standing, 'reviews' | 'decision'> | null;
  readonly authors: readonly string[];
};

/** Null: somebody else who may write approved exactly this head, and GitHub's own verdict is not against it. */
export function findUnapproved({
  rules,
  head,
  standing,
  authors,
}: ReviewQuestion): Extract<Unmet, { kind: 'approved' }> | null {
  if (standing?.decision === 'changes-requested') return { kind: 'approved', why: 'changes requested' };
  if (standing?.decision === 'review-required') return { kind: 'approved', why: 'review required' };
  const approving = (standing?.reviews ?? []).some(
    ({ state, commit, mayWrite, login }) =>
      state === 'approved' &&
      commit === head &&
      mayWrite &&
      (rules.approvals.author || !isOneOf(authors, login)),
  );
  return approving ? null : { kind: 'approved', why: 'no review' };
}
