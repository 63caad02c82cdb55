// How do the servers that we run beside us live, die, and get found again after we were killed?
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity.ts';
import { endProcess, identify, isAlive, processIdentity } from './process-identity.ts';

/** A database may write its last checkpoint to a slow disk; after that we insist. */
const stopGraceMs = 30_000;
/** What an error shows of the child's own log. */
const logTailCharacters = 2_000;

export type ChildOptions = {
  readonly name: string;
  /** Its log and its pid file are kept here; claimed by this process, so nobody else starts or stops this child. */
  readonly directory: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The OS user to run as; absent for our own. */
  readonly account?: { readonly uid: number; readonly gid: number };
  /** In order, from polite to final. */
  readonly stopSignals: readonly NodeJS.Signals[];
};

export type Child = {
  readonly pid: number;
  /** Settles with the reason when the child ends, whether we stopped it or not. */
  readonly ended: Promise<string>;
  /** The end of its log, for an error. */
  readonly logTail: () => Promise<string>;
  readonly stop: () => Promise<void>;
};

/**
 * Starts the child in a process group of its own, so the terminal's Ctrl-C reaches only us, and it ends when we say so.
 * Its output goes to a file: a pipe would break with our death and could take the child's last work with it.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { command, args, env, account, directory, name } = options;
  const logFile = join(directory, `${name}.log`);
  await rename(logFile, `${logFile}.old`).catch(() => undefined);
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(command, args, {
    env,
    cwd: directory,
    detached: true,
    stdio: ['ignore', log, log],
    ...account,
  });
  const { pid } = child;
  if (pid !== undefined) rememberPid(pidFile(options), pid);
  closeSync(log);
  const ended = ending(child);
  if (pid === undefined) throw new Error(`${name} did not start: ${await ended}`);
  child.unref();
  return {
    pid,
    ended,
    logTail: async () => (await readFile(logFile, 'utf8').catch(() => '')).slice(-logTailCharacters).trim(),
    stop: async () => {
      child.ref();
      await endChild(options);
      await ended;
    },
  };
}

type Ending = Pick<ChildOptions, 'name' | 'directory' | 'stopSignals'>;

/** Ends the child that a killed process of ours left behind, if there is one. Answers its pid, or null. */
export async function endLeftover(options: Ending): Promise<number | null> {
  const known = await readIdentity(pidFile(options));
  const leftover = known !== null && isAlive(known) ? known.pid : null;
  await endChild(options);
  return leftover;
}

async function endChild(options: Ending): Promise<void> {
  const file = pidFile(options);
  const known = await readIdentity(file);
  if (known !== null && !(await endProcess(known, options.stopSignals, stopGraceMs))) {
    throw new Error(`${options.name} (process ${known.pid}) cannot be stopped`);
  }
  await rm(file, { force: true });
}

function ending(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) =>
      resolve(signal === null ? `it ended with ${code}` : `it was ended by ${signal}`),
    );
  });
}

/** In the same moment as the spawn: a kill in between would leave a child that nobody finds. */
function rememberPid(file: string, pid: number): void {
  const identity = identify(pid);
  if (identity !== null) writeFileSync(file, JSON.stringify(identity), { mode: 0o600 });
}

async function readIdentity(file: string): Promise<ProcessIdentity | null> {
  try {
    return processIdentity.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}

function pidFile({ name, directory }: Ending): string {
  return join(directory, `${name}.pid`);
}
