// What is kept of everything that a run printed?
import { Buffer } from 'node:buffer';
import type { LiveLog } from './live-log.ts';
import type { Mask } from './mask.ts';

/** More than anybody reads; a provider in debug mode must not fill memory and store. */
const maxLogLength = 16 * 1024 * 1024;

export type RunLog = {
  readonly append: (text: string) => void;
  /** Whoever follows the run gets nothing more: from now on there is the whole log. */
  readonly endFollowing: () => Promise<void>;
  /** The whole log, with secrets taken out; the mask may have been learnt after the lines were written. */
  readonly masked: (mask: Mask) => Buffer;
};

/** Whoever follows the run sees every line at once. */
export function createRunLog(live: LiveLog): RunLog {
  const lines: string[] = [];
  let length = 0;
  return {
    append: (text) => {
      live.append(text);
      if (length > maxLogLength) return;
      length += text.length + 1;
      lines.push(length > maxLogLength ? 'The log ends here: it is too long to be kept.' : text);
    },
    endFollowing: () => live.end(),
    masked: (mask) => Buffer.from(mask(lines.map((line) => `${line}\n`).join(''))),
  };
}
