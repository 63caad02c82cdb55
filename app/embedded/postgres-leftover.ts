// Does a server that our own pid file does not know still hold the data directory?
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { commandLine, endProcess, identify } from './process-identity.ts';

/** The same as a stop that we asked for. */
const graceMs = 30_000;

/**
 * Ends a server that runs on `data`, and removes a postmaster.pid whose number went to another program meanwhile: the
 * server would refuse to start for fear of it. A postmaster.pid of a dead process the server clears up by itself.
 */
export async function endUnknownServer(data: string): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  const known = Number.isNaN(pid) ? null : identify(pid);
  if (known === null) return;
  if (!commandLine(known.pid).includes(data)) return rm(pidFile, { force: true });
  if (!(await endProcess(known, ['SIGINT', 'SIGQUIT', 'SIGKILL'], graceMs))) {
    throw new Error(`PostgreSQL (process ${known.pid}) cannot be stopped`);
  }
}
