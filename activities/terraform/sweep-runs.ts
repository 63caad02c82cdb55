// What did a process that was killed leave behind?
import { access, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { applyOutputName } from './apply-command.ts';
import { startedFolder } from './start-record.ts';

/**
 * To be called once, before the first run: a working directory belongs to one runner process. Deletes what plans
 * left, which holds plans and states in clear. Returns the directories of applies, named after their run: Terraform
 * may still be at work there, or have left the state that it could not write.
 */
export async function sweepRuns(workDir: string): Promise<readonly string[]> {
  const names = (await readdir(workDir).catch(() => [])).filter((name) => name !== startedFolder);
  const applies: string[] = [];
  for (const name of names) {
    const directory = join(await realpath(workDir), name);
    if (await exists(join(directory, applyOutputName))) applies.push(directory);
    else await rm(directory, { recursive: true, force: true });
  }
  return applies;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
