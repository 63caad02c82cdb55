// What does a regular expression of Go's mean in JavaScript?

/** Of repetitions; Go refuses more. */
const maxRepeat = 1000;

const asciiClasses: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};
const goSpace = '\\t\\n\\f\\r ';
const textStart = '(?<![\\s\\S])';
const textEnd = '(?![\\s\\S])';

type Flags = { readonly ignoreCase: boolean; readonly multiline: boolean; readonly dotAll: boolean };
/** One piece of the pattern: how much of it was read and what it is in JavaScript. `null`: Go refuses it. */
type Piece = { readonly length: number; readonly text: string } | null;

/**
 * The pattern with the meaning that Go gives it, or null when Go refuses it. Throws for what only Go knows.
 * Source: pkg.go.dev/regexp/syntax
 */
export function readPattern(pattern: string): RegExp | null {
  const leading = /^\(\?([ims]+)\)/.exec(pattern);
  const letters = leading?.[1] ?? '';
  const flags = {
    ignoreCase: letters.includes('i'),
    multiline: letters.includes('m'),
    dotAll: letters.includes('s'),
  };
  let source = '';
  for (let rest = pattern.slice(leading?.[0].length ?? 0); rest !== ''; ) {
    const piece = readPiece(rest, flags);
    if (piece === null) return null;
    source += piece.text;
    rest = rest.slice(piece.length);
  }
  try {
    return new RegExp(source, flags.ignoreCase ? 'giu' : 'gu');
  } catch {
    throw new Error('a regular expression of this kind is not supported');
  }
}

function readPiece(rest: string, flags: Flags): Piece {
  switch (rest[0]) {
    case '\\':
      return readEscape(rest, 'outside');
    case '[':
      return readClass(rest);
    case '(':
      return readGroup(rest);
    case '{':
      return readRepeat(rest);
    case '.':
      return { length: 1, text: flags.dotAll ? '[\\s\\S]' : '[^\\n]' };
    case '^':
      return { length: 1, text: flags.multiline ? `(?:(?<=\\n)|${textStart})` : textStart };
    case '$':
      return { length: 1, text: flags.multiline ? `(?:(?=\\n)|${textEnd})` : textEnd };
    case ']':
    case '}':
      return { length: 1, text: `\\${rest[0]}` };
    default:
      return { length: 1, text: rest.slice(0, 1) };
  }
}

function readRepeat(rest: string): Piece {
  const repeat = /^\{(\d+)(?:,(\d*))?\}/.exec(rest);
  if (repeat === null) return { length: 1, text: '\\{' };
  const tooMany = Number(repeat[1]) > maxRepeat || Number(repeat[2] ?? 0) > maxRepeat;
  return tooMany ? null : { length: repeat[0].length, text: repeat[0] };
}

