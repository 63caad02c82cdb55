// How does a stream of bytes become lines of bounded length?
import type { Buffer } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';

/** Longer than any event Terraform writes; what is cut here is no JSON any more and counts as junk. */
export const maxLineLength = 1024 * 1024;

export type LineReader = { readonly write: (chunk: Buffer) => void; readonly end: () => void };

/** Calls `onLine` for every line, without its end; the rest of an overlong line is dropped. */
export function createLineReader(onLine: (line: string) => void): LineReader {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const take = (text: string) => {
    const lines = text.split('\n');
    for (const [index, part] of lines.entries()) {
      rest = (rest + part).slice(0, maxLineLength);
      if (index === lines.length - 1) return;
      onLine(rest);
      rest = '';
    }
  };
  return {
    write: (chunk) => take(decoder.write(chunk)),
    end: () => {
      take(decoder.end());
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
}
