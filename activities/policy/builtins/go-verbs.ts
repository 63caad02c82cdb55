// How does Go print one argument for one verb?
import { floatDigits } from './go-float.ts';
import { quote, rawQuote } from './go-quote.ts';

/** The flags `-+# 0`, the width and the precision of one directive. */
export type Layout = {
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number;
  readonly precision: number | null;
};

/** Numbers stay numbers and text stays text; OPA hands everything else over as the text of a Rego term. */
export type Argument =
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'float64'; readonly value: number }
  | { readonly type: 'string'; readonly value: string };

const noLayout: Layout = {
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  width: 0,
  precision: null,
};

/** A verb that does not fit the argument gives Go's own complaint: `%!d(string=x)`. */
export function formatArgument(arg: Argument, verb: string, layout: Layout): string {
  if (verb === 'T') return padded(arg.type, layout);
  return formatKnown(arg, verb, layout) ?? `%!${verb}(${arg.type}=${formatKnown(arg, 'v', layout) ?? ''})`;
}

/** As `%v`. */
export function printPlain(arg: Argument): string {
  return formatKnown(arg, 'v', noLayout) ?? '';
}

function formatKnown(arg: Argument, verb: string, layout: Layout): string | null {
  // With `%v` a plus asks for the names of fields, not for a sign.
  const asked = verb === 'v' ? { ...layout, plus: false } : layout;
  switch (arg.type) {
    case 'string':
      return formatText(arg.value, verb, asked);
    case 'int':
      return formatInteger(arg.value, verb, asked);
    case 'float64':
      return formatFloat(arg.value, verb, asked);
  }
}

function formatText(text: string, verb: string, layout: Layout): string | null {
  const { precision, sharp } = layout;
  const short = precision === null ? text : [...text].slice(0, precision).join('');
  switch (verb) {
    case 's':
      return padded(short, layout);
    case 'v':
      return padded(sharp ? quote(short, '"') : short, layout);
    case 'q':
      return padded(sharp ? rawQuote(short) : quote(short, '"'), layout);
    case 'x':
      return padded(hexadecimal(text, layout), layout);
    case 'X':
      return padded(hexadecimal(text, layout).toUpperCase(), layout);
    default:
      return null;
  }
}

function hexadecimal(text: string, { precision, sharp, space }: Layout): string {
  const bytes = [...Buffer.from(text).subarray(0, precision ?? undefined)];
  if (bytes.length === 0) return '';
  const prefix = sharp ? '0x' : '';
  const digits = bytes.map((byte) => byte.toString(16).padStart(2, '0'));
  return space ? digits.map((pair) => prefix + pair).join(' ') : prefix + digits.join('');
}

type Base = { readonly base: number; readonly prefix: string; readonly sharpPrefix: string };
const bases: Readonly<Record<string, Base>> = {
  d: { base: 10, prefix: '', sharpPrefix: '' },
  v: { base: 10, prefix: '', sharpPrefix: '' },
  b: { base: 2, prefix: '', sharpPrefix: '0b' },
  o: { base: 8, prefix: '', sharpPrefix: '0' },
  O: { base: 8, prefix: '0o', sharpPrefix: '0o' },
  x: { base: 16, prefix: '', sharpPrefix: '0x' },
  X: { base: 16, prefix: '', sharpPrefix: '0X' },
};

function formatInteger(value: bigint, verb: string, layout: Layout): string | null {
  if (verb === 'c') return padded(character(value), layout);
  if (verb === 'q') return padded(quote(character(value), "'"), layout);
  if (verb === 'U') return padded(`U+${value.toString(16).toUpperCase().padStart(4, '0')}`, layout);
  const known = bases[verb];
  if (known === undefined) return null;
  const { precision, sharp } = layout;
  const magnitude = (value < 0n ? -value : value).toString(known.base);
  const digits = precision === 0 && value === 0n ? '' : magnitude.padStart(precision ?? 0, '0');
  const text = (sharp ? known.sharpPrefix : known.prefix) + (verb === 'X' ? digits.toUpperCase() : digits);
  const sign = signOf(value < 0n, layout);
  // A precision says how many digits there are; zeros for the width would contradict it.
  return precision === null
    ? paddedNumber(sign, text, layout)
    : padded(sign + text, { ...layout, zero: false });
}

function formatFloat(value: number, verb: string, layout: Layout): string | null {
  const digits = floatDigits(Math.abs(value), verb, layout.precision);
  return digits === null ? null : paddedNumber(signOf(value < 0, layout), digits, layout);
}

function character(value: bigint): string {
  const isCharacter = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn);
  return isCharacter ? String.fromCodePoint(Number(value)) : '\ufffd';
}

function signOf(negative: boolean, { plus, space }: Layout): string {
  if (negative) return '-';
  if (plus) return '+';
  return space ? ' ' : '';
}

function padded(text: string, { minus, zero, width }: Layout): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  return minus ? text + ' '.repeat(missing) : (zero ? '0' : ' ').repeat(missing) + text;
}

/** Zeros go between the sign and the digits. */
function paddedNumber(sign: string, digits: string, layout: Layout): string {
  return layout.zero
    ? sign + digits.padStart(layout.width - sign.length, '0')
    : padded(sign + digits, layout);
}
