// How is the `opa` binary asked something?
import { execFile } from 'node:child_process';
import { operatorError } from '../faults.ts';

/** Compiling a large policy takes well under a second; a binary that hangs must not hold the activity. */
const opaTimeoutMs = 30_000;
/** Error lists and rule lists are small; a flood is cut off rather than kept in memory. */
const maxOutputBytes = 8 * 1024 * 1024;

export type OpaAnswer = { readonly ok: boolean; readonly stdout: string; readonly stderr: string };

/**
 * Runs `opa` in `cwd` with an empty environment. `ok` is false when it ended with an error of its own, as for a
 * policy that does not compile. OperatorError: the binary is missing, hangs, or was killed.
 */
export function runOpa(question: {
  readonly opaPath: string;
  readonly cwd: string;
  readonly args: readonly string[];
  readonly stdin?: string;
}): Promise<OpaAnswer> {
  const { opaPath, cwd, args, stdin } = question;
  const options = {
    cwd,
    env: {},
    timeout: opaTimeoutMs,
    maxBuffer: maxOutputBytes,
    encoding: 'utf8',
  } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(opaPath, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ ok: true, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ ok: false, stdout, stderr });
      else reject(operatorError(`opa ${args[0] ?? ''} could not be run`, error));
    });
    // A binary that ends before it has read everything tells why by its exit code, not by a broken pipe.
    child.stdin?.on('error', () => {});
    child.stdin?.end(stdin ?? '');
  });
}
