// What does a check say that several pull requests write, because they have the same head?
import type { Check, CheckState } from './check.ts';

/** A check as one pull request by itself would have it. */
export type OwnCheck = Pick<Check, 'name' | 'state' | 'title'>;

/** Another open pull request with the same head, and what it says there. */
export type Neighbour = { readonly number: number; readonly checks: readonly OwnCheck[] };

/** Worst first: what keeps from merging comes before what may still do so, and that before what lets it merge. */
const order = [
  'failure',
  'action_required',
  'cancelled',
  'in_progress',
  'queued',
  'neutral',
  'success',
] as const;

/** A check belongs to a commit: what is green for one must not open the way for another that is not. */
export function worstState(own: CheckState, others: readonly CheckState[]): CheckState {
  const rank = (state: CheckState): number =>
    order.indexOf(state.status === 'completed' ? state.conclusion : state.status);
  return others.reduce((worst, state) => (rank(state) < rank(worst) ? state : worst), own);
}

export const statesOf = (name: string, neighbours: readonly Neighbour[]): readonly CheckState[] =>
  neighbours.flatMap(({ checks }) => checks.filter((check) => check.name === name).map(({ state }) => state));
