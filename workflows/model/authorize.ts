// May this person do this here, by whichever door they came?
import type { Actor, Permission } from './actor.ts';
import { isOneOf } from './approval.ts';
import type { Verb } from './command.ts';

/** Everything that a person can ask for; every way in (comment, button, re-run, merge) names one of these. */
export type Action = Verb | Settling;

/** What only a button asks for: a decision on an apply whose outcome nobody knows. */
export type Settling = 'accept' | 'apply-rest' | 'force-unlock';

/** What the decision needs to know of the pull request. */
export type Target = {
  /** Who opened it, and who made or pushed its head. */
  readonly authors: readonly string[];
  readonly fork: boolean;
  /** A plan of a project's end is asked for: merging would then take down what it has. */
  readonly destroy?: boolean;
  /** May the author's own approval count for at least one of the rules? Each rule decides for itself then. */
  readonly authorMayApprove: boolean;
};

export type Denial =
  | { readonly kind: 'not-allowed'; readonly needs: 'read' | 'write' }
  | { readonly kind: 'own-approval' };

const needed: Readonly<Record<Action, 'read' | 'write'>> = {
  help: 'read',
  status: 'read',
  plan: 'read',
  apply: 'write',
  approve: 'write',
  reject: 'write',
  cancel: 'write',
  unlock: 'write',
  accept: 'write',
  'apply-rest': 'write',
  'force-unlock': 'write',
};

const rank: Readonly<Record<Permission, number>> = { none: 0, read: 1, write: 2, admin: 3 };

/** Null when allowed. Pure: the actor's rights are read just before, by an activity. */
export function authorize(action: Action, actor: Actor, target: Target): Denial | null {
  const needs = action === 'plan' && (target.fork || target.destroy === true) ? 'write' : needed[action];
  if (rank[actor.permission] < rank[needs]) return { kind: 'not-allowed', needs };
  const own = action === 'approve' && isOneOf(target.authors, actor.login);
  return own && !target.authorMayApprove ? { kind: 'own-approval' } : null;
}
