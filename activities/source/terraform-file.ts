// What does one Terraform file say about being a root module and about the modules that it uses?

export type TerraformFile = {
  /** A `backend` or `cloud` block: it has a state of its own. */
  readonly state: boolean;
  readonly provider: boolean;
  /** Literal local sources of its `module` blocks: they begin with `./` or `../`. */
  readonly sources: readonly string[];
  /** It could not be parsed; the rest is what its text looks like. */
  readonly broken: boolean;
};

/** A file without any of these words says nothing of interest and need not be parsed. */
const words = /\b(?:module|provider|backend|cloud)\b/;

export const silentFile: TerraformFile = { state: false, provider: false, sources: [], broken: false };

export function isSilent(text: string): boolean {
  return !words.test(text);
}

/** From Terraform's JSON syntax, and from HCL as hcl2json gives it: both nest objects, lists of objects, or both. */
export function parseTerraformFile(document: unknown): TerraformFile {
  const terraform = blocks(document, 'terraform');
  const modules = blocks(document, 'module').flatMap((block) => Object.values(block).flatMap(objects));
  return {
    state: terraform.some((block) => 'backend' in block || 'cloud' in block),
    provider: blocks(document, 'provider').some((block) => Object.keys(block).length > 0),
    sources: modules.map((module) => module.source).filter(isLocalSource),
    broken: false,
  };
}

/**
 * What a file that cannot be parsed most likely says, by its text: enough to find the projects whose plan will show
 * Terraform's own diagnostics.
 */
export function guessTerraformFile(text: string): TerraformFile {
  return {
    state: /^[ \t]*(?:backend[ \t]+"|cloud[ \t]*\{)/m.test(text),
    provider: /^[ \t]*provider[ \t]+"?\w/m.test(text),
    sources: [...text.matchAll(/^[ \t]*source[ \t]*=[ \t]*"([^"\n]*)"/gm)]
      .map((match) => match[1])
      .filter(isLocalSource),
    broken: true,
  };
}

function isLocalSource(source: unknown): source is string {
  return typeof source === 'string' && /^\.\.?\//.test(source) && !/[$%]\{/.test(source);
}

function blocks(document: unknown, name: string): Record<string, unknown>[] {
  return objects(document).flatMap((body) => objects(body[name]));
}

function objects(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(objects);
  return typeof value === 'object' && value !== null ? [value as Record<string, unknown>] : [];
}
