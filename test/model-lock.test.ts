// Can two pull requests ever hold one project, or wait for each other for ever, whatever they do and in whatever order?
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ApplyRequest, Lock, LockMode, TurnRequest } from '../workflows/model/lock.ts';
import {
  enqueue,
  finish,
  freeLock,
  grantTurns,
  isFree,
  lockChange,
  release,
  renew,
  startNext,
  withdraw,
} from '../workflows/model/lock.ts';
import { inLockOrder } from '../workflows/model/turn.ts';
import { createTown, type Move, maxSteps } from './town.ts';

let runs = 0;
const request = (number: number, mode: LockMode = 'apply'): ApplyRequest =>
  ({
    kind: 'apply',
    ref: { number },
    runId: `run-${runs++}`,
    replyTo: '',
    grant: {},
    mode,
    waits: true,
  }) as unknown as ApplyRequest;
const turn = (number: number): TurnRequest =>
  ({ kind: 'turn', ref: { number }, replyTo: '', project: 'prod' }) as unknown as TurnRequest;

const numbers = fc.integer({ min: 1, max: 3 });
const modes = fc.constantFrom<LockMode>('apply', 'plan', 'none');
const step = fc.oneof(
  fc.record({ kind: fc.constant('ask' as const), number: numbers, mode: modes }),
  numbers.map((number) => ({ kind: 'turn', number }) as const),
  numbers.map((number) => ({ kind: 'close', number }) as const),
  numbers.map((number) => ({ kind: 'unlock', number }) as const),
  numbers.map((number) => ({ kind: 'withdraw', number }) as const),
  fc.constant({ kind: 'grant' } as const),
  fc.constant({ kind: 'start' } as const),
  fc.record({
    kind: fc.constant('finish' as const),
    frozen: fc.constantFrom(null, 'contact was lost'),
    refused: fc.boolean(),
  }),
);

