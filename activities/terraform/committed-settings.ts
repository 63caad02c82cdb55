// Did somebody commit what only an installation should hold?
import { lstat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';

/** Terraform takes providers, modules and settings from these without asking where they came from. */
const refusedNames = ['.terraform', 'terraform.d', '.terraformrc', 'terraform.rc', '.tofurc', 'tofu.rc'];

/** One diagnostic per such file, in the project's directory (relative to the repository) or any above it. */
export async function findCommittedSettings(tree: string, dir: string): Promise<readonly Diagnostic[]> {
  const candidates = directoriesUpFrom(dir).flatMap((folder) =>
    refusedNames.map((name) => join(folder, name)),
  );
  const present = await Promise.all(candidates.map((path) => exists(join(tree, path))));
  return candidates.filter((_, index) => present[index]).map(refusal);
}

function directoriesUpFrom(dir: string): readonly string[] {
  return dir === '.' ? ['.'] : [dir, ...directoriesUpFrom(dirname(dir))];
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function refusal(path: string): Diagnostic {
  return {
    severity: 'error',
    summary: `${path} must not be committed`,
    detail:
      `Terraform would load providers, modules or settings from ${path} without verifying them. ` +
      `Remove it with \`git rm -r --cached ${path}\` and add it to .gitignore.`,
    path,
  };
}
