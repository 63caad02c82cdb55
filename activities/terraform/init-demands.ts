// What does a project ask of init?
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readForeignFile } from './run-directory.ts';

/** As formatted code has them: from the first column to the brace in the first column. */
const demandingBlocks = /^(?:terraform|module|provider)\b[\s\S]*?^\}/gm;
const codeFile = /\.(?:tf|tofu)(?:\.json)?$/;
/** Nobody writes more into one file. */
const maxCodeBytes = 64 * 1024 * 1024;

/**
 * A digest of the blocks that init looks at, in the project's own directory. It tells most projects apart whose inits
 * differ, so that they do not take turns in one place; that an init fits is not decided by it.
 */
export async function demandsDigest(projectDir: string, tree: string): Promise<string> {
  const hash = createHash('sha256');
  const names = (await readdir(projectDir)).filter((name) => codeFile.test(name));
  for (const name of names.sort()) {
    const file = { path: join(projectDir, name), within: tree, maxBytes: maxCodeBytes };
    const text = (await readForeignFile(file))?.toString() ?? '';
    const demands = name.endsWith('.json') ? [text] : (text.match(demandingBlocks) ?? []);
    if (demands.length > 0) hash.update(JSON.stringify([name, demands]));
  }
  return hash.digest('hex');
}
