// What does hatchet.yaml say that no schema can see: names that meet nothing, circles, places that are not there?
import { posix } from 'node:path';
import { z } from 'zod';
import { nearest } from '../../workflows/model/command.ts';
import { nameOf } from '../../workflows/model/configuration.ts';
import { configurationSchema, isTypeable } from '../../workflows/model/configuration-schema.ts';
import { defaultProjectName } from '../../workflows/model/project.ts';
import { type CodeMap, codeDirectory } from './code-map.ts';
import type { Issue } from './configuration-issues.ts';
import { entryAt, type Listing, resolvePath } from './listing.ts';
import { directoryGlobProblem, globProblem, parseModifiedGlob } from './modified-glob.ts';
import { policyProblem } from './policy-path.ts';
import { discoveredDirectories } from './repository-projects.ts';
import type { Key } from './yaml-place.ts';

const { projects, autodiscover } = configurationSchema.shape;
const texts = z.array(z.string().nullable().catch(null)).catch([]);
const policies = z
  .array(z.object({ path: z.string().nullable().catch(null) }).catch({ path: null }))
  .catch([]);

/** As much of the file as can be understood although other parts are wrong: null and empty stand for those. */
const outlineSchema = z.object({
  autodiscover: autodiscover.catch(true),
  policies,
  projects: z
    .array(
      z
        .object({
          dir: projects.unwrap().element.shape.dir.nullable().catch(null),
          name: z.string().optional().catch(undefined),
          workspace: z.string().default('default').catch('default'),
          var_files: texts,
          when_modified: texts,
          depends_on: texts,
          policies,
        })
        .catch({
          ...{ dir: null, name: undefined, workspace: 'default', policies: [] },
          ...{ var_files: [], when_modified: [], depends_on: [] },
        }),
    )
    .catch([]),
});
type Outline = z.infer<typeof outlineSchema>;
type Entry = Outline['projects'][number];

/** Every issue that the file has by itself, and in the tree that it is for. */
export function semanticIssues(value: unknown, map: CodeMap): Issue[] {
  const outline = outlineSchema.catch({ autodiscover: true, policies: [], projects: [] }).parse(value ?? {});
  const listed = outline.projects.flatMap(({ dir }) => (dir === null ? [] : [{ dir }]));
  const discovery = discoveryIssues(outline);
  const discovered = discoveredDirectories(map, {
    autodiscover: discovery.length > 0 ? true : outline.autodiscover,
    projects: listed,
  });
  return [
    ...discovery,
    ...outline.projects.flatMap((entry, index) => entryIssues(entry, ['projects', index], map)),
    ...nameIssues(outline.projects, new Set(discovered)),
    ...dependencyIssues(outline.projects, discovered),
    ...policyIssues(outline.policies, ['policies'], map.listing),
  ];
}

const issue = (path: readonly Key[], message: string): Issue => ({ path, at: 'value', message });

function discoveryIssues({ autodiscover }: Outline): Issue[] {
  if (typeof autodiscover === 'boolean') return [];
  return (['include', 'exclude'] as const).flatMap((key) =>
    autodiscover[key].flatMap((glob, index) => {
      const problem = directoryGlobProblem(glob);
      return problem === null ? [] : [issue(['autodiscover', key, index], `is no glob: ${problem}`)];
    }),
  );
}

function entryIssues(entry: Entry, path: readonly Key[], map: CodeMap): Issue[] {
  const { dir } = entry;
  if (dir === null) return [];
  const found = policyIssues(entry.policies, [...path, 'policies'], map.listing);
  const noCode = codeDirectory(map, dir) === null ? withoutCode(map, dir) : null;
  if (noCode !== null) found.push(issue([...path, 'dir'], noCode));
  for (const [index, file] of entry.var_files.entries()) {
    const leaves = file !== null && posix.join(dir, file).split('/')[0] === '..';
    if (leaves) found.push(issue([...path, 'var_files', index], 'leads out of the repository'));
  }
  for (const [index, glob] of entry.when_modified.entries()) {
    const problem = glob === null || glob === '' ? null : modifiedProblem(dir, glob);
    if (problem !== null) found.push(issue([...path, 'when_modified', index], problem));
  }
  return found;
}

function modifiedProblem(dir: string, glob: string): string | null {
  const problem = globProblem(glob);
  if (problem !== null) return `is no glob: ${problem}`;
  return parseModifiedGlob(dir, glob) === null ? 'leads out of the repository' : null;
}

