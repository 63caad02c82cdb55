// How does one attribute's change read, line by line?
import { structuredPatch } from 'diff';
import type { AttributeChange, Value } from '../../workflows/model/change.ts';
import { embeddedJson, inlineJson, jsonLines } from './json-text.ts';
import { cutText } from './markdown.ts';

/** One line of a diff block: GitHub colours it by `mark`. */
export type DiffLine = { readonly mark: ' ' | '+' | '-' | '!'; readonly text: string };

/** `old → new` on one line up to this width; longer pairs go one below the other. */
const pairWidth = 90;
/** What a value was before it becomes unknown or sensitive. */
const knownWidth = 70;
/** A list or object that is longer is compared line by line. */
const compositeWidth = 50;
/** Longer lines are cut, around what differs: nobody scrolls a comment sideways for long. */
const lineWidth = 240;
/** What is kept of the equal text on both sides of a difference in a long line. */
const sharedWidth = 30;
/** Unchanged lines around a change. */
const context = 2;
/** More lines than this of one attribute hide the other changes; the rest is counted. */
const maxLines = 150;
/** Beyond this many edits a line diff costs seconds and explains nothing: old and new stand one below the other. */
const maxEdits = 2_000;

/** The lines of one attribute. `width` is the column that values start in; `noteColumn` that of the note. */
export function attributeLines(
  change: AttributeChange,
  layout: { readonly width: number; readonly noteColumn: number },
): readonly DiffLine[] {
  const { before, after } = change;
  const note = change.forcesReplacement ? 'forces replacement' : '';
  const line = (mark: DiffLine['mark'], text: string): DiffLine => {
    const content = `${change.path.padEnd(layout.width)}   ${text}`.trimEnd();
    return { mark, text: note === '' ? content : `${content.padEnd(layout.noteColumn)} ${note}` };
  };
  if (before.kind === 'absent') return oneSided('+', after, line);
  if (after.kind === 'absent') return oneSided('-', before, line);
  if (before.kind !== 'known' || after.kind !== 'known') return [line('!', pair(before, after))];
  return changedLines(before.json, after.json, line);
}

type LineMaker = (mark: DiffLine['mark'], text: string) => DiffLine;

function oneSided(mark: '+' | '-', value: Value, line: LineMaker): readonly DiffLine[] {
  if (value.kind !== 'known') return [line(mark, valueWords(value))];
  const block = layOut(value.json);
  if (block === null) return [line(mark, cutText(inlineJson(value.json), lineWidth))];
  if (mark === '-') return [line(mark, `${block.length} lines`)];
  return [line(mark, ''), ...capped(block.map((text) => ({ mark, text: `  ${cutText(text, lineWidth)}` })))];
}

function pair(before: Value, after: Value): string {
  if (before.kind === 'sensitive' && after.kind === 'sensitive') return '(sensitive)';
  return `${valueWords(before)} → ${valueWords(after)}`;
}

function valueWords(value: Value): string {
  if (value.kind === 'known') return cutText(inlineJson(value.json), knownWidth);
  return { absent: 'null', sensitive: '(sensitive)', unknown: 'known after apply' }[value.kind];
}

function changedLines(before: string, after: string, line: LineMaker): readonly DiffLine[] {
  const blocks = comparable(before, after);
  if (blocks !== null) return [line('!', ''), ...capped(lineDiff(blocks.before, blocks.after))];
  const [old, fresh] = [inlineJson(before), inlineJson(after)];
  if (old.length + fresh.length <= pairWidth) return [line('!', `${old} → ${fresh}`)];
  const [cutOld, cutFresh] = cutAroundDifference(old, fresh);
  return [line('!', ''), { mark: '-', text: `  ${cutOld}` }, { mark: '+', text: `  ${cutFresh}` }];
}

/** Both sides as lines, laid out the same way; null when a single line each says it better. */
function comparable(
  before: string,
  after: string,
): { before: readonly string[]; after: readonly string[] } | null {
  const sides = [before, after].map((json) => ({ json, text: asText(json) }));
  const documents = sides.map(({ text }) => (text === null ? null : embeddedJson(text)));
  const [oldDocument, newDocument] = documents.map((document) =>
    document === null ? null : jsonLines(document, { expand: true }),
  );
  if (oldDocument && newDocument) return { before: oldDocument, after: newDocument };
  const [old, fresh] = sides;
  if (old?.text != null && fresh?.text != null) {
    if (!old.text.includes('\n') && !fresh.text.includes('\n')) return null;
    return { before: textLines(old.text), after: textLines(fresh.text) };
  }
  if (Math.max(inlineJson(before).length, inlineJson(after).length) <= compositeWidth) return null;
  const [oldLines, newLines] = [jsonLines(before, { expand: true }), jsonLines(after, { expand: true })];
  return oldLines && newLines ? { before: oldLines, after: newLines } : null;
}

