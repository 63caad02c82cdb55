// Where are fetched tools kept, and how does one get there whole or not at all?
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Tool } from './versions.ts';

/** No fetch takes so long, so what is older was left behind by a process that was killed. */
const abandonedMs = 2 * 60 * 60_000;
const workPrefix = '.fetching-';

/** The absolute path of a tool's executable; another version is another folder, so nothing is ever overwritten in use. */
export function cachedFile(dataDir: string, tool: Tool): string {
  return resolve(dataDir, 'tools', `${tool.name}-${tool.version}`, tool.name);
}

/**
 * Lets `fetch` bring an executable into a folder of its own, on the same file system, and moves it to `target` only
 * when it is complete: several processes may do this at once, each of them ends with a whole file.
 */
export async function keepInCache(
  target: string,
  fetch: (workDir: string) => Promise<string>,
): Promise<void> {
  const directory = dirname(target);
  await mkdir(directory, { recursive: true });
  await removeAbandoned(directory);
  const workDir = join(directory, `${workPrefix}${randomUUID()}`);
  await mkdir(workDir);
  try {
    const binary = await fetch(workDir);
    await syncToDisk(binary);
    await rename(binary, target);
    await syncToDisk(directory);
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeAbandoned(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.startsWith(workPrefix));
  for (const path of names.map((name) => join(directory, name))) {
    const found = await stat(path).catch(() => null);
    if (found !== null && Date.now() - found.mtimeMs > abandonedMs)
      await rm(path, { recursive: true, force: true });
  }
}
