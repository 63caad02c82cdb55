// In which order do the test files run? Those that take the longest begin, so that none is left over at the end.
import { basename } from 'node:path';
import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

/**
 * What waits more than it works is best begun early, beside others. A fresh clone knows nothing of earlier runs, and
 * would go by the sizes of the files: the drills, which wait for time limits of Temporal, came last of all.
 */
const longest: readonly string[] = [
  'drills',
  'healing',
  'demo',
  'merge',
  'github-trouble',
  'commands',
  'roles',
  'webhooks',
  'outages',
  'source-projects',
  'many-projects',
  'restart',
  'refresh',
  'kept-plans',
  'source-inspect',
  'rounds',
  'ownership',
  'run-page-live',
  'terraform-bad-input',
  'reviews',
  'merge-group',
  'approvals',
];

/** Vitest asks for a class. What is not named here comes later, in the order that vitest makes of it. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const place = longest.indexOf(basename(moduleId, '.test.ts'));
  return place < 0 ? longest.length : place;
}
