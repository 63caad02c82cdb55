// What is a file called when its name is bytes and not text?
import { isUtf8 } from 'node:buffer';

/** Lone surrogates U+DC80-U+DCFF stand for bytes that are no UTF-8, as in Python's surrogateescape. */
const escapeBase = 0xdc00;

/** Text for a name of any bytes; two different names never become the same text. */
export function decodeName(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : escapeBase + byte)).join('');
}

/** The bytes of a name or path that `decodeName` made. */
export function encodeName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name, 'utf8');
  return Buffer.concat(
    name.split('/').map((segment, index) => {
      const bytes = segment.isWellFormed() ? Buffer.from(segment) : Buffer.from(segment, 'latin1');
      return index === 0 ? bytes : Buffer.concat([Buffer.from('/'), bytes]);
    }),
  );
}

/** False for names that a checkout could escape by or that git keeps for itself, in any of its spellings. */
export function isSafeName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && name.toLowerCase() !== '.git';
}
