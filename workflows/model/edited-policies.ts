// Which of the repository's own policies does a pull request change?
import type { Configuration } from './configuration.ts';

/** The Rego files among the changed ones that stand at or below a path of `policies`; tests judge nothing. */
export function editedPolicies(
  { policies, projectRules }: Configuration,
  changedFiles: readonly string[],
): readonly string[] {
  const all = [...policies, ...Object.values(projectRules).flatMap((rules) => rules.policies)];
  const paths = [...new Set(all.map(({ path }) => path.replace(/^(?:\.\/)+|\/+$/g, '')))];
  return changedFiles.filter((file) => isRego(file) && paths.some((path) => isWithin(file, path)));
}

const isRego = (file: string): boolean => file.endsWith('.rego') && !file.endsWith('_test.rego');

const isWithin = (file: string, path: string): boolean =>
  path === '.' || path === '' || file === path || file.startsWith(`${path}/`);
