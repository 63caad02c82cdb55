// What would Go's fmt.Sprintf print, the way OPA calls it?
import { quote } from './go-quote.ts';
import type { Argument, Layout } from './go-verbs.ts';
import { formatArgument, printPlain } from './go-verbs.ts';

const directive = /%([-+# 0]*)(\*|\d+)?(?:(\.)(\*|\d*))?(?:\[(\d+)\])?(.|$)/gsu;
/** A policy must not fill the memory with spaces; Go's own limit. */
const maxWidth = 1_000_000;

/**
 * Formats like `sprintf` of OPA, mistakes included: `%!d(string=x)`, `%!d(MISSING)`, `%!(EXTRA int=1)`.
 * Sets print as arrays, because nothing tells them apart on the host; no hexadecimal floats.
 * Source: pkg.go.dev/fmt
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
  return `%!(EXTRA ${args.map((arg) => `${arg.type}=${printPlain(arg)}`).join(', ')})`;
}

/** Integers beyond this came with an exponent, and are no integers to Go. */
const maxInteger = 1e20;

function toArgument(value: unknown): Argument {
  if (typeof value === 'string') return { type: 'string', value };
  if (typeof value !== 'number') return { type: 'string', value: termText(value) };
  const isInteger = Number.isInteger(value) && Math.abs(value) < maxInteger;
  return isInteger ? { type: 'int', value: BigInt(value) } : { type: 'float64', value };
}

/** A value as Rego writes it: `["a", 1]`, `{"k": true}`. */
function termText(value: unknown): string {
  if (typeof value === 'string') return quote(value, '"');
  if (Array.isArray(value)) return `[${value.map(termText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${quote(key, '"')}: ${termText(inner)}`).join(', ')}}`;
}

function readLayout(flags: string, width: number | null, precision: number | null): Layout {
  const wanted = Math.trunc(width ?? 0);
  const minus = flags.includes('-') || wanted < 0;
  return {
    minus,
    plus: flags.includes('+'),
    sharp: flags.includes('#'),
    space: flags.includes(' '),
    zero: flags.includes('0') && !minus,
    width: Math.min(Math.abs(wanted), maxWidth),
    precision: precision === null || precision < 0 ? null : Math.min(precision, maxWidth),
  };
}
