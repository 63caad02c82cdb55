// What is in a request, as long as it is not too much?
import type { IncomingMessage } from 'node:http';

export type BodyRead =
  | { readonly kind: 'text'; readonly text: string }
  /** The rest of it was not read. */
  | { readonly kind: 'too-large' }
  /** So much is being read for others that there is no room for it now. */
  | { readonly kind: 'no-room' }
  /** Whoever sent it hung up in the middle. */
  | { readonly kind: 'broken-off' };

/** Reads bodies of at most `maxBytes`, and of all that are under way together at most `maxBytesAtOnce`. */
export function createBodyReader(limits: {
  readonly maxBytes: number;
  readonly maxBytesAtOnce: number;
}): (request: IncomingMessage) => Promise<BodyRead> {
  let held = 0;
  return async (request) => {
    if (Number(request.headers['content-length'] ?? 0) > limits.maxBytes) return { kind: 'too-large' };
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        held += chunk.length;
        if (bytes > limits.maxBytes) return { kind: 'too-large' };
        if (held > limits.maxBytesAtOnce) return { kind: 'no-room' };
        chunks.push(chunk);
      }
      return { kind: 'text', text: Buffer.concat(chunks).toString('utf8') };
    } catch (error) {
      if (request.destroyed) return { kind: 'broken-off' };
      throw error;
    } finally {
      held -= bytes;
    }
  };
}
