// How does a test run web, control and runner as processes of their own, each with no more than it needs?
import { join } from 'node:path';
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
  HATCHET_RUNNER_PATHS: ['runner'],
};

/** The environment of one process for everything, as far as the role may know it. */
export function environmentFor(
  role: RoleName,
  environment: Readonly<Record<string, string>>,
): Record<string, string> {
  const known = Object.entries(environment).filter(([name]) => knownTo[name]?.includes(role) ?? true);
  return Object.fromEntries(known);
}

/** `environment` is that of one process for everything. `onSpawn` hears of each process before it listens. */
export async function startRoles(
  environment: Readonly<Record<string, string>>,
  dataDir: string,
  onSpawn?: (role: RoleName, pid: number) => void,
): Promise<RoleProcesses> {
  const start = (role: RoleName): Promise<AppProcess> =>
    startAppProcess(
      { ...environmentFor(role, environment), HATCHET_DATA_DIR: join(dataDir, 'shared') },
      { role, onSpawn: (pid) => onSpawn?.(role, pid) },
    );
  const [control, web, runner] = await Promise.all([start('control'), start('web'), start('runner')]);
  const stop = async (): Promise<void> => {
    for (const each of [web, runner, control]) await each.stop();
  };
  return { web, control, runner, stop };
}
