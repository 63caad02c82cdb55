// How does one program run, and how is it asked to stop?
import type { Readable } from 'node:stream';
import { operatorError } from '../faults.ts';
import type { Launched } from '../programs/launch.ts';
import { launch } from '../programs/launch.ts';
import { createLineReader } from './lines.ts';
import { infoDescriptor } from './sandbox.ts';

export type Program = {
  /** The program's absolute path, then its arguments. Never a shell. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /**
   * `paths`: existing files, which are appended to, for a program that must outlive Hatchet or may not be held up by it.
   */
  readonly output:
    | { readonly kind: 'lines'; readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void }
    | { readonly kind: 'paths'; readonly stdout: string; readonly stderr: string };
  /** Who is to be interrupted: the program itself, or what it runs in a sandbox. */
  readonly sandboxed: boolean;
  readonly signal: AbortSignal;
  /** Resolves once the program listens to signals; an earlier one would be lost, or kill it. */
  readonly listening: () => Promise<void>;
  /** After this long without an end the whole process group is killed; null waits for as long as it takes. */
  readonly killAfterMs: number | null;
};

/**
 * How a program ended; an exit code other than 0 is no error here. `lost`: whoever watched it died, so it counts as
 * killed, and may still be at work.
 */
export type Exit = { readonly code: number | null; readonly signal: string | null; readonly lost: boolean };

/**
 * Runs a program in a process group of its own, so that Ctrl-C in a terminal does not reach it. An abort sends
 * one SIGINT: a second one would make Terraform leave its work half done. OperatorError when it cannot be started.
 */
export async function runProgram(program: Program): Promise<Exit> {
  const child = start(program);
  const sandboxedPid = readSandboxedPid(program, child);
  const exited = endOf(child, program.argv[0] ?? '');
  exited.catch(() => undefined);
  readLines(program, child);
  const stop = () => void stopProgram(program, child, exited, sandboxedPid);
  program.signal.addEventListener('abort', stop, { once: true });
  if (program.signal.aborted) stop();
  try {
    return await exited;
  } finally {
    program.signal.removeEventListener('abort', stop);
    // What a plan started must end with it; an apply's provisioner may have left a service behind on purpose.
    if (program.killAfterMs !== null) signalGroup(child);
  }
}

function start({ argv, cwd, env, output, sandboxed }: Program): Launched {
  const [file = '', ...args] = argv;
  const common = { cwd, env, detached: true };
  const info = sandboxed ? (['pipe'] as const) : [];
  switch (output.kind) {
    case 'paths': {
      const files = [{ append: output.stdout }, { append: output.stderr }] as const;
      return launch(file, args, { ...common, stdio: ['ignore', ...files, ...info] });
    }
    case 'lines':
      return launch(file, args, { ...common, stdio: ['ignore', 'pipe', 'pipe', ...info] });
    default:
      return output satisfies never;
  }
}

/**
 * What a program left running may keep its pipes open for ever; the last lines of the program itself are there
 * at once.
 */
const drainMs = 1_000;

/** `close` and not `exit`: the last lines are still in the pipe when the program has ended. */
function endOf(child: Launched, file: string): Promise<Exit> {
  return new Promise((resolve, reject) => {
    let drain: NodeJS.Timeout | undefined;
    child.once('error', (cause) => reject(operatorError(`cannot start ${file}`, cause)));
    child.once('exit', () => {
      drain = setTimeout(() => {
        for (const stream of child.stdio) stream?.destroy();
      }, drainMs);
    });
    child.once('close', (code, signal) => {
      clearTimeout(drain);
      resolve({ code, signal, lost: child.lost });
    });
  });
}

function readLines({ output }: Program, child: Launched): void {
  if (output.kind !== 'lines') return;
  for (const [index, name] of (['stdout', 'stderr'] as const).entries()) {
    const reader = createLineReader((line) => output.onLine(line, name));
    const stream = child.stdio[index + 1] as Readable | null;
    stream?.on('data', reader.write).on('end', reader.end);
  }
}

/** Asked for only when it is needed; null until bubblewrap has told. */
function readSandboxedPid({ sandboxed }: Program, child: Launched): () => number | null {
  if (!sandboxed) return () => child.pid ?? null;
  let text = '';
  const info = child.stdio[infoDescriptor] as Readable | null | undefined;
  info?.on('data', (chunk) => {
    text += String(chunk);
  });
  return () => Number(/"child-pid":\s*(\d+)/.exec(text)?.[1]) || null;
}

async function stopProgram(
  { listening, killAfterMs }: Program,
  child: Launched,
  exited: Promise<Exit>,
  pid: () => number | null,
): Promise<void> {
  const killer = killAfterMs === null ? undefined : setTimeout(() => signalGroup(child), killAfterMs);
  const ended = exited.then(
    () => true,
    () => true,
  );
  if (!(await Promise.race([ended, listening().then(() => false)]))) signalProcess(pid(), 'SIGINT');
  await ended;
  clearTimeout(killer);
}

function signalGroup(child: Launched): void {
  if (child.pid !== undefined) signalProcess(-child.pid, 'SIGKILL');
}

function signalProcess(pid: number | null, signal: NodeJS.Signals): void {
  if (pid === null) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself in the meantime.
  }
}
