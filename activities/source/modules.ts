// Which directories hold Terraform code, and what does each say about itself?
import { posix } from 'node:path';
import type { Engine } from '../../workflows/model/project.ts';
import { type HclReader, maxReadBytes, type SourceFile } from './hcl.ts';
import { join, type Listing, resolvePath } from './listing.ts';
import type { Objects } from './objects.ts';
import type { TerraformFile } from './terraform-file.ts';
import type { TreeEntry } from './tree-cache.ts';

/** One directory with Terraform files: the sum of what its files say. */
export type Module = TerraformFile & {
  /** What reads it: OpenTofu where there are only `*.tofu` files. */
  readonly engine: Engine;
  /** Variables, locks or version files that only a root module has. */
  readonly marked: boolean;
};

type ModuleSource = { readonly objects: Objects; readonly hcl: HclReader; readonly listing: Listing };

/** Copies that Terraform, OpenTofu or Terragrunt made; never anybody's source. */
const generatedDirectories = new Set(['.terraform', '.terragrunt-cache']);
const rootMarks =
  /^(?:terraform\.tfvars(?:\.json)?|.*\.auto\.tfvars(?:\.json)?|\.terraform\.lock\.hcl|\.(?:terraform|opentofu)-version)$/;
const codeFile = /\.(tf|tofu)(\.json)?$/;

/** Every directory of the tree that has Terraform or OpenTofu files, by its path. */
export async function readModules(source: ModuleSource): Promise<ReadonlyMap<string, Module>> {
  const found: Promise<readonly [string, Module]>[] = [];
  for (const [directory, entries] of source.listing.directories) {
    if (directory.split('/').some((segment) => generatedDirectories.has(segment))) continue;
    const code = entries.filter((entry) => entry.kind !== 'directory' && isCode(entry.name));
    if (code.length === 0) continue;
    const marked = entries.some((entry) => rootMarks.test(entry.name));
    found.push(readModule(source, directory, code).then((module) => [directory, { ...module, marked }]));
  }
  return new Map(await Promise.all(found));
}

/**
 * The files of both engines are read, also a `main.tf` that a `main.tofu` replaces: what only one of them would read
 * makes a project look affected once too often, never too rarely.
 */
async function readModule(source: ModuleSource, directory: string, code: readonly TreeEntry[]) {
  const files = code.flatMap((entry) => regularFile(source.listing, directory, entry));
  const said = await source.hcl.read(files.map((entry) => sourceFile(source.objects, entry)));
  const engine: Engine = code.every((entry) => /\.tofu(?:\.json)?$/.test(entry.name)) ? 'tofu' : 'terraform';
  return {
    engine,
    state: said.some((file) => file.state),
    provider: said.some((file) => file.provider),
    sources: [...new Set(said.flatMap((file) => file.sources))],
    broken: said.some((file) => file.broken),
  };
}

/** Terraform passes over hidden files and what editors leave behind (internal/configs/parser_config_dir.go). */
function isCode(name: string): boolean {
  const leftBehind =
    name.startsWith('.') || name.endsWith('~') || (name.startsWith('#') && name.endsWith('#'));
  return codeFile.test(name) && !leftBehind;
}

/** Nothing for what is no file in the end: a link that leads nowhere, a submodule. */
function regularFile(listing: Listing, directory: string, entry: TreeEntry): TreeEntry[] {
  if (entry.kind !== 'symlink') return isRegular(entry) ? [entry] : [];
  const resolved = resolvePath(listing, join(directory, entry.name));
  return resolved.kind === 'file' && isRegular(resolved.entry)
    ? [{ ...resolved.entry, name: entry.name }]
    : [];
}

function isRegular(entry: TreeEntry): boolean {
  return entry.kind === 'file' || entry.kind === 'executable';
}

function sourceFile(objects: Objects, entry: TreeEntry): SourceFile {
  return {
    sha: entry.sha,
    syntax: posix.extname(entry.name) === '.json' ? 'json' : 'hcl',
    async load() {
      const blob = await objects.readBlob(entry.sha, maxReadBytes);
      return Buffer.isBuffer(blob) ? blob.toString('utf8') : null;
    },
  };
}