function readGroup(rest: string): Piece {
  if (!rest.startsWith('(?')) return { length: 1, text: '(' };
  const plain = /^\(\?(?:i|-i)?:/.exec(rest);
  if (plain !== null) return { length: plain[0].length, text: plain[0] };
  const named = /^\(\?P?<(\w+)>/.exec(rest);
  if (named !== null) return { length: named[0].length, text: `(?<${named[1]}>` };
  if (/^\(\?[a-zA-Z]*-?[a-zA-Z]*[:)]/.test(rest))
    throw new Error('flags inside a regular expression are not supported');
  return null;
}

function readClass(rest: string): Piece {
  let at = rest[1] === '^' ? 2 : 1;
  let text = rest.slice(0, at);
  // A bracket right at the start of a class stands for itself.
  for (let first = true; first || rest[at] !== ']'; first = false) {
    if (at >= rest.length) return null;
    const piece = readClassPiece(rest.slice(at));
    if (piece === null) return null;
    text += piece.text;
    at += piece.length;
  }
  return { length: at + 1, text: `${text}]` };
}

function readClassPiece(rest: string): Piece {
  const ascii = /^\[:(\^?)(\w+):\]/.exec(rest);
  if (ascii !== null) {
    const characters = asciiClasses[ascii[2] ?? ''];
    if (characters === undefined) return null;
    if (ascii[1] === '^')
      throw new Error('a negated class inside a class of a regular expression is not supported');
    return { length: ascii[0].length, text: characters };
  }
  if (rest[0] === '\\') return readEscape(rest, 'inside');
  const character = rest.slice(0, 1);
  return { length: 1, text: character === ']' || character === '[' ? `\\${character}` : character };
}

function readEscape(rest: string, where: 'inside' | 'outside'): Piece {
  const category = /^\\([pP])(?:\{(\^?)(\w+)\}|(\w))/.exec(rest);
  if (category !== null) return readCategory(category);
  const codePoint = /^\\x(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/.exec(rest);
  if (codePoint !== null)
    return { length: codePoint[0].length, text: `\\u{${codePoint[1] ?? codePoint[2]}}` };
  const letter = rest.slice(1, 2);
  const text = where === 'inside' ? insideEscape(letter) : outsideEscape(letter);
  return text === null ? null : { length: 2, text };
}

function readCategory([whole, sign, negated, longName, shortName]: RegExpExecArray): Piece {
  const name = longName ?? shortName ?? '';
  const property = name.length <= 2 ? name : `Script=${name}`;
  const isNegated = (sign === 'P') !== (negated === '^');
  return { length: whole.length, text: `\\${isNegated ? 'P' : 'p'}{${property}}` };
}

function outsideEscape(letter: string): string | null {
  if (letter === 's') return `[${goSpace}]`;
  if (letter === 'S') return `[^${goSpace}]`;
  if (letter === 'A') return textStart;
  if (letter === 'z') return textEnd;
  return /^[bB]$/.test(letter) ? `\\${letter}` : commonEscape(letter);
}

function insideEscape(letter: string): string | null {
  if (letter === 's') return goSpace;
  if (letter === 'S') throw new Error('\\S inside a class of a regular expression is not supported');
  return commonEscape(letter);
}

function commonEscape(letter: string): string | null {
  if (letter === 'a') return '\\x07';
  if (letter === 'Q' || letter === 'C' || /^[0-7]$/.test(letter))
    throw new Error(`the escape \\${letter} of a regular expression is not supported`);
  if (/^[dDwWfnrtv]$/.test(letter)) return `\\${letter}`;
  if (!/^[!-~]$/.test(letter) || /^[0-9A-Za-z]$/.test(letter)) return null;
  return `\\x${letter.charCodeAt(0).toString(16)}`;
}

/** Matches as Go counts them: an empty one right behind another is none. `limit` < 0 means all. */
function matchesOf(regexp: RegExp, text: string, limit: number): readonly RegExpExecArray[] {
  const found: RegExpExecArray[] = [];
  let lastEnd = -1;
  for (const match of text.matchAll(regexp)) {
    if (limit >= 0 && found.length >= limit) break;
    const end = match.index + match[0].length;
    if (match[0] !== '' || end !== lastEnd) found.push(match);
    lastEnd = end;
  }
  return found;
}

export function findAll(regexp: RegExp, text: string, limit: number): readonly string[] {
  return matchesOf(regexp, text, limit).map((match) => match[0]);
}

/** `template` may hold `$1`, `${1}`, `$name` and `$$`. Source: pkg.go.dev/regexp#Regexp.Expand */
export function replaceAll(regexp: RegExp, text: string, template: string): string {
  let replaced = '';
  let rest = 0;
  for (const match of matchesOf(regexp, text, -1)) {
    replaced += text.slice(rest, match.index) + expand(template, match);
    rest = match.index + match[0].length;
  }
  return replaced + text.slice(rest);
}

function expand(template: string, match: RegExpExecArray): string {
  return template.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, bare?: string, braced?: string) => {
    if (whole === '$$') return '$';
    const name = bare ?? braced ?? '';
    return (/^\d+$/.test(name) ? match[Number(name)] : match.groups?.[name]) ?? '';
  });
}

/** What JavaScript calls a pattern without a letter. */
const emptySource = '(?:)';

/** Source: pkg.go.dev/regexp#Regexp.Split */
export function splitAround(regexp: RegExp, text: string): readonly string[] {
  if (text === '') return regexp.source === emptySource ? [] : [''];
  const parts: string[] = [];
  let begin = 0;
  let end = 0;
  for (const match of matchesOf(regexp, text, -1)) {
    end = match.index;
    if (end + match[0].length !== 0) parts.push(text.slice(begin, end));
    begin = end + match[0].length;
  }
  if (end !== text.length) parts.push(text.slice(begin));
  return parts;
}
