// What do the tests of the whole app stand on: a GitHub, and the real app as a process of its own?
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { Connection } from '@temporalio/client';
import postgres from 'postgres';
import { inject } from 'vitest';
import type { Sandbox } from '../fixtures/sandbox/sandbox.ts';
import { createSandbox } from '../fixtures/sandbox/sandbox.ts';
import type { AppProcess } from './app-process.ts';
import { startAppProcess } from './app-process.ts';
import type { RoleProcesses } from './role-processes.ts';
import { startRoles } from './role-processes.ts';
import { endAtLast } from './shared-stage.ts';
import { findTestTools } from './tools.ts';

export type Services = Awaited<ReturnType<typeof ownServices>>;

export type StageOptions = {
  readonly environment?: Readonly<Record<string, string>>;
  /** Other addresses for the servers, for example of a door that can be shut. */
  readonly reroute?: (services: Services, sandboxUrl: string) => Promise<Readonly<Record<string, string>>>;
  /** A process for each role. */
  readonly split?: boolean;
};

export type Stage = {
  readonly sandbox: Sandbox;
  /** What takes the webhooks: the one process of all, or that of `web`. */
  readonly app: AppProcess;
  /** Null when one process does everything. */
  readonly roles: RoleProcesses | null;
  readonly services: Services;
  /** Below it the app may read, and states are kept. */
  readonly stateDir: string;
  readonly dataDir: string;
  readonly encryptionKey: string;
  /** Numbers the worlds that are on this stage, one after the other, from 1. */
  readonly nextWorld: () => number;
  /** Makes the person's account, unless a world before had need of it, too. */
  readonly meet: (login: string) => void;
  /** Requests against GitHub's own description that were not asked for before. */
  readonly newViolations: () => readonly string[];
  /** Rejects when there are any. */
  readonly close: () => Promise<void>;
};

export async function startStage(options: StageOptions): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'hatchet-world-'));
  const [stateDir, dataDir] = [join(directory, 'state'), join(directory, 'data')];
  await mkdir(stateDir);
  const [sandbox, services, tools] = await Promise.all([createSandbox(), ownServices(), findTestTools()]);
  const people = new Set<string>();
  const meet = (login: string): void => {
    if (!people.has(login)) sandbox.createUser(login);
    people.add(login);
  };
  for (const login of ['mona', 'hubot', 'reader', 'stranger']) meet(login);
  sandbox.createOrganization('octo-org');
  const encryptionKey = randomBytes(32).toString('base64');
  const environment = {
    APP_ID: String(sandbox.app.id),
    PRIVATE_KEY: sandbox.app.privateKey,
    WEBHOOK_SECRET: sandbox.app.webhookSecret,
    GITHUB_API_URL: sandbox.url,
    HATCHET_DATA_DIR: dataDir,
    HATCHET_RUNNER_PATHS: stateDir,
    HATCHET_ENCRYPTION_KEY: encryptionKey,
    PATH: [...new Set(Object.values(tools).map(dirname)), process.env.PATH].join(delimiter),
    PORT: '0',
    // Tests that are not about it must not be planned again by each other's merges.
    HATCHET_REFRESH_WAIT: '60m',
    // Nor looked at by the schedule.
    HATCHET_HEAL_INTERVAL: '9999h',
    ...(await (options.reroute?.(services, sandbox.url) ?? services)),
    ...options.environment,
  };
  const roles = options.split === true ? await startRoles(environment) : null;
  const app = roles?.web ?? (await startAppProcess(environment));
  sandbox.webhookUrl = `${app.url}/api/github/webhooks`;
  let worlds = 0;
  let known = 0;
  const newViolations = (): readonly string[] => {
    const found = sandbox.violations.slice(known);
    known += found.length;
    return found;
  };
  return {
    sandbox,
    app,
    roles,
    services,
    stateDir,
    dataDir,
    encryptionKey,
    nextWorld: () => {
      worlds += 1;
      return worlds;
    },
    meet,
    newViolations,
    close: async () => {
      await (roles === null ? app.stop() : roles.stop());
      await sandbox.close();
      await rm(directory, { recursive: true, force: true });
      refuseViolations(newViolations());
    },
  };
}

export function refuseViolations(violations: readonly string[]): void {
  if (violations.length > 0) throw new Error(`against GitHub's own description:\n${violations.join('\n')}`);
}

/** Who of the tests that share an app loses a runner does not wait for it. */
const sharedEnvironment = { HATCHET_LOST_WAIT: '100ms' };

let standing: Stage | null = null;

/** The stage that an earlier test file of the same process left standing, or a new one if there is none that works. */
export async function sharedStage(): Promise<Stage> {
  if (standing?.app.isRunning() === true) {
    await forgetWrites(standing.services);
    return standing;
  }
  await standing?.close();
  standing = null;
  const stage = await startStage({ environment: sharedEnvironment });
  endAtLast(stage.close);
  standing = stage;
  return stage;
}

/** What one file has written to GitHub must not hold up the next: they would depend on their order. */
async function forgetWrites({ DATABASE_URL }: Services): Promise<void> {
  const sql = postgres(DATABASE_URL, { max: 1 });
  await sql`delete from github_spent`;
  await sql.end();
}

/** A database and a namespace of its own on the servers that all tests share. */
async function ownServices() {
  const name = `world_${randomUUID().replaceAll('-', '')}`;
  const [admin, address] = [inject('postgresUrl'), inject('temporalAddress')];
  const sql = postgres(admin, { max: 1 });
  await sql`create database ${sql(name)}`;
  await sql.end();
  const connection = await Connection.connect({ address });
  const day = { seconds: 86_400 as never };
  await connection.workflowService.registerNamespace({
    namespace: name,
    workflowExecutionRetentionPeriod: day,
  });
  await connection.close();
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return { DATABASE_URL: url.href, TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: name };
}
