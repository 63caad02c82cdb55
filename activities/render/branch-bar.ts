// Why is nothing applied from a base branch, and what can people do about it?
import type { BranchBar } from '../../workflows/model/branch-bar.ts';
import { named } from './wording.ts';

/** Markdown without a capital at the start and without a full stop. */
export function barWords(bar: BranchBar): string {
  switch (bar.kind) {
    case 'not-listed':
      return `${named(bar.base)} is not a branch that may be applied from`;
    case 'broken':
      return `nothing is applied from ${named(bar.base)}, because hatchet.yaml on ${named(bar.defaultBranch)} is broken`;
    case 'no-default-branch':
      return `nothing is applied from ${named(bar.base)}, because GitHub names no default branch`;
    default:
      return bar satisfies never;
  }
}

/** One or two sentences. */
export function barRemedy(bar: BranchBar): string {
  switch (bar.kind) {
    case 'not-listed':
      return bar.base === bar.defaultBranch
        ? `Somebody has to list it under \`branches\` in hatchet.yaml on ${named(bar.defaultBranch)}.`
        : `Make ${named(bar.defaultBranch)} the base, or list ${named(bar.base)} under \`branches\` in hatchet.yaml on ${named(bar.defaultBranch)} and comment \`/hatchet plan\`.`;
    case 'broken':
      return `Mend hatchet.yaml on ${named(bar.defaultBranch)}: it says from which branches may be applied. Then comment \`/hatchet plan\`.`;
    case 'no-default-branch':
      return 'Give the repository a default branch: its hatchet.yaml says from which branches may be applied.';
    default:
      return bar satisfies never;
  }
}
