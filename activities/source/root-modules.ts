// Which directories is Terraform run in, and which files can each of their plans depend on?
import { posix } from 'node:path';
import type { Engine } from '../../workflows/model/project.ts';
import { join, type Listing, resolvePath, upwards } from './listing.ts';
import type { Module } from './modules.ts';

/** A directory that Terraform is run in. */
export type RootModule = {
  readonly dir: string;
  readonly engine: Engine;
  /** Files, and directories with all below them, that its plan can depend on; also those that are not there (any more). */
  readonly inputs: ReadonlySet<string>;
};

/** A tree and the root modules found in it, by their directories. */
export type ProjectMap = { readonly listing: Listing; readonly roots: ReadonlyMap<string, RootModule> };

/** More is a circle that passes through symbolic links and never repeats a path. */
const maxModulesPerProject = 2_000;
/** Read from the project's directory and every one above it, by version managers and by us. */
const versionFiles = ['.terraform-version', '.opentofu-version', '.tool-versions'];

/**
 * Root modules are found by what they have and what uses them:
 * - a `backend` or `cloud` block makes one, whoever else uses the directory: a new caller elsewhere must not make a
 *   project vanish from the checks;
 * - else a directory that another uses as a local module is a child;
 * - else a `provider` block, values or locks of its own (terraform.tfvars, *.auto.tfvars, .terraform.lock.hcl,
 *   .terraform-version), or code that cannot be parsed, so that Terraform's own words about it are seen;
 * - what is left is a module for others to use. Without a backend its state would be lost with the checkout anyway.
 */
export function findProjects(listing: Listing, modules: ReadonlyMap<string, Module>): ProjectMap {
  const used = usedDirectories(listing, modules);
  const dirs = [...modules].filter(
    ([dir, module]) =>
      module.state || (!used.has(dir) && (module.provider || module.marked || module.broken)),
  );
  const isRoot = new Set(dirs.map(([dir]) => dir));
  const roots = dirs.map(([dir, module]): [string, RootModule] => [
    dir,
    { dir, engine: module.engine, inputs: findInputs(listing, modules, isRoot, dir) },
  ]);
  return { listing, roots: new Map(roots) };
}

function usedDirectories(listing: Listing, modules: ReadonlyMap<string, Module>): ReadonlySet<string> {
  const used = new Set<string>();
  for (const [dir, module] of modules) {
    for (const source of module.sources) {
      const resolved = resolvePath(listing, `${dir}/${source}`);
      if (resolved.kind === 'directory' && resolved.path !== dir) used.add(resolved.path);
    }
  }
  return used;
}

function findInputs(
  listing: Listing,
  modules: ReadonlyMap<string, Module>,
  isRoot: ReadonlySet<string>,
  dir: string,
): ReadonlySet<string> {
  const inputs = new Set<string>();
  addModules(listing, modules, dir, inputs);
  addLinkTargets(listing, isRoot, inputs);
  for (const above of upwards(dir)) {
    for (const file of versionFiles) inputs.add(join(above, file));
  }
  return inputs;
}

/** As Terraform does, sources are joined as text to the path by which a module was reached; links are followed afterwards. */
function addModules(
  listing: Listing,
  modules: ReadonlyMap<string, Module>,
  dir: string,
  inputs: Set<string>,
): void {
  const reached = new Set([dir]);
  for (const path of reached) {
    const resolved = resolvePath(listing, path);
    inputs.add(path);
    for (const above of upwards(path)) if (listing.links.has(above)) inputs.add(above);
    if (resolved.kind !== 'directory' || reached.size > maxModulesPerProject) continue;
    inputs.add(resolved.path);
    for (const source of modules.get(resolved.path)?.sources ?? []) {
      const next = posix.join(path, source).replace(/\/$/, '');
      if (next !== '..' && !next.startsWith('../')) reached.add(next);
    }
  }
}

/** What links inside the inputs lead to is read through them; and so are the links found there. */
function addLinkTargets(listing: Listing, isRoot: ReadonlySet<string>, inputs: Set<string>): void {
  const links = new Set(listing.links.keys());
  for (let size = -1; size !== inputs.size; ) {
    size = inputs.size;
    for (const link of links) {
      if (!covers(inputs, isRoot, link)) continue;
      links.delete(link);
      const resolved = resolvePath(listing, link);
      if (resolved.kind === 'directory' || resolved.kind === 'file') inputs.add(resolved.path);
    }
  }
}

/** Nested projects are nobody else's input, unless they are named as one. */
function covers(inputs: ReadonlySet<string>, isRoot: ReadonlySet<string>, path: string): boolean {
  for (const at of upwards(path)) {
    if (inputs.has(at)) return true;
    if (isRoot.has(at)) return false;
  }
  return false;
}
