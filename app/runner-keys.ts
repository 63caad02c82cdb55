// With which keys do the runners of a pool read what they are asked, when they must not have any others?
import type { EncryptionKey, EncryptionKeys } from './encryption-keys.ts';
import { parseEncryptionKeys } from './encryption-keys.ts';
import type { Keyring } from './keyring.ts';
import { createKeyring } from './keyring.ts';

const purposeOf = (pool: string): string => `hatchet payloads of runners, version 2, pool ${pool}`;
/** No operator's key has a slash in its id. */
const prefix = 'runner/';

/** By the names of pools. */
export type RunnerKeys = ReadonlyMap<string, EncryptionKeys>;

/** What opens and seals for the runners of a pool; null where its keys are not there. */
export type PoolKeyrings = (pool: string) => Keyring | null;

/** Nobody learns the keys of `keyring` from these, nor those of one pool from another's. */
export function runnerKeysOf(keyring: Keyring, pools: readonly string[]): RunnerKeys {
  return new Map(pools.map((pool) => [pool, poolKeysOf(keyring, pool)]));
}

function poolKeysOf({ derive, keyIds }: Keyring, pool: string): EncryptionKeys {
  const [id, ...ids] = keyIds;
  const [bytes, ...others] = derive(purposeOf(pool));
  const keyOf = (other: Buffer, index: number): EncryptionKey => ({ id: ids[index] ?? '', bytes: other });
  return [{ id, bytes }, ...others.map(keyOf)];
}

/** Of every pool, for whoever has the installation's own keys. */
export function derivedKeyrings(keyring: Keyring): PoolKeyrings {
  const known = new Map<string, Keyring>();
  return (pool) => {
    const found = known.get(pool) ?? poolKeyring(pool, poolKeysOf(keyring, pool));
    known.set(pool, found);
    return found;
  };
}

/** Of the pools that a runner was given keys of, and of no others. */
export function givenKeyrings(keys: RunnerKeys): PoolKeyrings {
  const known = new Map([...keys].map(([pool, given]) => [pool, poolKeyring(pool, given)]));
  return (pool) => known.get(pool) ?? null;
}

function poolKeyring(pool: string, [first, ...others]: EncryptionKeys): Keyring {
  const named = ({ id, bytes }: EncryptionKey): EncryptionKey => ({ id: `${prefix}${pool}/${id}`, bytes });
  return createKeyring([named(first), ...others.map(named)]);
}

export const isRunnerKey = (keyId: string): boolean => keyId.startsWith(prefix);

/** As HATCHET_RUNNER_KEY takes them: `pool/id:base64key`, one after the other. */
export function runnerKeysText(keys: RunnerKeys): string {
  return [...keys]
    .flatMap(([pool, given]) => given.map(({ id, bytes }) => `${pool}/${id}:${bytes.toString('base64')}`))
    .join(',');
}

/** Throws an Error that says what is wrong with which entry, never what the entry says. */
export function parseRunnerKeys(text: string): RunnerKeys {
  const byPool = new Map<string, string[]>();
  for (const [index, entry] of text.split(',').entries()) {
    const [, pool, key] = /^\s*([A-Za-z0-9._-]+)\/([^/:]+:.+)$/.exec(entry) ?? [];
    if (pool === undefined || key === undefined)
      throw new Error(`has a key (${index + 1}) that does not say of which pool it is`);
    byPool.set(pool, [...(byPool.get(pool) ?? []), key]);
  }
  return new Map([...byPool].map(([pool, keys]) => [pool, parseEncryptionKeys(keys.join(','))]));
}
