// In which order are a plan's changes shown, and which of them are told together?
import { createHash } from 'node:crypto';
import type { ChangeAction, PlanChanges, ResourceChange } from '../../workflows/model/change.ts';
import { cutText, visible } from './markdown.ts';
import { bodyLines, headerLine, outputLines } from './resource-diff.ts';

/** Changes that read the same but for their names, or a single one. The lines are ready for a diff block. */
export type ChangeGroup = {
  readonly action: ChangeAction | 'output';
  /** Cannot be taken back: never left out. */
  readonly risky: boolean;
  /** One line for each resource, and for its name alone. */
  readonly headers: readonly string[];
  readonly body: () => readonly string[];
};

/** What cannot be taken back comes first. */
export const changeOrder: readonly ChangeAction[] = [
  'delete',
  'replace',
  'forget',
  'update',
  'create',
  'move',
  'import',
];
/** An address with a huge `for_each` key, or a list of names, is still one line. */
const maxLineLength = 1_000;
const riskyActions: readonly ChangeAction[] = ['delete', 'replace', 'forget'];

/** The comment and the check are made from the same object, one after the other. */
const grouped = new WeakMap<PlanChanges, readonly ChangeGroup[]>();

/** All changes of a plan in the order they are read; data sources are never among them. */
export function groupChanges(changes: PlanChanges): readonly ChangeGroup[] {
  const known = grouped.get(changes) ?? group(changes);
  grouped.set(changes, known);
  return known;
}

function group(changes: PlanChanges): readonly ChangeGroup[] {
  const groups = new Map<string, [ResourceChange, ...ResourceChange[]]>();
  for (const action of changeOrder) {
    for (const resource of changes.resources.filter((candidate) => candidate.action === action)) {
      const key = likeness(resource);
      const alike = groups.get(key);
      if (alike === undefined) groups.set(key, [resource]);
      else alike.push(resource);
    }
  }
  const outputs = changes.outputs.length === 0 ? [] : [outputGroup(changes)];
  return [...groups.values()].map(changeGroup).concat(outputs);
}

/**
 * Equal for changes that differ in nothing but the resource's name and index. A digest, because V8 hashes all long
 * strings of one length alike, and a map of them compares each with each.
 */
function likeness(resource: ResourceChange): string {
  const { address, ...rest } = resource;
  const alone =
    rest.attributes.length === 0 || rest.previousAddress !== undefined || rest.importId !== undefined;
  return createHash('sha256')
    .update(JSON.stringify(alone ? resource : rest))
    .digest('base64');
}

function changeGroup(resources: readonly [ResourceChange, ...ResourceChange[]]): ChangeGroup {
  const [first] = resources;
  return {
    action: first.action,
    risky: riskyActions.includes(first.action),
    headers: resources.map((resource) => line(headerLine(resource))),
    body: once(() => bodyLines(first).map(line)),
  };
}

function outputGroup(changes: PlanChanges): ChangeGroup {
  return {
    action: 'output',
    risky: false,
    headers: ['~ outputs'],
    body: once(() => outputLines(changes.outputs).map(line)),
  };
}

/** What has to fit is tried more than once. */
function once(make: () => readonly string[]): () => readonly string[] {
  let made: readonly string[] | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

/** As it will stand in the block, so that its bytes can be counted. */
function line(text: string): string {
  const oneLine = cutText(text, maxLineLength).replace(/[\r\n]+/g, ' ');
  return cutText(visible(oneLine), maxLineLength);
}
