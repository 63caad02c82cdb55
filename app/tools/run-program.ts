// How do we run a program to its end and keep what it said?
import { spawn } from 'node:child_process';

/** What is kept of a program's output: enough for a version or the end of an error, never a flood. */
const keptCharacters = 20_000;

export type Run = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The OS user to run as; absent for our own. */
  readonly account?: { readonly uid: number; readonly gid: number };
  readonly timeoutMs: number;
};

/** `problem` is null when the program ended with 0. */
export type Ran = { readonly stdout: string; readonly problem: string | null };

/** Never throws: a program that is missing, fails or takes too long is a `problem`. No shell is involved. */
export async function runProgram({ command, args, env, cwd, account, timeoutMs }: Run): Promise<Ran> {
  const { promise, resolve } = Promise.withResolvers<Ran>();
  const child = spawn(command, args, {
    env,
    ...(cwd === undefined ? {} : { cwd }),
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout = (stdout + text).slice(0, keptCharacters);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-keptCharacters);
  });
  child.on('error', (error) => resolve({ stdout, problem: `cannot run ${command} (${errorCode(error)})` }));
  child.on('close', (code, signal) => {
    if (code === 0) return resolve({ stdout, problem: null });
    const how =
      signal === null ? `ended with ${code}` : `was stopped by ${signal} (limit ${timeoutMs / 1000} s)`;
    resolve({ stdout, problem: `${command} ${how}${lastLine(stderr)}` });
  });
  return promise;
}

function lastLine(stderr: string): string {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  return line === '' ? '' : `: ${line.slice(0, 300)}`;
}

function errorCode(error: Error): string {
  return 'code' in error ? String(error.code) : error.message;
}
