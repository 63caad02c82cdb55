// What do all tests share? One PostgreSQL, one Temporal server, the workflows' bundle; each test file has its own part.
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../app/embedded/postgres.ts';
import { startEmbeddedTemporal } from '../app/embedded/temporal.ts';
import { workflowBundle } from '../app/workflow-bundle.ts';
import { findTestTools } from './tools.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Administrator's address of the PostgreSQL that all tests share. */
    readonly postgresUrl: string;
    /** `host:port` of the Temporal server that all tests share. */
    readonly temporalAddress: string;
  }
}

/**
 * Dozens of apps work on the one server, which keeps everything in memory: close to a limit it does little but collect
 * garbage, until work that it has given away counts as lost.
 */
const forAllTests = 'off';

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'hatchet-tests-'));
  const quiet = (): void => undefined;
  const { temporal: temporalPath } = await findTestTools();
  const [postgres, temporal] = await Promise.all([
    startEmbeddedPostgres({ dataDir, persist: false, log: quiet }),
    startEmbeddedTemporal({
      dataDir,
      temporalPath,
      namespace: 'default',
      persist: false,
      memoryLimit: forAllTests,
      log: quiet,
    }),
    workflowBundle(),
  ]);
  project.provide('postgresUrl', postgres.url);
  project.provide('temporalAddress', temporal.address);
  // On Ctrl-C vitest ends at once, and the servers are out of the terminal's reach.
  const endAtOnce = (): void => {
    tryTo(() => process.kill(temporal.pid, 'SIGKILL'));
    tryTo(() => process.kill(postgres.pid, 'SIGQUIT'));
    tryTo(() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 10 }));
  };
  process.once('exit', endAtOnce);
  return async () => {
    await Promise.all([postgres.stop(), temporal.stop()]);
    process.off('exit', endAtOnce);
    await rm(dataDir, { recursive: true, force: true });
  };
}

function tryTo(end: () => void): void {
  try {
    end();
  } catch {
    // It has ended by itself, or a server still writes there: nobody is left to be told.
  }
}
