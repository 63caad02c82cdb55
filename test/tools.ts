// Where are the tools that tests run? Found, or fetched once, by the product's own resolver.
import { fileURLToPath } from 'node:url';
import { createProgress } from '../app/tools/progress.ts';
import { resolveTool } from '../app/tools/resolve.ts';

/** Beside the dependencies, so that a second run fetches nothing. */
const toolCache = fileURLToPath(new URL('../node_modules/.cache/hatchet', import.meta.url));

export async function findTestTools(): Promise<{
  readonly terraform: string;
  readonly opa: string;
  readonly temporal: string;
}> {
  const environment = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const options = {
    path: process.env.PATH ?? '',
    dataDir: toolCache,
    mirrors: {},
    environment,
    progress: createProgress(process.stderr, Date.now),
    log: (): void => undefined,
  };
  const [terraform, opa, temporal] = await Promise.all([
    resolveTool('terraform', options),
    resolveTool('opa', options),
    resolveTool('temporal', options),
  ]);
  return { terraform: terraform.path, opa: opa.path, temporal: temporal.path };
}
