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
import { readModuleDirs } from './module-dirs.ts';
import { keepProviders, providerSources } from './provider-cache.ts';
import { readForeignFile } from './run-directory.ts';
import type { Session } from './session.ts';
import { isInsideCheckout } from './session.ts';
import type { RunnerDependencies } from './settings.ts';
import { findBadVarFiles } from './var-files.ts';

/** A lock file of a hundred providers is far smaller. */
const maxLockFileBytes = 4 * 1024 * 1024;

export type Preparation = {
  readonly checkout: RunnerDependencies['checkout'];
  readonly repository: Repository;
  readonly tree: Sha;
  /** Takes the place of the committed one: an apply uses what its plan used. */
  readonly lockFile: Buffer | null;
  /** Relative to the project's directory. */
  readonly varFiles: readonly string[];
};

export type Prepared =
  | {
      readonly kind: 'ready';
      readonly committedLockFile: Buffer | null;
      readonly lockFile: Buffer | null;
      readonly moduleDirs: readonly string[];
    }
  | { readonly kind: 'failed'; readonly diagnostics: readonly Diagnostic[] };

/** Checks the tree out and runs init; what is wrong with the project is a value. */
export async function prepareProject(
  session: Session,
  preparation: Preparation,
  mask: Mask,
): Promise<Prepared> {
  const { directory, projectDir, project } = session;
  const { repository, tree } = preparation;
  await preparation.checkout({ repository, tree, into: directory.tree });
  const problems = await findProblems(session, preparation.varFiles);
  if (problems.length > 0) return failed(problems);
  if (preparation.lockFile !== null) await replaceLockFile(projectDir, preparation.lockFile);
  const committedLockFile = await readLockFile(session);
  session.enter('init');
  const unready = await initialise(session, preparation, committedLockFile, mask);
  if (unready.length > 0) return failed(unready);
  await keepProviders(directory.data, session.settings.pluginCacheDir);
  const { workspace } = project;
  const { paths } = session.settings;
  const lost = await findLostState({ dataDir: directory.data, projectDir, workspace, paths });
  if (lost !== null) return failed([lost]);
  const moduleDirs = await readModuleDirs({ dataDir: directory.data, tree: directory.tree, projectDir });
  if (moduleDirs.length > 0) session.log.append(`Local modules: ${moduleDirs.join(', ')}`);
  return { kind: 'ready', committedLockFile, lockFile: await readLockFile(session), moduleDirs };
}

const failed = (diagnostics: readonly Diagnostic[]): Prepared => ({ kind: 'failed', diagnostics });

async function findProblems(session: Session, varFiles: readonly string[]): Promise<readonly Diagnostic[]> {
  const { project, projectDir, directory } = session;
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
  const committed = await findCommittedSettings(directory.tree, project.dir);
  return [...committed, ...(await findBadVarFiles({ varFiles, projectDir, tree: directory.tree }))];
}

async function initialise(
  session: Session,
  preparation: Preparation,
  lockFile: Buffer | null,
  mask: Mask,
): Promise<readonly Diagnostic[]> {
  const locked = parseLockFile((lockFile ?? Buffer.alloc(0)).toString());
  const sources = await providerSources(session.settings.pluginCacheDir, locked);
  await writeFile(session.directory.cliConfig, cliConfig(sources), { mode: 0o600 });
  const { varFiles } = preparation;
  const command = {
    kind: 'init',
    lockFile: preparation.lockFile === null ? 'update' : 'readonly',
    varFiles,
  } as const;
  const result = await runCommand(session, command);
  if (result.exit.code === 0) return [];
  assertStarted(session, command, result, mask);
  return explainFailure(session, command, result, mask);
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
