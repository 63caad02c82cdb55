// How does Terraform's diagnostic become ours?
import { posix } from 'node:path';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import type { RawDiagnostic } from './event.ts';
import type { Mask } from './mask.ts';

/** A provider may put a whole HTTP response in there; diagnostics travel through history. The log has all of it. */
const maxTextLength = 4_000;

/** `dir` is the project's directory in the repository. Secrets are taken out before anything is cut. */
export function toDiagnostic(raw: RawDiagnostic, dir: string, mask: Mask): Diagnostic {
  return {
    severity: raw.severity,
    summary: shortened(mask(raw.summary)),
    detail: shortened(mask(raw.detail)),
    ...placeOf(raw.range, dir),
    ...(raw.address === undefined ? {} : { address: raw.address }),
  };
}

/** Errors first: the list is cut further on. */
export function errorsFirst(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...diagnostics].sort((left, right) => Number(isWarning(left)) - Number(isWarning(right)));
}

/** An error that names neither a place nor a detail only says that there are others ("execution halted"). */
export function withoutHeadings(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const telling = diagnostics.filter(
    ({ detail, path, address }) => detail !== '' || path !== undefined || address !== undefined,
  );
  return telling.every(isWarning) ? diagnostics : telling;
}

export const isWarning = ({ severity }: Diagnostic): boolean => severity === 'warning';

function placeOf(range: RawDiagnostic['range'], dir: string): Partial<Diagnostic> {
  const path = range === undefined ? null : repositoryPath(range.filename, dir);
  if (range === undefined || path === null) return {};
  return {
    path,
    startLine: range.start.line,
    endLine: range.end.line,
    startColumn: range.start.column,
    endColumn: range.end.column,
  };
}

/** Null for what is no file of the repository: an installed module, a file given by an absolute path. */
function repositoryPath(filename: string, dir: string): string | null {
  if (posix.isAbsolute(filename) || filename.startsWith('<')) return null;
  const path = posix.normalize(posix.join(dir, filename));
  const segments = path.split('/');
  return segments[0] === '..' || segments.includes('.terraform') ? null : path;
}

function shortened(text: string): string {
  return text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength)}…`;
}
