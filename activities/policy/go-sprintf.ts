// What would Go's fmt.Sprintf print, the way OPA calls it?

type Flags = {
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
};
type Layout = { readonly flags: Flags; readonly width: number; readonly precision: number | null };
/** Numbers stay numbers and text stays text; OPA hands everything else over as the text of a Rego term. */
type Argument =
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'float64'; readonly value: number }
  | { readonly type: 'string'; readonly value: string };

const directive = /%([-+# 0]*)(\*|\d+)?(?:(\.)(\*|\d*))?(?:\[(\d+)\])?(.|$)/gsu;
/** Go refuses more; a policy must not fill the memory with spaces. */
const maxWidth = 1_000_000;

/**
 * Formats like `sprintf` of OPA, mistakes included: `%!d(string=x)`, `%!d(MISSING)`, `%!(EXTRA int=1)`.
 * Sets print as arrays, because nothing tells them apart on the host. Source: pkg.go.dev/fmt
 */
export function goSprintf(format: string, values: readonly unknown[]): string {
  const args = values.map(toArgument);
  let next = 0;
  let reordered = false;
  const takeNumber = (text: string | undefined): number | null => {
    if (text === undefined || text === '') return null;
    return text === '*' ? Number(args[next++]?.value ?? 0) : Number(text);
  };
  const printed = format.replace(
    directive,
    (_, flags: string, width?: string, dot?: string, digits?: string, index?: string, verb = '') => {
      const layout = readLayout(
        flags,
        takeNumber(width),
        dot === undefined ? null : (takeNumber(digits) ?? 0),
      );
      if (verb === '') return '%!(NOVERB)';
      if (verb === '%') return '%';
      if (index !== undefined) {
        reordered = true;
        next = Number(index) - 1;
        if (next < 0 || next >= args.length) return `%!${verb}(BADINDEX)`;
      }
      const arg = args[next++];
      return arg === undefined ? `%!${verb}(MISSING)` : formatArgument(arg, verb, layout);
    },
  );
  return next < args.length && !reordered ? printed + extra(args.slice(next)) : printed;
}

function extra(args: readonly Argument[]): string {
  return `%!(EXTRA ${args.map((arg) => `${arg.type}=${plain(arg)}`).join(', ')})`;
}

function toArgument(value: unknown): Argument {
  if (typeof value === 'string') return { type: 'string', value };
  if (typeof value !== 'number') return { type: 'string', value: termText(value) };
  // What JSON wrote with an exponent beyond 64 bits is no integer to Go.
  return Number.isInteger(value) && Math.abs(value) < 1e20
    ? { type: 'int', value: BigInt(value) }
    : { type: 'float64', value };
}

/** A value as Rego writes it: `["a", 1]`, `{"k": true}`. */
function termText(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `[${value.map(termText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${quote(key)}: ${termText(inner)}`).join(', ')}}`;
}

function readLayout(flags: string, width: number | null, precision: number | null): Layout {
  const wanted = Math.trunc(width ?? 0);
  const minus = flags.includes('-') || wanted < 0;
  return {
    flags: {
      minus,
      plus: flags.includes('+'),
      sharp: flags.includes('#'),
      space: flags.includes(' '),
      zero: flags.includes('0') && !minus,
    },
    width: Math.min(Math.abs(wanted), maxWidth),
    precision: precision === null || precision < 0 ? null : Math.min(precision, maxWidth),
  };
}

function formatArgument(arg: Argument, verb: string, layout: Layout): string {
  if (verb === 'T') return padded(arg.type, layout);
  if (verb === 'p') return `%!p(${arg.type}=${plain(arg)})`;
  const text = formatKnown(arg, verb, layout);
  return text ?? `%!${verb}(${arg.type}=${plain(arg)})`;
}

function formatKnown(arg: Argument, verb: string, layout: Layout): string | null {
  switch (arg.type) {
    case 'string':
      return formatText(arg.value, verb, layout);
    case 'int':
      return formatInteger(arg.value, verb, layout);
    case 'float64':
      return formatFloat(arg.value, verb, layout);
  }
}

function plain(arg: Argument): string {
  return formatKnown(arg, 'v', readLayout('', null, null)) ?? '';
}

function padded(text: string, { flags, width }: Layout): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.minus) return text + ' '.repeat(missing);
  return (flags.zero ? '0' : ' ').repeat(missing) + text;
}

/** Zeros go between the sign and the digits. */
function paddedNumber(sign: string, digits: string, layout: Layout): string {
  const { flags, width } = layout;
  if (!flags.zero) return padded(sign + digits, layout);
  return sign + digits.padStart(width - sign.length, '0');
}

function signOf(negative: boolean, { flags }: Layout): string {
  if (negative) return '-';
  if (flags.plus) return '+';
  return flags.space ? ' ' : '';
}

function formatText(text: string, verb: string, layout: Layout): string | null {
  const { precision, flags } = layout;
  const characters = [...text];
  const short = precision === null ? text : characters.slice(0, precision).join('');
  if (verb === 's' || (verb === 'v' && !flags.sharp)) return padded(short, layout);
  if (verb === 'v' || verb === 'q')
    return padded(flags.sharp && verb === 'q' ? rawQuote(short) : quote(short), layout);
  if (verb !== 'x' && verb !== 'X') return null;
  const bytes = Buffer.from(text).subarray(0, precision ?? undefined);
  const separator = flags.space ? ' ' : '';
  const hex = [...bytes].map(
    (byte) => (flags.sharp && flags.space ? '0x' : '') + byte.toString(16).padStart(2, '0'),
  );
  const whole = (flags.sharp && !flags.space && bytes.length > 0 ? '0x' : '') + hex.join(separator);
  return padded(verb === 'X' ? whole.toUpperCase() : whole, layout);
}

const bases: Readonly<
  Record<string, { readonly base: number; readonly prefix: string; readonly sharp: string }>
> = {
  d: { base: 10, prefix: '', sharp: '' },
  v: { base: 10, prefix: '', sharp: '' },
  b: { base: 2, prefix: '', sharp: '0b' },
  o: { base: 8, prefix: '', sharp: '0' },
  O: { base: 8, prefix: '0o', sharp: '0o' },
  x: { base: 16, prefix: '', sharp: '0x' },
  X: { base: 16, prefix: '', sharp: '0X' },
};

function formatInteger(value: bigint, verb: string, layout: Layout): string | null {
  if (verb === 'c') return padded(character(value), layout);
  if (verb === 'q') return padded(quoteWith(character(value), "'"), layout);
  if (verb === 'U') return padded(`U+${value.toString(16).toUpperCase().padStart(4, '0')}`, layout);
  const known = bases[verb];
  if (known === undefined) return null;
  const { precision, flags } = layout;
  const magnitude = (value < 0n ? -value : value).toString(known.base);
  const digits = precision === 0 && value === 0n ? '' : magnitude.padStart(precision ?? 0, '0');
  const prefix = flags.sharp ? known.sharp : known.prefix;
  const sign = signOf(value < 0n, verb === 'v' ? { ...layout, flags: { ...flags, plus: false } } : layout);
  const text = prefix + (verb === 'X' ? digits.toUpperCase() : digits);
  // A precision says how many digits there are; zeros for the width would contradict it.
  return precision === null ? paddedNumber(sign, text, layout) : padded(sign + text, withoutZero(layout));
}

function withoutZero(layout: Layout): Layout {
  return { ...layout, flags: { ...layout.flags, zero: false } };
}

function character(value: bigint): string {
  const isCharacter = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn);
  return isCharacter ? String.fromCodePoint(Number(value)) : '\ufffd';
}

function formatFloat(value: number, verb: string, layout: Layout): string | null {
  const magnitude = Math.abs(value);
  const digits = floatDigits(magnitude, verb, layout.precision);
  if (digits === null) return null;
  const sign = signOf(
    value < 0,
    verb === 'v' ? { ...layout, flags: { ...layout.flags, plus: false } } : layout,
  );
  return paddedNumber(sign, digits, layout);
}

function floatDigits(magnitude: number, verb: string, precision: number | null): string | null {
  switch (verb) {
    case 'f':
    case 'F':
      return fixed(magnitude, precision ?? 6);
    case 'e':
      return exponential(magnitude, precision ?? 6);
    case 'E':
      return exponential(magnitude, precision ?? 6).toUpperCase();
    case 'v':
    case 'g':
      return general(magnitude, precision);
    case 'G':
      return general(magnitude, precision).toUpperCase();
    default:
      return null;
  }
}

/** Go rounds halves to even, on the exact binary value; JavaScript's toFixed rounds them up. */
function fixed(magnitude: number, precision: number): string {
  let [numerator, denominator] = [magnitude, 1n];
  while (!Number.isInteger(numerator)) {
    numerator *= 2;
    denominator *= 2n;
  }
  const scaled = BigInt(numerator) * 10n ** BigInt(precision);
  const [whole, twice] = [scaled / denominator, (scaled % denominator) * 2n];
  const up = twice > denominator || (twice === denominator && whole % 2n === 1n);
  const digits = (up ? whole + 1n : whole).toString().padStart(precision + 1, '0');
  return precision === 0 ? digits : `${digits.slice(0, -precision)}.${digits.slice(-precision)}`;
}

/** JavaScript writes at most this many digits behind the point. */
const maxFractionDigits = 100;

function exponential(magnitude: number, precision: number | null): string {
  const text =
    precision === null
      ? magnitude.toExponential()
      : magnitude.toExponential(Math.min(precision, maxFractionDigits));
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** The shorter of both ways to write it, as Go decides: below 1e-4, and from as many digits as asked for, an exponent. */
function general(magnitude: number, precision: number | null): string {
  const significant = precision === null ? null : Math.max(precision, 1);
  const text = exponential(magnitude, significant === null ? null : significant - 1);
  const [mantissa = '', exponentText = '0'] = text.split('e');
  const digits = mantissa.replace('.', '').replace(/0+$/, '') || '0';
  const exponent = Number(exponentText);
  const threshold = significant === null ? Math.max(digits.length, 21) : Math.max(significant, digits.length);
  if (exponent < -4 || exponent >= threshold) {
    const fraction = digits.slice(1);
    return `${digits[0]}${fraction === '' ? '' : `.${fraction}`}e${exponentText}`;
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

function rawQuote(text: string): string {
  return /[`\p{Cc}\ufeff]/u.test(text.replaceAll('\t', '')) ? quote(text) : `\`${text}\``;
}

function quote(text: string): string {
  return quoteWith(text, '"');
}

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

function quoteWith(text: string, mark: '"' | "'"): string {
  const inner = [...text].map((letter) =>
    letter === mark ? `\\${mark}` : (shortEscapes[letter] ?? visible(letter)),
  );
  return `${mark}${inner.join('')}${mark}`;
}

function visible(letter: string): string {
  if (letter === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(letter)) return letter;
  const code = (letter.codePointAt(0) ?? 0).toString(16);
  if (code.length <= 2 && Number.parseInt(code, 16) < 0x80) return `\\x${code.padStart(2, '0')}`;
  return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`;
}
