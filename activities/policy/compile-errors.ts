// What did `opa check` find wrong, and where?
import { z } from 'zod';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import { operatorError } from '../faults.ts';

const report = z.object({
  errors: z
    .array(
      z.object({
        message: z.string(),
        code: z.string().optional(),
        location: z.object({ file: z.string(), row: z.int(), col: z.int() }).optional(),
      }),
    )
    .min(1),
});

/**
 * The errors of `opa check --format json`, with paths as they were given. OperatorError: it said something else,
 * which then is no mistake in a policy.
 */
export function readCompileErrors(
  text: string,
  sourceFolder: string,
): readonly [Diagnostic, ...Diagnostic[]] {
  const parsed = report.safeParse(parseJson(text));
  if (!parsed.success) throw operatorError(`opa check failed: ${text.trim().slice(0, 1000)}`);
  const [first, ...rest] = parsed.data.errors.map(({ message, code, location }): Diagnostic => {
    const problem = { severity: 'error', summary: message, detail: code ?? '' } as const;
    if (location === undefined) return problem;
    const path = location.file.replace(`${sourceFolder}/`, '');
    return { ...problem, path, startLine: location.row, startColumn: Math.max(1, location.col) };
  });
  if (first === undefined) throw operatorError('opa check failed without an error');
  return [first, ...rest];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
