// How is a state lock broken that an apply left behind?

import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import { isLockId } from '../../workflows/model/state-lock.ts';
import type { UnlockRequest } from '../../workflows/port/run.ts';
import { operatorError } from '../faults.ts';
import { explainFailure, runCommand } from './command.ts';
import { findEngine } from './engine.ts';
import { withHeartbeat } from './heartbeat.ts';
import { keepTrying } from './keep-trying.ts';
import { createLiveLog } from './live-log.ts';
import { createMask } from './mask.ts';
import { prepareProject } from './prepare.ts';
import { createRunDirectory, removeRunDirectory } from './run-directory.ts';
import { createSession } from './session.ts';
import type { RunContext, RunnerDependencies } from './settings.ts';

/**
 * Runs `terraform force-unlock` on one project; most backends refuse an id that is not the lock's, one behind HTTP need not.
 * Null: the lock is gone. Whether it may be broken was decided right before. OperatorError: the id is none, the engine cannot run.
 * Source: developer.hashicorp.com/terraform/cli/commands/force-unlock.
 */
export async function unlockState(
  context: RunContext,
  deps: RunnerDependencies,
  request: UnlockRequest,
): Promise<readonly Diagnostic[] | null> {
  const { project, repository, source, runId, lockId } = request;
  if (!isLockId(lockId)) throw operatorError('the id of a state lock cannot be given to Terraform');
  return withHeartbeat(context, async (enter) => {
    const engine = await findEngine(deps.engineFor, project.engine, project.version, context.signal);
    if (engine.kind === 'unavailable') return [engine.diagnostic];
    const mask = createMask(deps.settings.masks);
    const live = createLiveLog(null, runId, mask);
    const directory = await createRunDirectory(deps.settings.workDir, runId);
    try {
      const session = await createSession({ context, runId, deps, live, engine, project, directory, enter });
      const { varFiles } = project;
      const preparation = {
        deps,
        repository,
        tree: source.tree,
        lockFile: null,
        varFiles,
        reuse: 'none',
      } as const;
      const prepared = await prepareProject(session, preparation, mask);
      if (prepared.kind === 'failed') return prepared.diagnostics;
      const command = { kind: 'force-unlock', lockId } as const;
      const result = await runCommand(session, command);
      await keepTrying(() => deps.store.saveLog(runId, session.log.masked(mask)));
      return result.exit.code === 0 ? null : explainFailure(session, command, result, mask);
    } finally {
      await removeRunDirectory(directory);
    }
  });
}
