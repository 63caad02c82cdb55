// How does the Temporal server run that we bring along ourselves?
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { Child } from './children.ts';
import { endLeftover, startChild } from './children.ts';
import type { Claim } from './directory-claim.ts';
import { claimDirectory } from './directory-claim.ts';
import { freePort, loopback } from './free-port.ts';

export type EmbeddedTemporalOptions = {
  readonly dataDir: string;
  /** The Temporal CLI, as app/tools/resolve.ts finds it. */
  readonly temporalPath: string;
  readonly namespace: string;
  /** True keeps everything in a file below `dataDir`; false forgets it at the end. */
  readonly persist: boolean;
  /** As Go's GOMEMLIMIT; without it, what hundreds of open pull requests need. */
  readonly memoryLimit?: string | undefined;
  readonly log: (line: string) => void;
};

export type EmbeddedTemporal = {
  /** `host:port` of the frontend, on the loopback address. */
  readonly address: string;
  readonly pid: number;
  /** Settles with a reason when the server ends, also when nobody asked for it. */
  readonly ended: Promise<string>;
  readonly stop: () => Promise<void>;
};

/** Cold, on a loaded machine, with a large file to open. */
const readyTimeoutMs = 60_000;
const readyPollMs = 25;
const callTimeoutMs = 5_000;
/** Left alone, gRPC waits a second after the first refused connection, which is longer than the server's start. */
const quickReconnect = { 'grpc.initial_reconnect_backoff_ms': 25, 'grpc.max_reconnect_backoff_ms': 100 };
/** The free port can be lost to another process before the server has it. */
const startAttempts = 3;
/** Closed workflows can be looked at over a long weekend; the file does not grow without end. */
const retentionMs = 4 * 24 * 60 * 60_000;

/**
 * Measured with server 1.32, signal to end of four activities in sequence. The one history shard takes 20 tasks per
 * second by default, so each step of a workflow waits up to 50 ms; with the first two and the pragmas below it took a
 * quarter of the time. Eager execution and single partitions save a queue's hop and memory, hardly time.
 * None of them costs anything while idle.
 */
const dynamicConfig = {
  'history.transferProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxPollRPS': 2000,
  'system.enableActivityEagerExecution': true,
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
};

/** WAL with NORMAL loses nothing when the process is killed; only a power cut can cost the last moments. */
const pragmas = ['journal_mode=WAL', 'synchronous=NORMAL'];

/**
 * Go collects what is unused only when its heap has doubled, and what a busy hour took stays taken. Near this limit it
 * collects sooner, and gives back; it is about twice what is in use with hundreds of open pull requests. What needs more
 * gets it, and pays with up to half of the CPU for collecting. Source: https://go.dev/doc/gc-guide#Memory_limit
 */
const usualMemoryLimit = '160MiB';

/** Throws an OperatorError when the directory is in use, an Error with the end of the server's log when it does not start. */
export async function startEmbeddedTemporal(options: EmbeddedTemporalOptions): Promise<EmbeddedTemporal> {
  const directory = resolve(options.dataDir, 'temporal');
  const claim = await claimDirectory(directory);
  try {
    const leftover = await endLeftover({ name, directory, stopSignals: stopSignals(options.persist) });
    if (leftover !== null) options.log(`stopped the Temporal server ${leftover} of an earlier Hatchet`);
    return await startServer(options, directory, claim);
  } catch (error) {
    await claim.release();
    throw error;
  }
}

const name = 'temporal';

/** A polite stop takes more than a second, which only a server with something to keep is worth. */
function stopSignals(persist: boolean): readonly NodeJS.Signals[] {
  return persist ? ['SIGTERM', 'SIGKILL'] : ['SIGKILL'];
}

async function startServer(
  options: EmbeddedTemporalOptions,
  directory: string,
  claim: Claim,
): Promise<EmbeddedTemporal> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const server = await startChild({
      name,
      directory,
      stopSignals: stopSignals(options.persist),
      command: options.temporalPath,
      args: serverArguments(options, directory, port),
      env: {
        HOME: directory,
        PATH: '/usr/bin:/bin',
        GOMEMLIMIT: options.memoryLimit ?? usualMemoryLimit,
      },
    });
    const address = `${loopback}:${port}`;
    const problem = await untilReady(server, address, options.namespace);
    if (problem === null) {
      const { pid, ended } = server;
      return { address, pid, ended, stop: () => stopServer(server, claim) };
    }
    const tail = await server.logTail();
    await server.stop();
    if (attempt === startAttempts) throw new Error(`the Temporal server did not start: ${problem}\n${tail}`);
  }
}

async function stopServer(server: Child, claim: Claim): Promise<void> {
  await server.stop();
  await claim.release();
}

/** Whole argv of `temporal server start-dev`; without a UI, which needs no port and no memory then. */
export function serverArguments(
  { namespace, persist }: Pick<EmbeddedTemporalOptions, 'namespace' | 'persist'>,
  directory: string,
  port: number,
): readonly string[] {
  return [
    'server',
    'start-dev',
    '--headless',
    '--ip',
    loopback,
    '--port',
    String(port),
    '--namespace',
    namespace,
    '--log-level',
    'warn',
    ...(persist ? ['--db-filename', join(directory, 'temporal.db')] : []),
    ...(persist ? pragmas.flatMap((pragma) => ['--sqlite-pragma', pragma]) : []),
    ...Object.entries(dynamicConfig).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
  ];
}

/** Null when the namespace answers; otherwise why it never will. */
async function untilReady(server: Child, address: string, namespace: string): Promise<string | null> {
  const waiting = new AbortController();
  try {
    return await Promise.race([
      untilNamespaceAnswers(address, namespace, waiting.signal),
      server.ended,
      delay(readyTimeoutMs, `no answer in ${readyTimeoutMs / 1000} s`, { signal: waiting.signal }),
    ]);
  } finally {
    waiting.abort();
  }
}

async function untilNamespaceAnswers(address: string, namespace: string, stop: AbortSignal): Promise<null> {
  const connection = Connection.lazy({ address, channelArgs: quickReconnect, interceptors: [] });
  try {
    while (!(await answers(connection, namespace))) await delay(readyPollMs, undefined, { signal: stop });
    await keepClosedWorkflows(connection, namespace);
    return null;
  } finally {
    await connection.close();
  }
}

async function answers(connection: Connection, namespace: string): Promise<boolean> {
  const asked = connection.withDeadline(Date.now() + callTimeoutMs, () =>
    connection.workflowService.describeNamespace({ namespace }),
  );
  return asked.then(
    () => true,
    () => false,
  );
}

/** The server makes the namespace with a retention of one day and has no flag for it. */
async function keepClosedWorkflows(connection: Connection, namespace: string): Promise<void> {
  await connection.workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: msToTs(retentionMs) },
  });
}
