// How does one binary come out of a maker's archive?
import { createWriteStream } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import * as tar from 'tar';
import yauzl from 'yauzl';
import type { Release } from './versions.ts';

/** Only the entry that is named exactly like the binary is written, and only to `target`; the rest is ignored. */
export async function unpack(packing: Release['packing'], archive: string, binary: string, target: string) {
  switch (packing) {
    case 'plain':
      return copyFile(archive, target);
    case 'zip':
      return unpackZip(archive, binary, target);
    case 'tar.gz':
      return unpackTar(archive, binary, target);
    default:
      return packing satisfies never;
  }
}

async function unpackZip(archive: string, binary: string, target: string): Promise<void> {
  const zip = await yauzl.openPromise(archive);
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== binary) continue;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target, { flags: 'wx' }));
      return;
    }
  } finally {
    zip.close();
  }
  throw new Error(`the archive holds no ${binary}`);
}

async function unpackTar(archive: string, binary: string, target: string): Promise<void> {
  let written: Promise<void> | null = null;
  await tar.list({
    file: archive,
    onReadEntry: (entry) => {
      if (entry.path.replace(/^\.\//, '') !== binary || entry.type !== 'File' || written !== null)
        return entry.resume();
      written = pipeline(entry, createWriteStream(target, { flags: 'wx' }));
    },
  });
  if (written === null) throw new Error(`the archive holds no ${binary}`);
  await written;
}
