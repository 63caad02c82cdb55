// What must be in place before a project can be planned or applied?
import type { Buffer } from 'node:buffer';
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
import { initKey } from './init-cache.ts';
import { demandsDigest } from './init-demands.ts';
import { lockFileName } from './lock-file.ts';
import type { Mask } from './mask.ts';
import { readModuleDirs } from './module-dirs.ts';
import { keepProviders, offerProviders } from './provider-cache.ts';
import { readForeignFile } from './run-directory.ts';
import type { Session } from './session.ts';
import { isInsideCheckout } from './session.ts';
import type { RunnerDependencies } from './settings.ts';
import { findBadVarFiles } from './var-files.ts';

/** A lock file of a hundred providers is far smaller. */
const maxLockFileBytes = 4 * 1024 * 1024;

export type Preparation = {
  readonly deps: Pick<RunnerDependencies, 'checkout' | 'initCache'>;
  readonly repository: Repository;
  readonly tree: Sha;
  /** Takes the place of the committed one: an apply uses what its plan used. */
  readonly lockFile: Buffer | null;
  /** Relative to the project's directory. */
  readonly varFiles: readonly string[];
  /**
   * Which earlier init may stand in: one that seems to fit, since a plan that it does not fit can be made again; one
   * that the plan of these very files was made with; or none.
   */
  readonly reuse: 'fitting' | 'proven' | 'none';
};

export type Prepared =
  | {
      readonly kind: 'ready';
      readonly committedLockFile: Buffer | null;
      readonly lockFile: Buffer | null;
      readonly moduleDirs: readonly string[];
      /** An earlier init stood in. */
      readonly reused: boolean;
      readonly keys: InitKeys;
    }
  | {
      readonly kind: 'failed';
      readonly diagnostics: readonly Diagnostic[];
      readonly reused: boolean;
      /** It was init that failed; absent: Hatchet itself found what is wrong. */
      readonly byInit?: true;
    };

/** Checks the tree out and runs init; what is wrong with the project is a value. */
export async function prepareProject(
  session: Session,
  preparation: Preparation,
  mask: Mask,
): Promise<Prepared> {
  const { directory, projectDir, project } = session;
  const { repository, tree } = preparation;
  await preparation.deps.checkout({ repository, tree, into: directory.tree });
  const problems = await findProblems(session, preparation.varFiles);
  if (problems.length > 0) return failed(problems, false);
  if (preparation.lockFile !== null) await replaceLockFile(projectDir, preparation.lockFile);
  const committedLockFile = await readLockFile(session);
  session.enter('init');
  const keys = await initKeys(session, preparation, committedLockFile);
  const given = await chooseProviders(session, committedLockFile);
  const reused = await reuseInit(session, preparation, keys);
  if (!reused) {
    const unready = await initialise(session, preparation, given, mask);
    if (unready.length > 0) return { kind: 'failed', diagnostics: unready, reused: false, byInit: true };
  }
  const { workspace } = project;
  const { paths } = session.settings;
  const lost = await findLostState({ dataDir: directory.data, projectDir, workspace, paths });
  if (lost !== null) return failed([lost], reused);
  const moduleDirs = await readModuleDirs({ dataDir: directory.data, tree: directory.tree, projectDir });
  if (moduleDirs.length > 0) session.log.append(`Local modules: ${moduleDirs.join(', ')}`);
  const lockFile = await readLockFile(session);
  if (!reused && preparation.reuse !== 'proven') {
    const kept = { dataDir: directory.data, lockFile, locked: committedLockFile !== null };
    await preparation.deps.initCache.keep(keys.fitting, kept).catch(() => undefined);
  }
  return { kind: 'ready', committedLockFile, lockFile, moduleDirs, reused, keys };
}

const failed = (diagnostics: readonly Diagnostic[], reused: boolean): Prepared => ({
  kind: 'failed',
  diagnostics,
  reused,
});

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

export type InitKeys = {
  readonly fitting: string;
  /** For the same files with this lock file. */
  readonly proven: (lockFile: Buffer | null) => string;
};

async function initKeys(
  { engine, project, projectDir, directory }: Session,
  { repository, tree, varFiles }: Preparation,
  committedLockFile: Buffer | null,
): Promise<InitKeys> {
  // OpenTofu's backends and modules may depend on variables and on the workspace.
  const given = JSON.stringify([project.workspace, varFiles]);
  const common = [String(repository.id), project.dir, given, engine.path, engine.version];
  const demands = await demandsDigest(projectDir, directory.tree);
  return {
    fitting: initKey(['fitting', ...common, demands, committedLockFile]),
    proven: (lockFile) => initKey(['proven', ...common, tree, lockFile]),
  };
}

async function reuseInit(session: Session, preparation: Preparation, keys: InitKeys): Promise<boolean> {
  const { reuse, deps, lockFile } = preparation;
  if (reuse === 'none') return false;
  const key = reuse === 'fitting' ? keys.fitting : keys.proven(lockFile);
  const { directory, projectDir } = session;
  const restored = await deps.initCache.restore(key, { dataDir: directory.data, projectDir });
  if (restored === null) return false;
  if (restored.lockFile !== null) await replaceLockFile(projectDir, restored.lockFile);
  session.log.append('Backend, modules and providers are as they were: init need not run again');
  return true;
}

/** The lock file that init is to keep to; empty when there is none. It may vouch for more than the committed one. */
async function chooseProviders(
  { settings, directory, projectDir }: Session,
  committedLockFile: Buffer | null,
): Promise<string> {
  const committed = committedLockFile?.toString() ?? '';
  const { sources, lockFile } = await offerProviders(settings.pluginCacheDir, committed);
  await writeFile(directory.cliConfig, cliConfig(sources), { mode: 0o600 });
  if (lockFile !== committed) await replaceLockFile(projectDir, lockFile);
  return lockFile;
}

async function initialise(
  session: Session,
  preparation: Preparation,
  given: string,
  mask: Mask,
): Promise<readonly Diagnostic[]> {
  const { varFiles } = preparation;
  const command = {
    kind: 'init',
    lockFile: preparation.lockFile === null ? 'update' : 'readonly',
    varFiles,
  } as const;
  const result = await runCommand(session, command);
  if (result.exit.code !== 0) {
    assertStarted(session, command, result, mask);
    return explainFailure(session, command, result, mask);
  }
  const left = (await readLockFile(session))?.toString() ?? '';
  const { settings, directory } = session;
  await keepProviders(settings.pluginCacheDir, { dataDir: directory.data, given, left });
  return [];
}

async function readLockFile({ projectDir, directory }: Session): Promise<Buffer | null> {
  const path = join(projectDir, lockFileName);
  return readForeignFile({ path, within: directory.tree, maxBytes: maxLockFileBytes });
}

async function replaceLockFile(projectDir: string, lockFile: Buffer | string): Promise<void> {
  const path = join(projectDir, lockFileName);
  await rm(path, { force: true });
  await writeFile(path, lockFile, { flag: 'wx' });
}
