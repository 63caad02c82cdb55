// May this person do this here, by whichever door they came?
import type { Actor, Permission } from './actor.ts';
import { isOneOf } from './approval.ts';
import type { Verb } from './command.ts';
import type { Rules } from './configuration.ts';
import { mayOverride } from './override.ts';

/** Everything that a person can ask for; every way in (comment, button, re-run, merge) names one of these. */
export type Action = Verb | Settling;

/** What only a button asks for: a decision on an apply whose outcome nobody knows. */
export type Settling = 'accept' | 'apply-rest' | 'force-unlock';

/** What the decision needs to know of the pull request. */
export type Target = {
  /** Who opened it, and who made or pushed its head. */
  readonly authors: readonly string[];
  /** It comes from a fork, or from somebody who may not write here: planning runs code that no writer vouched for. */
  readonly outside: boolean;
  /** A plan of a project's end is asked for: merging would then take down what it has. */
  readonly destroy?: boolean;
  /** May the author's own approval count for at least one of the rules? Each rule decides for itself then. */
  readonly authorMayApprove: boolean;
  /** Whom hatchet.yaml lets override policies. */
  readonly overrides: Rules['overrides'];
};

export type Denial =
  | { readonly kind: 'not-allowed'; readonly needs: 'read' | 'write' }
  | { readonly kind: 'own-approval' }
  /** `by`: whom hatchet.yaml names; empty: nobody. */
  | { readonly kind: 'no-override'; readonly by: readonly string[] }
  | { readonly kind: 'own-override' };

const needed: Readonly<Record<Action, 'read' | 'write'>> = {
  help: 'read',
  status: 'read',
  plan: 'read',
  apply: 'write',
  approve: 'write',
  reject: 'write',
  override: 'write',
  cancel: 'write',
  unlock: 'write',
  accept: 'write',
  'apply-rest': 'write',
  'force-unlock': 'write',
};

const rank: Readonly<Record<Permission, number>> = { none: 0, read: 1, write: 2, admin: 3 };

/** What begins without a person (a push, a schedule, an apply elsewhere) has the rights of any reader. */
export const hatchetItself: Actor = { login: 'hatchet', permission: 'read', teams: [] };

/**
 * Who merged where GitHub names no person: its queue, an App, an account that is gone. GitHub let it happen by the
 * branch's own protection, and there are no rights of anybody that could be read.
 */
export const githubItself: Actor = { login: 'github', permission: 'write', teams: [] };

/** Whose rights can be asked for: people's. Webhooks name Apps so; source: docs.github.com, "simple-user" of a bot. */
export const isPerson = (login: string): boolean => login !== githubItself.login && !login.endsWith('[bot]');

/** Null when allowed. Pure: the actor's rights are read just before, by an activity. */
export function authorize(action: Action, actor: Actor, target: Target): Denial | null {
  const needs = action === 'plan' && (target.outside || target.destroy === true) ? 'write' : needed[action];
  if (rank[actor.permission] < rank[needs]) return { kind: 'not-allowed', needs };
  if (action === 'override') return mayNotOverride(actor, target);
  const own = action === 'approve' && isOneOf(target.authors, actor.login);
  return own && !target.authorMayApprove ? { kind: 'own-approval' } : null;
}

function mayNotOverride(actor: Actor, { overrides, authors }: Target): Denial | null {
  if (mayOverride(overrides, actor, authors)) return null;
  const named = mayOverride({ ...overrides, author: true }, actor, authors);
  return named ? { kind: 'own-override' } : { kind: 'no-override', by: overrides.by };
}
