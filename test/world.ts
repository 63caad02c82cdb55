// Where do the tests of the whole app take place? In a repository of their own, with people who act, beside a real app.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryHandle } from '../fixtures/sandbox/repository-handle.ts';
import type { Sandbox } from '../fixtures/sandbox/sandbox.ts';
import type { AppProcess } from './app-process.ts';
import type { RoleProcesses } from './role-processes.ts';
import type { Stage, StageOptions } from './stage.ts';
import { refuseViolations, sharedStage, startStage } from './stage.ts';

export type World = {
  readonly sandbox: Sandbox;
  /** What takes the webhooks: the one process of all, or that of `web`. Its lines are those of this world. */
  readonly app: AppProcess;
  /** Null when one process does everything. */
  readonly roles: RoleProcesses | null;
  /** `octo-org/infra`, numbered where others were before, with people: @mona and @hubot may write, @reader may read. */
  readonly repository: RepositoryHandle;
  /** Terraform code of one project that keeps its state outside the checkout. */
  readonly project: (name: string, body: string) => string;
  readonly databaseUrl: string;
  /** The Temporal namespace of the app. */
  readonly namespace: string;
  /** What the app keeps on this machine. */
  readonly dataDir: string;
  /** As HATCHET_ENCRYPTION_KEY, when the environment names none. */
  readonly encryptionKey: string;
  readonly close: () => Promise<void>;
};

/** Of this process. */
export const openWorlds = new Set<World>();

type WorldOptions = StageOptions & {
  /** The first commit on `main`. */
  readonly files?: (project: World['project']) => Readonly<Record<string, string>>;
  /** More people who may write. */
  readonly people?: readonly string[];
  /** The app is for no other world, because the tests do to it, or to its GitHub, what others would notice. */
  readonly alone?: boolean;
};

/**
 * Starts everything, or goes on with what an earlier test file of the same process has started: then the app, its
 * database and its GitHub know other repositories, too.
 */
export async function createWorld(options: WorldOptions): Promise<World> {
  const { alone = false, split = false, reroute, environment } = options;
  const isOwn = alone || split || reroute !== undefined || environment !== undefined;
  const stage = await (isOwn ? startStage(options) : sharedStage());
  const { sandbox, app, services } = stage;
  const number = stage.nextWorld();
  const stateDir = join(stage.stateDir, String(number));
  await mkdir(stateDir);
  const project: World['project'] = (name, body) => withBackend(join(stateDir, `${name}.tfstate`), body);
  const said = number === 1 ? 0 : app.lines.length;
  const world: World = {
    sandbox,
    app: {
      ...app,
      get url() {
        return app.url;
      },
      get pid() {
        return app.pid;
      },
      get lines() {
        return app.lines.slice(said);
      },
    },
    roles: stage.roles,
    repository: await openRepository(stage, number, options, project),
    project,
    databaseUrl: services.DATABASE_URL,
    namespace: services.TEMPORAL_NAMESPACE,
    dataDir: stage.dataDir,
    encryptionKey: stage.encryptionKey,
    close: async () => {
      openWorlds.delete(world);
      if (isOwn) await stage.close();
      else refuseViolations(stage.newViolations());
    },
  };
  openWorlds.add(world);
  return world;
}

async function openRepository(
  { sandbox, meet }: Stage,
  number: number,
  { files, people = [] }: WorldOptions,
  project: World['project'],
): Promise<RepositoryHandle> {
  const name = number === 1 ? 'infra' : `infra-${number}`;
  const first = { 'README.md': '# infra\n', ...files?.(project) };
  const repository = await sandbox.createRepository({ owner: 'octo-org', name, files: first });
  for (const login of people) meet(login);
  for (const login of ['mona', 'hubot', ...people]) repository.collaborator(login, 'write');
  repository.collaborator('reader', 'read');
  return repository;
}

function withBackend(statePath: string, body: string): string {
  return `terraform {\n  backend "local" {\n    path = ${JSON.stringify(statePath)}\n  }\n}\n\n${body}\n`;
}
