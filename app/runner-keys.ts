// With which keys does a runner read what it is asked, when it must not have those of the artifacts?
import type { EncryptionKey, EncryptionKeys } from './encryption-keys.ts';
import type { Keyring } from './keyring.ts';
import { createKeyring } from './keyring.ts';

const purpose = 'hatchet payloads of runners, version 1';
/** No operator's key has a slash in its id. */
const prefix = 'runner/';

/** Nobody learns the keys of `keyring` from these. */
export function runnerKeysOf({ derive, keyIds }: Keyring): EncryptionKeys {
  const [id, ...ids] = keyIds;
  const [bytes, ...others] = derive(purpose);
  const keyOf = (other: Buffer, index: number): EncryptionKey => ({ id: ids[index] ?? '', bytes: other });
  return [{ id, bytes }, ...others.map(keyOf)];
}

export function runnerKeyring(keys: EncryptionKeys): Keyring {
  const [first, ...others] = keys;
  const named = ({ id, bytes }: EncryptionKey): EncryptionKey => ({ id: `${prefix}${id}`, bytes });
  return createKeyring([named(first), ...others.map(named)]);
}

export const isRunnerKey = (keyId: string): boolean => keyId.startsWith(prefix);

/** As HATCHET_RUNNER_KEY takes them. */
export function runnerKeysText(keys: EncryptionKeys): string {
  return keys.map(({ id, bytes }) => `${id}:${bytes.toString('base64')}`).join(',');
}
