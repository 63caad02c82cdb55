// How is a program started without the cost of our own size?
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { LauncherAnswer, LauncherRequest, ProgramEnd, Stdio } from './launcher-messages.ts';

export type LaunchOptions = {
  readonly cwd: string;
  /** All of it: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** A process group of its own. */
  readonly detached: boolean;
  /** By descriptor, the input first. */
  readonly stdio: readonly Stdio[];
};

/**
 * What is needed of Node's ChildProcess, with its meaning: `exit` when the program has ended, `close` when its
 * pipes are empty, too, and `error` when it could not be started. `pid` is known a moment after the start.
 */
export type Launched = EventEmitter<LaunchedEvents> & {
  pid: number | undefined;
  /** The small process died, and nobody will hear what becomes of the program: it may go on. */
  lost: boolean;
  readonly stdin: Writable | null;
  readonly stdout: PassThrough | null;
  readonly stderr: PassThrough | null;
  readonly stdio: readonly (PassThrough | Writable | null)[];
  readonly kill: (signal: NodeJS.Signals) => void;
  /** As long as a program is waited for, it keeps this process alive; so it is from the start. */
  readonly ref: () => void;
  readonly unref: () => void;
};

type LaunchedEvents = {
  error: [Error];
  exit: [number | null, NodeJS.Signals | null];
  close: [number | null, NodeJS.Signals | null];
};

/** A program until its `close`. */
type Held = { readonly program: Launched; end: ProgramEnd | null };

type Launcher = {
  readonly process: ChildProcess;
  readonly programs: Map<number, Held>;
  /** Programs that are waited for. */
  readonly waitedFor: Set<number>;
};

const launcherPath = fileURLToPath(new URL('./launcher-process.ts', import.meta.url));
/** It holds a few messages at a time. */
const launcherMemory = ['--max-semi-space-size=1', '--max-old-space-size=256'];

let current: Launcher | null = null;
let lastId = 0;

/**
 * Starts a program by way of a small process that does nothing else. Starting one means copying the page tables of
 * the process that starts it, in which time that process does nothing: with the workers of Temporal in it that
 * takes tens of milliseconds, from the small one it takes one. The program outlives us as any child would.
 * When the small process dies, whatever it had started counts as killed and `lost`, and the next start makes another.
 */
export function launch(command: string, args: readonly string[], options: LaunchOptions): Launched {
  const launcher = current ?? startLauncher();
  current = launcher;
  lastId += 1;
  const id = lastId;
  const held: Held = { program: createProgram(launcher, id, options.stdio), end: null };
  launcher.programs.set(id, held);
  for (const output of outputsOf(held)) output.once('close', () => settle(launcher, id, held));
  held.program.ref();
  const { cwd, env, detached, stdio } = options;
  send(launcher, { kind: 'start', id, command, args, cwd, env, detached, stdio });
  return held.program;
}

const outputsOf = ({ program }: Held): readonly PassThrough[] =>
  program.stdio.slice(1).filter((stream) => stream instanceof PassThrough);

function startLauncher(): Launcher {
  const child = fork(launcherPath, [], {
    cwd: '/',
    env: {},
    execArgv: launcherMemory,
    serialization: 'advanced',
    // Ctrl-C in a terminal reaches groups, and it ends with us anyway.
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const launcher: Launcher = { process: child, programs: new Map(), waitedFor: new Set() };
  child.on('message', (answer: LauncherAnswer) => hear(launcher, answer));
  child.on('error', (error) => abandon(launcher, error));
  child.on('exit', () => abandon(launcher, null));
  child.unref();
  child.channel?.unref();
  return launcher;
}

const killed = { code: null, signal: 'SIGKILL' } as const;

/** Nobody knows what became of its programs: they count as killed. */
function abandon(launcher: Launcher, cause: Error | null): void {
  if (current === launcher) current = null;
  for (const [id, held] of [...launcher.programs]) {
    if (cause !== null) held.program.emit('error', cause);
    else if (held.end === null) loseSightOf(held.program);
    close(launcher, id, held, held.end ?? killed);
  }
}

function loseSightOf(program: Launched): void {
  program.lost = true;
  program.emit('exit', killed.code, killed.signal);
}

function hear(launcher: Launcher, answer: LauncherAnswer): void {
  const held = launcher.programs.get(answer.id);
  if (held === undefined) return;
  const { program } = held;
  switch (answer.kind) {
    case 'started':
      program.pid = answer.pid;
      return;
    case 'output':
      (program.stdio[answer.descriptor] as PassThrough).write(answer.bytes);
      return;
    case 'error':
      program.emit('error', Object.assign(new Error(answer.message), { code: answer.code }));
      return;
    case 'exit':
      held.end = answer;
      program.emit('exit', answer.code, answer.signal);
      settle(launcher, answer.id, held);
      return;
    case 'close':
      close(launcher, answer.id, held, answer);
      return;
    default:
      answer satisfies never;
  }
}

/** Its pipes are empty: `close` follows when all was read, or at once where nobody reads. */
function close(launcher: Launcher, id: number, held: Held, end: ProgramEnd): void {
  held.end = end;
  for (const output of outputsOf(held)) {
    output.end();
    if (output.listenerCount('data') === 0) output.resume();
  }
  settle(launcher, id, held);
}

/** It has ended, and whoever listened has read or hung up on everything. */
function settle(launcher: Launcher, id: number, held: Held): void {
  const { program, end } = held;
  if (end === null || !launcher.programs.has(id)) return;
  if (outputsOf(held).some((output) => !output.closed)) return;
  launcher.programs.delete(id);
  send(launcher, { kind: 'hang-up', id });
  program.unref();
  program.emit('close', end.code, end.signal);
}

function createProgram(launcher: Launcher, id: number, stdio: readonly Stdio[]): Launched {
  const streams = stdio.map((one, descriptor) => {
    if (one !== 'pipe') return null;
    return descriptor === 0 ? inputOf(launcher, id) : new PassThrough();
  });
  const [stdin = null, stdout = null, stderr = null] = streams;
  return Object.assign(new EventEmitter<LaunchedEvents>(), {
    pid: undefined as number | undefined,
    lost: false,
    stdio: streams,
    stdin: stdin as Writable | null,
    stdout: stdout as PassThrough | null,
    stderr: stderr as PassThrough | null,
    kill: (signal: NodeJS.Signals): void => send(launcher, { kind: 'kill', id, signal }),
    ref: (): void => setWaiting(launcher, id, true),
    unref: (): void => setWaiting(launcher, id, false),
  });
}

function inputOf(launcher: Launcher, id: number): Writable {
  return new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, done) => {
      send(launcher, { kind: 'input', id, text });
      done();
    },
    final: (done) => {
      send(launcher, { kind: 'end-input', id });
      done();
    },
  });
}

function setWaiting({ process: child, waitedFor }: Launcher, id: number, waiting: boolean): void {
  if (waiting) waitedFor.add(id);
  else waitedFor.delete(id);
  if (waitedFor.size > 0) child.channel?.ref();
  else child.channel?.unref();
}

function send({ process: child }: Launcher, request: LauncherRequest): void {
  // One that is gone is told by its `exit`.
  if (child.connected) child.send(request, () => undefined);
}
