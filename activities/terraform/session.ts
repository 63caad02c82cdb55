// What do the Terraform commands of one run have in common?
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunId } from '../../workflows/model/identifiers.ts';
import type { Project } from '../../workflows/model/project.ts';
import type { TerraformCommand } from './argv.ts';
import { terraformArguments } from './argv.ts';
import type { EngineBinary } from './engine.ts';
import { runEnvironment } from './environment.ts';
import type { LiveLog } from './live-log.ts';
import type { Program } from './process.ts';
import { packagesDir } from './provider-cache.ts';
import type { RunDirectory } from './run-directory.ts';
import { isBelow } from './run-directory.ts';
import type { RunLog } from './run-log.ts';
import { createRunLog } from './run-log.ts';
import { sandboxArgv } from './sandbox.ts';
import type { RunContext, RunnerDependencies, RunnerSettings, RunStage } from './settings.ts';
import { hostNameOf } from './state-lock.ts';

export type Session = {
  readonly context: RunContext;
  readonly runId: RunId;
  readonly settings: RunnerSettings;
  /** With its links resolved: behind the walls a link may lead nowhere. */
  readonly engine: Pick<EngineBinary, 'path' | 'version'>;
  readonly project: Project;
  readonly directory: RunDirectory;
  /** Where the commands run. */
  readonly projectDir: string;
  readonly log: RunLog;
  readonly enter: (stage: RunStage) => void;
};

export type SessionRequest = {
  readonly context: RunContext;
  readonly deps: RunnerDependencies;
  readonly engine: EngineBinary;
  readonly runId: RunId;
  /** Whoever follows the run. */
  readonly live: LiveLog;
  readonly project: Project;
  readonly directory: RunDirectory;
  readonly enter: (stage: RunStage) => void;
};

/** To be made before the checkout. */
export async function createSession(request: SessionRequest): Promise<Session> {
  const { context, runId, deps, live, project, directory, enter } = request;
  return {
    context,
    runId,
    settings: deps.settings,
    engine: { path: await realpath(request.engine.path), version: request.engine.version },
    project,
    directory,
    projectDir: join(directory.tree, project.dir),
    log: createRunLog(live),
    enter,
  };
}

/** A committed link must not lead the run out of the checkout. */
export async function isInsideCheckout({ directory, projectDir }: Session): Promise<boolean> {
  const real = await realpath(projectDir).catch(() => null);
  return real !== null && isBelow(real, directory.tree);
}

/** The command as a program, behind walls where there are any. */
export function sessionProgram(
  session: Session,
  command: TerraformCommand,
): Pick<Program, 'argv' | 'cwd' | 'env' | 'sandboxed' | 'signal'> {
  const { settings, directory, projectDir, engine, context } = session;
  const program = [engine.path, ...terraformArguments(command)];
  const env = runEnvironment(settings.environment, directory, workspaceFor(session, command));
  const { bubblewrap, network, paths } = settings;
  // What is applied is what was reviewed: only planning writes it.
  const plans = (writes: boolean) => (writes === (command.kind === 'plan') ? [directory.plans] : []);
  const common = { cwd: projectDir, env, signal: context.signal };
  if (bubblewrap === null) return { ...common, argv: program, sandboxed: false };
  const sandbox = {
    bubblewrap,
    network,
    writable: [directory.tree, directory.data, directory.home, directory.temp, ...plans(true), ...paths],
    readable: [engine.path, packagesDir(settings.pluginCacheDir), directory.cliConfig, ...plans(false)],
    dieWithParent: command.kind !== 'apply',
    // An apply signs its lock of the state with it: later on it can be told whose the lock is.
    hostName: command.kind === 'apply' ? hostNameOf(session.runId) : null,
  };
  return { ...common, argv: sandboxArgv(sandbox, projectDir, program), sandboxed: true };
}

/** The default one is where everything is when nothing is said, also for backends that know no workspaces. */
function workspaceFor({ project }: Session, { kind }: TerraformCommand): string | null {
  return kind === 'init' || project.workspace === 'default' ? null : project.workspace;
}
