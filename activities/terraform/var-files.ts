// Which var files may a plan be given?
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import { isBelow } from './run-directory.ts';

export type VarFileQuestion = {
  /** Relative to `projectDir`. */
  readonly varFiles: readonly string[];
  readonly projectDir: string;
  /** The checkout, links resolved. */
  readonly tree: string;
};

/** One diagnostic for each that is missing, or lies outside the repository once links are followed. */
export async function findBadVarFiles(question: VarFileQuestion): Promise<readonly Diagnostic[]> {
  const good = await Promise.all(question.varFiles.map((path) => isGood(question, path)));
  return question.varFiles.filter((_, index) => good[index] !== true).map(refusal);
}

async function isGood({ projectDir, tree }: VarFileQuestion, path: string): Promise<boolean> {
  if (isAbsolute(path)) return false;
  const real = await realpath(join(projectDir, path)).catch(() => null);
  return real !== null && isBelow(real, tree) && (await stat(real)).isFile();
}

function refusal(path: string): Diagnostic {
  return {
    severity: 'error',
    summary: `The var file ${path} cannot be used`,
    detail:
      "It must be a file of this repository: it is missing, or a link leads out. Paths are relative to the project's " +
      'directory. Correct `var_files` in hatchet.yaml, or add the file.',
  };
}
