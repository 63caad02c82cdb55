// Where is the bundle of the workflows, made once for each version of their code?
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { Logger } from 'pino';
import { temporalLogger } from './log.ts';

const workflows = fileURLToPath(new URL('../workflows', import.meta.url));
/** Beside the dependencies: as old and as new as they are, and never mistaken for source. */
const cacheDirectory = fileURLToPath(new URL('../node_modules/.cache/hatchet', import.meta.url));

/** Path of the bundle. It takes two seconds to make, so it is kept; one of other code has another name. */
export async function workflowBundle(log: Logger): Promise<{ readonly codePath: string }> {
  const codePath = join(cacheDirectory, `workflows-${await fingerprint()}.js`);
  if (await exists(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(workflows, 'index.ts'),
    failureConverterPath: join(workflows, 'failure-converter.ts'),
    workflowInterceptorModules: [join(workflows, 'misplaced.ts')],
    preloadModules: [join(workflows, 'short-stacks.ts'), ...(await modelFiles())],
    logger: temporalLogger(log),
  });
  await mkdir(cacheDirectory, { recursive: true });
  const unfinished = `${codePath}.${process.pid}`;
  await writeFile(unfinished, code);
  await rename(unfinished, codePath);
  return { codePath };
}

/**
 * A workflow that starts evaluates all of its code anew, and most of that is the model with its schemas. The model
 * keeps nothing between calls (CONTRIBUTING: no clock, no randomness, no I/O), so that all workflows may share it.
 */
async function modelFiles(): Promise<string[]> {
  const model = join(workflows, 'model');
  return (await readdir(model)).filter((name) => name.endsWith('.ts')).map((name) => join(model, name));
}

/** Over the workflows' files, how they are bundled, and the version of the SDK that runs them. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  const names = (await readdir(workflows, { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
  for (const name of names) hash.update(name).update(await readFile(join(workflows, name)));
  hash.update(await readFile(fileURLToPath(import.meta.url)));
  hash.update(await readFile(findPackageJSON('@temporalio/worker', import.meta.url) ?? ''));
  return hash.digest('hex').slice(0, 16);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