/** A single value over several lines; null when it fits on one. */
function layOut(json: string): readonly string[] | null {
  const text = asText(json);
  if (text === null)
    return inlineJson(json).length <= compositeWidth ? null : jsonLines(json, { expand: false });
  const document = embeddedJson(text);
  if (document !== null) return text.length <= compositeWidth ? null : jsonLines(document, { expand: false });
  return text.includes('\n') ? textLines(text) : null;
}

/** The string that a JSON text is; null when it is something else. */
function asText(json: string): string | null {
  if (!json.startsWith('"')) return null;
  const value: unknown = JSON.parse(json);
  return typeof value === 'string' ? value : null;
}

function textLines(text: string): readonly string[] {
  return text.split('\n');
}

function lineDiff(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const patch = structuredPatch('', '', `${before.join('\n')}\n`, `${after.join('\n')}\n`, '', '', {
    context,
    maxEditLength: maxEdits,
  });
  if (patch === undefined) return rewritten(before, after);
  if (patch.hunks.length === 0) return [{ mark: ' ', text: '  only white space or layout differs' }];
  const result: DiffLine[] = [];
  let next = 1;
  for (const hunk of patch.hunks) {
    if (hunk.oldStart > next) result.push(elided(hunk.oldStart - next));
    result.push(...hunkLines(slideDown(hunk.lines)));
    next = hunk.oldStart + hunk.oldLines;
  }
  if (before.length >= next) result.push(elided(before.length - next + 1));
  return result;
}

function elided(count: number): DiffLine {
  return { mark: ' ', text: `  … ${count} unchanged ${count === 1 ? 'line' : 'lines'}` };
}

/**
 * Where a block is added or removed between its likes, a line diff may say `} {` as well as `{ }`: both are right.
 * Moved down as far as it goes, it says the latter.
 */
function slideDown(lines: readonly string[]): readonly string[] {
  const result = [...lines];
  for (let at = 0; at < result.length; at++) {
    const sign = result[at]?.charAt(0);
    if (sign === ' ' || result[at - 1]?.charAt(0) === '-' || result[at - 1]?.charAt(0) === '+') continue;
    for (let start = at; ; start++) {
      let end = start;
      while (result[end]?.charAt(0) === sign) end++;
      if (result[end] !== ` ${result[start]?.slice(1)}`) break;
      [result[start], result[end]] = [` ${result[start]?.slice(1)}`, `${sign}${result[end]?.slice(1)}`];
    }
  }
  return result;
}

/** The lines of a unified hunk; a removed line and the added one in its place are cut around what differs. */
function hunkLines(lines: readonly string[]): readonly DiffLine[] {
  const result: DiffLine[] = [];
  for (let at = 0; at < lines.length; ) {
    const removed = run(lines, at, '-');
    const added = run(lines, at + removed.length, '+');
    const pairs = removed.map((old, index) => cutAroundDifference(old, added[index] ?? ''));
    result.push(...pairs.map(([old]): DiffLine => ({ mark: '-', text: `  ${old}` })));
    result.push(
      ...added.map(
        (fresh, index): DiffLine => ({
          mark: '+',
          text: `  ${pairs[index]?.[1] ?? cutText(fresh, lineWidth)}`,
        }),
      ),
    );
    at += removed.length + added.length;
    if (removed.length + added.length === 0) {
      result.push({ mark: ' ', text: `  ${cutText((lines[at] ?? '').slice(1), lineWidth)}` });
      at++;
    }
  }
  return result;
}

function run(lines: readonly string[], start: number, sign: '-' | '+'): readonly string[] {
  let end = start;
  while (lines[end]?.startsWith(sign)) end++;
  return lines.slice(start, end).map((line) => line.slice(1));
}

function rewritten(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const side = (mark: '-' | '+', lines: readonly string[]): readonly DiffLine[] =>
    capped(lines.map((text) => ({ mark, text: `  ${cutText(text, lineWidth)}` })));
  return [...side('-', before), ...side('+', after)];
}

function capped(lines: readonly DiffLine[]): readonly DiffLine[] {
  if (lines.length <= maxLines) return lines;
  return [
    ...lines.slice(0, maxLines),
    { mark: '!', text: `  … ${lines.length - maxLines} more lines of this value` },
  ];
}

/** Two long lines, each cut so that what differs stays visible; short ones as they are. */
function cutAroundDifference(old: string, fresh: string): readonly [string, string] {
  if (old.length <= lineWidth && fresh.length <= lineWidth) return [old, fresh];
  const shortest = Math.min(old.length, fresh.length);
  let start = 0;
  while (start < shortest && old[start] === fresh[start]) start++;
  let end = 0;
  while (end < shortest - start && old[old.length - 1 - end] === fresh[fresh.length - 1 - end]) end++;
  const cut = (text: string): string => {
    const from = start > sharedWidth ? start - sharedWidth : 0;
    const to = end > sharedWidth ? text.length - end + sharedWidth : text.length;
    const middle = cutText(text.slice(from, to), lineWidth).toWellFormed();
    return `${from > 0 ? '…' : ''}${middle}${to < text.length && !middle.endsWith('…') ? '…' : ''}`;
  };
  return [cut(old), cut(fresh)];
}
