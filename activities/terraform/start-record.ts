// Was this apply started on this machine before?
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunId } from '../../workflows/model/identifiers.ts';

/** In the working directory, beside the runs. */
export const startedFolder = 'started';

/**
 * True for exactly one caller per run, over all processes that share `workDir`, for ever: the file that says so is
 * made or found in one step. It is the last thing before Terraform starts.
 */
export async function recordStart(workDir: string, runId: RunId): Promise<boolean> {
  const folder = join(workDir, startedFolder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await writeFile(join(folder, runId), '', { flag: 'wx', mode: 0o600 });
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false;
    throw cause;
  }
}
