// How does a tree become files, byte for byte, with nothing of it executed or followed?
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import type { Sha } from '../../workflows/model/identifiers.ts';
import { operatorError, userError } from '../faults.ts';
import { encodeName } from './file-name.ts';
import { join, type Listing, listTree, resolvePath } from './listing.ts';
import type { Mirror } from './mirror.ts';
import type { Objects } from './objects.ts';

export type Checkout = {
  /** Symbolic links that lead out of the repository; they were left out. */
  readonly omitted: readonly string[];
};

type File = {
  readonly path: string;
  readonly sha: Sha;
  readonly executable: boolean;
  readonly bytes: number;
};

/** A checkout lives for one run; a repository that needs more would fill the disk with a few runs side by side. */
const maxCheckoutBytes = 4 * 1024 ** 3;
/** Blobs in memory at one time; a larger one goes alone. */
const maxBatchBytes = 16 * 1024 * 1024;
/** Small files are written at once: a trip to the thread pool costs as much again. So few do not hold others up. */
const maxBatchFiles = 16;

/**
 * Writes the whole tree into `into`, which is made or must be empty. Blobs go as they are: no line ending, filter
 * or LFS download of a .gitattributes. Submodules are empty directories, as in a plain clone.
 * UserError: too large, or a name that cannot be checked out. OperatorError: `into` is not empty.
 */
export async function checkout(request: {
  readonly mirror: Mirror;
  readonly tree: Sha;
  readonly into: string;
}): Promise<Checkout> {
  const { objects } = request.mirror;
  const listing = await listTree(objects, request.tree);
  const files = await listFiles(objects, listing);
  await makeEmpty(request.into);
  const place = (path: string) => Buffer.concat([Buffer.from(`${request.into}/`), encodeName(path)]);

  // Shorter paths first: parents stand before what is in them.
  for (const directory of directoriesOf(listing)) mkdirSync(place(directory));
  for (const batch of batches(files)) {
    const contents = await Promise.all(batch.map((file) => objects.readBlob(file.sha, file.bytes)));
    for (const [index, file] of batch.entries()) {
      const content = contents[index];
      if (!Buffer.isBuffer(content)) throw new Error(`blob ${file.sha} is missing in the mirror`);
      writeFileSync(place(file.path), content, { flag: 'wx', mode: file.executable ? 0o755 : 0o644 });
    }
  }
  // Links last: nothing is ever written through one.
  const [inside, omitted] = splitLinks(listing);
  for (const [path, target] of inside) symlinkSync(encodeName(target), place(path));
  return { omitted };
}

async function makeEmpty(into: string): Promise<void> {
  await mkdir(into, { recursive: true, mode: 0o700 });
  if ((await readdir(into)).length > 0) throw operatorError(`${into} is not empty`);
}

async function listFiles(objects: Objects, listing: Listing): Promise<File[]> {
  const files: Promise<File>[] = [];
  for (const [directory, entries] of listing.directories) {
    for (const { name, kind, sha } of entries) {
      if (kind !== 'file' && kind !== 'executable') continue;
      const path = join(directory, name);
      files.push(
        objects
          .blobSize(sha)
          .then((bytes) => ({ path, sha, executable: kind === 'executable', bytes: bytes ?? 0 })),
      );
    }
  }
  const sized = await Promise.all(files);
  if (sized.reduce((sum, file) => sum + file.bytes, 0) > maxCheckoutBytes) throw tooLarge();
  return sized;
}

function directoriesOf(listing: Listing): string[] {
  const submodules = [...listing.directories].flatMap(([directory, entries]) =>
    entries.filter((entry) => entry.kind === 'submodule').map((entry) => join(directory, entry.name)),
  );
  const directories = [...listing.directories.keys()].filter((directory) => directory !== '.');
  return [...directories, ...submodules].sort((left, right) => left.length - right.length);
}

function* batches(files: readonly File[]): Generator<readonly File[]> {
  let batch: File[] = [];
  let bytes = 0;
  for (const file of files) {
    if (batch.length > 0 && (bytes + file.bytes > maxBatchBytes || batch.length === maxBatchFiles)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(file);
    bytes += file.bytes;
  }
  if (batch.length > 0) yield batch;
}

function splitLinks(listing: Listing): [inside: [string, string][], omitted: string[]] {
  const links = [...listing.links];
  const leadsOut = ([path]: readonly [string, string]) => resolvePath(listing, path).kind === 'outside';
  return [links.filter((link) => !leadsOut(link)), links.filter(leadsOut).map(([path]) => path)];
}

function tooLarge() {
  return userError([
    {
      severity: 'error',
      summary: 'The repository is too large to be planned',
      detail: `Its files take more than ${maxCheckoutBytes / 1024 ** 3} GiB.`,
    },
  ]);
}
