// Is a full disk told apart from everything else that goes wrong?
import { mkdtemp, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { failedForRoom, hasNoRoom } from '../activities/full-disk.ts';
import { canMount, mountSmall, unmount } from '../fixtures/drills/small-disk.ts';

const withCode = (code: string): Error => Object.assign(new Error('write failed'), { code });

const errors: readonly (readonly [what: string, error: unknown, isFull: boolean])[] = [
  ['the system says so', withCode('ENOSPC'), true],
  ['the quota of this user is used up', withCode('EDQUOT'), true],
  ['it is the cause of what failed', new Error('not started', { cause: withCode('ENOSPC') }), true],
  ['git says so, and there is room', new Error('fatal: write error: No space left on device'), false],
  [
    'a database elsewhere says so',
    Object.assign(new Error('could not extend file "base/5/1": No space left on device'), { code: '53100' }),
    false,
  ],
  ['another error of the system', withCode('EACCES'), false],
  ['an error without a code', new Error('the space is left as it was'), false],
  ['no error', 'ENOSPC', false],
];

test.each(errors)('%s', async (_, error, isFull) => {
  expect(await failedForRoom(error, import.meta.dirname)).toBe(isFull);
});

/** A place without room wherever there is such a file system: what the kernel shows of itself. */
const kernels = '/proc';

test.runIf(await hasNoRoom(kernels))('what git says counts where there is no room', async () => {
  expect(await failedForRoom(new Error('fatal: write error: No space left on device'), kernels)).toBe(true);
  expect(await failedForRoom(new Error('fatal: unable to access'), kernels)).toBe(false);
});

/** In kilobytes; any. */
const size = 32;

test.skipIf(!canMount)('a disk has no room once it is full, and not before (needs mount)', async () => {
  const disk = await mkdtemp(join(tmpdir(), 'hatchet-full-'));
  expect(mountSmall(disk, size)).toBe(true);
  try {
    expect(await hasNoRoom(disk)).toBe(false);
    await expect(writeFile(join(disk, 'large'), Buffer.alloc(2 * size * 1024))).rejects.toThrow('ENOSPC');
    expect(await hasNoRoom(disk)).toBe(true);
  } finally {
    unmount(disk);
    await rmdir(disk);
  }
});

test('where nobody can tell, it is not said to be full', async () => {
  const nowhere = '/there/is/no/such/place';
  expect(await hasNoRoom(nowhere)).toBe(false);
  expect(await failedForRoom(new Error('fatal: write error: No space left on device'), nowhere)).toBe(false);
});
