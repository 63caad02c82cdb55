// How is a problem told, in the text and on the lines of the pull request?
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import { cutText, fenced, inlineCode, inlineText, plainTitle, visible } from './markdown.ts';

/** An annotation as the Checks API takes it; columns only where it allows them. */
export type Annotation = {
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
  readonly startColumn?: number;
  readonly endColumn?: number;
  readonly level: 'failure' | 'warning';
  readonly title: string;
  readonly message: string;
};

/** Checks API: annotations per request, their title in characters, their message in bytes. */
const maxAnnotations = 50;
const maxTitle = 255;
const maxMessageBytes = 64 * 1024;
/** Details in the running text; the annotation and the log have all of them. */
const maxDetail = 1_500;
/** A detail of one paragraph up to this length reads as a sentence; longer or broken ones keep their lines. */
const sentenceLength = 400;
const maxSummary = 300;
const maxPlace = 300;

/** "`envs/prod/main.tf:14` **Unsupported argument**: An argument named …" */
export function diagnosticText(diagnostic: Diagnostic): string {
  const place = placeOf(diagnostic);
  const summary = inlineText(cutText(diagnostic.summary, maxSummary));
  const detail = cutText(diagnostic.detail.trim(), maxDetail);
  const sentence = detail.length <= sentenceLength && !detail.includes('\n');
  const head = [
    diagnostic.severity === 'warning' ? 'Warning:' : '',
    place === null ? '' : inlineCode(cutText(place, maxPlace)),
    summary === '' ? '' : `**${summary}**`,
  ].filter((part) => part !== '');
  if (detail === '') return head.join(' ');
  if (!sentence) return `${head.join(' ')}\n\n${fenced('', detail.split('\n'))}`;
  return `${head.join(' ')}${head.length > 0 ? ': ' : ''}${inlineText(detail)}`;
}

/** "envs/prod/main.tf:14", else the resource's address, else nothing. */
function placeOf({ path, startLine, address }: Diagnostic): string | null {
  if (path === undefined) return address ?? null;
  return startLine === undefined ? path : `${path}:${startLine}`;
}

/** Those that can stand on a line of the repository, errors first, at most what one request takes. */
export function annotationsOf(diagnostics: readonly Diagnostic[]): {
  readonly annotations: readonly Annotation[];
  /** The others: told in the text. */
  readonly others: readonly Diagnostic[];
} {
  const sorted = diagnostics.toSorted((left, right) => left.severity.localeCompare(right.severity));
  const placed = sorted.flatMap((diagnostic) => {
    const annotation = annotationOf(diagnostic);
    return annotation === null ? [] : [{ diagnostic, annotation }];
  });
  const kept = placed.slice(0, maxAnnotations);
  const onLines = new Set(kept.map(({ diagnostic }) => diagnostic));
  return {
    annotations: kept.map(({ annotation }) => annotation),
    others: sorted.filter((diagnostic) => !onLines.has(diagnostic)),
  };
}

function annotationOf(diagnostic: Diagnostic): Annotation | null {
  const { path, startLine = 1, startColumn, endColumn } = diagnostic;
  if (path === undefined || !isRepositoryPath(path)) return null;
  const endLine = Math.max(startLine, diagnostic.endLine ?? startLine);
  const columns = startLine === endLine && startColumn !== undefined && startColumn > 0;
  return {
    path,
    startLine,
    endLine,
    ...(columns ? { startColumn, endColumn: Math.max(startColumn, endColumn ?? startColumn) } : {}),
    level: diagnostic.severity === 'error' ? 'failure' : 'warning',
    title: plainTitle(diagnostic.summary || 'Problem', maxTitle),
    message: cutMessage(visible(diagnostic.detail.trim() || diagnostic.summary || 'Problem')),
  };
}

function isRepositoryPath(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.split('/').includes('..');
}

function cutMessage(text: string): string {
  if (Buffer.byteLength(text) <= maxMessageBytes) return text;
  const cut = Buffer.from(text).subarray(0, maxMessageBytes - Buffer.byteLength('…'));
  return `${new TextDecoder().decode(cut).replace(/\uFFFD+$/, '')}…`;
}
