// Which blocks does a configuration make with `dynamic`, of which a plan's JSON shows no expression?

/**
 * `names`: what such blocks are called, or `any` where a reading without a parser cannot tell. `besideProviders`: there
 * is one in a file that has to do with providers. More may be said than is there, never less.
 */
export type DynamicBlocks = { readonly names: readonly string[] | 'any'; readonly besideProviders: boolean };

export const anyDynamicBlocks: DynamicBlocks = { names: 'any', besideProviders: true };

/** The keyword has no escapes; what follows it may: a label that is not written like this can be any. */
const keyword = /\bdynamic\b/g;
const plainBlock = /\bdynamic[ \t]+"([\w-]+)"[ \t]*\{/g;
const provider = /\bprovider\b/;

/** `files`: name and text, in Terraform's own or in its JSON syntax, where any text may hide behind an escape. */
export function findDynamicBlocks(files: readonly (readonly [string, string])[]): DynamicBlocks {
  const found = files.filter(([name, text]) => mentions(name, text));
  const texts = found.map(([, text]) => text);
  const plain = texts.map((text) => [...text.matchAll(plainBlock)].map(([, name]) => name ?? ''));
  const clear = found.every(
    ([name, text], index) => !isJson(name) && [...text.matchAll(keyword)].length === plain[index]?.length,
  );
  return {
    names: clear ? [...new Set(plain.flat())] : 'any',
    besideProviders: found.some(
      ([name, text]) => provider.test(text) || (isJson(name) && escaped.test(text)),
    ),
  };
}

const escaped = /\\u/;
const isJson = (name: string): boolean => name.endsWith('.json');
const mentions = (name: string, text: string): boolean =>
  text.match(keyword) !== null || (isJson(name) && escaped.test(text));
