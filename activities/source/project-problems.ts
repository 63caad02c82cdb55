// What do a project's files alone show to be wrong, before Terraform would misread it?
import { posix } from 'node:path';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import type { CodeMap } from './code-map.ts';
import { entryAt, join, type Listing, resolvePath, upwards } from './listing.ts';
import { loadedValues } from './modules.ts';
import type { RepositoryProject } from './repository-projects.ts';
import type { SmallFiles } from './small-files.ts';

/**
 * Terraform itself would take a Git LFS pointer for the file, find a submodule empty, and pass over what a link out
 * of the repository leads to: resources would seem to be gone. Each is an error that names the file.
 */
export async function findProblems(
  map: CodeMap,
  project: RepositoryProject,
  files: SmallFiles,
): Promise<Diagnostic[]> {
  const { listing } = map;
  const inputs = project.inputs();
  const modules = [...inputs.modules].sort();
  const strays = modules.flatMap((dir) => pathsIn(dir, map.modules.get(dir)?.strays));
  const pointers = modules.flatMap((dir) => pathsIn(dir, map.modules.get(dir)?.pointers));
  const values = modules
    .flatMap((dir) =>
      pathsIn(
        dir,
        listing.directories.get(dir)?.map(({ name }) => name),
      ),
    )
    .filter((path) => loadedValues.test(posix.basename(path)));
  const read = [...new Set([...values, ...inputs.named])];
  const isPointer = await Promise.all(read.map((path) => files.isPointer(listing, path)));
  pointers.push(...read.filter((_, index) => isPointer[index]));
  strays.push(...[...inputs.named].filter((path) => resolvePath(listing, path).kind === 'outside'));
  const submodules = new Set(
    [...inputs.missing, ...inputs.named].flatMap((path) => submodulesAt(listing, path)),
  );
  return [
    ...[...new Set(pointers)].map(pointer),
    ...[...new Set(strays)].map(stray),
    ...[...submodules].map(submodule),
  ];
}

const pathsIn = (dir: string, names: readonly string[] = []): string[] =>
  names.map((name) => join(dir, name));

/** A submodule on the way to `path`, or those below it. */
function submodulesAt(listing: Listing, path: string): string[] {
  for (const at of upwards(path)) if (entryAt(listing, at)?.kind === 'submodule') return [at];
  const found: string[] = [];
  const ahead = [path];
  for (let at = ahead.pop(); at !== undefined; at = ahead.pop()) {
    for (const { name, kind } of listing.directories.get(at) ?? []) {
      if (kind === 'directory') ahead.push(join(at, name));
      else if (kind === 'submodule') found.push(join(at, name));
    }
  }
  return found;
}

function pointer(path: string): Diagnostic {
  return problem(
    path,
    'is a Git LFS pointer',
    'Hatchet downloads nothing from Git LFS. Keep this file in git itself: `git lfs untrack` it and commit it again.',
  );
}

function stray(path: string): Diagnostic {
  return problem(
    path,
    'leads out of the repository',
    'It is a symbolic link to a place outside, or in a circle, and would be read as if it were not there. Link to a file of the repository, or copy it.',
  );
}

function submodule(path: string): Diagnostic {
  return problem(
    path,
    'is a Git submodule',
    'Hatchet reads this repository only, so the directory is empty. Name the module by its git address and a commit, or copy its files into this repository.',
  );
}

function problem(path: string, what: string, detail: string): Diagnostic {
  const shown = path.toWellFormed();
  return { severity: 'error', summary: `${shown} ${what}`, detail, path: shown };
}
