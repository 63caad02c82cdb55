// How do two texts differ, line by line?
import { diffArrays } from 'diff';
import { cutText } from './markdown.ts';

/** One line of a diff block: GitHub colours it by `mark`. */
export type DiffLine = { readonly mark: ' ' | '+' | '-' | '!'; readonly text: string };

/** What is kept of the equal text on both sides of a difference in a long line. */
const sharedWidth = 30;
/** Unchanged lines kept around a change. */
const context = 2;
/** Beyond this many edits a line diff costs seconds and explains nothing: old and new stand one below the other. */
const maxEdits = 2_000;

/** What is removed and added between unchanged lines, of which only the nearest are kept. */
export function lineDiff(
  before: readonly string[],
  after: readonly string[],
  maxWidth: number,
): readonly DiffLine[] {
  const parts = diffArrays([...before], [...after], { maxEditLength: maxEdits }) ?? [
    { value: [...before], removed: true, added: false },
    { value: [...after], removed: false, added: true },
  ];
  const lines = parts.flatMap(({ value, added, removed }) =>
    value.map((text): DiffLine => ({ mark: added ? '+' : removed ? '-' : ' ', text })),
  );
  if (lines.every(({ mark }) => mark === ' '))
    return [{ mark: ' ', text: 'only white space or layout differs' }];
  return elide(cutLines(slideBlocks(lines), maxWidth));
}

/**
 * Where a block is added or removed between its likes, a line diff may say `} {` as well as `{ }`: both are right.
 * Each block is moved to where it starts with the least indented line.
 */
function slideBlocks(lines: readonly DiffLine[]): readonly DiffLine[] {
  const result = [...lines];
  for (let start = 0; start < result.length; ) {
    const mark = result[start]?.mark ?? ' ';
    const length = mark === ' ' ? 1 : runLength(result, start, mark);
    const alone = (result[start - 1]?.mark ?? ' ') === ' ' && (result[start + length]?.mark ?? ' ') === ' ';
    start = mark !== ' ' && alone ? slide(result, start, length) + length : start + length;
  }
  return result;
}

/** Moves the block of `length` lines at `start`, in place. Returns where it starts then. */
function slide(lines: DiffLine[], start: number, length: number): number {
  let at = start;
  while (move(lines, at - 1, at + length - 1)) at--;
  let best = { at, score: untidiness(lines[at]) };
  while (move(lines, at + length, at)) {
    at++;
    if (untidiness(lines[at]) <= best.score) best = { at, score: untidiness(lines[at]) };
  }
  for (; at > best.at; at--) move(lines, at - 1, at + length - 1);
  return at;
}

/** Lets the block take the unchanged line at `outside` in and give the equal one at `inside` back. */
function move(lines: DiffLine[], outside: number, inside: number): boolean {
  const [taken, given] = [lines[outside], lines[inside]];
  if (taken?.mark !== ' ' || given === undefined || taken.text !== given.text) return false;
  [lines[outside], lines[inside]] = [given, taken];
  return true;
}

function untidiness(line: DiffLine | undefined): number {
  const text = line?.text ?? '';
  return 2 * (text.length - text.trimStart().length) + (/^\s*[}\])]/.test(text) ? 1 : 0);
}

/** Old and new lines that stand in each other's place are cut around what differs, all others at their end. */
function cutLines(lines: readonly DiffLine[], maxWidth: number): readonly DiffLine[] {
  const result: DiffLine[] = [];
  for (let at = 0; at < lines.length; ) {
    const removed = runLength(lines, at, '-');
    const added = runLength(lines, at + removed, '+');
    const length = Math.max(1, removed + added);
    for (let index = at; index < at + length; index++) {
      const old = index < at + removed;
      const twin = old ? index + removed : index - removed;
      const paired = old ? twin < at + length : twin >= at && twin < at + removed;
      const line = lines[index];
      if (line !== undefined)
        result.push({
          ...line,
          text: cutBeside(line.text, paired ? lines[twin]?.text : undefined, maxWidth),
        });
    }
    at += length;
  }
  return result;
}

/** At most `maxWidth` of `text`: where it differs from `twin`, or else its beginning. */
export function cutBeside(text: string, twin: string | undefined, maxWidth: number): string {
  if (twin === undefined || Math.max(text.length, twin.length) <= maxWidth) return cutText(text, maxWidth);
  const shortest = Math.min(text.length, twin.length);
  let start = 0;
  while (start < shortest && text[start] === twin[start]) start++;
  let end = 0;
  while (end < shortest - start && text.at(-1 - end) === twin.at(-1 - end)) end++;
  const from = Math.max(0, start - sharedWidth);
  const to = Math.min(text.length, text.length - end + sharedWidth);
  const middle = cutText(text.slice(from, to).toWellFormed(), maxWidth);
  return `${from > 0 ? '…' : ''}${middle}${to < text.length && !middle.endsWith('…') ? '…' : ''}`;
}

function runLength(lines: readonly DiffLine[], start: number, mark: DiffLine['mark']): number {
  let end = start;
  while (lines[end]?.mark === mark) end++;
  return end - start;
}

/** Long stretches without a change become their number of lines. */
function elide(lines: readonly DiffLine[]): readonly DiffLine[] {
  const result: DiffLine[] = [];
  for (let at = 0; at < lines.length; ) {
    const length = runLength(lines, at, ' ');
    const head = at === 0 ? 0 : context;
    const tail = at + length === lines.length ? 0 : context;
    const hidden = length - head - tail;
    if (hidden > 1) {
      const note: DiffLine = { mark: ' ', text: `… ${hidden} unchanged lines` };
      result.push(...lines.slice(at, at + head), note, ...lines.slice(at + length - tail, at + length));
    } else {
      result.push(...lines.slice(at, at + Math.max(1, length)));
    }
    at += Math.max(1, length);
  }
  return result;
}
