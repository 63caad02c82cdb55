// What does hatchet.yaml say, and where exactly is each of its mistakes?
import { type Document, LineCounter, parseDocument, visit } from 'yaml';
import { type ConfigurationFile, configurationSchema } from '../../workflows/model/configuration-schema.ts';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import type { CodeMap } from './code-map.ts';
import { semanticIssues } from './configuration-checks.ts';
import { type Issue, schemaIssues } from './configuration-issues.ts';
import { configurationPath } from './configuration-path.ts';
import { keyRange, nodeAt, type Range, rangeOf, valueRange } from './yaml-place.ts';

/** Far more than a thousand projects need. */
export const maxConfigurationBytes = 256 * 1024;
/** Enough for a few anchors that are used again; too few for a small file that unfolds to gigabytes. */
const maxAliases = 100;

/** The text alone, read once; what it means depends on the tree that it is for. */
export type ConfigurationText =
  | { readonly kind: 'unreadable'; readonly problem: string }
  | {
      readonly kind: 'read';
      readonly text: string;
      readonly lines: LineCounter;
      readonly document: Document;
      /** What no tree can mend: syntax, schema, what is not supported. */
      readonly problems: readonly Problem[];
      /** Undefined when its syntax is broken: then values may be misread. */
      readonly value: unknown;
    };

export type FileFound =
  | { readonly kind: 'valid'; readonly file: ConfigurationFile }
  | { readonly kind: 'broken'; readonly problems: readonly Diagnostic[] };

type Problem = { readonly summary: string; readonly range: Range };

export function readConfiguration(bytes: Buffer | 'too-large'): ConfigurationText {
  if (bytes === 'too-large')
    return { kind: 'unreadable', problem: `larger than ${maxConfigurationBytes / 1024} KiB` };
  const text = decode(bytes);
  if (text === null) return { kind: 'unreadable', problem: 'not valid UTF-8' };
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
  const common = { kind: 'read', text, lines, document } as const;
  if ('problem' in read) return { ...common, problems: [...syntax, read.problem], value: undefined };
  const issues = schemaIssues(read.value);
  // After a mistake in the syntax the values may be misread; only unknown keys are certain to be mistakes then.
  const certain = syntax.length > 0 ? issues.filter((issue) => issue.at === 'key') : issues;
  return {
    ...common,
    problems: [...syntax, ...certain.map((issue) => toProblem(document, issue))],
    value: syntax.length > 0 ? undefined : read.value,
  };
}

/** All problems together, in the order of the file, each with its line and column. */
export function judgeConfiguration(read: ConfigurationText, map: CodeMap): FileFound {
  if (read.kind === 'unreadable') return broken(read.problem);
  const { text, lines, document, value } = read;
  const semantic = value === undefined ? [] : semanticIssues(value, map);
  const problems = [...read.problems, ...semantic.map((issue) => toProblem(document, issue))];
  if (problems.length === 0) return { kind: 'valid', file: configurationSchema.parse(value) };
  return { kind: 'broken', problems: toDiagnostics(problems, text, lines) };
}

/** A problem of the whole file, for those who cannot even read it. */
export function broken(problem: string): Extract<FileFound, { kind: 'broken' }> {
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

/** Names in the file can be long; a sentence about them need not be. */
const maxNameLength = 200;

function toProblem(document: Document, { path, at, message }: Issue): Problem {
  const name = `\`${path.join('.').slice(0, maxNameLength)}\``;
  if (at === 'key') return { summary: `unknown key ${name}: ${message}`, range: keyRange(document, path) };
  if (path.length === 0) {
    const summary = `${configurationPath}: expected keys and values, first of all \`version: 1\``;
    return { summary, range: valueRange(document, path) };
  }
  if (nodeAt(document, path) === undefined) {
    const inside = path.slice(0, -1);
    const range =
      nodeAt(document, inside) === undefined ? keyRange(document, inside) : placeOf(document, inside);
    return { summary: `${name} is missing: ${message}`, range };
  }
  return { summary: `${name}: ${message}`, range: valueRange(document, path) };
}

/** Where something is missing: the key that it should stand under, or the first line of an entry in a list. */
function placeOf(document: Document, path: readonly (string | number)[]): Range {
  if (typeof path.at(-1) !== 'number') return keyRange(document, path);
  const [start] = valueRange(document, path);
  return [start, start];
}

function toDiagnostics(problems: readonly Problem[], text: string, lines: LineCounter): Diagnostic[] {
  // What is missing at the end is told on the last line that says something: others cannot be annotated.
  const position = (offset: number) => lines.linePos(Math.min(offset, text.trimEnd().length));
  return problems
    .toSorted((left, right) => left.range[0] - right.range[0])
    .map(({ summary, range: [start, end] }) => diagnostic(summary, position(start), position(end)));
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
