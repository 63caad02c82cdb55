// Could this pull request be merged, were it not for our own checks?
import { isOwnCheck } from './check.ts';

/** GitHub's own verdict on the reviews; null where no rule asks for any. */
export type ReviewDecision = 'approved' | 'changes-requested' | 'review-required' | null;

/** A check or commit status that a rule of the base branch requires. */
export type RequiredCheck = {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'running' | 'missing';
};

/** What GitHub says of merging now, and the rules that hold for the base branch. */
export type Mergeability = {
  /** GraphQL's MergeStateStatus, in small letters. */
  readonly state: 'behind' | 'blocked' | 'clean' | 'dirty' | 'draft' | 'has_hooks' | 'unknown' | 'unstable';
  readonly required: readonly RequiredCheck[];
  /** A rule wants the head to contain the base's tip. */
  readonly strict: boolean;
  /** A rule wants every conversation resolved, and one is not. */
  readonly openConversations: boolean;
  /** Kinds of rules that can keep it from being merged and whose state GitHub does not tell. */
  readonly unreadable: readonly string[];
};

/** Why it could not be merged now. */
export type MergeBlock =
  | { readonly kind: 'conflict' }
  | { readonly kind: 'check'; readonly check: RequiredCheck }
  | { readonly kind: 'review required' }
  | { readonly kind: 'changes requested' }
  | { readonly kind: 'behind' }
  | { readonly kind: 'open conversations' }
  /** GitHub has not worked it out yet. */
  | { readonly kind: 'unknown' }
  /** GitHub blocks it by rules that cannot be looked into; none named: for a reason that it does not tell. */
  | { readonly kind: 'rules'; readonly rules: readonly string[] };

/**
 * Empty when it can be merged. Our own checks are left out: one of them may be all that is missing, and asks this very
 * question. What they may hide behind them counts as a block.
 */
export function mergeBlocks(
  { state, required, strict, openConversations, unreadable }: Mergeability,
  { decision, containsBase }: { readonly decision: ReviewDecision; readonly containsBase: boolean },
): readonly MergeBlock[] {
  if (state === 'clean' || state === 'has_hooks' || state === 'unstable') return [];
  if (state === 'dirty') return [{ kind: 'conflict' }];
  if (state === 'unknown') return [{ kind: 'unknown' }];
  const waiting = required.filter((check) => check.state !== 'passed');
  const blocks: readonly MergeBlock[] = [
    ...waiting.flatMap((check) => (isOwnCheck(check.name) ? [] : [{ kind: 'check', check } as const])),
    ...(decision === 'changes-requested' ? [{ kind: 'changes requested' } as const] : []),
    ...(decision === 'review-required' ? [{ kind: 'review required' } as const] : []),
    ...(state === 'behind' || (strict && !containsBase) ? [{ kind: 'behind' } as const] : []),
    ...(openConversations ? [{ kind: 'open conversations' } as const] : []),
  ];
  if (blocks.length > 0 || state === 'draft') return blocks;
  const ownWaits = waiting.some(({ name }) => isOwnCheck(name));
  return ownWaits && unreadable.length === 0 ? [] : [{ kind: 'rules', rules: unreadable }];
}
