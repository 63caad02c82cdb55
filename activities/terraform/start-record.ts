// Was this apply started on this machine before, and how is what it leaves behind kept?
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { PlanId, RunId } from '../../workflows/model/identifiers.ts';
import { parsePlanId } from '../../workflows/model/identifiers.ts';
import type { RunPass } from '../../workflows/port/run.ts';

/** In the working directory, beside the runs and out of their reach. */
export const startedFolder = 'started';

const noteSchema = z.object({
  planId: z.string().transform(parsePlanId),
  projectDir: z.string(),
  pass: z.object({ token: z.string(), pool: z.string(), followed: z.boolean() }).nullable(),
});

/** What another process of this runner has to know to keep what the apply leaves. `projectDir`: below the checkout. */
export type StartNote = {
  readonly planId: PlanId;
  readonly projectDir: string;
  readonly pass: RunPass | null;
};

/**
 * True for exactly one caller per run, over all processes that share `workDir`, for ever: the file that says so is
 * made or found in one step. It is the last thing before Terraform starts.
 */
export async function recordStart(workDir: string, runId: RunId, note: StartNote): Promise<boolean> {
  const folder = join(workDir, startedFolder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await writeFile(join(folder, runId), JSON.stringify(note), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false;
    throw cause;
  }
}

/** Null where there is none any more, or none that can be read. */
export async function readStartNote(workDir: string, runId: RunId): Promise<StartNote | null> {
  const text = await readFile(join(workDir, startedFolder, runId), 'utf8').catch(() => '');
  try {
    return noteSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Nothing is left to be kept; that it was started stays known. */
export async function emptyStartNote(workDir: string, runId: RunId): Promise<void> {
  await writeFile(join(workDir, startedFolder, runId), '', { mode: 0o600 });
}
