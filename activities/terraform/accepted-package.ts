// Under which lock files has Terraform itself accepted the package that lies in the cache?
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A release has a checksum per platform, about 15. */
const maxChecksums = 200;
/** Each kind of computer on which lock files are made has its own; every one of them cost a download. */
const maxLists = 50;

/** `directory`: of one package, in the cache; no sandbox can write there. `hash`: the `h1:` checksum of the package. */
type Package = { readonly directory: string; readonly hash: string };

/**
 * Remembers that Terraform took the archive of this very package for one that these checksums allow. One of them is the
 * archive's own, or all the same to Terraform; nobody knows which.
 */
export async function noteAccepted(of: Package, checksums: readonly string[]): Promise<void> {
  if (checksums.length === 0 || checksums.length > maxChecksums) return;
  await mkdir(of.directory, { recursive: true });
  const text = [of.hash, ...[...new Set(checksums)].sort()].join('\n');
  const [name, names] = [sha256(text), await readdir(of.directory)];
  // What contains a list that is known would admit nothing more, and a list can be made longer for nothing.
  if (names.includes(name) || names.length >= maxLists || (await isAccepted(of, checksums))) return;
  // Whoever reads it meanwhile must not find half of it.
  const staged = join(of.directory, `staged-${randomUUID()}`);
  await writeFile(staged, text);
  await rename(staged, join(of.directory, name));
}

/** Whether Terraform would accept the archive under these checksums: all are among them under which it once did. */
export async function isAccepted(of: Package, checksums: readonly string[]): Promise<boolean> {
  const names = await readdir(of.directory).catch(() => []);
  const lists = await Promise.all(names.map((name) => readList(of, name)));
  return lists.some((list) => list?.every((checksum) => checksums.includes(checksum)) === true);
}

/** Null for one that was not written to its end: fewer checksums would allow more. */
async function readList({ directory, hash }: Package, name: string): Promise<readonly string[] | null> {
  const text = await readFile(join(directory, name), 'utf8').catch(() => '');
  const [of, ...checksums] = text.split('\n');
  return sha256(text) === name && of === hash ? checksums : null;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
