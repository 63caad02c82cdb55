// What is in a message, as long as it is not too much?
import { Buffer } from 'node:buffer';

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
