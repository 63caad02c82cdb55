// May this person do this here, by whichever door they came?
import { describe, expect, test } from 'vitest';
import type { Message } from '../workflows/messages.ts';
import type { Actor, Permission } from '../workflows/model/actor.ts';
import type { Action, Target } from '../workflows/model/authorize.ts';
import { authorize, githubItself, hatchetItself, isPerson } from '../workflows/model/authorize.ts';
import type { Button } from '../workflows/model/check.ts';
import { parseCommand } from '../workflows/model/command.ts';
import { parseSha } from '../workflows/model/identifiers.ts';
import { wishOf } from '../workflows/wishes.ts';
import { repository } from './stored-plan.ts';

const actor = (login: string, permission: Permission = 'write', teams: readonly string[] = []): Actor => ({
  login,
  permission,
  teams,
});
const people = {
  stranger: actor('stranger', 'none'),
  reader: actor('reader', 'read'),
  writer: actor('hubot'),
  admin: actor('root', 'admin'),
  author: actor('Mona'),
  pusher: actor('lee'),
  oncall: actor('ann', 'write', ['@org/oncall']),
  'oncall without write': actor('ben', 'read', ['@org/oncall']),
};
type Person = keyof typeof people;

const head = parseSha('1'.repeat(40));
const about = { deliveryId: 'd', ref: { repository, number: 1 }, actor: 'somebody' } as const;

const inside: Target = {
  authors: ['mona', 'lee'],
  outside: false,
  authorMayApprove: false,
  overrides: { by: [], author: false },
};
const outside: Target = { ...inside, outside: true };
const everybody = Object.keys(people) as readonly Person[];
const writers: readonly Person[] = ['writer', 'admin', 'author', 'pusher', 'oncall'];
const readers: readonly Person[] = everybody.filter((who) => who !== 'stranger');

const allowed = (action: Action, target: Target): readonly Person[] =>
  everybody.filter((who) => authorize(action, people[who], target) === null);

describe('action × person × pull request (S10)', () => {
  const named = { by: ['@org/oncall', 'mona', 'reader'], author: false };
  test.each<[Action, string, Target, readonly Person[]]>([
    ['help', 'anywhere', inside, readers],
    ['status', 'anywhere', outside, readers],
    ['plan', 'of a writer', inside, readers],
    ['plan', 'of anybody else, or of a fork (S8)', outside, writers],
    ['plan', 'to the end of a project', { ...inside, destroy: true }, writers],
    ['apply', 'anywhere', inside, writers],
    ['apply', 'of a fork', outside, writers],
    ['reject', 'anywhere', inside, writers],
    ['cancel', 'anywhere', inside, writers],
    ['unlock', 'anywhere', inside, writers],
    ['accept', 'anywhere', inside, writers],
    ['apply-rest', 'anywhere', inside, writers],
    ['force-unlock', 'anywhere', inside, writers],
    ['approve', 'by somebody else', inside, ['writer', 'admin', 'oncall']],
    ['approve', 'where authors may', { ...inside, authorMayApprove: true }, writers],
    ['override', 'where hatchet.yaml names nobody', inside, []],
    ['override', 'where it names people', { ...inside, overrides: named }, ['oncall']],
    [
      'override',
      'where it names people, authors too',
      { ...inside, overrides: { ...named, author: true } },
      ['author', 'oncall'],
    ],
  ])('%s %s', (action, _, target, expected) => expect(allowed(action, target)).toEqual(expected));

  test.each<[Action, Person, Target, object]>([
    ['apply', 'reader', inside, { kind: 'not-allowed', needs: 'write' }],
    ['status', 'stranger', inside, { kind: 'not-allowed', needs: 'read' }],
    ['approve', 'pusher', inside, { kind: 'own-approval' }],
    ['override', 'writer', { ...inside, overrides: named }, { kind: 'no-override', by: named.by }],
    ['override', 'author', { ...inside, overrides: named }, { kind: 'own-override' }],
  ])('%s by the %s is refused with the reason', (action, who, target, denial) =>
    expect(authorize(action, people[who], target)).toEqual(denial),
  );
});

describe('ways in without a person (S10)', () => {
  test('what Hatchet does by itself may plan what writers wrote, and nothing else', () => {
    const may = (action: Action, target: Target) => authorize(action, hatchetItself, target) === null;
    expect([may('plan', inside), may('plan', outside), may('apply', inside)]).toEqual([true, false, false]);
  });
  test('GitHub itself may apply what it merged, and whoever it names is asked as a person', () => {
    expect(authorize('apply', githubItself, inside)).toBeNull();
    expect(['mona', 'github', 'github-merge-queue[bot]', 'bot'].filter(isPerson)).toEqual(['mona', 'bot']);
  });
});

/** What each way in asks for, as the workflow reads it. */
const said = (text: string): Message => ({
  ...about,
  kind: 'command',
  command: parseCommand(text) ?? { kind: 'unknown-verb', word: text, nearest: null },
  commentNodeId: 'IC',
  commentId: 1,
  createdAt: '2026-11-21T22:04:00Z',
});
const clicked = (button: Button): Message => ({
  ...about,
  kind: 'click',
  button,
  head,
  project: null,
  locks: null,
  roundId: '',
});
const actionOf = (message: Message): Action => {
  const wish = wishOf(message);
  if (wish === null || !('verb' in wish)) throw new Error('nobody wishes anything');
  return wish.verb;
};

describe('way in × person: rights do not differ by the way in (S10)', () => {
  const approvers: readonly Person[] = ['writer', 'admin', 'oncall'];
  const oncall = { ...inside, overrides: { by: ['@org/oncall'], author: false } };
  test.each<[string, Message, Target, readonly Person[]]>([
    ['/hatchet plan', said('/hatchet plan'), inside, readers],
    ['a re-run', { ...about, kind: 'rerun', head }, inside, readers],
    ['Re-plan', clicked('replan'), inside, readers],
    ['/hatchet plan of a stranger', said('/hatchet plan'), outside, writers],
    ['a re-run of a stranger', { ...about, kind: 'rerun', head }, outside, writers],
    ['Allow plan', clicked('allow-plan'), outside, writers],
    ['/hatchet apply', said('/hatchet apply'), inside, writers],
    ['Apply now', clicked('apply'), inside, writers],
    ['/hatchet approve', said('/hatchet approve'), inside, approvers],
    ['Approve', clicked('approve'), inside, approvers],
    ['/hatchet reject', said('/hatchet reject'), inside, writers],
    ['/hatchet cancel', said('/hatchet cancel'), inside, writers],
    ['/hatchet unlock', said('/hatchet unlock'), inside, writers],
    ['Unlock', clicked('unlock'), inside, writers],
    ['Accept', clicked('accept'), inside, writers],
    ['Apply the rest', clicked('apply-rest'), inside, writers],
    ['Force unlock', clicked('force-unlock'), inside, writers],
    ['/hatchet override', said('/hatchet override prod --reason "x"'), oncall, ['oncall']],
    ['/hatchet status', said('/hatchet status'), inside, readers],
  ])('%s', (_, message, target, expected) => expect(allowed(actionOf(message), target)).toEqual(expected));
});
