// How is the bundle of the workflows made? By a program of its own: what making it takes, nobody else has to keep.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { createLog, temporalLogger } from './log.ts';
import { bundlePath, workflowsDirectory } from './workflow-bundle.ts';

const log = createLog({ level: 'warn', secrets: [] });
const path = await bundlePath();
const { code } = await bundleWorkflowCode({
  workflowsPath: join(workflowsDirectory, 'index.ts'),
  failureConverterPath: join(workflowsDirectory, 'failure-converter.ts'),
  workflowInterceptorModules: [join(workflowsDirectory, 'misplaced.ts')],
  preloadModules: [join(workflowsDirectory, 'short-stacks.ts'), ...(await modelFiles())],
  logger: temporalLogger(log),
});
await mkdir(dirname(path), { recursive: true });
// Whoever looks for it finds all of it or nothing.
const unfinished = `${path}.${randomUUID()}`;
try {
  await writeFile(unfinished, code);
  await rename(unfinished, path);
} catch (error) {
  await rm(unfinished, { force: true });
  throw error;
}
process.stdout.write(`${path}\n`);

/**
 * A workflow that starts evaluates all of its code anew, and most of that is the model with its schemas. The model
 * keeps nothing between calls (CONTRIBUTING: no clock, no randomness, no I/O), so that all workflows may share it.
 */
async function modelFiles(): Promise<string[]> {
  const model = join(workflowsDirectory, 'model');
  return (await readdir(model)).filter((name) => name.endsWith('.ts')).map((name) => join(model, name));
}
