// Where do the tests of the whole app take place? A GitHub, the real app as a process of its own, and people who act.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { Connection } from '@temporalio/client';
import postgres from 'postgres';
import { inject } from 'vitest';
import type { RepositoryHandle } from '../fixtures/sandbox/repository-handle.ts';
import type { Sandbox } from '../fixtures/sandbox/sandbox.ts';
import { createSandbox } from '../fixtures/sandbox/sandbox.ts';
import type { AppProcess } from './app-process.ts';
import { startAppProcess } from './app-process.ts';
import type { RoleProcesses } from './role-processes.ts';
import { startRoles } from './role-processes.ts';
import { findTestTools } from './tools.ts';

export type Services = Awaited<ReturnType<typeof ownServices>>;

export type World = {
  readonly sandbox: Sandbox;
  /** What takes the webhooks: the one process of all, or that of `web`. */
  readonly app: AppProcess;
  /** Null when one process does everything. */
  readonly roles: RoleProcesses | null;
  /** `octo-org/infra`, with people: @mona and @hubot may write, @reader may read. */
  readonly repository: RepositoryHandle;
  /** Terraform code of one project that keeps its state outside the checkout. */
  readonly project: (name: string, body: string) => string;
  readonly databaseUrl: string;
  /** The Temporal namespace that belongs to this world alone. */
  readonly namespace: string;
  /** What the app keeps on this machine. */
  readonly dataDir: string;
  readonly close: () => Promise<void>;
};

/** Starts everything; `files` is the first commit on `main`. */
export async function createWorld(options: {
  readonly files?: (project: World['project']) => Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Other addresses for the servers, for example of a door that can be shut. */
  readonly reroute?: (services: Services, sandboxUrl: string) => Promise<Readonly<Record<string, string>>>;
  /** A process for each role. */
  readonly split?: boolean;
}): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'hatchet-world-'));
  const [stateDir, dataDir] = [join(directory, 'state'), join(directory, 'data')];
  await mkdir(stateDir);
  const [sandbox, services] = await Promise.all([createSandbox(), ownServices()]);
  const project: World['project'] = (name, body) => withBackend(join(stateDir, `${name}.tfstate`), body);
  for (const login of ['mona', 'hubot', 'reader', 'stranger']) sandbox.createUser(login);
  sandbox.createOrganization('octo-org');
  const files = { 'README.md': '# infra\n', ...options.files?.(project) };
  const repository = await sandbox.createRepository({ owner: 'octo-org', name: 'infra', files });
  repository.collaborator('mona', 'write');
  repository.collaborator('hubot', 'write');
  repository.collaborator('reader', 'read');
  const tools = await findTestTools();
  const environment = {
    APP_ID: String(sandbox.app.id),
    PRIVATE_KEY: sandbox.app.privateKey,
    WEBHOOK_SECRET: sandbox.app.webhookSecret,
    GITHUB_API_URL: sandbox.url,
    HATCHET_DATA_DIR: dataDir,
    HATCHET_RUNNER_PATHS: stateDir,
    HATCHET_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
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
  const close = async (): Promise<void> => {
    await (roles === null ? app.stop() : roles.stop());
    const { violations } = sandbox;
    await sandbox.close();
    await rm(directory, { recursive: true, force: true });
    if (violations.length > 0) throw new Error(`against GitHub's own description:\n${violations.join('\n')}`);
  };
  return {
    sandbox,
    app,
    roles,
    repository,
    project,
    databaseUrl: services.DATABASE_URL,
    namespace: services.TEMPORAL_NAMESPACE,
    dataDir,
    close,
  };
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

function withBackend(statePath: string, body: string): string {
  return `terraform {\n  backend "local" {\n    path = ${JSON.stringify(statePath)}\n  }\n}\n\n${body}\n`;
}
