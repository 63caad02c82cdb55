// May anything be applied from this base branch, as the default branch's hatchet.yaml says?
import { createGlob } from './glob.ts';

/** Why nothing may be applied from `base`. `defaultBranch`: whose hatchet.yaml decides, without `refs/heads/`. */
export type BranchBar =
  | { readonly kind: 'not-listed'; readonly base: string; readonly defaultBranch: string }
  /** The default branch's hatchet.yaml cannot be read, so nobody knows. */
  | { readonly kind: 'broken'; readonly base: string; readonly defaultBranch: string }
  /** The repository has no default branch that GitHub shows. */
  | { readonly kind: 'no-default-branch'; readonly base: string };

/** Null: it may. `branches`: globs of the default branch's hatchet.yaml; undefined: it names none. */
export function barOf(
  { base, defaultBranch }: { readonly base: string; readonly defaultBranch: string },
  branches: readonly string[] | undefined,
): BranchBar | null {
  const listed =
    branches === undefined ? base === defaultBranch : branches.some((glob) => createGlob(glob)(base));
  return listed ? null : { kind: 'not-listed', base, defaultBranch };
}

/** In one line, as the title of a check. */
export function barTitle(bar: BranchBar): string {
  switch (bar.kind) {
    case 'not-listed':
      return `${bar.base} is not a branch that may be applied from`;
    case 'broken':
      return `hatchet.yaml on ${bar.defaultBranch} is broken: nothing is applied from ${bar.base}`;
    case 'no-default-branch':
      return `GitHub names no default branch: nothing is applied from ${bar.base}`;
    default:
      return bar satisfies never;
  }
}
