// Which files are a repository's own policies, and which of them does a pull request change?
import type { Configuration } from './configuration.ts';
import type { Diagnostic } from './diagnostic.ts';

/** `files`: paths, at most `maxEditedPolicies`. `problems`: why they could not judge, were they merged. */
export type EditedPolicies = { readonly files: readonly string[]; readonly problems: readonly Diagnostic[] };

/** People are told of a few; history holds little. */
export const maxEditedPolicies = 50;
export const nothingEdited: EditedPolicies = { files: [], problems: [] };

/**
 * The Rego files among the changed ones that stand at or below a path of `policies`, and those paths; tests judge
 * nothing.
 */
export function findEditedPolicies(
  { policies, projectRules }: Configuration,
  changedFiles: readonly string[],
): { readonly files: readonly string[]; readonly paths: readonly string[] } {
  const all = [...policies, ...Object.values(projectRules).flatMap((rules) => rules.policies)];
  const known = [...new Set(all.map(({ path }) => path.replace(/^(?:\.\/)+|\/+$/g, '') || '.'))];
  const rego = changedFiles.filter(isPolicyFile);
  return {
    files: rego.filter((file) => known.some((path) => isWithin(file, path))),
    paths: known.filter((path) => rego.some((file) => isWithin(file, path))),
  };
}

/** By its name or path; a test judges nothing. */
export const isPolicyFile = (file: string): boolean => file.endsWith('.rego') && !file.endsWith('_test.rego');

const isWithin = (file: string, path: string): boolean =>
  path === '.' || file === path || file.startsWith(`${path}/`);
