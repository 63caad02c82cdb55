// How does Go write a text between quotes?

const shortEscapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

/** Source: pkg.go.dev/strconv#Quote */
export function quote(text: string, mark: '"' | "'"): string {
  const letters = [...text].map((letter) => (letter === mark ? `\\${mark}` : visible(letter)));
  return `${mark}${letters.join('')}${mark}`;
}

/** Between backquotes where those need no escapes. Source: pkg.go.dev/strconv#CanBackquote */
export function rawQuote(text: string): string {
  const needsEscapes = /[`\p{Cc}\ufeff]/u.test(text.replaceAll('\t', ''));
  return needsEscapes ? quote(text, '"') : `\`${text}\``;
}

function visible(letter: string): string {
  const short = shortEscapes[letter];
  if (short !== undefined) return short;
  if (letter === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(letter)) return letter;
  const code = letter.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  if (code < 0x80) return `\\x${digits.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`;
}
