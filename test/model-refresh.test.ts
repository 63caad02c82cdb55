// Which pull requests are planned again after a push or an apply, in which order, and how many at once?
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OpenPullRequest, RefreshCause, RefreshQueue } from '../workflows/model/refresh.ts';
import {
  concerned,
  emptyQueue,
  enqueueRefreshes,
  finishRefresh,
  isIdle,
  maxRefreshesAtOnce,
  noteCause,
  startRefresh,
} from '../workflows/model/refresh.ts';

const pushed = (branch: string): RefreshCause => ({ kind: 'pushed', branch });
const applied = (project: string, number: number): RefreshCause => ({ kind: 'applied', project, number });
const behind = (project: string, ...dependents: readonly string[]): RefreshCause => ({
  ...{ kind: 'applied', project, dependents, number: 1 },
});
const open: readonly OpenPullRequest[] = [
  { number: 3, base: 'main', planned: ['prod'] },
  { number: 5, base: 'main', planned: [] },
  { number: 8, base: 'release', planned: ['prod', 'dns'] },
];

describe('whom it concerns', () => {
  test.each([
    ['a push: those based on the branch', [pushed('main')], [[3], [5]]],
    ['a push to a branch that is nobody’s base: no one', [pushed('feature')], []],
    [
      'an apply: those that plan the project',
      [applied('prod', 5)],
      [
        [3, 'prod'],
        [8, 'prod'],
      ],
    ],
    ['an apply of its own: not the pull request itself', [applied('prod', 3)], [[8, 'prod']]],
    ['an apply that nobody else plans: no one', [applied('dns', 8)], []],
    [
      'a merge, which is both: each once, with all that was applied',
      [pushed('main'), applied('dns', 1), applied('prod', 1)],
      [[3, 'prod'], [5], [8, 'dns', 'prod']],
    ],
    [
      'an apply: those that plan what comes after the project',
      [behind('network', 'dns', 'prod')],
      [
        [3, 'prod'],
        [8, 'dns', 'prod'],
      ],
    ],
    ['an apply of what nobody plans, nor anything after it: no one', [behind('network', 'app')], []],
    [
      'two applies of one project',
      [applied('prod', 1), applied('prod', 2)],
      [
        [3, 'prod'],
        [8, 'prod'],
      ],
    ],
  ] as const)('%s', (_, causes, expected) => {
    expect(concerned(open, causes)).toEqual(
      expected.map(([number, ...names]) => ({ number, applied: names })),
    );
  });
});

test('the same cause twice is one cause', () => {
  const all = [pushed('main'), applied('prod', 1), pushed('main'), applied('prod', 1), applied('prod', 2)];
  const queue = all.reduce(noteCause, emptyQueue);
  expect(queue.causes).toEqual([pushed('main'), applied('prod', 1), applied('prod', 2)]);
  expect(noteCause(queue, behind('prod', 'app')).causes).toHaveLength(4);
});

/** Starts as many as may run; their numbers in order. */
function startAll(queue: RefreshQueue): {
  readonly queue: RefreshQueue;
  readonly started: readonly number[];
} {
  const started: number[] = [];
  let now = queue;
  for (let next = startRefresh(now); next !== null; next = startRefresh(now)) {
    started.push(next.refresh.number);
    now = next.queue;
  }
  return { queue: now, started };
}

const refreshes = (...numbers: readonly number[]) => numbers.map((number) => ({ number, applied: [] }));

test('the oldest come first, a few at a time', () => {
  const { queue, started } = startAll(enqueueRefreshes(emptyQueue, refreshes(9, 2, 7, 4, 1, 6)));
  expect(started).toEqual([1, 2, 4, 6]);
  expect(startAll(finishRefresh(queue, 4)).started).toEqual([7]);
});

test('one that waits already is told of everything at once', () => {
  const queue = [
    { number: 1, applied: ['prod'] },
    { number: 1, applied: ['dns', 'prod'] },
  ].reduce((all, one) => enqueueRefreshes(all, [one]), emptyQueue);
  expect(queue.waiting).toEqual([{ number: 1, applied: ['prod', 'dns'] }]);
});

test('one that is being planned is planned once more when that is over', () => {
  const first = startAll(enqueueRefreshes(emptyQueue, refreshes(1)));
  const again = startAll(enqueueRefreshes(first.queue, refreshes(1, 2)));
  expect(again.started).toEqual([2]);
  expect(startAll(finishRefresh(again.queue, 1)).started).toEqual([1]);
});

const number = fc.integer({ min: 1, max: 8 });
const step = fc.oneof(
  fc.array(number, { maxLength: 4 }).map((numbers) => ({ kind: 'found', numbers }) as const),
  fc.constant({ kind: 'start' } as const),
  number.map((finished) => ({ kind: 'finish', number: finished }) as const),
);

test('never one twice, never too many at once, and nobody is forgotten', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let queue = emptyQueue;
      const owed = new Set<number>();
      for (const each of steps) {
        if (each.kind === 'found') {
          queue = enqueueRefreshes(queue, refreshes(...each.numbers));
          for (const one of each.numbers) owed.add(one);
        }
        const next = each.kind === 'start' ? startRefresh(queue) : null;
        if (next !== null) {
          expect(queue.running).not.toContain(next.refresh.number);
          queue = next.queue;
          owed.delete(next.refresh.number);
        }
        if (each.kind === 'finish') queue = finishRefresh(queue, each.number);
        expect(queue.waiting.map((one) => one.number)).toEqual([...owed].sort((left, right) => left - right));
        expect(new Set(queue.running).size).toBe(queue.running.length);
        expect(queue.running.length).toBeLessThanOrEqual(maxRefreshesAtOnce);
        expect(isIdle(queue)).toBe(owed.size === 0 && queue.running.length === 0);
      }
    }),
  );
});