function withoutCode({ listing, modules }: CodeMap, dir: string): string {
  const { kind } = resolvePath(listing, dir);
  if (entryAt(listing, dir)?.kind === 'submodule') {
    return `\`${dir}\` is a Git submodule: Hatchet reads this repository only`;
  }
  if (kind === 'directory') return `\`${dir}\` has no Terraform files`;
  if (kind === 'outside') return `\`${dir}\` is a link that leads out of the repository`;
  const meant = nearest(dir, [...modules.keys()]);
  return `there is no directory \`${dir}\`${meant === null ? '' : `: did you mean \`${meant}\`?`}`;
}

function nameIssues(entries: readonly Entry[], discovered: ReadonlySet<string>): Issue[] {
  const places = new Map<string, number>();
  const names = new Map<string, number>();
  return entries.flatMap((entry, index): Issue[] => {
    const { dir, workspace } = entry;
    const name = entryName(entry);
    if (dir === null || name === null) return [];
    const path = ['projects', index, entry.name === undefined ? 'dir' : 'name'];
    const place = JSON.stringify([dir, workspace]);
    const twin = places.get(place);
    const namesake = names.get(name);
    places.set(place, twin ?? index);
    names.set(name, namesake ?? index);
    if (twin !== undefined) {
      const what = `\`${dir}\` with the workspace \`${workspace}\` is listed twice, first as \`projects.${twin}\``;
      return [issue(['projects', index, 'dir'], what)];
    }
    if (namesake !== undefined) return [issue(path, `\`projects.${namesake}\` is called \`${name}\`, too`)];
    if (discovered.has(name)) return [issue(path, `the project found in \`${name}\` is called so, too`)];
    const hint = 'cannot be typed in a command: give this project a `name`';
    return entry.name === undefined && !isTypeable(name) ? [issue(path, `\`${name}\` ${hint}`)] : [];
  });
}

const entryName = ({ name, dir, workspace }: Entry): string | null =>
  name ?? (dir === null ? null : nameOf({ dir, workspace }));

function dependencyIssues(entries: readonly Entry[], discovered: readonly string[]): Issue[] {
  const listed = entries.map(entryName).filter((name) => name !== null);
  const known = [...listed, ...discovered.map((dir) => defaultProjectName(dir, 'default'))];
  const isKnown = new Set(known);
  return entries.flatMap((entry, index) =>
    entry.depends_on.flatMap((name, at): Issue[] => {
      if (name === null || name === '') return [];
      const path = ['projects', index, 'depends_on', at];
      if (!isKnown.has(name)) return [issue(path, unknownProject(name, known))];
      const circle = circleThrough(entries, entryName(entry), name);
      return circle === null
        ? []
        : [issue(path, `a circle: ${circle.map((one) => `\`${one}\``).join(' → ')}`)];
    }),
  );
}

function unknownProject(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return `there is no project \`${name}\`${meant === null ? '' : `: did you mean \`${meant}\`?`}`;
}

/** The way from `name` by `first` back to `name`, told once: from the first name of the circle in the file's order. */
function circleThrough(entries: readonly Entry[], name: string | null, first: string): string[] | null {
  if (name === null) return null;
  const needs = new Map(entries.map((entry) => [entryName(entry), entry.depends_on]));
  const order = [...needs.keys()];
  const cameFrom = new Map<string, string>([[first, name]]);
  for (const at of cameFrom.keys()) {
    if (at === name) break;
    for (const next of needs.get(at) ?? []) if (next !== null && !cameFrom.has(next)) cameFrom.set(next, at);
  }
  if (!cameFrom.has(name)) return null;
  const circle = [name];
  for (let at = cameFrom.get(name); at !== undefined && at !== name; at = cameFrom.get(at))
    circle.unshift(at);
  const isFirst = circle.every((one) => order.indexOf(name) <= order.indexOf(one));
  return isFirst ? [name, ...circle] : null;
}

function policyIssues(list: Outline['policies'], path: readonly Key[], listing: Listing): Issue[] {
  return list.flatMap(({ path: policy }, index) => {
    const problem = policy === null || policy === '' ? null : policyProblem(listing, policy);
    return problem === null ? [] : [issue([...path, index, 'path'], `\`${policy}\` ${problem}`)];
  });
}
