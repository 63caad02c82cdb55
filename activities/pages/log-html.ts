// How does a log read on a page, with the colours that programs gave it?
import type { AnserJsonEntry } from 'anser';
import Anser from 'anser';
import { escaped } from './html.ts';

/** Lines that are looked at together: a colour that is never ended ends here. */
const batchLines = 500;

/** HTML in pieces; together they are the content of one `<pre>`. */
export function* logHtml(text: string): Generator<string> {
  const lines = plainLines(text);
  for (let at = 0; at < lines.length; at += batchLines) {
    const batch = lines.slice(at, at + batchLines);
    const isLast = at + batchLines >= lines.length;
    yield told(coloured(batch.join('\n')) + (isLast ? '' : '\n'));
  }
}

/** Titles and links of a terminal, which are no text, and its ways to end a line. */
function plainLines(text: string): readonly string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that are meant
  const withoutTitles = text.replace(/\u001b\][^\u0007\u001b\n]*(?:\u0007|\u001b\\)/g, '');
  return withoutTitles.split(/\r?\n|\r/);
}

function coloured(text: string): string {
  if (!text.includes('\u001b')) return escaped(text);
  return Anser.ansiToJson(text, { json: true, use_classes: true, remove_empty: true }).map(span).join('');
}

function span(entry: AnserJsonEntry): string {
  const classes = [
    colour('fg', entry.fg, entry.fg_truecolor),
    colour('bg', entry.bg, entry.bg_truecolor),
    ...entry.decorations.map((decoration) => `ansi-${decoration}`),
  ].filter((one) => one !== '');
  const text = escaped(entry.content);
  return classes.length === 0 ? text : `<span class="${classes.join(' ')}">${text}</span>`;
}

const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;

/** One of the sixteen colours that suit a light and a dark page; others become the nearest of them. */
function colour(ground: 'fg' | 'bg', found: string | null, trueColour: string | null): string {
  if (found === null) return '';
  const [, bright = '', basic] = /^ansi-(bright-)?([a-z]+)$/.exec(found) ?? [];
  if (names.some((known) => known === basic)) return `${ground}-${bright}${basic}`;
  const [, index] = /^ansi-palette-(\d+)$/.exec(found) ?? [];
  const [red = 0, green = 0, blue = 0] =
    index === undefined ? (trueColour ?? '').split(',').map(Number) : paletteColour(Number(index));
  const strongest = Math.max(red, green, blue);
  const part = (value: number, bit: number): number => (value > 0 && value * 2 >= strongest ? bit : 0);
  const nearest = names[part(red, 1) + part(green, 2) + part(blue, 4)];
  return `${ground}-${strongest >= 192 ? 'bright-' : ''}${nearest}`;
}

/** Red, green and blue of the 256 colours of xterm: sixteen, a cube of six by six by six, and greys. */
function paletteColour(index: number): readonly number[] {
  if (index < 16) return [1, 2, 4].map((bit) => (index & bit ? (index < 8 ? 160 : 255) : 0));
  if (index > 231) return Array<number>(3).fill(8 + 10 * (index - 232));
  const step = (digit: number): number => (digit === 0 ? 0 : 55 + 40 * digit);
  const cube = index - 16;
  return [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(step);
}

const stamp = /^(\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) /gm;

/** Terraform begins its lines with a long time, of which the short form is enough to read; errors stand out. */
function told(html: string): string {
  return html
    .replace(stamp, '<time datetime="$1" title="$1">$2</time> ')
    .replace(/^((?:<time [^>]*>[^<]*<\/time> )?)(Error|Warning)(?=: )/gm, '$1<b class="$2">$2</b>');
}
