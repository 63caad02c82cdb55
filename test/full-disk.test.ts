// Is a full disk told apart from everything else that goes wrong?
import { expect, test } from 'vitest';
import { hasNoRoom, isFullDisk } from '../activities/full-disk.ts';

const withCode = (code: string): Error => Object.assign(new Error('write failed'), { code });

const errors: readonly (readonly [what: string, error: unknown, isFull: boolean])[] = [
  ['the system says so', withCode('ENOSPC'), true],
  ['the quota of this user is used up', withCode('EDQUOT'), true],
  ['it is the cause of what failed', new Error('not started', { cause: withCode('ENOSPC') }), true],
  ['git says so', new Error('git fetch failed: fatal: write error: No space left on device'), true],
  ['another error of the system', withCode('EACCES'), false],
  ['an error without a code', new Error('the space is left as it was'), false],
  ['no error', 'ENOSPC', false],
];

test.each(errors)('%s', (_, error, isFull) => {
  expect(isFullDisk(error)).toBe(isFull);
});

test('where nobody can tell, it is not said to be full', async () => {
  expect(await hasNoRoom('/there/is/no/such/place')).toBe(false);
});
