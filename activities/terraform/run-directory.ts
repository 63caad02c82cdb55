// Where on disk does one run live, and what may be read back from there?
import type { Buffer } from 'node:buffer';
import { constants } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { operatorError } from '../faults.ts';

/**
 * Everything that one run writes. The run's own code reaches what is named here, and can change `tree`, `data`, `home`,
 * `temp` and, while it plans, `plans`; what else is in `root` is out of its sight, where there are walls.
 */
export type RunDirectory = {
  readonly root: string;
  /** The repository's files. */
  readonly tree: string;
  /** TF_DATA_DIR: outside the checkout, so that nothing committed can pose as installed. */
  readonly data: string;
  readonly home: string;
  readonly temp: string;
  readonly cliConfig: string;
  /** Holds nothing but `planFile`. */
  readonly plans: string;
  readonly planFile: string;
};

/** Nobody but the runner's own user. */
const privateMode = 0o700;

/** Makes a fresh directory; two runs never share one. The name says which run it was, for whoever finds it later. */
export async function createRunDirectory(workDir: string, name: string): Promise<RunDirectory> {
  await mkdir(workDir, { recursive: true, mode: privateMode });
  // The resolved path is what the run's own code sees of itself.
  const root = await mkdtemp(join(await realpath(workDir), `${name}-`));
  const directory = {
    root,
    tree: join(root, 'tree'),
    data: join(root, 'data'),
    home: join(root, 'home'),
    temp: join(root, 'tmp'),
    cliConfig: join(root, 'cli.tfrc'),
    plans: join(root, 'plan'),
    planFile: join(root, 'plan', 'plan.tfplan'),
  };
  for (const path of [directory.tree, directory.data, directory.home, directory.temp, directory.plans]) {
    await mkdir(path, { mode: privateMode });
  }
  return directory;
}

/** What a provider that is about to end still writes; `maxRetries` of `rm` would be made anew at each level of the tree. */
const removePausesMs = [100, 200, 400];

/** Rejects with the last error when it cannot be deleted. */
export async function removeRunDirectory({ root }: RunDirectory): Promise<void> {
  const remove = () => rm(root, { recursive: true, force: true });
  for (const pauseMs of removePausesMs) {
    const removed = await remove().then(
      () => true,
      () => false,
    );
    if (removed) return;
    await sleep(pauseMs);
  }
  await remove();
}

/** Takes away what is in there; the directory itself stays. */
export async function emptyDirectory(path: string): Promise<void> {
  const names = await readdir(path);
  await Promise.all(names.map((name) => rm(join(path, name), { recursive: true, force: true })));
}

export type ForeignFile = {
  readonly path: string;
  /** The file's directory, links resolved, must be this one or below it. */
  readonly within: string;
  readonly maxBytes: number;
};

/**
 * Reads a file that foreign code may have put there: never through a symlink out of `within`, never a device, never
 * more than `maxBytes` (OperatorError). Null when there is no such file.
 */
export async function readForeignFile({ path, within, maxBytes }: ForeignFile): Promise<Buffer | null> {
  const folder = await realpath(dirname(path)).catch(() => null);
  if (folder === null || !isBelow(folder, within)) return null;
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(join(folder, basename(path)), flags).catch(() => null);
  if (file === null) return null;
  try {
    const status = await file.stat();
    if (!status.isFile()) return null;
    if (status.size > maxBytes) throw operatorError(`a file of the run is larger than ${maxBytes} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Whether `path` is `folder` or lies in it; both absolute and without links. */
export function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith('../');
}
