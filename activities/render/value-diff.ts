// How does one attribute's change read?
import type { AttributeChange, Value } from '../../workflows/model/change.ts';
import { embeddedJson, inlineJson, jsonLines } from './json-text.ts';
import type { DiffLine } from './line-diff.ts';
import { cutBeside, lineDiff, maxLineWidth } from './line-diff.ts';
import { cutText } from './markdown.ts';

/** `old → new` on one line up to this width; longer pairs go one below the other. */
const pairWidth = 90;
/** What a value was before it becomes unknown or sensitive. */
const knownWidth = 70;
/** A list or object that is longer is compared line by line. */
const compositeWidth = 50;
/** More lines than this of one attribute hide the other changes; the rest is counted. */
const maxLines = 150;

type LineMaker = (mark: DiffLine['mark'], text: string) => DiffLine;

/** The lines of one attribute. `width` is the column that values start in; `noteColumn` that of the note. */
export function attributeLines(
  change: AttributeChange,
  layout: { readonly width: number; readonly noteColumn: number },
): readonly DiffLine[] {
  const { before, after } = change;
  const note = change.forcesReplacement ? 'forces replacement' : '';
  const line: LineMaker = (mark, text) => {
    const content = `${change.path.padEnd(layout.width)}   ${text}`.trimEnd();
    return { mark, text: note === '' ? content : `${content.padEnd(layout.noteColumn)} ${note}` };
  };
  if (before.kind === 'absent') return added(after, line);
  if (after.kind === 'absent') return [removed(before, line)];
  if (before.kind === 'known' && after.kind === 'known') return changed(before.json, after.json, line);
  if (before.kind === 'sensitive' && after.kind === 'sensitive') return [line('!', '(sensitive)')];
  return [line('!', `${words(before)} → ${words(after)}`)];
}

function words(value: Value): string {
  if (value.kind === 'known') return cutText(inlineJson(value.json), knownWidth);
  return { absent: 'null', sensitive: '(sensitive)', unknown: 'known after apply' }[value.kind];
}

function added(value: Value, line: LineMaker): readonly DiffLine[] {
  if (value.kind !== 'known') return [line('+', words(value))];
  const block = linesOf(value.json);
  if (block === null) return [line('+', cutText(inlineJson(value.json), maxLineWidth))];
  return [line('+', ''), ...below(block.map((text) => ({ mark: '+', text: cutText(text, maxLineWidth) })))];
}

function removed(value: Value, line: LineMaker): DiffLine {
  if (value.kind !== 'known') return line('-', words(value));
  const block = linesOf(value.json);
  return line('-', block === null ? cutText(inlineJson(value.json), maxLineWidth) : `${block.length} lines`);
}

function changed(before: string, after: string, line: LineMaker): readonly DiffLine[] {
  const pair = comparable(before, after);
  if (pair !== null) return [line('!', ''), ...below(lineDiff(pair.before, pair.after))];
  const [old, fresh] = [inlineJson(before), inlineJson(after)];
  if (old.length + fresh.length <= pairWidth) return [line('!', `${old} → ${fresh}`)];
  const both: readonly DiffLine[] = [
    { mark: '-', text: cutBeside(old, fresh) },
    { mark: '+', text: cutBeside(fresh, old) },
  ];
  return [line('!', ''), ...below(both)];
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
function below(lines: readonly DiffLine[]): readonly DiffLine[] {
  const more = lines.length - maxLines;
  const shown: readonly DiffLine[] =
    more > 0
      ? [...lines.slice(0, maxLines), { mark: '!', text: `… ${more} more lines of this value` }]
      : lines;
  return shown.map(({ mark, text }) => ({ mark, text: `  ${text}` }));
}
