// How does text from outside become Markdown that says what it says and does nothing else?

/**
 * Characters that change how a line reads without being seen: controls (all but tab and line feed), bidi marks,
 * zero-width and tag characters, lone surrogates, blank letters, variation selectors away from an emoji.
 */
const invisible =
  /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|[\u115F\u1160\u17B4\u17B5\u2800\u3164\uFFA0]|\u034F|[\u180B-\u180F]|(?<!\p{Extended_Pictographic})[\uFE00-\uFE0F]|[\u{E0100}-\u{E01EF}]/gu;

/** What GitHub turns into a mention, a reference, a link, an emoji or a formula wherever it stands outside code. */
const active = /[@$]|:\/\/|www\.|mailto:|xmpp:|:[a-z0-9_+-]+:|#\d|\bgh-\d|[0-9a-f]{7}/i;

/**
 * A `code` span standing free: between white space, brackets, quotes or sentence marks, so that its backticks
 * cannot join others. A colon ends it only before white space, because `:name:` may follow as code of its own.
 */
const codeSpan = '(?<![^\\s([{"\'])`([^`]+)`(?![^\\s)\\]}.,;:!?"\']|:\\S)';
const pieces = new RegExp(`${codeSpan}|(?:(?!${codeSpan})\\S)+`, 'g');

/** Every invisible character by its number, as ⟨U+202E⟩. Tabs and line feeds stay. */
export function visible(text: string): string {
  return text.replace(invisible, (character) => {
    const point = character.codePointAt(0) ?? 0;
    return `⟨U+${point.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

/** One line with single spaces, invisible characters named. */
function oneLine(text: string): string {
  return visible(text.replace(/[\s\u0085]+/g, ' ').trim());
}

/**
 * Plain text for anywhere inside a line. Words that GitHub would act on are shown as code, which it leaves alone
 * in every place; `code` that is already marked stays code; everything else is escaped.
 */
export function inlineText(text: string): string {
  const escaped = oneLine(text).replace(pieces, (piece: string, code: string | undefined) =>
    code === undefined ? inlineWord(piece) : inlineCode(code),
  );
  return escaped.replace(/^(?=[-+=#])/, '\\').replace(/^(\d+)(?=[.)](?: |$))/, '$1\\');
}

function inlineWord(word: string): string {
  if (!active.test(word)) return escapeMarkdown(word);
  const { before, core, after } = punctuated(word);
  return escapeMarkdown(before) + inlineCode(core) + escapeMarkdown(after);
}

/**
 * Punctuation around a word stays outside of its code; never a backtick, which would join the code's own. All that
 * `codeSpan` allows beside it must be here, or two spans could touch.
 */
function punctuated(word: string): {
  readonly before: string;
  readonly core: string;
  readonly after: string;
} {
  const before = /^[()[\]{}"',.;!?]*/.exec(word)?.[0] ?? '';
  const after = /[()[\]{}"',.;!?]*$/.exec(word.slice(before.length))?.[0] ?? '';
  return { before, core: word.slice(before.length, word.length - after.length), after };
}

function escapeMarkdown(text: string): string {
  return text
    .replace(/[\\`*[\]~|]|(?<![A-Za-z0-9_])_+|_+(?![A-Za-z0-9_])/g, (found) => found.replace(/./g, '\\$&'))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

/** Inline code with as many backticks as its content needs. */
export function inlineCode(text: string): string {
  const line = oneLine(text) || '(empty)';
  const ticks = '`'.repeat(longestBackticks(line) + 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${ticks}${pad}${line}${pad}${ticks}`;
}

/** Makes finished inline Markdown fit for a cell: GFM takes `\|` in a table for a pipe, in code too. */
export function tableCell(markdown: string): string {
  return markdown.replace(/\\*\|/g, '\\|');
}

/** Plain text inside an HTML line such as `<summary>`, where Markdown is not read but GitHub still links. */
export function htmlText(text: string): string {
  return oneLine(text).replace(/\S+/g, (word) => {
    const safe = word.replace(/[&<>"]/g, (found) => `&#${found.charCodeAt(0)};`);
    return active.test(word) ? `<code>${safe}</code>` : safe;
  });
}

/** A fenced block that no content can close. `lines` hold no line feeds; invisible characters are named. */
export function fenced(language: string, lines: readonly string[]): string {
  const content = lines.map((line) => visible(line.replace(/[\r\n]+/g, ' ')));
  const fence = '`'.repeat(Math.max(3, longestBackticks(content.join('\n')) + 1));
  return [fence + language, ...content, fence].join('\n');
}

/** A title in plain text, where GitHub reads no Markdown: one line, at most `max` UTF-16 units. */
export function plainTitle(text: string, max: number): string {
  return cutText(oneLine(text), max);
}

/** At most `max` UTF-16 units, an ellipsis at the end when something was cut, no half of a surrogate pair. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** A mention of a person or team of GitHub's; anything that cannot be one is shown as code. */
export function person(login: string): string {
  const name = login.replace(/^@/, '');
  return /^[A-Za-z0-9][A-Za-z0-9_-]*(?:\/[A-Za-z0-9._-]+)?$/.test(name) ? `@${name}` : inlineCode(login);
}

/**
 * `label` is finished Markdown. It stands alone without a web address, and when it holds code with backticks in it:
 * not every reader of Markdown finds the end of such a label.
 */
export function link(label: string, address: string | null): string {
  if (address === null || label.includes('``') || !/^https?:\/\//.test(address) || !URL.canParse(address))
    return label;
  const href = new URL(address).href.replace(
    /[()|\\`<>*_~[\]]/g,
    (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `[${label}](${href})`;
}

function longestBackticks(text: string): number {
  return Math.max(0, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
}