describe('one lock', () => {
  test('one owner, one apply at a time, a fence that only grows, and nothing runs while frozen (S3)', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let [lock, beforeRun]: [Lock, Lock] = [freeLock, freeLock];
        let clock = 1;
        for (const each of steps) {
          const before = lock;
          if (each.kind === 'ask') lock = enqueue(lock, request(each.number, each.mode));
          if (each.kind === 'turn') lock = enqueue(lock, turn(each.number));
          if (each.kind === 'close') lock = release(lock, each.number, 'closed');
          if (each.kind === 'unlock') lock = release(lock, each.number, 'unlock');
          if (each.kind === 'withdraw') lock = withdraw(lock, each.number);
          if (each.kind === 'grant') lock = grantTurns(lock).lock;
          if (each.kind === 'start') {
            lock = startNext(lock, clock++) ?? lock;
            if (lock !== before) beforeRun = before;
          }
          if (each.kind === 'finish' && lock.running !== null) {
            const { refused } = each;
            const frozen = refused ? null : each.frozen;
            lock = finish(lock, { frozen, refused, before: beforeRun });
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
          if (before.owner === null && lock.owner !== null)
            expect(before.queue[0]?.ref.number).toBe(lock.owner);
          if (before.frozen !== null && lock.frozen === null)
            expect(each).toEqual({ kind: 'unlock', number: before.owner });
          if (lock.frozen !== null) expect(lock.owner).not.toBeNull();
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
    expect(enqueue(enqueue(freeLock, turn(7)), turn(7)).queue).toHaveLength(1);
    const running = startNext(enqueue(freeLock, only), 1);
    expect(isFree(finish(running ?? freeLock, { frozen: null, refused: true, before: freeLock }))).toBe(true);
  });

  test('a newer grant takes the place of the older one in line, and starts nothing by itself', () => {
    const [first, second, third] = [request(1), request(2), request(3)];
    const lock = enqueue(enqueue(enqueue(freeLock, first), second), third);
    const grant = { head: 'newer' } as unknown as ApplyRequest['grant'];
    const renewed = renew(lock, { runId: second.runId, grant });
    expect(renewed.queue).toEqual([first, { ...second, grant }, third]);
    const running = startNext(lock, 1) ?? freeLock;
    expect(renew(running, { runId: first.runId, grant })).toEqual(running);
    const over = finish(running, { frozen: null, refused: true, before: freeLock });
    expect(renew(over, { runId: first.runId, grant }).queue).toEqual([second, third]);
    expect(renew(freeLock, { runId: first.runId, grant })).toEqual(freeLock);
  });

  test('a turn owns the project until it is given back, and what was applied is not given back with it', () => {
    const { lock, granted } = grantTurns(enqueue(enqueue(freeLock, turn(1)), request(2)));
    expect([lock.owner, granted.length]).toEqual([1, 1]);
    expect(startNext(lock, 1)).toBeNull();
    expect(startNext(withdraw(lock, 1), 1)?.owner).toBe(2);
    const running = startNext(enqueue(lock, request(1)), 1) ?? freeLock;
    const applied = finish(running, { frozen: null, refused: false, before: lock });
    expect(withdraw(applied, 1).owner).toBe(1);
    expect(release(applied, 1, 'closed').owner).toBeNull();
  });

  test('with `lock: none` nobody owns the project after the apply, unless nobody knows how it ended', () => {
    const running = startNext(enqueue(enqueue(freeLock, request(1, 'none')), request(2, 'none')), 1);
    const end = { refused: false, before: freeLock };
    const over = finish(running ?? freeLock, { ...end, frozen: null });
    expect([over.owner, startNext(over, 2)?.owner]).toEqual([null, 2]);
    expect(finish(running ?? freeLock, { ...end, frozen: 'lost' }).owner).toBe(1);
  });
});

test('every pull request takes its projects in one order, whatever they are called', () => {
  const project = (dir: string, workspace: string) => ({ project: { dir, workspace } });
  const all = [project('b', 'x'), project('a', 'z'), project('B', 'default'), project('a', 'default')];
  expect(inLockOrder(all).map(({ project: { dir, workspace } }) => `${dir}@${workspace}`)).toEqual([
    'B@default',
    'a@default',
    'a@z',
    'b@x',
  ]);
});

const projects = fc.integer({ min: 0, max: 2 });
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.nat().map((pick) => ({ kind: 'deliver', pick }) as const) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('apply' as const), number: numbers, only: fc.option(projects) }),
  },
  numbers.map((number) => ({ kind: 'plan', number }) as const),
  numbers.map((number) => ({ kind: 'push', number }) as const),
  numbers.map((number) => ({ kind: 'merge', number }) as const),
  numbers.map((number) => ({ kind: 'close', number }) as const),
  numbers.map((number) => ({ kind: 'unlock', number }) as const),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      project: projects,
      outcome: fc.constantFrom('applied' as const, 'applied' as const, 'failed' as const, 'unknown' as const),
    }),
  },
);
const touched = fc.uniqueArray(projects, { minLength: 1, maxLength: 3 });

describe('three pull requests on three projects', () => {
  test('never two owners or two applies, nothing voided is applied, no circle, first come first served (S3)', () => {
    fc.assert(
      fc.property(
        fc.tuple(touched, touched, touched),
        fc.constantFrom<LockMode>('apply', 'plan', 'none'),
        fc.array(move, { maxLength: maxSteps }),
        (sets, mode, moves) => {
          const town = createTown(sets, mode);
          for (const each of moves) town.play(each);
          town.endEverything();
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test('an answer to what was given up meanwhile lets nobody wait in a circle (S3)', () => {
    const town = createTown([[0, 1], [0], [0, 1]], 'plan');
    for (const number of [1, 3]) town.play({ kind: 'merge', number });
    town.play({ kind: 'unlock', number: 1 });
    town.play({ kind: 'plan', number: 1 });
    town.endEverything();
  });

  test('who has applied something that comes later does not wait for what comes first (S3)', () => {
    const town = createTown([[0, 2], [0, 2], [1]], 'apply');
    const apply = (number: number, only: number): void => {
      town.play({ kind: 'apply', number, only });
      for (let letters = 0; letters < 9; letters += 1) town.play({ kind: 'deliver', pick: 0 });
      town.play({ kind: 'end', project: only, outcome: 'applied' });
      for (let letters = 0; letters < 9; letters += 1) town.play({ kind: 'deliver', pick: 0 });
    };
    apply(1, 2);
    apply(2, 0);
    apply(1, 0);
    apply(2, 2);
    town.endEverything();
  });
});
