// How does a test run web, control and runner as processes of their own, each with no more than it needs?
import { join } from 'node:path';
import { freePort, loopback } from '../app/embedded/free-port.ts';
import { parseEncryptionKeys } from '../app/encryption-keys.ts';
import { createKeyring } from '../app/keyring.ts';
import { runnerKeysOf, runnerKeysText } from '../app/runner-keys.ts';
import type { AppProcess } from './app-process.ts';
import { startAppProcess } from './app-process.ts';

export type RoleName = 'web' | 'control' | 'runner';

export type RoleProcesses = Readonly<Record<RoleName, AppProcess>> & {
  /** SIGTERM to all, those first that take work in. */
  readonly stop: () => Promise<void>;
};

/** What only some roles may know. */
const knownTo: Readonly<Record<string, readonly RoleName[]>> = {
  APP_ID: ['control'],
  PRIVATE_KEY: ['control'],
  GITHUB_API_URL: ['control'],
  WEBHOOK_SECRET: ['web'],
  DATABASE_URL: ['web', 'control'],
  HATCHET_ENCRYPTION_KEY: ['web', 'control'],
  HATCHET_RUNNER_LISTEN: ['control'],
  HATCHET_RUNNER_URL: ['runner'],
  HATCHET_RUNNER_KEY: ['runner'],
  HATCHET_RUNNER_PATHS: ['runner'],
  HATCHET_RUNNER_ENV: ['runner'],
  TF_VAR_shown: ['runner'],
  HATCHET_RUNNER_NETWORK: ['runner'],
  HATCHET_REQUIRE_SANDBOX: ['runner'],
};

type Environment = Readonly<Record<string, string>>;

/** A port of its own for the door between control and runner, and the key that runners have. */
async function splitEnvironment(environment: Environment): Promise<Environment> {
  const address = `${loopback}:${await freePort()}`;
  const keyring = createKeyring(parseEncryptionKeys(environment.HATCHET_ENCRYPTION_KEY ?? ''));
  const pools = (environment.HATCHET_POOLS ?? 'default').split(',');
  return {
    HATCHET_RUNNER_LISTEN: address,
    HATCHET_RUNNER_URL: `http://${address}`,
    HATCHET_RUNNER_KEY: runnerKeysText(runnerKeysOf(keyring, pools)),
    ...environment,
  };
}

/** As much of the environment as the role may know, and a data directory of its own. */
function environmentFor(role: RoleName, environment: Environment): Environment {
  const known = Object.entries(environment).filter(([name]) => knownTo[name]?.includes(role) ?? true);
  return {
    ...Object.fromEntries(known),
    HATCHET_DATA_DIR: join(environment.HATCHET_DATA_DIR ?? '', role),
    // Where one is named, it is the one that people reach.
    ...(role === 'web' ? {} : { PORT: '0' }),
  };
}

/** `environment` is that of one process for everything. `onSpawn` hears of each process before it listens. */
export async function startRoles(
  environment: Environment,
  onSpawn?: (role: RoleName, pid: number) => void,
): Promise<RoleProcesses> {
  const split = await splitEnvironment(environment);
  const start = (role: RoleName): Promise<AppProcess> =>
    startAppProcess(environmentFor(role, split), { role, onSpawn: (pid) => onSpawn?.(role, pid) });
  const [control, web, runner] = await Promise.all([start('control'), start('web'), start('runner')]);
  const stop = async (): Promise<void> => {
    for (const each of [web, runner, control]) await each.stop();
  };
  return { web, control, runner, stop };
}
