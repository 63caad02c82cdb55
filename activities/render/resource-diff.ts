// How does one resource's change read: the line with its name, and the lines of its attributes?
import type {
  AttributeChange,
  ChangeAction,
  OutputChange,
  ResourceChange,
} from '../../workflows/model/change.ts';
import type { DiffLine } from './line-diff.ts';
import type { Room } from './value-diff.ts';
import { attributeLines, commentRoom } from './value-diff.ts';
import { join, plural } from './wording.ts';

/** Where the words beside an address start, unless the address is longer. */
const noteColumn = 42;
/** Between the sign in the first column, which GitHub colours by, and an attribute. */
const indent = '     ';
/** Longer attribute names do not push the values of all others to the right. */
const maxNameWidth = 28;
/** They say nothing about what is lost. */
const emptyValues = new Set(['null', 'false', '0', '""', '[]', '{}']);
/** Up to this many values that are only known after the apply are shown with what they were. */
const maxUnknownLines = 3;

const symbols: Record<ChangeAction, string> = {
  delete: '-',
  replace: '-/+',
  forget: '!',
  update: '~',
  create: '+',
  move: '→',
  import: '←',
  read: '?',
};

/** The line that names the resource, what happens to it and why. */
export function headerLine(resource: ResourceChange): string {
  const symbol = resource.action === 'replace' && resource.createFirst ? '+/-' : symbols[resource.action];
  const name = `${symbol} ${resource.address}`;
  const note = [actionNote(resource), ...originNotes(resource)].filter((part) => part !== '').join('; ');
  return note === '' ? name : `${name.padEnd(noteColumn)} ${note}`;
}

function actionNote(resource: ResourceChange): string {
  switch (resource.action) {
    case 'delete':
      return `destroyed${because(resource)}`;
    case 'replace':
      return `replaced${because(resource)}${resource.createFirst ? ' (the new one is created first)' : ''}`;
    case 'forget':
      return 'forgotten: leaves the state, the real object stays';
    case 'create':
    case 'update':
    case 'move':
    case 'import':
    case 'read':
      return '';
    default:
      return resource.action satisfies never;
  }
}

function originNotes(resource: ResourceChange): readonly string[] {
  return [
    resource.deposed === undefined
      ? ''
      : `left over from an earlier replacement (deposed ${resource.deposed})`,
    resource.previousAddress === undefined ? '' : `moved from ${resource.previousAddress}`,
    resource.importId === undefined ? '' : `imported: ${resource.importId}`,
  ];
}

/** Terraform's own names for its reasons (`action_reason` in the plan's JSON). */
const reasons: Readonly<Record<string, string>> = {
  replace_because_tainted: 'marked as tainted, an earlier creation failed',
  replace_by_request: 'asked for with -replace',
  replace_by_triggers: 'replace_triggered_by',
  delete_because_no_resource_config: 'no longer in the configuration',
  delete_because_wrong_repetition: 'count or for_each was added or taken away',
  delete_because_count_index: 'beyond count',
  delete_because_each_key: 'its key is no longer in for_each',
  delete_because_no_module: 'its module is no longer in the configuration',
  delete_because_no_move_target: 'moved to an address that is not in the configuration',
};

function because(resource: ResourceChange): string {
  const forcing = resource.attributes.filter((attribute) => attribute.forcesReplacement);
  if (forcing.length > 0)
    return `: ${join(
      forcing.map(({ path }) => path),
      'and',
    )} cannot be changed in place`;
  const reason = reasons[resource.reason ?? ''];
  return reason === undefined ? '' : `: ${reason}`;
}

/** The attributes, what forces a replacement first, what is only known afterwards last. */
export function bodyLines(resource: ResourceChange, room: Room = commentRoom): readonly string[] {
  if (resource.action === 'delete' || resource.action === 'forget')
    return lostLines(resource.attributes, room);
  const forcing = resource.attributes.filter((attribute) => attribute.forcesReplacement);
  const others = resource.attributes.filter((attribute) => !attribute.forcesReplacement);
  const unknown = others.filter(({ after }) => after.kind === 'unknown');
  const fold = unknown.length > maxUnknownLines || (resource.action === 'create' && unknown.length > 0);
  const known = others.filter(({ after }) => after.kind !== 'unknown');
  const shown = [...forcing, ...known, ...(fold ? [] : unknown)];
  const mark = resource.action === 'create' ? '+' : '!';
  const folded = fold ? [unknownLine(mark, unknown)] : [];
  return [...print(shown, room), ...folded];
}

function unknownLine(mark: string, unknown: readonly AttributeChange[]): string {
  return `${mark}${indent}known after apply: ${unknown.map(({ path }) => path).join(', ')}`;
}

/** Without what says nothing, and as much of the rest as there is room for. */
function lostLines(attributes: readonly AttributeChange[], room: Room): readonly string[] {
  const telling = attributes.filter(({ before }) => before.kind !== 'known' || !emptyValues.has(before.json));
  const shown = telling.slice(0, room.lostAttributes);
  const more = telling.length - shown.length;
  return [...print(shown, room), ...(more > 0 ? [` ${indent}… ${plural(more, 'more attribute')}`] : [])];
}

function print(attributes: readonly AttributeChange[], room: Room): readonly string[] {
  const width = Math.min(maxNameWidth, Math.max(0, ...attributes.map(({ path }) => path.length)));
  return attributes
    .flatMap((attribute) =>
      attributeLines(attribute, { width, noteColumn: noteColumn - indent.length - 1, room }),
    )
    .map(({ mark, text }: DiffLine) => `${mark}${indent}${text}`.trimEnd());
}

/** The outputs as if they were the attributes of one resource. */
export function outputLines(outputs: readonly OutputChange[], room: Room = commentRoom): readonly string[] {
  return print(
    outputs.map(({ name, before, after }) => ({ path: name, before, after, forcesReplacement: false })),
    room,
  );
}
