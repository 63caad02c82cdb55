// Which directories hold Terraform code, and what does each say about itself?
import { posix } from 'node:path';
import type { Engine } from '../../workflows/model/project.ts';
import type { FileRead } from './file-reads.ts';
import { type HclReader, maxReadBytes, type SourceFile } from './hcl.ts';
import { join, type Listing, resolvePath } from './listing.ts';
import type { Objects } from './objects.ts';
import type { ModuleCall, TerraformFile } from './terraform-file.ts';
import type { TreeEntry } from './tree-cache.ts';

/** One directory with Terraform files. */
export type Module = {
  /** What each engine reads there. */
  readonly said: Readonly<Record<Engine, Said>>;
  /** There are only `*.tofu` files: Terraform sees nothing. */
  readonly onlyTofu: boolean;
  /** Variables, locks or version files that only a root module has. */
  readonly marked: boolean;
  /** Code files that hold a Git LFS pointer instead. */
  readonly pointers: readonly string[];
  /** Links among the code files and values that lead out of the repository: a checkout leaves them out. */
  readonly strays: readonly string[];
};

/** The sum of what a directory's files say to one engine. */
export type Said = {
  readonly state: boolean;
  readonly provider: boolean;
  readonly broken: boolean;
  readonly calls: readonly ModuleCall[];
  readonly reads: readonly FileRead[];
  readonly requiredVersions: readonly string[];
};

type ModuleSource = { readonly objects: Objects; readonly hcl: HclReader; readonly listing: Listing };
type NamedFile = { readonly name: string; readonly file: TerraformFile };

/** Copies that Terraform, OpenTofu or Terragrunt made; never anybody's source. */
const generatedDirectories = new Set(['.terraform', '.terragrunt-cache']);
const rootMarks =
  /^(?:terraform\.tfvars(?:\.json)?|.*\.auto\.tfvars(?:\.json)?|\.terraform\.lock\.hcl|\.(?:terraform|opentofu)-version)$/;
const codeFile = /\.(tf|tofu)(\.json)?$/;
const tofuFile = /\.tofu(\.json)?$/;
const overrideFile = /^(?:.*_)?override\.(?:tf|tofu)(?:\.json)?$/;
/** Read by Terraform on its own account, beside the code. */
export const loadedValues = /^(?:terraform|.*\.auto)\.tfvars(?:\.json)?$/;

/** Every directory of the tree that has Terraform or OpenTofu files, by its path. */
export async function readModules(source: ModuleSource): Promise<ReadonlyMap<string, Module>> {
  const found: Promise<readonly [string, Module]>[] = [];
  for (const [directory, entries] of source.listing.directories) {
    const code = entries.filter((entry) => entry.kind !== 'directory' && isCode(entry.name));
    if (code.length === 0) continue;
    if (directory.split('/').some((segment) => generatedDirectories.has(segment))) continue;
    found.push(readModule(source, directory, entries, code).then((module) => [directory, module]));
  }
  return new Map(await Promise.all(found));
}

async function readModule(
  { objects, hcl, listing }: ModuleSource,
  directory: string,
  entries: readonly TreeEntry[],
  code: readonly TreeEntry[],
): Promise<Module> {
  const regular = code.flatMap((entry) => regularFile(listing, directory, entry));
  const read = await hcl.read(regular.map((entry) => sourceFile(objects, entry)));
  const files = read.map((file, index) => ({ name: regular[index]?.name ?? '', file }));
  const strays = entries.filter(
    (entry) => (isCode(entry.name) || loadedValues.test(entry.name)) && isStray(listing, directory, entry),
  );
  const terraform = sayTogether(readBy('terraform', files), strays.length > 0);
  const hasTofu = code.some((entry) => tofuFile.test(entry.name));
  return {
    said: { terraform, tofu: hasTofu ? sayTogether(readBy('tofu', files), strays.length > 0) : terraform },
    onlyTofu: code.every((entry) => tofuFile.test(entry.name)),
    marked: entries.some((entry) => rootMarks.test(entry.name)),
    pointers: files.filter(({ file }) => file.pointer).map(({ name }) => name),
    strays: strays.map(({ name }) => name),
  };
}

/** OpenTofu passes over `x.tf` where there is `x.tofu` (internal/configs/parser_config_dir.go); Terraform knows no `.tofu`. */
function readBy(engine: Engine, files: readonly NamedFile[]): readonly NamedFile[] {
  if (engine === 'terraform') return files.filter(({ name }) => !tofuFile.test(name));
  const names = new Set(files.map(({ name }) => name));
  return files.filter(
    ({ name }) => !names.has(name.replace(/\.tf(\.json)?$/, '.tofu$1')) || tofuFile.test(name),
  );
}

function sayTogether(files: readonly NamedFile[], broken: boolean): Said {
  const said = files.map(({ file }) => file);
  return {
    state: said.some((file) => file.state),
    provider: said.some((file) => file.provider),
    broken: broken || said.some((file) => file.broken),
    calls: mergeCalls(files),
    reads: said.flatMap((file) => file.reads),
    requiredVersions: said.flatMap((file) => file.requiredVersions),
  };
}

/** A source in an override file takes the place of the one that it overrides. */
function mergeCalls(files: readonly NamedFile[]): readonly ModuleCall[] {
  const overrides = files.filter(({ name }) => overrideFile.test(name)).flatMap(({ file }) => file.calls);
  const others = files.filter(({ name }) => !overrideFile.test(name)).flatMap(({ file }) => file.calls);
  const overridden = new Set(overrides.map(({ name }) => name));
  return [...others.filter(({ name }) => name === '' || !overridden.has(name)), ...overrides];
}

/** Terraform passes over hidden files and what editors leave behind (internal/configs/parser_config_dir.go). */
function isCode(name: string): boolean {
  const leftBehind =
    name.startsWith('.') || name.endsWith('~') || (name.startsWith('#') && name.endsWith('#'));
  return codeFile.test(name) && !leftBehind;
}

function isStray(listing: Listing, directory: string, entry: TreeEntry): boolean {
  return entry.kind === 'symlink' && resolvePath(listing, join(directory, entry.name)).kind === 'outside';
}

/** Nothing for what is no file in the end: a link that leads nowhere, a submodule. */
function regularFile(listing: Listing, directory: string, entry: TreeEntry): TreeEntry[] {
  if (entry.kind !== 'symlink') return isRegular(entry) ? [entry] : [];
  const resolved = resolvePath(listing, join(directory, entry.name));
  return resolved.kind === 'file' && isRegular(resolved.entry)
    ? [{ ...resolved.entry, name: entry.name }]
    : [];
}

export function isRegular(entry: TreeEntry): boolean {
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
