// Which of OPA's built-in functions does the host provide, and what do they answer?
import semver from 'semver';
import { parseBytes, parseRfc3339 } from './go-parse.ts';
import { findAll, readPattern, replaceAll, splitAround } from './go-regexp.ts';
import { goSprintf } from './go-sprintf.ts';

/**
 * A built-in function on plain JSON. `undefined` is Rego's undefined: what OPA answers when a built-in function
 * fails. An ArrayBuffer is JSON text, for integers that no JavaScript number holds. It throws only where it cannot
 * know OPA's answer; that ends the evaluation and blocks the plan. Sets arrive as arrays.
 * Source: openpolicyagent.org/docs/policy-reference/builtins
 */
export type Builtin = (...args: readonly unknown[]) => unknown;

/** `now` is ISO 8601: policies see the time of their run, so that the same run gets the same answer. */
export function createBuiltins(now: () => string): Readonly<Record<string, Builtin>> {
  return { ...pureBuiltins, 'time.now_ns': () => exactly(parseRfc3339(now())) };
}

const pureBuiltins: Readonly<Record<string, Builtin>> = {
  sprintf: (format, args) => (isText(format) && Array.isArray(args) ? goSprintf(format, args) : undefined),
  'object.subset': isSubset,
  'regex.find_n': (pattern, text, limit) =>
    typeof limit === 'number'
      ? withPattern(pattern, text, (regexp, value) => findAll(regexp, value, limit))
      : undefined,
  'regex.replace': (text, pattern, template) =>
    isText(template)
      ? withPattern(pattern, text, (regexp, value) => replaceAll(regexp, value, template))
      : undefined,
  'regex.split': (pattern, text) => withPattern(pattern, text, splitAround),
  'semver.compare': (left, right) =>
    isVersion(left) && isVersion(right) ? compareVersions(left, right) : undefined,
  'semver.is_valid': isVersion,
  'strings.any_prefix_match': (texts, bases) => anyPair(texts, bases, (text, base) => text.startsWith(base)),
  'strings.any_suffix_match': (texts, bases) => anyPair(texts, bases, (text, base) => text.endsWith(base)),
  'strings.count': (text, part) => (isText(text) && isText(part) ? countOf(text, part) : undefined),
  'time.parse_rfc3339_ns': (text) => (isText(text) ? exactly(parseRfc3339(text)) : undefined),
  'units.parse_bytes': (text) => (isText(text) ? exactly(parseBytes(text)) : undefined),
};

/** The SDK brings some of its own. */
export const hostBuiltinNames: readonly string[] = [
  ...Object.keys(pureBuiltins),
  'time.now_ns',
  'yaml.is_valid',
  'yaml.marshal',
  'yaml.unmarshal',
];

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function exactly(integer: bigint | null): ArrayBuffer | undefined {
  return integer === null ? undefined : new TextEncoder().encode(integer.toString()).buffer;
}

function withPattern<Answer>(
  pattern: unknown,
  text: unknown,
  ask: (regexp: RegExp, text: string) => Answer,
): Answer | undefined {
  if (!isText(pattern) || !isText(text)) return undefined;
  const regexp = readPattern(pattern);
  return regexp === null ? undefined : ask(regexp, text);
}

function isVersion(value: unknown): value is string {
  return (
    isText(value) && /^\d+\.\d+\.\d+(?:[-+]|$)/.test(value) && semver.valid(withoutZeros(value)) !== null
  );
}

function compareVersions(left: string, right: string): number {
  return semver.compare(withoutZeros(left), withoutZeros(right));
}

/** OPA reads `01.2.3` as `1.2.3`; npm's reader refuses it. */
function withoutZeros(version: string): string {
  return version.replace(/^0*(\d+)\.0*(\d+)\.0*(\d+)/, '$1.$2.$3');
}

function anyPair(
  left: unknown,
  right: unknown,
  matches: (text: string, base: string) => boolean,
): boolean | undefined {
  const [texts, bases] = [textsOf(left), textsOf(right)];
  if (texts === null || bases === null) return undefined;
  return texts.some((text) => bases.some((base) => matches(text, base)));
}

function textsOf(value: unknown): readonly string[] | null {
  if (isText(value)) return [value];
  return Array.isArray(value) && value.every(isText) ? value : null;
}

function countOf(text: string, part: string): number {
  return part === '' ? [...text].length + 1 : text.split(part).length - 1;
}

function isSubset(whole: unknown, part: unknown): boolean | undefined {
  if (Array.isArray(whole) && Array.isArray(part)) return holds(whole, part);
  return isRecord(whole) && isRecord(part) ? holdsValue(whole, part) : undefined;
}

function holdsValue(whole: unknown, part: unknown): boolean {
  if (Array.isArray(whole) && Array.isArray(part)) return holds(whole, part);
  if (!isRecord(whole) || !isRecord(part)) return isSame(whole, part);
  return Object.entries(part).every(
    ([key, value]) => Object.hasOwn(whole, key) && holdsValue(whole[key], value),
  );
}

/** Of arrays OPA asks for one run of elements, of sets for each element: where that differs there is no answer. */
function holds(whole: readonly unknown[], part: readonly unknown[]): boolean {
  if (!part.every((wanted) => whole.some((element) => isSame(element, wanted)))) return false;
  const isRun = whole.some((_, start) =>
    part.every((wanted, offset) => isSame(whole[start + offset], wanted)),
  );
  if (isRun || part.length === 0) return true;
  throw new Error('object.subset cannot tell sets from arrays here');
}

function isSame(left: unknown, right: unknown): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((value, index) => isSame(value, right[index]));
  }
  if (!isRecord(left) || !isRecord(right)) return left === right;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isSame(left[key], right[key]))
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
