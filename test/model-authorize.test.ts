// May this person do this here, by whichever door they came?
import { describe, expect, test } from 'vitest';
import type { Actor, Permission } from '../workflows/model/actor.ts';
import type { Action, Target } from '../workflows/model/authorize.ts';
import { authorize, hatchetItself, whoeverMerged } from '../workflows/model/authorize.ts';

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
  test('GitHub merges for writers only, so a merge may apply, and approves nothing', () => {
    const merger = whoeverMerged('mona');
    expect(authorize('apply', merger, inside)).toBeNull();
    expect(authorize('approve', merger, inside)).toEqual({ kind: 'own-approval' });
  });
});
