// What do a project's files alone show to be wrong, before Terraform would misread it?
import { posix } from 'node:path';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import type { CodeMap } from './code-map.ts';
import type { OutsideCall } from './inputs.ts';
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
  strays.push(...[...inputs.named].filter((path) => isOutside(listing, path)));
  strays.push(...[...inputs.missing].flatMap((path) => linksOutside(listing, path)));
  const submodules = new Set(
    [...inputs.missing, ...inputs.named].flatMap((path) => submodulesAt(listing, path)),
  );
  return [
    ...[...new Set(pointers)].map(pointer),
    ...[...new Set(strays)].map(stray),
    ...[...submodules].map(submodule),
    ...inputs.outside.map(outside),
  ];
}

const pathsIn = (dir: string, names: readonly string[] = []): string[] =>
  names.map((name) => join(dir, name));

const isOutside = (listing: Listing, path: string): boolean => resolvePath(listing, path).kind === 'outside';

/** Links on the way to `path` that lead out; a circle through good links is Terraform's to tell. */
const linksOutside = (listing: Listing, path: string): string[] =>
  [...upwards(path)].filter((at) => listing.links.has(at) && isOutside(listing, at));

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
  return problemAt(
    path,
    'A Git LFS pointer stands here instead of the file',
    'Hatchet downloads nothing from Git LFS. Keep this file in git itself: `git lfs untrack` it and commit it again.',
  );
}

function stray(path: string): Diagnostic {
  return problemAt(
    path,
    'A link leads out of the repository',
    'It leads to a place outside, or in a circle, and would be read as if it were not there. Link to a file of the repository, or copy it.',
  );
}

function submodule(path: string): Diagnostic {
  return problemAt(
    path,
    'A Git submodule is not read',
    'Hatchet reads this repository only, so the directory is empty. Name the module by its git address and a commit, or copy its files into this repository.',
  );
}

function outside({ name, source, dir }: OutsideCall): Diagnostic {
  return {
    severity: 'error',
    summary: `The module "${name}" is outside the repository`.toWellFormed(),
    detail:
      `Its source "${source}" is called in ${dir === '.' ? 'the root directory' : dir}, and leads out of the repository. Name the module by its git address and a commit, or copy its files into this repository.`.toWellFormed(),
  };
}

function problemAt(path: string, summary: string, detail: string): Diagnostic {
  return { severity: 'error', summary, detail, path: path.toWellFormed() };
}
