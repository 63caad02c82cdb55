// What is a mirror on disk, and what heals it?
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryId } from '../../workflows/model/identifiers.ts';

/** git holds its lock files for milliseconds; an older one was left by a process that was killed. */
const staleLockMs = 60_000;
/** Wins over every foreign .gitattributes: merges are git's own, line endings stay as committed. */
const attributes = '* !merge -text\n';

export function mirrorPath(directory: string, repository: RepositoryId): string {
  return join(directory, `${repository}.git`);
}

/**
 * Makes an empty one where there is none, in the layout of gitrepository-layout(5). HEAD names nothing, so that no
 * branch's .gitattributes is ever read.
 */
export async function makeMirror(directory: string, gitDir: string): Promise<void> {
  await mkdir(join(directory, 'home'), { recursive: true, mode: 0o700 });
  if (await exists(join(gitDir, 'HEAD'))) return;
  const made = await mkdtemp(join(directory, 'new-'));
  await Promise.all(['objects', 'refs', 'info'].map((name) => mkdir(join(made, name))));
  await writeFile(join(made, 'HEAD'), 'ref: refs/hatchet/nothing\n');
  await writeFile(join(made, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n');
  await writeFile(join(made, 'info', 'attributes'), attributes);
  await rename(made, gitDir);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** After a fetch that failed: locks that nobody holds any more would fail every later one, too. */
export async function removeStaleLocks(gitDir: string): Promise<void> {
  const names = await readdir(gitDir, { recursive: true });
  for (const name of names.filter((one) => one.endsWith('.lock') && !one.startsWith('objects/'))) {
    const lock = join(gitDir, name);
    const age = await stat(lock).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    );
    if (age > staleLockMs) await rm(lock, { force: true });
  }
}
