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

/**
 * What comes back with a click: which locks it breaks, else which pull request it was shown for. Several can have one
 * head, and by the time of the click the check may be another's. GitHub takes 20 characters.
 */
export function actionIdOf(
  button: Button,
  about: { readonly number: number; readonly locks: string | undefined },
): string {
  if (button !== 'force-unlock') return `${button}:${about.number}`;
  return about.locks === undefined ? button : `${button}:${about.locks}`;
}

/** `locks`: null on every button but `force-unlock`; `number`: null where the button does not say it. */
export type ClickedAction = {
  readonly button: Button;
  readonly locks: string | null;
  readonly number: number | null;
};

/** Null when it is none of ours. */
export function parseActionId(text: string): ClickedAction | null {
  const [name, about = null] = text.split(':');
  const button = buttons.find((known) => known === name);
  if (button === undefined) return null;
  if (button === 'force-unlock') return { button, locks: about, number: null };
  const number = about !== null && /^[1-9]\d{0,8}$/.test(about) ? Number(about) : null;
  return about !== null && number === null ? null : { button, locks: null, number };
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
