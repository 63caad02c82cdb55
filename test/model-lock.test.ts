// Can two pull requests ever hold one project, whatever they do and in whatever order?
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ApplyRequest, Lock } from '../workflows/model/lock.ts';
import {
  enqueue,
  finish,
  freeLock,
  isFree,
  lockChange,
  release,
  startNext,
  withdraw,
} from '../workflows/model/lock.ts';

let runs = 0;
const request = (number: number): ApplyRequest =>
  ({
    kind: 'apply',
    ref: { number },
    runId: `run-${runs++}`,
    replyTo: '',
    grant: {},
    mode: 'apply',
    inLine: false,
  }) as unknown as ApplyRequest;
const numbers = fc.integer({ min: 1, max: 3 });
const step = fc.oneof(
  numbers.map((number) => ({ kind: 'ask', number }) as const),
  numbers.map((number) => ({ kind: 'close', number }) as const),
  numbers.map((number) => ({ kind: 'unlock', number }) as const),
  numbers.map((number) => ({ kind: 'withdraw', number }) as const),
  fc.constant({ kind: 'start' } as const),
  fc.constantFrom(null, 'contact was lost').map((frozen) => ({ kind: 'finish', frozen }) as const),
);

test('one owner, one apply at a time, a fence that only grows, and nothing runs while frozen (S3)', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let lock: Lock = freeLock;
      let clock = 1;
      for (const each of steps) {
        const before = lock;
        if (each.kind === 'ask') lock = enqueue(lock, request(each.number));
        if (each.kind === 'close') lock = release(lock, each.number, 'closed');
        if (each.kind === 'unlock') lock = release(lock, each.number, 'unlock');
        if (each.kind === 'withdraw') lock = withdraw(lock, each.number);
        if (each.kind === 'start') lock = startNext(lock, clock++) ?? lock;
        if (each.kind === 'finish' && lock.running !== null) {
          lock = finish(lock, { frozen: each.frozen, refused: false, before: lock });
        }
        expect(lock.fence).toBeGreaterThanOrEqual(before.fence);
        if (lock.running !== null) expect(lock.owner).toBe(lock.running.ref.number);
        if (before.running !== null && each.kind !== 'finish') expect(lock.running).toBe(before.running);
        if (lock.running !== before.running && lock.running !== null) {
          expect(before.running).toBeNull();
          expect(before.frozen).toBeNull();
          expect(before.owner === null || before.owner === lock.owner).toBe(true);
          expect(lock.fence).toBeGreaterThan(before.fence);
        }
        if (before.frozen !== null && lock.frozen === null)
          expect(each).toEqual({ kind: 'unlock', number: before.owner });
        if (before.owner !== lock.owner) expect(lockChange(before, lock)).not.toBeNull();
      }
    }),
    { numRuns: 2_000 },
  );
});

test('whoever waits gets the project when its owner gives it up', () => {
  const [first, second] = [request(1), request(2)];
  const queued = enqueue(enqueue(freeLock, first), second);
  const running = startNext(queued, 1);
  expect(running?.running).toBe(first);
  const over = finish(running ?? freeLock, { frozen: null, refused: false, before: freeLock });
  expect(startNext(over, 2)).toBeNull();
  const given = release(over, 1, 'closed');
  expect(startNext(given, 3)?.running).toBe(second);
});

test('the same run is queued once, and an apply that was refused before it began owns nothing', () => {
  const only = request(7);
  expect(enqueue(enqueue(freeLock, only), only).queue).toHaveLength(1);
  const running = startNext(enqueue(freeLock, only), 1);
  expect(isFree(finish(running ?? freeLock, { frozen: null, refused: true, before: freeLock }))).toBe(true);
});
