// What stands on a check, before it is written down as text?
import type { Diagnostic } from './diagnostic.ts';

export type Conclusion = 'success' | 'neutral' | 'failure' | 'action_required' | 'cancelled';

/** GitHub shows at most three, and only on completed checks. `id` comes back with the click. */
const buttons = [
  'approve',
  'apply',
  'replan',
  'allow-plan',
  'unlock',
  'accept',
  'apply-rest',
  'force-unlock',
] as const;
export type Button = (typeof buttons)[number];

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
  /** Which locks of Terraform's `force-unlock` breaks, as `tagOfLocks` names them: a click is about no others. */
  readonly locks?: string;
  readonly annotations: readonly Diagnostic[];
  /** The project whose diff it carries; null for the three aggregates. */
  readonly project: string | null;
};

/** What comes back with a click. `locks`: null on every button but `force-unlock`. GitHub takes 20 characters. */
export const actionIdOf = (button: Button, locks: string | undefined): string =>
  button === 'force-unlock' && locks !== undefined ? `${button}:${locks}` : button;

/**
 * On a check that several pull requests write: a button is about the one that it was shown for, whosever picture is there
 * when the click arrives. One about locks is about no others anyway, and has no room.
 */
export const ownActionId = (id: string, number: number): string =>
  id.includes(':') ? id : `${id}#${number}`;

/** Null when it is none of ours. `number`: the pull request that it was shown for, where the button says so. */
export function parseActionId(
  text: string,
): { readonly button: Button; readonly locks: string | null; readonly number: number | null } | null {
  const [, id = text, number = null] = /^(.*)#([1-9]\d{0,8})$/.exec(text) ?? [];
  const [name, locks = null] = id.split(':');
  const button = buttons.find((known) => known === name);
  return button === undefined ? null : { button, locks, number: number === null ? null : Number(number) };
}

/** Posted on every head, so that they can be required. */
const aggregateChecks: readonly string[] = ['hatchet/plan', 'hatchet/policy', 'hatchet/apply'];

const projectCheckPrefix = 'hatchet/plan: ';
export const projectCheckName = (project: string): string => `${projectCheckPrefix}${project}`;

/** The project whose check this is; null for an aggregate. */
export const projectOfCheck = (name: string): string | null =>
  name.startsWith(projectCheckPrefix) ? name.slice(projectCheckPrefix.length) : null;

/** Is it one that only Hatchet writes? */
export const isOwnCheck = (name: string): boolean =>
  aggregateChecks.includes(name) || projectOfCheck(name) !== null;

/** A check knows only its commit; its external id brings a click back to the pull request and to what it showed. */
export const externalIdOf = (number: number, roundId: string): string => `${number}:${roundId}`;

/** Null when the check is not one of ours. */
export function parseExternalId(text: string): { readonly number: number; readonly roundId: string } | null {
  const [, number, roundId] = /^([1-9]\d{0,9}):([0-9a-f-]{36})$/.exec(text) ?? [];
  return number === undefined || roundId === undefined ? null : { number: Number(number), roundId };
}
