// What does hatchet.yaml say that its schema does not allow, in words?
import { z } from 'zod';
import { nearest } from '../../workflows/model/command.ts';
import { configurationSchema } from '../../workflows/model/configuration-schema.ts';
import type { Key } from './yaml-place.ts';

/** Something wrong with the value, or with the last key, at a path. */
export type Issue = {
  readonly path: readonly Key[];
  readonly at: 'key' | 'value';
  /** Follows the path's name. */
  readonly message: string;
};

/** Every issue that the schema has with `value`. */
export function schemaIssues(value: unknown): Issue[] {
  const parsed = configurationSchema.safeParse(value);
  return parsed.success ? [] : parsed.error.issues.flatMap((issue) => describe(issue, []));
}

function describe(issue: z.core.$ZodIssue, above: readonly Key[]): Issue[] {
  const path = [...above, ...issue.path.filter((key): key is Key => typeof key !== 'symbol')];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], at: 'key', message: unknownKey(key, path) }));
  }
  const meant = issue.code === 'invalid_union' ? meantOption(issue.errors) : null;
  if (meant !== null) return meant.flatMap((inner) => describe(inner, path));
  return [{ path, at: 'value', message: `expected ${expectation(issue)}` }];
}

/** Whoever wrote keys meant the option with keys: what is wrong is one of them. */
function meantOption(options: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | null {
  return options.find((issues) => issues.length > 0 && issues.every(({ path }) => path.length > 0)) ?? null;
}

const typeNames: Readonly<Record<string, string>> = {
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list',
  object: 'keys and values',
};

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return typeNames[issue.expected] ?? issue.expected;
  if (issue.code === 'invalid_value') return issue.values.map((value) => `\`${String(value)}\``).join(' or ');
  if (issue.code === 'invalid_union') return [...new Set(issue.errors.flat().map(expectation))].join(' or ');
  if (issue.code === 'too_small') return `at least ${issue.minimum}${unit(issue.origin)}`;
  if (issue.code === 'too_big') return `at most ${issue.maximum}${unit(issue.origin)}`;
  return issue.message;
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}

function unknownKey(key: string, path: readonly Key[]): string {
  const known = keysAt(configurationSchema, path);
  const meant = nearest(key, known);
  return meant === null
    ? `known here: ${known.map((one) => `\`${one}\``).join(', ')}`
    : `did you mean \`${meant}\`?`;
}

/** The keys that the schema knows at a path. */
function keysAt(schema: z.core.$ZodType, path: readonly Key[]): string[] {
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable
  ) {
    return keysAt(schema.unwrap(), path);
  }
  if (schema instanceof z.ZodPipe) return keysAt(schema.in, path);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(option, path));
  const [first, ...rest] = path;
  if (schema instanceof z.ZodArray) return first === undefined ? [] : keysAt(schema.element, rest);
  if (!(schema instanceof z.ZodObject)) return [];
  if (first === undefined) return Object.keys(schema.shape);
  const inner: z.core.$ZodType | undefined = schema.shape[first];
  return inner === undefined ? [] : keysAt(inner, rest);
}
