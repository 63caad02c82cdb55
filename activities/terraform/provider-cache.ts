// How do runs share providers without disturbing each other?
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cp, glob, lstat, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ProviderSources } from './cli-config.ts';
import type { LockedProvider } from './lock-file.ts';

/** `packages` is laid out as Terraform's filesystem mirror; `hashes` holds each package's `h1:` checksum. */
type Cache = { readonly packages: string; readonly hashes: string };

function cacheAt(cacheDir: string): Cache {
  return { packages: join(cacheDir, 'packages'), hashes: join(cacheDir, 'hashes') };
}

/** Go's name for this machine, as in the mirror's paths. */
const platform = `${process.platform}_${arch() === 'x64' ? 'amd64' : arch()}`;

export function packagesDir(cacheDir: string): string {
  return cacheAt(cacheDir).packages;
}

/**
 * A pinned provider comes from the cache when the lock file vouches for the very package that lies there, else from
 * its registry: Terraform cannot check an unpacked package against the checksums of an archive. What is not pinned
 * may come from either.
 */
export async function providerSources(
  cacheDir: string,
  locked: readonly LockedProvider[],
): Promise<ProviderSources> {
  const cache = cacheAt(cacheDir);
  await mkdir(cache.packages, { recursive: true });
  const vouched = await Promise.all(locked.map((provider) => isVouched(cache, provider)));
  const addresses = (wanted: boolean) =>
    locked.filter((_, index) => vouched[index] === wanted).map(({ address }) => address);
  return { cacheDir: cache.packages, mirrored: addresses(true), direct: addresses(false) };
}

async function isVouched(cache: Cache, { address, version, hashes }: LockedProvider): Promise<boolean> {
  const hash = await readFile(join(cache.hashes, address, version, platform), 'utf8').catch(() => null);
  return hash !== null && hashes.includes(hash);
}

/**
 * Moves what init has just downloaded and verified into the cache. A package appears there by one rename, complete,
 * and is never written again, so runs need no lock. To be called before any provider runs.
 */
export async function keepProviders(dataDir: string, cacheDir: string): Promise<void> {
  const cache = cacheAt(cacheDir);
  const installed = join(dataDir, 'providers');
  for await (const name of glob(`*/*/*/*/${platform}`, { cwd: installed })) {
    const from = join(installed, name);
    // A link leads into the cache already.
    if ((await lstat(from)).isDirectory()) await keepPackage(cache, from, name);
  }
}

async function keepPackage(cache: Cache, from: string, name: string): Promise<void> {
  const hash = await packageHash(from);
  const to = join(cache.packages, name);
  await mkdir(dirname(to), { recursive: true });
  // When another run was first, its package stays, and this run uses its own.
  if (!(await movePackage(cache, from, to))) return;
  await symlink(to, from);
  await mkdir(dirname(join(cache.hashes, name)), { recursive: true });
  await writeFile(join(cache.hashes, name), hash);
}

/** False when there is one already: a directory that holds something is not replaced. */
async function movePackage(cache: Cache, from: string, to: string): Promise<boolean> {
  const staged = join(dirname(cache.packages), `staged-${randomUUID()}`);
  try {
    await rename(from, staged).catch(() => cp(from, staged, { recursive: true }));
    await rename(staged, to);
    await rm(from, { recursive: true, force: true });
    return true;
  } catch {
    await rename(staged, from).catch(() => rm(staged, { recursive: true, force: true }));
    return false;
  }
}

/**
 * Go's `h1:` checksum of a directory: SHA-256 over the lines of a sorted SHA-256 listing.
 * Source: pkg.go.dev/golang.org/x/mod/sumdb/dirhash (Hash1).
 */
async function packageHash(directory: string): Promise<string> {
  const names: string[] = [];
  for await (const entry of glob('**/*', { cwd: directory, withFileTypes: true })) {
    if (entry.isFile()) names.push(join(entry.parentPath, entry.name).slice(directory.length + 1));
  }
  const listing = createHash('sha256');
  for (const name of names.sort()) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(directory, name)), hash);
    listing.update(`${hash.digest('hex')}  ${name}\n`);
  }
  return `h1:${listing.digest('base64')}`;
}
