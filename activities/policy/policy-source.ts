// Which Rego files are there to compile?
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { operatorError } from '../faults.ts';

/** One Rego file; `path` is relative, `/` between segments. It ends up inside the compiled policy. */
export type PolicySource = { readonly path: string; readonly text: string };

/** The policies that come with Hatchet, sorted by name, without their tests. OperatorError: the folder is missing. */
export async function readBuiltInSources(policiesDir: string): Promise<readonly PolicySource[]> {
  const names = await readdir(policiesDir).catch((cause: unknown) => {
    throw operatorError('the folder of the built-in policies cannot be read', cause);
  });
  const wanted = names.filter((name) => name.endsWith('.rego') && !name.endsWith('_test.rego')).sort();
  return Promise.all(
    wanted.map(async (path) => ({ path, text: await readFile(join(policiesDir, path), 'utf8') })),
  );
}
