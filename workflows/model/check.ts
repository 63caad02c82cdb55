// What stands on a check, before it is written down as text?
import type { Diagnostic } from './diagnostic.ts';

export type Conclusion = 'success' | 'neutral' | 'failure' | 'action_required' | 'cancelled';

/** GitHub shows at most three, and only on completed checks. `id` comes back with the click. */
export type Button = 'approve' | 'apply' | 'replan' | 'allow-plan' | 'unlock';

export type CheckState =
  | { readonly status: 'queued' | 'in_progress' }
  | { readonly status: 'completed'; readonly conclusion: Conclusion };

/**
 * One check on one commit. `name` is `hatchet/plan`, `hatchet/policy`, `hatchet/apply` or `hatchet/plan: <project>`.
 * `title` is plain text, one line; the summary and the diff are made by the renderer from the view.
 */
export type Check = {
  readonly name: string;
  readonly state: CheckState;
  readonly title: string;
  readonly buttons: readonly Button[];
  readonly annotations: readonly Diagnostic[];
  /** The project whose diff it carries; null for the three aggregates. */
  readonly project: string | null;
};

export const aggregateChecks = ['hatchet/plan', 'hatchet/policy', 'hatchet/apply'] as const;
export const projectCheckName = (project: string): string => `hatchet/plan: ${project}`;
