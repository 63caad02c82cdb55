// How is git run, so that neither this machine nor a repository changes what it does?
import { launch } from '../programs/launch.ts';

/** The command and the whole environment that git gets; nothing is inherited. */
export type Git = {
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
};

export type GitResult = { readonly code: number; readonly stdout: Buffer; readonly stderr: string };

export type GitRun = {
  readonly args: readonly string[];
  /** Settings for this run only; they travel by environment, so secrets among them never reach argv. */
  readonly config?: readonly (readonly [key: string, value: string])[];
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
};

/** The largest answers are lists of conflicting paths; whatever is longer is an attack or a mistake. */
const maxOutputBytes = 64 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;
/** A `git` on the usual paths, where no other command and no PATH is configured. */
const defaultPath = '/usr/local/bin:/usr/bin:/bin';

/** Hooks, helpers, prompts, attributes and housekeeping that could run foreign code or surprise us. */
const settings: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.attributesFile', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['credential.helper', ''],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['fetch.writeCommitGraph', 'false'],
  ['protocol.version', '2'],
  // A redirect could carry the token to another host.
  ['http.followRedirects', 'false'],
  // A connection that moves less than 1 kB/s for half a minute is dead.
  ['http.lowSpeedLimit', '1000'],
  ['http.lowSpeedTime', '30'],
];

/** `environment` adds what the site needs (PATH, proxies, certificates); `protocols` are git's own names. */
export function createGit(options: {
  readonly command: string;
  readonly home: string;
  readonly protocols: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}): Git {
  return {
    command: options.command,
    environment: {
      PATH: defaultPath,
      ...options.environment,
      HOME: options.home,
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_OPTIONAL_LOCKS: '0',
      GIT_ALLOW_PROTOCOL: options.protocols.join(':'),
    },
  };
}

/** The environment of one run: `Git`'s own, our settings, then those of the run. */
export function runEnvironment(git: Git, config: GitRun['config'] = []): Record<string, string> {
  const all = [...settings, ...config];
  const pairs = all.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { ...git.environment, GIT_CONFIG_COUNT: String(all.length), ...Object.fromEntries(pairs) };
}

/** Runs git to its end; an exit code is a value. Throws when it cannot start, is stopped, or says too much. */
export function runGit(git: Git, run: GitRun): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    const child = launch(git.command, run.args, {
      cwd: '/',
      env: runEnvironment(git, run.config),
      detached: false,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stop = (): void => child.kill('SIGTERM');
    const timer = setTimeout(stop, run.timeoutMs);
    run.signal?.addEventListener('abort', stop, { once: true });
    if (run.signal?.aborted === true) stop();
    const chunks: Buffer[] = [];
    let stdoutBytes = 0;
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdoutBytes += chunk.length;
      if (stdoutBytes > maxOutputBytes) stop();
      else chunks.push(chunk);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < maxErrorBytes) stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      run.signal?.removeEventListener('abort', stop);
      if (code !== null) resolve({ code, stdout: Buffer.concat(chunks), stderr });
      else reject(new Error(`git ${subcommand(run.args)} was stopped by ${signal} (time or output limit)`));
    });
  });
}

/** For messages: the first word that is no option. */
function subcommand(args: readonly string[]): string {
  return args.find((word) => !word.startsWith('-')) ?? '';
}
