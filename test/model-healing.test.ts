// What is lost, by comparing what GitHub shows with what the record knows?
import { describe, expect, test } from 'vitest';
import type {
  DeliveryAttempt,
  KnownPullRequest,
  SeenComment,
  SeenPullRequest,
} from '../workflows/model/healing.ts';
import {
  closedUnheard,
  commandsSince,
  factsOf,
  lookSince,
  lostOf,
  mayBeOnItsWay,
  movedBases,
  reviewsSince,
  undelivered,
} from '../workflows/model/healing.ts';
import { parseSha } from '../workflows/model/identifiers.ts';

const sha = (digit: string) => parseSha(digit.repeat(40));
const before = '2026-05-01T09:59:00Z';
const since = '2026-05-01T10:00:00Z';
const after = '2026-05-01T10:01:00Z';

const common = {
  nodeId: 'PR_1',
  number: 1,
  state: 'open',
  draft: false,
  head: sha('a'),
  base: 'main',
  baseSha: sha('b'),
} as const;
const seen: SeenPullRequest = { ...common, mergedAt: null, updatedAt: after };
const merged: SeenPullRequest = { ...seen, state: 'merged', mergedAt: after };
const known: KnownPullRequest = {
  ...common,
  shown: true,
  openChecks: false,
  applying: false,
  unapplied: false,
};

describe('of a pull request', () => {
  test.each<[string, SeenPullRequest, KnownPullRequest | null, ReturnType<typeof lostOf>]>([
    ['nothing, when all is the same', seen, known, null],
    ['its opening, when nobody knows it', seen, null, 'opening'],
    ['nothing, when nobody knew it while it was open', { ...seen, state: 'closed' }, null, null],
    ['its merge, when it was merged since', merged, null, 'merge'],
    ['nothing, when it was merged long ago', { ...merged, mergedAt: before }, null, null],
    ['a push', { ...seen, head: sha('c') }, known, 'push'],
    ['a change of base', { ...seen, base: 'next' }, known, 'change of base'],
    ['a change of draft', { ...seen, draft: true }, known, 'change of draft'],
    ['its closing', { ...seen, state: 'closed' }, known, 'closing'],
    [
      'nothing of what happened while it was closed',
      { ...seen, state: 'closed', head: sha('c') },
      { ...known, state: 'closed' },
      null,
    ],
    ['its reopening', seen, { ...known, state: 'closed' }, 'reopening'],
    ['its merge', merged, known, 'merge'],
    [
      'its merge, however long ago, when it is open in the record',
      { ...merged, mergedAt: before },
      known,
      'merge',
    ],
    [
      'its merge, when the record has it and nothing followed',
      merged,
      { ...known, state: 'merged', shown: false },
      'merge',
    ],
    ['nothing, when its merge commit has its checks', merged, { ...known, state: 'merged' }, null],
    ['nothing, when it was read as open before it was merged', seen, { ...known, state: 'merged' }, null],
    ['its checks, when none stands on the head', seen, { ...known, shown: false }, 'checks'],
    ['nothing of a base that moved', { ...seen, baseSha: sha('c') }, known, null],
  ])('%s', (_, one, other, lost) => {
    expect(lostOf(one, other, since)).toBe(lost);
  });

  test('what is told once is told apart by all that counts', () => {
    const facts = [
      seen,
      merged,
      { ...seen, head: sha('c') },
      { ...seen, base: 'next' },
      { ...seen, draft: true },
      { ...seen, updatedAt: before },
    ].map(factsOf);
    expect(new Set(facts).size).toBe(facts.length);
  });
});

test('whoever is open in the record and not among all that are open has to be read', () => {
  const closed = { ...known, number: 3, state: 'closed' } as const;
  expect(closedUnheard([seen], [known, { ...known, number: 2 }, closed])).toEqual([{ ...known, number: 2 }]);
});

test('a base has moved when what is planned stands on another tip; a draft and a new base do not tell', () => {
  const moved = { ...seen, baseSha: sha('c') };
  expect(movedBases([moved, { ...moved, number: 2 }], [known, { ...known, number: 2 }])).toEqual([
    { branch: 'main', tip: sha('c') },
  ]);
  expect(movedBases([seen], [known])).toEqual([]);
  expect(movedBases([moved], [])).toEqual([]);
  expect(movedBases([{ ...moved, draft: true }], [known])).toEqual([]);
  expect(movedBases([{ ...moved, base: 'next' }], [known])).toEqual([]);
});

describe('of what was said', () => {
  const comment: SeenComment = {
    id: 7,
    nodeId: 'IC_7',
    body: '/hatchet approve',
    createdAt: after,
    edited: false,
    author: { login: 'mona', human: true },
  };

  test('a command counts by the time it was written', () => {
    const { id, nodeId, createdAt } = comment;
    expect(commandsSince([comment], since)).toEqual([
      { id, nodeId, createdAt, actor: 'mona', command: expect.objectContaining({ verb: 'approve' }) },
    ]);
  });

  test.each<[string, Partial<SeenComment>]>([
    ['what is no command', { body: 'fine' }],
    ['what was edited', { edited: true }],
    ['a bot', { author: { login: 'renovate', human: false } }],
    ['an account that is gone', { author: null }],
    ['what was said before', { createdAt: before }],
  ])('%s does not', (_, other) => {
    expect(commandsSince([{ ...comment, ...other }], since)).toEqual([]);
  });

  test('a review counts when it was given or dismissed since, and not as a mere comment', () => {
    const review = { id: 1, at: before, updatedAt: after, login: 'mona', state: 'dismissed' };
    const others = [
      { ...review, state: 'commented' },
      { ...review, state: 'pending' },
      { ...review, updatedAt: before },
    ];
    expect(reviewsSince([review, ...others], since)).toEqual([review]);
  });
});

describe('a repository is looked at', () => {
  test.each([
    ['from now on, when it never was', null, '2026-05-01T10:01:00.000Z'],
    ['from a little before the last look', since, '2026-05-01T09:59:50.000Z'],
    ['three days back at most', '2026-04-01T10:00:00Z', '2026-04-28T10:01:00.000Z'],
  ])('%s', (_, lookedAt, from) => {
    expect(lookSince(lookedAt, after)).toBe(from);
  });
});

test('a webhook is lost when none of its attempts got across; the last of them is tried again', () => {
  const attempt = (id: number, guid: string, ok: boolean): DeliveryAttempt => ({
    id,
    guid,
    at: after,
    ok,
    event: 'push',
  });
  const attempts = [
    attempt(6, 'c', false),
    attempt(5, 'b', true),
    attempt(4, 'a', false),
    attempt(3, 'b', false),
    attempt(2, 'a', false),
    attempt(1, 'd', true),
  ];
  expect(undelivered(attempts).map(({ id }) => id)).toEqual([4, 6]);
});

test('what came to be less than a minute ago may be on its way', () => {
  const now = '2026-03-01T12:00:00Z';
  expect(mayBeOnItsWay('2026-03-01T11:59:01Z', now)).toBe(true);
  expect(mayBeOnItsWay('2026-03-01T12:00:02+00:00', now)).toBe(true);
  expect(mayBeOnItsWay('2026-03-01T11:59:00Z', now)).toBe(false);
});
