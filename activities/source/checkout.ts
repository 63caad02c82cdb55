// How does a tree become files, byte for byte, with nothing of it executed or followed?
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import type { Sha } from '../../workflows/model/identifiers.ts';
import { operatorError, userError } from '../faults.ts';
import { encodeName } from './file-name.ts';
import { join, type Listing, listTree, resolvePath } from './listing.ts';
import { createMemo } from './memo.ts';
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

/** What a checkout of one tree is made of. `contents`: all of them, where they are few and small. */
type Parts = {
  readonly listing: Listing;
  readonly files: readonly File[];
  readonly contents: ReadonlyMap<Sha, Buffer> | null;
};

/** A checkout lives for one run; a repository that needs more would fill the disk with a few runs side by side. */
const maxCheckoutBytes = 4 * 1024 ** 3;
/** Blobs in memory at one time; a larger one goes alone. */
const maxBatchBytes = 16 * 1024 * 1024;
/** Small files are written at once: a trip to the thread pool costs as much again. So few do not hold others up. */
const maxBatchFiles = 16;
/** All projects of a pull request are planned and applied from one tree; a few pull requests are at work at a time. */
const maxTreesKept = 8;
const maxKeptBytes = 4 * 1024 * 1024;
const maxKeptFiles = 2_000;

/** By the tree's name, which is its content. */
const parts = createMemo<Parts>(maxTreesKept);

/**
 * Writes the whole tree into `into`, which is made or must be empty. Blobs go as they are: no line ending, filter
 * or LFS download of a .gitattributes. Submodules are empty directories, as in a plain clone.
 * UserError: too large, or a name that cannot be checked out. OperatorError: `into` is not empty.
 */
export async function checkout(request: {
  readonly mirror: Pick<Mirror, 'objects'>;
  readonly tree: Sha;
  readonly into: string;
}): Promise<Checkout> {
  const { objects } = request.mirror;
  const { listing, files, contents } = await parts(request.tree, () => readParts(objects, request.tree));
  await makeEmpty(request.into);
  const place = (path: string) => Buffer.concat([Buffer.from(`${request.into}/`), encodeName(path)]);

  // Shorter paths first: parents stand before what is in them.
  for (const directory of directoriesOf(listing)) mkdirSync(place(directory));
  for (const batch of batches(files)) {
    const blobs = contents ?? (await readBlobs(objects, batch));
    for (const { path, sha, executable } of batch) {
      writeFileSync(place(path), blobs.get(sha) ?? missing(sha), {
        flag: 'wx',
        mode: executable ? 0o755 : 0o644,
      });
    }
    await turn();
  }
  // Links last: nothing is ever written through one.
  const [inside, omitted] = splitLinks(listing);
  for (const [path, target] of inside) symlinkSync(encodeName(target), place(path));
  return { omitted };
}

async function readParts(objects: Objects, tree: Sha): Promise<Parts> {
  const listing = await listTree(objects, tree);
  const files = await listFiles(objects, listing);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const isSmall = bytes <= maxKeptBytes && files.length <= maxKeptFiles;
  return { listing, files, contents: isSmall ? await readBlobs(objects, files) : null };
}

async function readBlobs(objects: Objects, files: readonly File[]): Promise<ReadonlyMap<Sha, Buffer>> {
  const read = files.map(async ({ sha, bytes }) => {
    const content = await objects.readBlob(sha, bytes);
    return [sha, Buffer.isBuffer(content) ? content : missing(sha)] as const;
  });
  return new Map(await Promise.all(read));
}

function missing(sha: Sha): never {
  throw new Error(`blob ${sha} is missing in the mirror`);
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
