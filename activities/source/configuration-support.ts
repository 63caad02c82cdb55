// Which keys of hatchet.yaml are understood, but have no effect in this release?
import type { Issue } from './configuration-issues.ts';
import type { Key } from './yaml-place.ts';

/** What may be written all the same: it asks for nothing. */
const notYet: readonly {
  readonly path: readonly [string, ...string[]];
  readonly isHarmless: (value: unknown) => boolean;
}[] = [
  { path: ['apply', 'require'], isHarmless: (value) => Array.isArray(value) && value.length === 0 },
  { path: ['apply', 'auto_merge'], isHarmless: (value) => value === false },
  // Reviews do not count yet: by them alone nobody could ever approve.
  {
    path: ['approvals', 'from'],
    isHarmless: (value) => !Array.isArray(value) || value.some((way) => way !== 'review'),
  },
];

/** A safeguard that is asked for and would be silently absent is an issue; for all projects and for each. */
export function supportIssues(value: unknown): Issue[] {
  const projects = at(value, ['projects']);
  const blocks: (readonly Key[])[] = [[]];
  if (Array.isArray(projects)) blocks.push(...projects.map((_, index) => ['projects', index]));
  return blocks.flatMap((block) =>
    notYet.flatMap(({ path, isHarmless }): Issue[] => {
      const found = at(value, [...block, ...path]);
      if (found === undefined || isHarmless(found)) return [];
      return [{ path: [...block, ...path], at: 'value', message: 'not supported yet: leave it out' }];
    }),
  );
}

function at(value: unknown, path: readonly Key[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Readonly<Record<Key, unknown>>)[key];
  }
  return found;
}
