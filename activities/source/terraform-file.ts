// What does one Terraform file say about being a root module, and about what else it reads?
import { type FileRead, findReads } from './file-reads.ts';

export type TerraformFile = {
  /** A `backend` or `cloud` block: it has a state of its own. */
  readonly state: boolean;
  readonly provider: boolean;
  readonly calls: readonly ModuleCall[];
  readonly reads: readonly FileRead[];
  /** `required_version`, as it is written. */
  readonly requiredVersions: readonly string[];
  /** It could not be parsed; the rest is what its text looks like. */
  readonly broken: boolean;
  /** Not the file, but what Git LFS keeps in its place. */
  readonly pointer: boolean;
};

/** A `module` block. */
export type ModuleCall = {
  readonly name: string;
  /** Up to the first `${`, where it is computed. */
  readonly source: string;
  readonly computed: boolean;
};

/** Blocks that say something of interest; `path.module` and `provider = x` are none. */
const declaration = /(?<![.\w-])(?:(?:module|provider)\b[ \t]*["\w/]|terraform[ \t]*[{/])/;
/** Source: github.com/git-lfs/git-lfs/blob/main/docs/spec.md, the first line of every pointer. */
const pointerStart = 'version https://git-lfs.github.com/spec/';

const silentFile: TerraformFile = {
  state: false,
  provider: false,
  calls: [],
  reads: [],
  requiredVersions: [],
  broken: false,
  pointer: false,
};
export const brokenFile: TerraformFile = { ...silentFile, broken: true };
export const pointerFile: TerraformFile = { ...brokenFile, pointer: true };

/** False: there is nothing in this HCL that only a parser understands. */
export const hasDeclarations = (text: string): boolean => declaration.test(text);
export const isPointer = (text: string): boolean => text.startsWith(pointerStart);

/** From Terraform's JSON syntax, and from HCL as hcl2json gives it: both nest objects, lists of objects, or both. */
export function parseTerraformFile(document: unknown): TerraformFile {
  const terraform = blocks(document, 'terraform');
  const modules = blocks(document, 'module').flatMap((block) => Object.entries(block));
  return {
    state: terraform.some((block) => 'backend' in block || 'cloud' in block),
    provider: blocks(document, 'provider').some((block) => Object.keys(block).length > 0),
    calls: modules.flatMap(([name, bodies]) =>
      objects(bodies).flatMap(({ source }) => (typeof source === 'string' ? [moduleCall(name, source)] : [])),
    ),
    reads: expressions(document).flatMap(findReads),
    requiredVersions: terraform
      .map((block) => block.required_version)
      .filter((version) => typeof version === 'string'),
    broken: false,
    pointer: false,
  };
}

/** HCL without declarations: a comment that looks like a call makes a project affected once too often, not too rarely. */
export const parseReads = (text: string): TerraformFile => ({ ...silentFile, reads: findReads(text) });

/**
 * What a file that cannot be parsed most likely says, by its text: enough to find the projects whose plan will show
 * Terraform's own diagnostics.
 */
export function guessTerraformFile(text: string): TerraformFile {
  return {
    state: /^[ \t]*(?:backend[ \t]+"|cloud[ \t]*\{)/m.test(text),
    provider: /^[ \t]*provider[ \t]+"?\w/m.test(text),
    calls: [...text.matchAll(/^[ \t]*source[ \t]*=[ \t]*"([^"\n]*)"/gm)].map((match) =>
      moduleCall('', match[1] ?? ''),
    ),
    reads: findReads(text),
    requiredVersions: [...text.matchAll(/^[ \t]*required_version[ \t]*=[ \t]*"([^"\n]*)"/gm)].map(
      (match) => match[1] ?? '',
    ),
    broken: true,
    pointer: false,
  };
}

function moduleCall(name: string, source: string): ModuleCall {
  const computed = source.search(/[$%]\{/);
  return { name, source: computed < 0 ? source : source.slice(0, computed), computed: computed >= 0 };
}

/** Every text in the document that has an expression in it. */
function expressions(value: unknown): string[] {
  if (typeof value === 'string') return /[$%]\{/.test(value) ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(expressions) : [];
}

function blocks(document: unknown, name: string): Record<string, unknown>[] {
  return objects(document).flatMap((body) => objects(body[name]));
}

function objects(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(objects);
  return typeof value === 'object' && value !== null ? [value as Record<string, unknown>] : [];
}
