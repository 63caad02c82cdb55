// What does a person want, whichever door they came by? Comments, clicks and re-runs, made one.

import type { Message } from './messages.ts';
import type { Refusal } from './model/apply.ts';
import type { Action } from './model/authorize.ts';
import type { Button } from './model/check.ts';
import { nearest } from './model/command.ts';
import { createGlob } from './model/glob.ts';
import type { PullRequestState } from './model/pull-request-state.ts';
import { projectsFound } from './model/pull-request-state.ts';
import { wasShown } from './model/review.ts';
import type { ProjectState } from './model/round.ts';
import type { CommandRefusal } from './port/answer.ts';

/** A person's wish. What it is about is what they saw: a comment's time or the round of the check they clicked. */
export type Wish = {
  readonly deliveryId: string;
  readonly verb: Action;
  readonly actor: string;
  /** Names or globs as typed; empty = all. */
  readonly projects: readonly string[];
  readonly destroy: boolean;
  /** Why, where the verb asks for it. */
  readonly reason: string | null;
  /** The locks of Terraform's that are to be broken, as `tagOfLocks` names them. */
  readonly locks: string | null;
  readonly via: 'comment' | 'button' | 'rerun';
  readonly commentNodeId: string | null;
  readonly saw:
    | { readonly kind: 'before'; readonly at: string }
    | { readonly kind: 'round'; readonly id: string; readonly head: string };
};

const buttonVerbs: Readonly<Record<Button, Action>> = {
  approve: 'approve',
  apply: 'apply',
  replan: 'plan',
  'allow-plan': 'plan',
  unlock: 'unlock',
  accept: 'accept',
  'apply-rest': 'apply-rest',
  'force-unlock': 'force-unlock',
};

/** The wish in a message; a refusal where the comment was not understood; null where nobody wishes anything. */
export function wishOf(message: Message): Wish | CommandRefusal | null {
  switch (message.kind) {
    case 'pull-request':
    case 'redraw':
    case 'refresh':
    case 'review':
      return null;
    case 'rerun': {
      const { deliveryId, actor, head } = message;
      return { ...nothing, deliveryId, verb: 'plan', actor, via: 'rerun', saw: sawRound('', head) };
    }
    case 'click': {
      const { deliveryId, actor, head, roundId, button, locks, project } = message;
      const projects = project === null ? [] : [project];
      const saw = sawRound(roundId, head);
      return {
        ...nothing,
        deliveryId,
        verb: buttonVerbs[button],
        projects,
        locks,
        actor,
        via: 'button',
        saw,
      };
    }
    case 'command': {
      const { command, actor, commentNodeId, createdAt, deliveryId } = message;
      if (command.kind === 'unknown-verb') {
        return { kind: 'unknown-verb', word: command.word, nearest: command.nearest };
      }
      if (command.kind === 'bad-arguments') return { kind: 'bad-arguments', problem: command.problem };
      const { verb, projects, destroy, reason } = command;
      const saw = { kind: 'before', at: createdAt } as const;
      const said = { verb, projects, destroy, reason, locks: null } as const;
      return { deliveryId, ...said, actor, commentNodeId, via: 'comment', saw };
    }
    default:
      return message satisfies never;
  }
}

const nothing = { projects: [], destroy: false, reason: null, locks: null, commentNodeId: null } as const;
const sawRound = (id: string, head: string): Wish['saw'] => ({ kind: 'round', id, head });

/** The projects that the words name, or the first word that names none. */
export function chooseProjects(
  state: PullRequestState,
  words: readonly string[],
): { readonly kind: 'chosen'; readonly projects: readonly ProjectState[] } | CommandRefusal {
  const all = projectsFound(state)?.projects ?? [];
  if (words.length === 0) return { kind: 'chosen', projects: all };
  const names = all.map((each) => each.project.name);
  const unknown = words.find((word) => !names.some(createGlob(word)));
  if (unknown !== undefined) {
    return { kind: 'unknown-project', word: unknown, nearest: nearest(unknown, names), projects: names };
  }
  const globs = words.map(createGlob);
  return {
    kind: 'chosen',
    projects: all.filter((each) => globs.some((matches) => matches(each.project.name))),
  };
}

/**
 * The projects that are to be planned, or the first word that names none. What the pull request deletes can only be
 * planned to its end.
 */
export function choosePlans(
  state: PullRequestState,
  words: readonly string[],
  destroy: boolean,
):
  | { readonly kind: 'chosen'; readonly names: readonly string[] }
  | CommandRefusal
  | Extract<Refusal, { kind: 'managed-elsewhere' }> {
  const found = projectsFound(state);
  const living = (found?.projects ?? []).map(({ project }) => project.name);
  const deleted = (found?.deleted ?? []).map(({ project }) => project.name);
  const names = [...new Set([...living, ...deleted])];
  const named = (word: string): readonly string[] => names.filter(createGlob(word));
  const unknown = words.find((word) => named(word).length === 0);
  if (unknown !== undefined) {
    return { kind: 'unknown-project', word: unknown, nearest: nearest(unknown, names), projects: names };
  }
  const ended = words.find((word) => !destroy && !named(word).some((name) => living.includes(name)));
  const managed = (found?.deleted ?? []).flatMap(({ project: { name }, manager }) =>
    manager?.kind === 'managed' && !living.includes(name) ? [{ project: name, manager }] : [],
  );
  const moved = managed.find(({ project }) => words.some((word) => isOnly(named(word), project)));
  if (moved !== undefined) return { kind: 'managed-elsewhere', ...moved };
  if (ended !== undefined) return { kind: 'deleted-project', project: named(ended)[0] ?? ended };
  const choice = destroy ? names : living;
  return {
    kind: 'chosen',
    names:
      words.length === 0 ? living : choice.filter((name) => words.some((word) => named(word).includes(name))),
  };
}

const isOnly = (names: readonly string[], name: string): boolean => names.length === 1 && names[0] === name;

/** Did the person see this plan? One that replaced another on the screen counts from the next second on. */
export function sawPlan(state: PullRequestState, project: ProjectState, wish: Wish): boolean {
  if (wish.saw.kind === 'round') return wish.saw.id === state.round?.shownId;
  return wasShown(project, wish.saw.at);
}
