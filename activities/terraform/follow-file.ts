// How are the lines of a file read while another program still writes it?
import { Buffer } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { createLineReader } from './lines.ts';

/** Nobody who follows sees it later than half a second; a read of nothing costs nothing worth counting. */
const pollMs = 500;
const chunkBytes = 64 * 1024;

/** Resolves when everything was read; to be called when nobody writes any more. */
export type FinishReading = () => Promise<void>;

/** `file` stays open until the reading is finished; its own position is not touched. */
export function followFile(file: FileHandle, onLine: (line: string) => void): FinishReading {
  const reader = createLineReader(onLine);
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let position = 0;
  let reading = Promise.resolve();

  async function readOn(): Promise<void> {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      reader.write(buffer.subarray(0, bytesRead));
    }
  }

  const queue = () => {
    reading = reading.then(readOn);
    return reading;
  };
  const timer = setInterval(() => queue().catch(() => undefined), pollMs);
  return async () => {
    clearInterval(timer);
    await queue();
    reader.end();
  };
}
