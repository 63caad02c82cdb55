// How are bytes sealed and opened?
import type { KeyObject } from 'node:crypto';
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import type { EncryptionKey, EncryptionKeys } from './encryption-keys.ts';

/**
 * Seals and opens bytes with AES-256-GCM. `context` says what the bytes are (`artifact/<id>/log`): bytes that were
 * sealed as one thing do not open as another. `open` throws an Error when the key is not there or a bit was changed.
 */
export type Keyring = {
  /** The key that seals from now on. */
  readonly keyId: string;
  seal(clear: Uint8Array, context: string): Buffer;
  open(sealed: Uint8Array, context: string): Buffer;
  /** Of all keys, in their order. */
  readonly keyIds: readonly [string, ...string[]];
  /** 32 bytes for another use, one for each key in the same order; nothing sealed can be learnt from them (RFC 5869). */
  derive(purpose: string): readonly [Buffer, ...Buffer[]];
};

const derivedBytes = 32;
const algorithm = 'aes-256-gcm';
/** GCM's own nonce size; random nonces are safe for about 2^32 messages per key (NIST SP 800-38D, 8.3). */
const nonceBytes = 12;
const tagBytes = 16;
/** The first byte of everything sealed: what follows is key id length, key id, nonce, ciphertext, tag. */
const formatVersion = 1;

/** The first key seals, all of them open. */
export function createKeyring(keys: EncryptionKeys): Keyring {
  const [sealing, ...others] = keys;
  const derive = ({ bytes }: EncryptionKey, purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', bytes, '', purpose, derivedBytes));
  // Made once: Node takes four times as long with the bare bytes, and everything that Temporal sees passes here.
  const byId = new Map(keys.map((key) => [key.id, createSecretKey(key.bytes)]));
  const sealingKey = createSecretKey(sealing.bytes);
  return {
    keyId: sealing.id,
    keyIds: [sealing.id, ...others.map(({ id }) => id)],
    seal: (clear, context) => seal(sealing.id, sealingKey, clear, context),
    open: (sealed, context) => openWith(byId, sealed, context),
    derive: (purpose) => [derive(sealing, purpose), ...others.map((key) => derive(key, purpose))],
  };
}

function seal(keyId: string, key: KeyObject, clear: Uint8Array, context: string): Buffer {
  const id = Buffer.from(keyId);
  const header = Buffer.concat([Buffer.from([formatVersion, id.length]), id]);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.concat([header, Buffer.from(context)]));
  return Buffer.concat([header, nonce, cipher.update(clear), cipher.final(), cipher.getAuthTag()]);
}

function openWith(keys: ReadonlyMap<string, KeyObject>, sealed: Uint8Array, context: string): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const headerBytes = 2 + (bytes[1] ?? 0);
  const bodyStart = headerBytes + nonceBytes;
  if (bytes[0] !== formatVersion || bytes.length < bodyStart + tagBytes) {
    throw new Error('these bytes were not sealed by Hatchet, or by a newer one');
  }
  const id = bytes.toString('utf8', 2, headerBytes);
  const key = keys.get(id);
  if (key === undefined) {
    throw new Error(`the encryption key "${id}" is missing; add it to HATCHET_ENCRYPTION_KEY`);
  }
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(headerBytes, bodyStart), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.concat([bytes.subarray(0, headerBytes), Buffer.from(context)]));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  const clear = decipher.update(bytes.subarray(bodyStart, -tagBytes));
  try {
    return Buffer.concat([clear, decipher.final()]);
  } catch (cause) {
    throw new Error(`sealed bytes were changed, or sealed as something else (key "${id}")`, { cause });
  }
}
