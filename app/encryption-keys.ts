// Which encryption keys are there: the ones an operator gave, or the one made on the first start?
import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** One AES-256 key. `id` is written beside everything it seals, so that it can be found again after a rotation. */
export type EncryptionKey = { readonly id: string; readonly bytes: Buffer };
/** The first key seals, all of them open. */
export type EncryptionKeys = readonly [EncryptionKey, ...EncryptionKey[]];

const keyBytes = 32;
const keyIdPattern = /^[A-Za-z0-9_-]{1,32}$/;
/** The id of a key that was given without one. */
const bareKeyId = 'default';
/** 32 random bytes hold about 30 different ones; a placeholder such as thirty-two times `A` holds few. */
const fewestDifferentBytes = 12;

/**
 * Reads `id:base64key[,id2:base64key]` or one bare base64 key. Throws an Error that says what is wrong with which
 * entry, never what the entry says.
 */
export function parseEncryptionKeys(text: string): EncryptionKeys {
  const entries = text.split(',').map((entry) => entry.trim());
  const [first, ...rest] = entries.map((entry, index) => parseKey(entry, index + 1, entries.length));
  if (first === undefined) throw new Error('holds no key');
  const ids = [first, ...rest].map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new Error(`has two keys with the id "${twice}"`);
  return [first, ...rest];
}

function parseKey(entry: string, position: number, of: number): EncryptionKey {
  const colon = entry.indexOf(':');
  if (colon === -1 && of > 1)
    throw new Error(`has several keys, so key ${position} needs an id: id:base64key`);
  const id = colon === -1 ? bareKeyId : entry.slice(0, colon);
  // The id is not repeated in the message: someone may have put the key on the wrong side of the colon.
  if (!keyIdPattern.test(id))
    throw new Error(`has a key (${position}) whose id is not 1 to 32 of A-Z a-z 0-9 _ -`);
  const bytes = Buffer.from(entry.slice(colon + 1), 'base64');
  if (bytes.length !== keyBytes || bytes.toString('base64') !== entry.slice(colon + 1)) {
    throw new Error(`has a key (${position}) that is not ${keyBytes} bytes in base64 (44 characters)`);
  }
  if (new Set(bytes).size < fewestDifferentBytes)
    throw new Error(`has a key (${position}) that is not random`);
  return { id, bytes };
}

/**
 * The key that an installation without HATCHET_ENCRYPTION_KEY made for itself, made now when there is none yet.
 * Losing `<dataDir>/encryption-key` loses every stored plan and every running workflow.
 */
export async function loadOrCreateKey(dataDir: string): Promise<EncryptionKeys> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'encryption-key');
  const found = await readIfThere(path);
  if (found !== null) return parseKeyFile(path, found);
  await createOnce(path, `${bareKeyId}:${randomBytes(keyBytes).toString('base64')}\n`);
  return parseKeyFile(path, await readFile(path, 'utf8'));
}

function parseKeyFile(path: string, text: string): EncryptionKeys {
  try {
    return parseEncryptionKeys(text.trim());
  } catch (error) {
    throw new Error(`${path} ${error instanceof Error ? error.message : 'cannot be read'}`);
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Whole or not at all, and never over an existing file: whoever starts second uses the first one's key. */
async function createOnce(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if (!isErrorWithCode(error, 'EEXIST')) throw error;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

function isErrorWithCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
