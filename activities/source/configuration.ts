// What does hatchet.yaml say, and where exactly is each of its mistakes?
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { z } from 'zod';
import type { ConfigurationFound } from '../../workflows/activities.ts';
import { nearest } from '../../workflows/model/command.ts';
import { configurationOf } from '../../workflows/model/configuration.ts';
import { configurationSchema } from '../../workflows/model/configuration-schema.ts';
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
    logLevel: 'error',
  });
  const syntax = [...document.errors, ...document.warnings].map((error) => ({
    summary: error.code === 'DUPLICATE_KEY' ? duplicateKey(text, error.pos[0]) : error.message,
    range: [error.pos[0], error.pos[1]] as const,
  }));
  const read = readValue(document);
  if ('problem' in read) return toBroken([...syntax, read.problem], text, lines);
  const parsed = configurationSchema.safeParse(read.value);
  const wrong = parsed.success ? [] : parsed.error.issues.flatMap((issue) => describe(issue, document));
  // After a mistake in the syntax the values may be misread; only unknown keys are certain to be mistakes then.
  if (syntax.length > 0)
    return toBroken([...syntax, ...wrong.filter((problem) => problem.certain)], text, lines);
  if (!parsed.success) return toBroken(wrong, text, lines);
  return { kind: 'valid', configuration: configurationOf(parsed.data) };
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
  const wrong = wrongAlias(document);
  if (wrong !== null) return { problem: wrong };
  try {
    return { value: document.toJS({ maxAliasCount: maxAliases }) };
  } catch {
    return { problem: { summary: 'aliases (`*name`) unfold to too much', range: [0, 0] } };
  }
}

function wrongAlias(document: Document): Problem | null {
  let wrong: Problem | null = null;
  let count = 0;
  visit(document, {
    Alias(_, alias) {
      count += 1;
      const range = rangeOf(alias) ?? [0, 0];
      if (count > maxAliases) wrong = { summary: `more than ${maxAliases} aliases`, range };
      else if (alias.resolve(document) === undefined)
        wrong = { summary: `\`*${alias.source}\` is named nowhere before`, range };
      return wrong === null ? undefined : visit.BREAK;
    },
  });
  return wrong;
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
  const missing = path.length > 0 && nodeAt(document, path) === undefined;
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
  if (issue.path.length === 0) return 'expected keys and values, first of all `version: 1`';
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
  return rangeOf(nodeAt(document, path)) ?? keyRange(document, path);
}

function keyRange(document: Document, path: readonly Key[]): Problem['range'] {
  const parent = nodeAt(document, path.slice(0, -1));
  const pair = isMap(parent) ? parent.items.find((item) => keyText(item.key) === path.at(-1)) : undefined;
  return rangeOf(pair?.key) ?? [0, 0];
}

/** Undefined where the file has nothing; aliases are followed. */
function nodeAt(document: Document, path: readonly Key[]): Node | undefined {
  let node: unknown = document.contents;
  for (const key of path) {
    const parent = followed(document, node);
    if (isMap(parent)) node = parent.items.find((item) => keyText(item.key) === key)?.value;
    else node = isSeq(parent) ? parent.items[Number(key)] : undefined;
  }
  const found = followed(document, node);
  return isNode(found) ? found : undefined;
}

function followed(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function rangeOf(node: unknown): Problem['range'] | null {
  const range = isNode(node) ? node.range : null;
  return range === null || range === undefined ? null : [range[0], range[1]];
}

function keyText(key: unknown): unknown {
  return isScalar(key) ? String(key.value) : key;
}

function toBroken(problems: readonly Problem[], text: string, lines: LineCounter): ConfigurationFound {
  // What is missing at the end is told on the last line that says something: others cannot be annotated.
  const position = (offset: number) => lines.linePos(Math.min(offset, text.trimEnd().length));
  const inOrder = problems.toSorted((left, right) => left.range[0] - right.range[0]);
  return {
    kind: 'broken',
    problems: inOrder.map(({ summary, range: [start, end] }) =>
      diagnostic(summary, position(start), position(end)),
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
