// Where is the bundle of the workflows, made once for each version of their code?
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const workflowsDirectory = fileURLToPath(new URL('../workflows', import.meta.url));
/** Beside the dependencies: as old and as new as they are, and never mistaken for source. */
const cacheDirectory = fileURLToPath(new URL('../node_modules/.cache/hatchet', import.meta.url));
/** Makes it. */
const program = fileURLToPath(new URL('./bundle.ts', import.meta.url));
/** It takes three seconds; a cold and busy machine takes ten times that, and one that hangs is not waited for. */
const makeTimeoutMs = 120_000;

/**
 * Path of the bundle. It takes seconds to make, so it is kept; one of other code has another name. Whoever made it here
 * would keep a hundred MiB of compilers for good. Throws an Error with what the program said, or that it took too long,
 * when it cannot be made.
 */
export async function workflowBundle(): Promise<{ readonly codePath: string }> {
  const codePath = await bundlePath();
  return { codePath: (await exists(codePath)) ? codePath : await makeBundle() };
}

/** Where the program has put it: it may have seen newer code than we did. */
async function makeBundle(): Promise<string> {
  const { PATH, HOME } = process.env;
  const timeout = AbortSignal.timeout(makeTimeoutMs);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program], {
      env: { PATH, HOME },
      killSignal: 'SIGKILL',
      signal: timeout,
    });
    // What it warns of comes before.
    return stdout.trim().split('\n').at(-1) ?? '';
  } catch (cause) {
    if (!timeout.aborted) throw cause;
    const took = `the bundle of the workflows was not made within ${makeTimeoutMs / 1000} s`;
    throw new Error(`${took}: make it with npm run bundle, then start again`, { cause });
  }
}

/** By the workflows' files, how they are bundled, and the version of the SDK that runs them. */
export async function bundlePath(): Promise<string> {
  const hash = createHash('sha256');
  const files = await readdir(workflowsDirectory, { recursive: true });
  for (const name of files.filter((each) => each.endsWith('.ts')).sort())
    hash.update(name).update(await readFile(join(workflowsDirectory, name)));
  hash.update(await readFile(program));
  hash.update(await readFile(findPackageJSON('@temporalio/worker', import.meta.url) ?? ''));
  return join(cacheDirectory, `workflows-${hash.digest('hex').slice(0, 16)}.js`);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
