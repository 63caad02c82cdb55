// What does hatchet.yaml say, and where exactly is each of its mistakes?
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import type { ConfigurationFound } from '../../workflows/activities.ts';
import { nearest } from '../../workflows/model/command.ts';
import { configurationSchema } from '../../workflows/model/configuration.ts';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';

export const configurationPath = 'hatchet.yaml';
/** Hundreds of projects fit; more is no configuration. */
export const maxConfigurationBytes = 64 * 1024;
/** Enough for a few anchors that are used again; too few for a small file that unfolds to gigabytes. */
const maxAliases = 100;

type Problem = { readonly summary: string; readonly range: readonly [start: number, end: number] };
type Key = string | number;

/** All problems together, in the order of the file, each with its line and column. */
export function parseConfiguration(bytes: Buffer | 'too-large'): ConfigurationFound {
  if (bytes === 'too-large') return broken(`larger than ${maxConfigurationBytes / 1024} KiB`);
  const text = decode(bytes);
  if (text === null) return broken('not valid UTF-8');
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    logLevel: 'silent',
  });
  const syntax = [...document.errors, ...document.warnings].map((error) => ({
    summary: error.code === 'DUPLICATE_KEY' ? duplicateKey(text, error.pos[0]) : error.message,
    range: [error.pos[0], error.pos[1]] as const,
  }));
  const read = readValue(document);
  if ('problem' in read) return toBroken([...syntax, read.problem], lines);
  const parsed = configurationSchema.safeParse(read.value);
  const wrong = parsed.success ? [] : parsed.error.issues.flatMap((issue) => describe(issue, document));
  // After a mistake in the syntax the values may be misread; only unknown keys are certain to be mistakes then.
  if (syntax.length > 0) return toBroken([...syntax, ...wrong.filter((problem) => problem.certain)], lines);
  if (!parsed.success) return toBroken(wrong, lines);
  return { kind: 'valid', configuration: parsed.data };
}

/** A problem of the whole file, for those who cannot even read it. */
export function broken(problem: string): ConfigurationFound {
  return {
    kind: 'broken',
    problems: [diagnostic(`${configurationPath} is ${problem}`, { line: 1, col: 1 }, null)],
  };
}

function decode(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function readValue(document: Document): { readonly value: unknown } | { readonly problem: Problem } {
  try {
    return { value: document.toJS({ maxAliasCount: maxAliases }) };
  } catch (cause) {
    const summary =
      cause instanceof ReferenceError ? 'aliases (`*name`) unfold to too much' : 'cannot be read as YAML';
    return { problem: { summary, range: [0, 0] } };
  }
}

function duplicateKey(text: string, start: number): string {
  const key = /^[^\s:]+/.exec(text.slice(start))?.[0] ?? '';
  return `\`${key}\` is there twice`;
}

function describe(issue: z.core.$ZodIssue, document: Document): (Problem & { readonly certain: boolean })[] {
  const path = issue.path.filter((key): key is Key => typeof key !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      summary: unknownKey(key, path),
      range: keyRange(document, [...path, key]),
      certain: true,
    }));
  }
  const missing = path.length > 0 && !document.hasIn(path);
  const name = path.length === 0 ? configurationPath : `\`${path.join('.')}\``;
  return [
    {
      summary: missing ? `${name} is missing: ${expectation(issue)}` : `${name}: ${expectation(issue)}`,
      range: missing ? keyRange(document, path.slice(0, -1)) : valueRange(document, path),
      certain: false,
    },
  ];
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type')
    return `expected ${issue.expected === 'int' ? 'a whole number' : issue.expected}`;
  if (issue.code === 'invalid_value')
    return `expected ${issue.values.map((value) => `\`${String(value)}\``).join(' or ')}`;
  if (issue.code === 'invalid_format') return `expected ${issue.message}`;
  if (issue.code === 'too_small') return `expected at least ${issue.minimum}${unit(issue.origin)}`;
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}${unit(issue.origin)}`;
  return issue.message;
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}

function unknownKey(key: string, path: readonly Key[]): string {
  const known = keysAt(configurationSchema, path);
  const meant = nearest(key, known);
  const hint =
    meant === null
      ? `known here: ${known.map((one) => `\`${one}\``).join(', ')}`
      : `did you mean \`${meant}\`?`;
  return `unknown key \`${[...path, key].join('.').slice(0, 200)}\`: ${hint}`;
}

/** The keys that the schema knows at a path. */
function keysAt(schema: z.core.$ZodType, path: readonly Key[]): string[] {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    return keysAt(schema.unwrap(), path);
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(option, path));
  const [first, ...rest] = path;
  if (schema instanceof z.ZodArray) return first === undefined ? [] : keysAt(schema.element, rest);
  if (!(schema instanceof z.ZodObject)) return [];
  if (first === undefined) return Object.keys(schema.shape);
  const inner: z.core.$ZodType | undefined = schema.shape[first];
  return inner === undefined ? [] : keysAt(inner, rest);
}

function valueRange(document: Document, path: readonly Key[]): Problem['range'] {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  const range = isNode(node) ? node.range : null;
  return range === null || range === undefined ? keyRange(document, path) : [range[0], range[1]];
}

function keyRange(document: Document, path: readonly Key[]): Problem['range'] {
  const parent = path.length <= 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const pair = isMap(parent)
    ? parent.items.find((item) => isPair(item) && keyText(item.key) === path.at(-1))
    : undefined;
  const key = isNode(pair?.key) ? pair.key.range : null;
  return key === null || key === undefined ? [0, 0] : [key[0], key[1]];
}

function keyText(key: unknown): unknown {
  return isScalar(key) ? String(key.value) : key;
}

function toBroken(problems: readonly Problem[], lines: LineCounter): ConfigurationFound {
  const inOrder = problems.toSorted((left, right) => left.range[0] - right.range[0]);
  return {
    kind: 'broken',
    problems: inOrder.map(({ summary, range: [start, end] }) =>
      diagnostic(summary, lines.linePos(start), lines.linePos(end)),
    ),
  };
}

type Position = { readonly line: number; readonly col: number };

/** The counter knows no line 0; a file without a first line is said to be wrong at its beginning. */
function diagnostic(summary: string, start: Position, end: Position | null): Diagnostic {
  const last = end ?? start;
  return {
    severity: 'error',
    summary,
    detail: '',
    path: configurationPath,
    startLine: Math.max(1, start.line),
    startColumn: Math.max(1, start.col),
    endLine: Math.max(1, last.line),
    endColumn: Math.max(1, last.col),
  };
}
