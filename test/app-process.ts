// How does a test run the app itself? As the process that an operator would start, told by its environment alone.
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type AppProcess = {
  readonly url: string;
  readonly pid: number;
  /** Every line it logged so far, over all its lives. */
  readonly lines: readonly string[];
  /** SIGTERM, and waits for the end; its exit code, or null when a signal ended it. */
  readonly stop: () => Promise<number | null>;
  /** SIGKILL, and waits for the end. */
  readonly kill: () => Promise<number | null>;
  readonly isRunning: () => boolean;
  /** Starts it again with the same environment; resolves with the new address. */
  readonly start: () => Promise<string>;
};

const main = fileURLToPath(new URL('../app/main.ts', import.meta.url));

/** Vitest kills its workers when it is itself killed; no app may stay behind without anybody who ends it. */
const dieTogether = ['--pdeathsig', 'KILL', '--'] as const;
/** Not everywhere is there such a program, and not each knows how. By its path: the app may be told of other programs. */
const endsWithUs = ['/usr/bin/setpriv', '/bin/setpriv']
  .filter((path) => spawnSync(path, [...dieTogether, 'true']).status === 0)
  .slice(0, 1)
  .flatMap((path) => [path, ...dieTogether]);

/** What it is told on the command line, and who hears early what it says. */
type AppOptions = {
  readonly role?: 'web' | 'control' | 'runner';
  /** The process exists, long before it listens; called for each of its lives. */
  readonly onSpawn?: (pid: number) => void;
};

/** Resolves when it listens; rejects with what it said when it ends before. */
export async function startAppProcess(
  environment: Readonly<Record<string, string>>,
  { role, onSpawn }: AppOptions = {},
): Promise<AppProcess> {
  const argv = [main, ...(role === undefined ? [] : ['--role', role])];
  const lines: string[] = [];
  let child: ChildProcess;
  let url = '';
  const start = async (): Promise<string> => {
    const [command = '', ...args] = [...endsWithUs, process.execPath, ...argv];
    child = spawn(command, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    if (child.pid !== undefined) onSpawn?.(child.pid);
    url = await listening(child, lines);
    return url;
  };
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (!isRunning()) return child.exitCode;
    child.kill(signal);
    await once(child, 'exit');
    return child.exitCode;
  };
  await start();
  return {
    get url() {
      return url;
    },
    get pid() {
      return child.pid ?? -1;
    },
    lines,
    isRunning,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    start,
  };
}

function listening(child: ChildProcess, lines: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const read = (line: string): void => {
      lines.push(line);
      const url = line.includes('"msg":"listening"') ? (JSON.parse(line) as { url?: string }).url : undefined;
      if (url !== undefined) resolve(url);
    };
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', read);
    }
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`the app ended (${code ?? signal})\n${lines.slice(-20).join('\n')}`)),
    );
  });
}
