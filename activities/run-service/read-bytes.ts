// What is in a message, as long as it is not too much?
import { Buffer } from 'node:buffer';

export type BodyTaker = <Result>(
  message: AsyncIterable<Uint8Array>,
  maxBytes: number,
  use: (body: Buffer) => Promise<Result>,
) => Promise<Result | 'too-large' | 'no-room'>;

/**
 * Reads bodies of at most `maxBytes`, and holds of all that are read or used at one time at most `maxBytesAtOnce`:
 * `no-room` means later. What is too much is not read to its end.
 */
export function createBodyTaker(maxBytesAtOnce: number): BodyTaker {
  let held = 0;
  return async (message, maxBytes, use) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const chunk of message) {
        bytes += chunk.length;
        held += chunk.length;
        if (bytes > maxBytes) return 'too-large';
        if (held > maxBytesAtOnce) return 'no-room';
        chunks.push(chunk);
      }
      return await use(Buffer.concat(chunks));
    } finally {
      held -= bytes;
    }
  };
}

/** Null when it is larger than `maxBytes`, and then the rest of it is not read. */
export async function readBytes(
  message: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
