// Where is the project's state kept, and will it still be there tomorrow?
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import { isBelow, readForeignFile } from './run-directory.ts';

const recordSchema = z.object({
  backend: z.object({ type: z.string(), config: z.record(z.string(), z.unknown()).nullish() }).nullish(),
});

/** Init's own record of the backend; far below this in every case. */
const maxRecordBytes = 1024 * 1024;

export type BackendQuestion = {
  readonly dataDir: string;
  readonly projectDir: string;
  readonly workspace: string;
  /** HATCHET_RUNNER_PATHS. */
  readonly paths: readonly string[];
};

/**
 * The run's directory is deleted in the end, and a state in it would be lost: the next plan would create everything
 * again. To be asked after init, whose record in TF_DATA_DIR names the backend; null when the state is safe.
 */
export async function findLostState(question: BackendQuestion): Promise<Diagnostic | null> {
  const backend = await readBackend(question.dataDir);
  if (backend === null) return lostState('The configuration has no backend block.');
  if (backend.type !== 'local') return null;
  const path = localStatePath(question, backend.config ?? {});
  if (await isBelowOne(path, question.paths)) return null;
  return lostState('The local backend keeps the state in a directory that ends with the run.');
}

/**
 * Does a lock of the state keep everybody else out who uses this backend as it is configured? To be asked after init.
 * False where nobody knows. Source: developer.hashicorp.com/terraform/language/state/locking and each backend's page.
 */
export async function isLocking(dataDir: string): Promise<boolean> {
  const backend = await readBackend(dataDir);
  return backend !== null && (lockingBackends[backend.type]?.(backend.config ?? {}) ?? false);
}

type Settings = Readonly<Record<string, unknown>>;
const always = () => true;
const isSet = (name: string) => (config: Settings) => typeof config[name] === 'string' && config[name] !== '';

const lockingBackends: Readonly<Record<string, ((config: Settings) => boolean) | undefined>> = {
  local: always,
  azurerm: always,
  cloud: always,
  consul: ({ lock }) => lock !== false,
  cos: always,
  gcs: always,
  http: isSet('lock_address'),
  kubernetes: always,
  oss: isSet('tablestore_table'),
  pg: always,
  remote: always,
  s3: (config) => config.use_lockfile === true || isSet('dynamodb_table')(config),
};

type Backend = NonNullable<z.infer<typeof recordSchema>['backend']>;

async function readBackend(dataDir: string): Promise<Backend | null> {
  const path = join(dataDir, 'terraform.tfstate');
  const bytes = await readForeignFile({ path, within: dataDir, maxBytes: maxRecordBytes });
  return bytes === null ? null : (recordSchema.parse(JSON.parse(bytes.toString())).backend ?? null);
}

/** Source: developer.hashicorp.com/terraform/language/backend/local (path, workspace_dir). */
function localStatePath(
  { projectDir, workspace }: BackendQuestion,
  config: Readonly<Record<string, unknown>>,
): string {
  const text = (value: unknown, otherwise: string) =>
    typeof value === 'string' && value !== '' ? value : otherwise;
  if (workspace === 'default') return resolve(projectDir, text(config.path, 'terraform.tfstate'));
  return resolve(
    projectDir,
    text(config.workspace_dir, 'terraform.tfstate.d'),
    workspace,
    'terraform.tfstate',
  );
}

async function isBelowOne(path: string, folders: readonly string[]): Promise<boolean> {
  const real = await realpathOfExisting(path);
  const realFolders = await Promise.all(folders.map(realpathOfExisting));
  return realFolders.some((folder) => isBelow(real, folder));
}

/** The state may not exist yet, but a link on the way to it may. */
async function realpathOfExisting(path: string): Promise<string> {
  return realpath(path).catch(async () =>
    dirname(path) === path ? path : join(await realpathOfExisting(dirname(path)), basename(path)),
  );
}

function lostState(cause: string): Diagnostic {
  return {
    severity: 'error',
    summary: 'The state of this project would be lost',
    detail:
      `${cause} Configure a remote backend (s3, gcs, azurerm, http, cloud …), or a local one with a path ` +
      'in a directory that the operator lists in HATCHET_RUNNER_PATHS.',
  };
}
