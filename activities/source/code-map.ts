// Which directories of a tree hold code, and in which of them is Terraform run?
import type { Engine } from '../../workflows/model/project.ts';
import { join, type Listing, resolvePath, upwards } from './listing.ts';
import type { Module } from './modules.ts';
import { type ToolEngine, toolEngineOf, toolVersionsName } from './tool-versions.ts';

/** A tree as Terraform sees it. */
export type CodeMap = {
  readonly listing: Listing;
  readonly modules: ReadonlyMap<string, Module>;
  /** Directories of root modules. */
  readonly roots: ReadonlySet<string>;
  /** What each `.tool-versions` names, by its directory. */
  readonly toolEngines: ReadonlyMap<string, ToolEngine>;
};

/**
 * Root modules are found by what they have and what uses them:
 * - a `backend` or `cloud` block makes one, whoever else uses the directory: a new caller elsewhere must not make a
 *   project vanish from the checks;
 * - else a directory that another uses as a local module is a child;
 * - else a `provider` block, values or locks of its own (terraform.tfvars, *.auto.tfvars, .terraform.lock.hcl,
 *   .terraform-version), or code that cannot be parsed, so that Terraform's own words about it are seen;
 * - what is left is a module for others to use. Without a backend its state would be lost with the checkout anyway.
 */
export function mapCode(
  listing: Listing,
  modules: ReadonlyMap<string, Module>,
  toolEngines: CodeMap['toolEngines'],
): CodeMap {
  const used = usedDirectories(listing, modules);
  const isRoot = ([dir, module]: [string, Module]): boolean => {
    const said = Object.values(module.said);
    if (said.some(({ state }) => state)) return true;
    return !used.has(dir) && (module.marked || said.some(({ provider, broken }) => provider || broken));
  };
  return { listing, modules, roots: new Set([...modules].filter(isRoot).map(([dir]) => dir)), toolEngines };
}

function usedDirectories(listing: Listing, modules: ReadonlyMap<string, Module>): ReadonlySet<string> {
  const used = new Set<string>();
  for (const [dir, { said }] of modules) {
    for (const { source, computed } of [...said.terraform.calls, ...said.tofu.calls]) {
      if (computed || !isLocal(source)) continue;
      const resolved = resolvePath(listing, `${dir}/${source}`);
      if (resolved.kind === 'directory' && resolved.path !== dir) used.add(resolved.path);
    }
  }
  return used;
}

/** Everything else is an address of a registry or a remote. Source: developer.hashicorp.com/terraform/language/modules/sources */
export const isLocal = (source: string): boolean => /^\.\.?(?:\/|$)/.test(source);

/**
 * What a directory is planned with when nobody says: what its files, or the version files nearest above, are made for,
 * else the one engine that `.tool-versions` names.
 */
export function engineOf({ listing, modules, toolEngines }: CodeMap, dir: string): Engine {
  if (modules.get(dir)?.onlyTofu === true) return 'tofu';
  for (const above of upwards(dir)) {
    const names = listing.directories.get(above) ?? [];
    const has = (name: string) => names.some((entry) => entry.name === name);
    if (has('.terraform-version')) return 'terraform';
    if (has('.opentofu-version')) return 'tofu';
  }
  return toolEngineOf(toolEngines, dir) ?? 'terraform';
}

/** The directory whose code is run for a project in `dir`, links followed; null when there is none. */
export function codeDirectory({ listing, modules }: CodeMap, dir: string): string | null {
  const resolved = resolvePath(listing, dir);
  return resolved.kind === 'directory' && modules.has(resolved.path) ? resolved.path : null;
}

/** Directories below which some of `dirs` lie. */
export function directoriesAround(dirs: Iterable<string>): ReadonlySet<string> {
  const around = new Set<string>();
  for (const dir of dirs) for (const above of upwards(dir)) if (above !== dir) around.add(above);
  return around;
}

const versionFiles = ['.terraform-version', '.opentofu-version', toolVersionsName] as const;

/** Read from the project's directory and every one above it, by version managers and by us. */
export function* versionFilePaths(dir: string): Generator<string> {
  for (const above of upwards(dir)) for (const file of versionFiles) yield join(above, file);
}
