// Behind which walls does foreign code run?
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';

export type Sandbox = {
  /** Absolute path of `bwrap`. */
  readonly bubblewrap: string;
  readonly network: 'host' | 'none';
  /** Readable and writable under the same path as outside. */
  readonly writable: readonly string[];
  readonly readable: readonly string[];
  /** What is behind the walls dies with Hatchet: right for a plan, never for an apply. */
  readonly dieWithParent: boolean;
  /** The machine's name as seen from inside; null keeps the real one. */
  readonly hostName: string | null;
};

/** The file descriptor on which bubblewrap tells the process id of the program, as seen from outside. */
export const infoDescriptor = 3;

/** Programs and libraries; a link such as /bin -> usr/bin is followed. */
const systemPaths = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64'];

/** What name resolution and TLS need, and nothing that names a secret. */
const settingPaths = [
  'alternatives',
  'ca-certificates',
  'gai.conf',
  'group',
  'host.conf',
  'hosts',
  'ld.so.cache',
  'localtime',
  'nsswitch.conf',
  'passwd',
  'pki',
  'protocols',
  'resolv.conf',
  'services',
  'ssl',
].map((name) => `/etc/${name}`);

/**
 * The whole argv that runs `program` in `cwd` behind the walls: own process ids, own /proc, an empty /tmp, no
 * capabilities, no file but those named. The environment is the one that bubblewrap itself is started with, since
 * an argv can be read by everybody. The program is process 1: a signal reaches exactly it, and its end ends all.
 * Source: github.com/containers/bubblewrap (bwrap.1).
 */
export function sandboxArgv(sandbox: Sandbox, cwd: string, program: readonly string[]): readonly string[] {
  return [
    sandbox.bubblewrap,
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    ...(sandbox.hostName === null ? [] : ['--hostname', sandbox.hostName]),
    '--unshare-cgroup-try',
    ...(sandbox.network === 'none' ? ['--unshare-net'] : []),
    '--cap-drop',
    'ALL',
    '--as-pid-1',
    ...(sandbox.dieWithParent ? ['--die-with-parent'] : []),
    '--info-fd',
    String(infoDescriptor),
    ...[...systemPaths, ...settingPaths].flatMap((path) => ['--ro-bind-try', path, path]),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--tmpfs',
    '/tmp',
    ...sandbox.readable.flatMap((path) => ['--ro-bind', path, path]),
    ...sandbox.writable.flatMap((path) => ['--bind', path, path]),
    '--chdir',
    cwd,
    '--',
    ...program,
  ];
}

/** Long enough for a loaded machine, short enough for a start. */
const probeTimeoutMs = 10_000;

/** Whether bubblewrap works here at all: many containers forbid the namespaces that it needs. */
export async function canSandbox(bubblewrap: string): Promise<boolean> {
  const walls: Sandbox = {
    bubblewrap,
    network: 'none',
    writable: [],
    readable: [],
    dieWithParent: true,
    hostName: null,
  };
  const [file = bubblewrap, ...args] = sandboxArgv(walls, '/', ['/usr/bin/env', 'true']);
  const child = spawn(file, args, {
    cwd: tmpdir(),
    env: { PATH: '/usr/bin:/bin' },
    // Node leaves an ignored descriptor above 2 closed, and bubblewrap fails on a closed one.
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    timeout: probeTimeoutMs,
    killSignal: 'SIGKILL',
  });
  return once(child, 'exit').then(
    ([code]) => code === 0,
    () => false,
  );
}
