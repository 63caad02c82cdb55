// Which executables of this name are on PATH?
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/** In the order of PATH. Relative entries are passed over: they would run what the current directory holds. */
export async function executablesOnPath(path: string, name: string): Promise<readonly string[]> {
  const files = path
    .split(delimiter)
    .filter((directory) => isAbsolute(directory))
    .map((directory) => join(directory, name));
  const found = await Promise.all(
    [...new Set(files)].map(async (file) => ((await isExecutable(file)) ? [file] : [])),
  );
  return found.flat();
}

export async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
