// What must be in place before a project can be planned or applied?
import { Buffer } from 'node:buffer';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import type { Sha } from '../../workflows/model/identifiers.ts';
import type { Repository } from '../../workflows/model/repository.ts';
import { isWorkspaceName } from './argv.ts';
import { findLostState } from './backend.ts';
import { cliConfig } from './cli-config.ts';
import { assertStarted, explainFailure, runCommand } from './command.ts';
import { findCommittedSettings } from './committed-settings.ts';
import { lockFileName, parseLockFile } from './lock-file.ts';
import type { Mask } from './mask.ts';
import { keepProviders, providerSources } from './provider-cache.ts';
import { readForeignFile } from './run-directory.ts';
import type { Session } from './session.ts';
import { isInsideCheckout } from './session.ts';
import type { RunnerDependencies } from './settings.ts';

/** A lock file of a hundred providers is far smaller. */
const maxLockFileBytes = 4 * 1024 * 1024;

export type Preparation = {
  readonly checkout: RunnerDependencies['checkout'];
  readonly repository: Repository;
  readonly tree: Sha;
  /** Takes the place of the committed one: an apply uses what its plan used. */
  readonly lockFile: Buffer | null;
};

export type Prepared =
  | { readonly kind: 'ready'; readonly committedLockFile: Buffer | null; readonly lockFile: Buffer | null }
  | { readonly kind: 'failed'; readonly diagnostics: readonly Diagnostic[] };

/** Checks the tree out, runs init and selects the workspace; what is wrong with the project is a value. */
export async function prepareProject(
  session: Session,
  preparation: Preparation,
  mask: Mask,
): Promise<Prepared> {
  const { directory, projectDir, project } = session;
  const { repository, tree } = preparation;
  await preparation.checkout({ repository, tree, into: directory.tree });
  const problems = await findProblems(session);
  if (problems.length > 0) return failed(problems);
  if (preparation.lockFile !== null) await replaceLockFile(projectDir, preparation.lockFile);
  const committedLockFile = await readLockFile(session);
  session.enter('init');
  const unready = await initialise(session, committedLockFile, preparation.lockFile !== null, mask);
  if (unready.length > 0) return failed(unready);
  await keepProviders(directory.data, session.settings.pluginCacheDir);
  const { workspace } = project;
  const { paths } = session.settings;
  const lost = await findLostState({ dataDir: directory.data, projectDir, workspace, paths });
  if (lost !== null) return failed([lost]);
  const unselected = await selectWorkspace(session, mask);
  if (unselected.length > 0) return failed(unselected);
  return { kind: 'ready', committedLockFile, lockFile: await readLockFile(session) };
}

const failed = (diagnostics: readonly Diagnostic[]): Prepared => ({ kind: 'failed', diagnostics });

async function findProblems(session: Session): Promise<readonly Diagnostic[]> {
  const { project, directory } = session;
  const problem = (summary: string, detail: string): Diagnostic => ({ severity: 'error', summary, detail });
  if (!isWorkspaceName(project.workspace)) {
    return [
      problem('The workspace has no usable name', 'Letters, digits, `.`, `_`, `~` and `-` are allowed.'),
    ];
  }
  if (!(await isInsideCheckout(session))) {
    return [
      problem(
        `${project.dir} is no directory of this repository`,
        'It is missing, or a link leads out of it.',
      ),
    ];
  }
  return findCommittedSettings(directory.tree, project.dir);
}

async function initialise(
  session: Session,
  lockFile: Buffer | null,
  pinned: boolean,
  mask: Mask,
): Promise<readonly Diagnostic[]> {
  const locked = parseLockFile((lockFile ?? Buffer.alloc(0)).toString());
  const sources = await providerSources(session.settings.pluginCacheDir, locked);
  await writeFile(session.directory.cliConfig, cliConfig(sources), { mode: 0o600 });
  const command = { kind: 'init', lockFile: pinned ? 'readonly' : 'update' } as const;
  const result = await runCommand(session, command);
  if (result.exit.code === 0) return [];
  assertStarted(session, command, result, mask);
  return explainFailure(session, command, result, mask);
}

/** Speaks no JSON: what it wrote is shown as it is, never looked into. */
async function selectWorkspace(session: Session, mask: Mask): Promise<readonly Diagnostic[]> {
  const { workspace } = session.project;
  if (workspace === 'default') return [];
  const { exit, errorText } = await runCommand(session, { kind: 'select-workspace', workspace });
  if (exit.code === 0) return [];
  const summary = `The workspace ${workspace} cannot be selected`;
  return [{ severity: 'error', summary, detail: mask(errorText) }];
}

async function readLockFile({ projectDir, directory }: Session): Promise<Buffer | null> {
  const path = join(projectDir, lockFileName);
  return readForeignFile({ path, within: directory.tree, maxBytes: maxLockFileBytes });
}

async function replaceLockFile(projectDir: string, lockFile: Buffer): Promise<void> {
  const path = join(projectDir, lockFileName);
  await rm(path, { force: true });
  await writeFile(path, lockFile, { flag: 'wx' });
}
