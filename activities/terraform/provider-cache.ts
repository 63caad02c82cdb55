// How do runs share providers without disturbing each other?
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cp, glob, lstat, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isAccepted, noteAccepted } from './accepted-package.ts';
import type { ProviderSources } from './cli-config.ts';
import type { LockedProvider } from './lock-file.ts';
import { addLockedHash, parseLockFile, parsePlainLockFile } from './lock-file.ts';

/**
 * `packages` is laid out as Terraform's filesystem mirror; `hashes` holds each package's `h1:` checksum, `accepted` the
 * checksums under which Terraform accepted its archive.
 */
type Cache = { readonly packages: string; readonly hashes: string; readonly accepted: string };

function cacheAt(cacheDir: string): Cache {
  const at = (name: string) => join(cacheDir, name);
  return { packages: at('packages'), hashes: at('hashes'), accepted: at('accepted') };
}

/** Go's name for this machine, as in the mirror's paths. */
const platform = `${process.platform}_${arch() === 'x64' ? 'amd64' : arch()}`;

export function packagesDir(cacheDir: string): string {
  return cacheAt(cacheDir).packages;
}

/**
 * A pinned provider comes from the cache when the lock file vouches for the very package that lies there, else from
 * its registry: Terraform cannot check an unpacked package against the checksums of an archive, which are all that a
 * lock file has for platforms other than that of its author. Where Terraform has accepted the archive of the package
 * under no other checksums before, the run's own lock file (`lockFile`) gets the package's `h1:`, by which Terraform
 * then checks what lies in the cache. What is not pinned may come from either.
 */
export async function offerProviders(
  cacheDir: string,
  lockFile: string,
): Promise<{ readonly sources: ProviderSources; readonly lockFile: string }> {
  const cache = cacheAt(cacheDir);
  await mkdir(cache.packages, { recursive: true });
  const [locked, plain] = [parseLockFile(lockFile), parsePlainLockFile(lockFile)];
  const added = await Promise.all(plain.map((provider) => findAccepted(cache, provider)));
  const offered = plain.reduce((text, provider, index) => {
    const hash = added[index] ?? null;
    return hash === null ? text : addLockedHash(text, provider, hash);
  }, lockFile);
  const vouched = await Promise.all(parseLockFile(offered).map((provider) => isVouched(cache, provider)));
  const addresses = (wanted: boolean) =>
    locked.filter((_, index) => vouched[index] === wanted).map(({ address }) => address);
  const sources = { cacheDir: cache.packages, mirrored: addresses(true), direct: addresses(false) };
  return { sources, lockFile: offered };
}

async function isVouched(cache: Cache, provider: LockedProvider): Promise<boolean> {
  const hash = await keptHash(cache, packageName(provider));
  return hash !== null && provider.hashes.includes(hash);
}

/** The package's `h1:` checksum, when the lock file does not have it, but others that prove as much. */
async function findAccepted(cache: Cache, provider: LockedProvider): Promise<string | null> {
  const name = packageName(provider);
  const hash = await keptHash(cache, name);
  if (hash === null || provider.hashes.includes(hash)) return null;
  return (await isAccepted({ directory: join(cache.accepted, name), hash }, provider.hashes)) ? hash : null;
}

const packageName = ({ address, version }: LockedProvider): string => join(address, version, platform);

const keptHash = (cache: Cache, name: string): Promise<string | null> =>
  readFile(join(cache.hashes, name), 'utf8').catch(() => null);

/** What init did. The lock files are texts; there may be none, which is an empty one. */
export type Initialised = {
  /** TF_DATA_DIR. */
  readonly dataDir: string;
  /** The lock file that init was to keep to. */
  readonly given: string;
  /** What init made of it. */
  readonly left: string;
};

/**
 * Moves what init has just downloaded and verified into the cache. A package appears there by one rename, complete,
 * and is never written again, so runs need no lock. To be called before any provider runs.
 */
export async function keepProviders(cacheDir: string, { dataDir, given, left }: Initialised): Promise<void> {
  const cache = cacheAt(cacheDir);
  const installed = join(dataDir, 'providers');
  const [before, after] = [parsePlainLockFile(given), parseLockFile(left)];
  for await (const name of glob(`*/*/*/*/${platform}`, { cwd: installed })) {
    const from = join(installed, name);
    // A link leads into the cache already.
    if (!(await lstat(from)).isDirectory()) continue;
    const hash = await keepPackage(cache, from, name);
    const checksums = hashesOf(before, name);
    // Init writes the checksum of what it has unpacked: only the same package is the one that it verified.
    if (hash === null || checksums.includes(hash) || !hashesOf(after, name).includes(hash)) continue;
    await noteAccepted({ directory: join(cache.accepted, name), hash }, checksums);
  }
}

const hashesOf = (locked: readonly LockedProvider[], name: string): readonly string[] =>
  locked.find((provider) => packageName(provider) === name)?.hashes ?? [];

/** Its checksum; null when another package has that name in the cache, so that this run uses its own. */
async function keepPackage(cache: Cache, from: string, name: string): Promise<string | null> {
  const hash = await packageHash(from);
  const to = join(cache.packages, name);
  await mkdir(dirname(to), { recursive: true });
  if (!(await movePackage(cache, from, to))) {
    // Another run was first: its package stays.
    if ((await packageHash(to)) !== hash) return null;
    await rm(from, { recursive: true });
  }
  await symlink(to, from);
  if ((await keptHash(cache, name)) === hash) return hash;
  await mkdir(dirname(join(cache.hashes, name)), { recursive: true });
  await writeFile(join(cache.hashes, name), hash);
  return hash;
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
