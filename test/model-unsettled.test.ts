// Until when may the Terraform of a lost apply be at work, and which lock is a button about?
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isLocking } from '../activities/terraform/backend.ts';
import { actionIdOf, parseActionId } from '../workflows/model/check.ts';
import type { ApplyRequest, Unsettled } from '../workflows/model/lock.ts';
import { atWorkUntil } from '../workflows/model/lock.ts';
import { tagOfLocks } from '../workflows/model/state-lock.ts';

const hour = 3_600_000;
const lostAt = '2026-01-01T10:00:00.000Z';
const lost: Unsettled = {
  request: { grant: { timeoutMs: hour } } as ApplyRequest,
  waitMs: 60_000,
  mark: null,
  lostAt,
  ended: false,
};

test.each([
  ['nothing tells', {}, { alone: false, afterMs: 0 }, '2026-01-01T11:31:00.000Z'],
  ['its runner says that it is over', { ended: true }, { alone: false, afterMs: 0 }, null],
  ['somebody has held the lock since', {}, { alone: true, afterMs: 0 }, null],
  ['an apply may take no longer', {}, { alone: false, afterMs: 1.5 * hour + 60_000 }, null],
  ['a moment before that', {}, { alone: false, afterMs: 1.5 * hour + 59_999 }, '2026-01-01T11:31:00.000Z'],
])('Terraform may still be at work: %s (S5)', (_case, change, { alone, afterMs }, until) => {
  const nowMs = Date.parse(lostAt) + afterMs;
  expect(atWorkUntil({ ...lost, ...change }, { alone, nowMs })).toBe(until);
});

test.each([
  ['local', {}, true],
  ['http', { lock_address: 'http://x' }, true],
  ['http', { address: 'http://x', lock_address: null }, false],
  ['s3', { use_lockfile: true }, true],
  ['s3', { dynamodb_table: 'locks' }, true],
  ['s3', { use_lockfile: null, dynamodb_table: '' }, false],
  ['consul', { lock: false }, false],
  ['of-tomorrow', {}, false],
])('a free lock of the backend %s as %j proves that nobody is at work: %s', async (type, config, locks) => {
  const directory = await mkdtemp(join(tmpdir(), 'hatchet-backend-'));
  expect(await isLocking(directory)).toBe(false);
  await writeFile(join(directory, 'terraform.tfstate'), JSON.stringify({ backend: { type, config } }));
  expect(await isLocking(directory)).toBe(locks);
  await rm(directory, { recursive: true });
});

test('a button to break locks names them, in what GitHub takes, and comes back as what it was', () => {
  const locks = tagOfLocks(['a', 'b']);
  expect(tagOfLocks(['b', 'a'])).toBe(locks);
  for (const others of [['a'], ['b'], ['a', 'c'], ['ab'], []]) expect(tagOfLocks(others)).not.toBe(locks);
  const id = actionIdOf('force-unlock', { number: 7, locks });
  expect(id.length).toBeLessThanOrEqual(20);
  expect(parseActionId(id)).toEqual({ button: 'force-unlock', locks, number: null });
});

test('any other button names the pull request that it was shown for', () => {
  const id = actionIdOf('apply-rest', { number: 999_999_999, locks: 'abc' });
  expect(id.length).toBeLessThanOrEqual(20);
  expect(parseActionId(id)).toEqual({ button: 'apply-rest', locks: null, number: 999_999_999 });
  expect(parseActionId('unlock')).toEqual({ button: 'unlock', locks: null, number: null });
  for (const text of ['nothing:x', 'approve:0', 'approve:x', 'approve:'])
    expect(parseActionId(text)).toBeNull();
});
