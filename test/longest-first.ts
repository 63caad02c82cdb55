// In which order do the test files run? Those that take the longest begin, so that none is left over at the end.
import { basename } from 'node:path';
import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

/** They wait more than they work: best begun before everything else. */
const first: readonly string[] = ['drills', 'demo'];

/** A fresh clone knows nothing of earlier runs, and would go by the sizes of the files. */
const longest: readonly string[] = [
  'healing',
  'merge',
  'commands',
  'roles',
  'lost-contact',
  'many-projects',
  'restart',
  'github-trouble',
  'ownership',
  'approvals',
  'outages',
  'merge-group',
  'reviews',
  'refresh',
  'kept-plans',
  'rounds',
  'state-lock',
  'webhooks',
  'source-inspect',
  'terraform-bad-input',
  'source-projects',
  'bench',
  'policy-fail-closed',
  'embedded',
  'terraform-plan',
  'fuzz-words',
];

/** Vitest asks for a class. What is not named here comes later, in the order that vitest makes of it. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}

const kinds: readonly string[] = ['app', 'alone', 'parts'];

/** Files of a kind in one row: a process goes on with the next file only if that may share it. */
function rank({ moduleId, project }: TestSpecification): number {
  const name = basename(moduleId, '.test.ts');
  if (first.includes(name)) return first.indexOf(name) - first.length;
  const place = longest.indexOf(name);
  const later = kinds.indexOf(project.name) * (longest.length + 1);
  return later + (place < 0 ? longest.length : place);
}
