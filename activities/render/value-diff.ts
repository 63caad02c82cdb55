// How does one attribute's change read?
import type { AttributeChange, Value } from '../../workflows/model/change.ts';
import { embeddedJson, inlineJson, jsonLines } from './json-text.ts';
import type { DiffLine } from './line-diff.ts';
import { cutBeside, lineDiff } from './line-diff.ts';
import { cutText } from './markdown.ts';

/** `old → new` on one line up to this width; longer pairs go one below the other. */
const pairWidth = 90;
/** A list or object that is longer is compared line by line. */
const compositeWidth = 50;

/** How much of one attribute is shown. */
export type Room = {
  /** Longer lines are cut, around what differs. */
  readonly lineWidth: number;
  /** What a value was before it becomes unknown or sensitive. */
  readonly formerWidth: number;
  /** The rest of a longer value is counted. */
  readonly valueLines: number;
  /** What is gone: longer values are counted, further attributes too. */
  readonly lostLines: number;
  readonly lostAttributes: number;
};

/**
 * Nobody scrolls a comment sideways for long, one value must not hide the other changes, and what is destroyed is
 * recognized by its name and a few attributes.
 */
export const commentRoom: Room = {
  lineWidth: 240,
  formerWidth: 70,
  valueLines: 150,
  lostLines: 0,
  lostAttributes: 8,
};
/** Where there is a page for it, nothing is cut. */
export const wholeRoom: Room = {
  lineWidth: Number.POSITIVE_INFINITY,
  formerWidth: Number.POSITIVE_INFINITY,
  valueLines: Number.POSITIVE_INFINITY,
  lostLines: Number.POSITIVE_INFINITY,
  lostAttributes: Number.POSITIVE_INFINITY,
};

type LineMaker = (mark: DiffLine['mark'], text: string) => DiffLine;

/** The lines of one attribute. `width` is the column that values start in; `noteColumn` that of the note. */
export function attributeLines(
  change: AttributeChange,
  layout: { readonly width: number; readonly noteColumn: number; readonly room?: Room },
): readonly DiffLine[] {
  const { before, after } = change;
  const { room = commentRoom } = layout;
  const note = change.forcesReplacement ? 'forces replacement' : '';
  const line: LineMaker = (mark, text) => {
    const content = `${change.path.padEnd(layout.width)}   ${text}`.trimEnd();
    return { mark, text: note === '' ? content : `${content.padEnd(layout.noteColumn)} ${note}` };
  };
  if (before.kind === 'absent') return added(after, line, room);
  if (after.kind === 'absent') return removed(before, line, room);
  if (before.kind === 'known' && after.kind === 'known') return changed(before.json, after.json, line, room);
  if (before.kind === 'sensitive' && after.kind === 'sensitive') return [line('!', '(sensitive)')];
  return [line('!', `${words(before, room)} → ${words(after, room)}`)];
}

function words(value: Value, { formerWidth }: Room): string {
  if (value.kind === 'known') return cutText(inlineJson(value.json), formerWidth);
  return { absent: 'null', sensitive: '(sensitive)', unknown: 'known after apply' }[value.kind];
}

function added(value: Value, line: LineMaker, room: Room): readonly DiffLine[] {
  if (value.kind !== 'known') return [line('+', words(value, room))];
  const block = linesOf(value.json);
  const cut = (text: string): string => cutText(text, room.lineWidth);
  if (block === null) return [line('+', cut(inlineJson(value.json)))];
  const lines = block.map((text): DiffLine => ({ mark: '+', text: cut(text) }));
  return [line('+', ''), ...below(lines, room)];
}

function removed(value: Value, line: LineMaker, room: Room): readonly DiffLine[] {
  if (value.kind !== 'known') return [line('-', words(value, room))];
  const block = linesOf(value.json);
  if (block === null) return [line('-', cutText(inlineJson(value.json), room.lineWidth))];
  if (block.length > room.lostLines) return [line('-', `${block.length} lines`)];
  return [
    line('-', ''),
    ...below(
      block.map((text) => ({ mark: '-', text })),
      room,
    ),
  ];
}

function changed(before: string, after: string, line: LineMaker, room: Room): readonly DiffLine[] {
  const pair = comparable(before, after);
  if (pair !== null)
    return [line('!', ''), ...below(lineDiff(pair.before, pair.after, room.lineWidth), room)];
  const [old, fresh] = [inlineJson(before), inlineJson(after)];
  if (old.length + fresh.length <= pairWidth) return [line('!', `${old} → ${fresh}`)];
  const both: readonly DiffLine[] = [
    { mark: '-', text: cutBeside(old, fresh, room.lineWidth) },
    { mark: '+', text: cutBeside(fresh, old, room.lineWidth) },
  ];
  return [line('!', ''), ...below(both, room)];
}

/** Both sides as lines, laid out the same way; null when a single line each says it better. */
function comparable(
  before: string,
  after: string,
): { readonly before: readonly string[]; readonly after: readonly string[] } | null {
  const [old, fresh] = [stringOf(before), stringOf(after)];
  if (old === null || fresh === null) {
    const short = Math.max(inlineJson(before).length, inlineJson(after).length) <= compositeWidth;
    return short ? null : both(jsonLines(before, { expand: true }), jsonLines(after, { expand: true }));
  }
  const documents = both(documentLines(old, { expand: true }), documentLines(fresh, { expand: true }));
  if (documents !== null) return documents;
  return old.includes('\n') || fresh.includes('\n')
    ? { before: textLines(old), after: textLines(fresh) }
    : null;
}

function both(before: readonly string[] | null, after: readonly string[] | null) {
  return before === null || after === null ? null : { before, after };
}

/** A single value over several lines; null when it fits on one. */
function linesOf(json: string): readonly string[] | null {
  const text = stringOf(json);
  if (text === null)
    return inlineJson(json).length <= compositeWidth ? null : jsonLines(json, { expand: false });
  const document = text.length <= compositeWidth ? null : documentLines(text, { expand: false });
  return document ?? (text.includes('\n') ? textLines(text) : null);
}

function documentLines(text: string, layout: { readonly expand: boolean }): readonly string[] | null {
  const document = embeddedJson(text);
  return document === null ? null : jsonLines(document, layout);
}

/** The string that a JSON text is; null when it is something else. */
function stringOf(json: string): string | null {
  if (!json.startsWith('"')) return null;
  const value: unknown = JSON.parse(json);
  return typeof value === 'string' ? value : null;
}

/** A text that ends with a line feed has no empty line after it. */
function textLines(text: string): readonly string[] {
  return text.replace(/\n$/, '').split('\n');
}

/** The lines of a value, set in below its name; what is too much is counted. */
function below(lines: readonly DiffLine[], { valueLines }: Room): readonly DiffLine[] {
  const more = lines.length - valueLines;
  const shown: readonly DiffLine[] =
    more > 0
      ? [...lines.slice(0, valueLines), { mark: '!', text: `… ${more} more lines of this value` }]
      : lines;
  return shown.map(({ mark, text }) => ({ mark, text: `  ${text}` }));
}
