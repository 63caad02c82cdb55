// Who gets the answer that somebody else asked for?
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { shareReadings } from '../activities/share-readings.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

function counted() {
  let asked = 0;
  return shareReadings(
    async (question: string) => {
      asked += 1;
      return `${question} ${asked}`;
    },
    (question) => question,
  );
}

test('within a second everybody who asks the same gets one answer', async () => {
  const ask = counted();
  expect(await Promise.all([ask('a'), ask('a'), ask('b')])).toEqual(['a 1', 'a 1', 'b 2']);
  vi.advanceTimersByTime(1_001);
  expect(await ask('a')).toBe('a 3');
});

test('whoever asks anew gets what is true now, and so does everybody for as long as was said', async () => {
  const ask = counted();
  expect(await ask('a')).toBe('a 1');
  expect(await ask('a', { forMs: 300 })).toBe('a 2');
  expect(await ask('a')).toBe('a 2');
  vi.advanceTimersByTime(301);
  expect(await ask('a')).toBe('a 3');
});

test('what failed is asked again', async () => {
  let asked = 0;
  const ask = shareReadings(
    async () => {
      asked += 1;
      if (asked === 1) throw new Error('GitHub is away');
      return asked;
    },
    () => 'one',
  );
  await expect(ask('a')).rejects.toThrow('GitHub is away');
  expect(await ask('a')).toBe(2);
});
