// Which directories of the repository did init find modules in?
import { realpath } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { isBelow, readForeignFile } from './run-directory.ts';

const manifestSchema = z.object({ Modules: z.array(z.object({ Dir: z.string() })) });

/** An entry takes about 100 bytes; more modules than fit in here no project has. */
const maxManifestBytes = 16 * 1024 * 1024;
/** They travel with the plan; a project of more modules is told apart by the first ones. */
const maxModuleDirs = 200;

export type ModulesQuestion = {
  /** TF_DATA_DIR. */
  readonly dataDir: string;
  /** The checkout, links resolved. */
  readonly tree: string;
  /** Where init ran. */
  readonly projectDir: string;
};

/**
 * Directories of local modules, relative to the repository, links resolved, sorted, without the project's own. This is
 * init's own record: the truth about what a reading of the code without it can only assume. What was downloaded is no
 * directory of the repository.
 */
export async function readModuleDirs(question: ModulesQuestion): Promise<readonly string[]> {
  const { dataDir, tree, projectDir } = question;
  const path = join(dataDir, 'modules', 'modules.json');
  const bytes = await readForeignFile({ path, within: dataDir, maxBytes: maxManifestBytes });
  if (bytes === null) return [];
  const { Modules: modules } = manifestSchema.parse(JSON.parse(bytes.toString()));
  const here = await realpath(projectDir);
  const dirs = modules
    .map(({ Dir }) => resolve(here, Dir))
    .filter((dir) => dir !== here && isBelow(dir, tree))
    .map((dir) => relative(tree, dir) || '.');
  return [...new Set(dirs)].sort().slice(0, maxModuleDirs);
}
