// How is a run followed while it goes on?
import type { RunId } from '../../workflows/model/identifiers.ts';
import type { LogSink } from '../run-store.ts';
import type { Mask } from './mask.ts';

/** Most runs of small projects are over before: they cost no write at all. */
const firstChunkMs = 300;
/** Nobody reads faster, and every chunk is a row. */
const chunkMs = 1_000;
/** A run that prints more than anybody can follow must not fill the database; the kept log has all of it. */
const maxFollowedLength = 4 * 1024 * 1024;

export type LiveLog = {
  readonly append: (text: string) => void;
  /** Nothing is written any more once it resolves. */
  readonly end: () => Promise<void>;
};

/** Sends what is appended in chunks; a sink that is down costs the run nothing. */
export function createLiveLog(sink: LogSink | null, runId: RunId, mask: Mask): LiveLog {
  if (sink === null) return { append: () => undefined, end: async () => undefined };
  let [pending, length, seq, ended] = ['', 0, 0, false];
  let timer: NodeJS.Timeout | undefined;
  let sending = Promise.resolve();

  async function send(): Promise<void> {
    const text = pending;
    pending = '';
    await sink?.append(runId, seq, mask(text)).then(
      () => {
        seq += 1;
      },
      () => {
        pending = text + pending;
      },
    );
    timer = undefined;
    plan();
  }

  function plan(): void {
    if (ended || timer !== undefined || pending === '') return;
    timer = setTimeout(
      () => {
        sending = send();
      },
      seq === 0 ? firstChunkMs : chunkMs,
    );
  }

  return {
    append: (text) => {
      length += text.length + 1;
      if (length > maxFollowedLength) return;
      pending += `${text}\n`;
      plan();
    },
    end: async () => {
      ended = true;
      clearTimeout(timer);
      await sending;
    },
  };
}
