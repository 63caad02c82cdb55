// When need init not run again, because an earlier one left all that it would make?
import type { Buffer } from 'node:buffer';
import { createHash, randomUUID } from 'node:crypto';
import { cp, glob, lstat, mkdir, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { emptyDirectory } from './run-directory.ts';

/** One per project and open pull request with a backend or modules of its own, on a busy runner. */
const maxEntries = 200;
/** What a lock file does not pin may have a newer version by then; long enough for a plan's apply and for pushes in a row. */
const looseMs = 15 * 60_000;
const pinnedMs = 24 * 60 * 60_000;
/** Copying more takes as long as most inits. */
const maxCopiedBytes = 32 * 1024 * 1024;

/** What an init left, from before any provider of the run was started. */
export type KeptInit = {
  readonly dataDir: string;
  /** As it is after init; null when there is none. */
  readonly lockFile: Buffer | null;
  /** The lock file was committed, so that another init would choose the same providers. */
  readonly locked: boolean;
};

export type InitCache = {
  /** Fills the empty `dataDir`. Null, and nothing in it, when no earlier init fits the code in `projectDir`. */
  restore(
    key: string,
    into: { readonly dataDir: string; readonly projectDir: string },
  ): Promise<{ readonly lockFile: Buffer | null } | null>;
  keep(key: string, init: KeptInit): Promise<void>;
  /** The same init, proven by a plan, answers this narrower question, too. */
  keepAlso(key: string, proven: string): void;
  forget(key: string): void;
};

type Entry = {
  readonly folder: string;
  /** Where init ran: its manifest names downloaded modules by it. */
  readonly dataDir: string;
  readonly lockFile: Buffer | null;
  readonly until: number;
};

const manifestSchema = z.looseObject({
  Modules: z.array(z.looseObject({ Key: z.string(), Source: z.string(), Dir: z.string() })),
});
type Manifest = z.infer<typeof manifestSchema>;

/**
 * Lives as long as the process; `directory` is its own, and no sandbox shows it to anybody's code. Terraform itself compares backend, module sources, versions and providers with the
 * data directory before each plan, so that a wrong answer here fails a plan at once instead of changing it; what it
 * takes on trust, the places of local modules, is compared here.
 */
export function createInitCache(directory: string, now: () => number = Date.now): InitCache {
  const entries = new Map<string, Entry>();
  let swept: Promise<void> | null = null;

  function set(key: string, entry: Entry): void {
    const before = entries.get(key);
    entries.delete(key);
    entries.set(key, entry);
    if (before !== undefined) drop(before);
    const oldest = entries.size > maxEntries ? entries.entries().next().value : undefined;
    if (oldest === undefined) return;
    entries.delete(oldest[0]);
    drop(oldest[1]);
  }

  function drop(entry: Entry): void {
    if ([...entries.values()].some(({ folder }) => folder === entry.folder)) return;
    void rm(entry.folder, { recursive: true, force: true }).catch(() => undefined);
  }

  function forget(key: string): void {
    const entry = entries.get(key);
    entries.delete(key);
    if (entry !== undefined) drop(entry);
  }

  return {
    async restore(key, into) {
      const entry = entries.get(key);
      if (entry === undefined) return null;
      const fits = now() < entry.until && (await layOut(entry, into).catch(() => false));
      if (fits) return { lockFile: entry.lockFile };
      forget(key);
      await emptyDirectory(into.dataDir);
      return null;
    },
    async keep(key, { dataDir, lockFile, locked }) {
      const contents = await look(dataDir);
      if (contents === null) return;
      // What another process left, nobody knows the key of.
      swept ??= rm(directory, { recursive: true, force: true });
      await swept;
      const folder = join(directory, randomUUID());
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await cp(dataDir, folder, { recursive: true, verbatimSymlinks: true });
      const pinned = !contents.downloads && (locked || !contents.providers);
      set(key, { folder, dataDir, lockFile, until: now() + (pinned ? pinnedMs : looseMs) });
    },
    keepAlso(key, proven) {
      const entry = entries.get(key);
      if (entry !== undefined) set(proven, { ...entry, until: now() + pinnedMs });
    },
    forget,
  };
}

/** False when the code has moved, or a provider is gone. */
async function layOut(
  { folder, dataDir: from }: Entry,
  { dataDir, projectDir }: { readonly dataDir: string; readonly projectDir: string },
): Promise<boolean> {
  const manifest = await readManifest(folder);
  const modules = manifest?.Modules ?? [];
  const placed = await Promise.all(modules.map((record) => isInPlace(record, modules, projectDir)));
  if (placed.includes(false)) return false;
  await cp(folder, dataDir, { recursive: true, verbatimSymlinks: true });
  for await (const name of glob('providers/*/*/*/*/*', { cwd: dataDir })) await stat(join(dataDir, name));
  if (manifest !== null) await writeManifest(dataDir, moveDownloads(manifest, from, dataDir));
  return true;
}

/** As Terraform finds a local module: its source joined to its caller's directory, links followed. */
async function isInPlace(
  { Key, Source, Dir }: Manifest['Modules'][number],
  modules: Manifest['Modules'],
  projectDir: string,
): Promise<boolean> {
  if (!/^\.\.?\//.test(Source)) return true;
  const caller = modules.find((record) => record.Key === Key.split('.').slice(0, -1).join('.'));
  if (caller === undefined) return false;
  const here = await realpath(projectDir);
  // Inside a downloaded module nothing moves.
  if (resolve(caller.Dir) === caller.Dir) return true;
  return (await realpath(resolve(here, caller.Dir, Source))) === resolve(here, Dir);
}

function moveDownloads({ Modules, ...rest }: Manifest, from: string, to: string): Manifest {
  const moved = (dir: string) => (dir.startsWith(`${from}/`) ? join(to, dir.slice(from.length)) : dir);
  return { ...rest, Modules: Modules.map((record) => ({ ...record, Dir: moved(record.Dir) })) };
}

const manifestPath = (dataDir: string) => join(dataDir, 'modules', 'modules.json');

async function readManifest(dataDir: string): Promise<Manifest | null> {
  const text = await readFile(manifestPath(dataDir), 'utf8').catch(() => null);
  return text === null ? null : manifestSchema.parse(JSON.parse(text));
}

const writeManifest = (dataDir: string, manifest: Manifest): Promise<void> =>
  writeFile(manifestPath(dataDir), JSON.stringify(manifest));

/** Null for what is not worth keeping: too much, or providers that lie in the run's own directory. */
async function look(
  dataDir: string,
): Promise<{ readonly downloads: boolean; readonly providers: boolean } | null> {
  let [bytes, providers] = [0, false];
  for (const name of await readdir(dataDir, { recursive: true })) {
    const status = await lstat(join(dataDir, name));
    if (status.isFile()) bytes += status.size;
    if (bytes > maxCopiedBytes) return null;
    if (!/^providers(?:\/[^/]+){5}$/.test(name)) continue;
    // OpenTofu leaves an empty file beside each, by which its processes take turns.
    if (status.isDirectory()) return null;
    providers ||= status.isSymbolicLink();
  }
  const modules = (await readManifest(dataDir))?.Modules ?? [];
  return { downloads: modules.some(({ Dir }) => Dir.startsWith(`${dataDir}/`)), providers };
}

/** One name for everything that must be equal. */
export function initKey(parts: readonly (string | Buffer | null)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = part === null ? 'none' : createHash('sha256').update(part).digest('hex');
    hash.update(`${bytes}\n`);
  }
  return hash.digest('hex');
}
