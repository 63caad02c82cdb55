// How is everything that a role needs brought up in order, and taken down again?
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import { dataConverter, runnerDataConverter } from './codec.ts';
import type { Config } from './config.ts';
import { createMessenger } from './deliver.ts';
import { startEmbeddedPostgres } from './embedded/postgres.ts';
import { startEmbeddedTemporal } from './embedded/temporal.ts';
import { loadOrCreateKey } from './encryption-keys.ts';
import type { ReadinessCheck } from './http-server.ts';
import { startHttpServer } from './http-server.ts';
import { createKeyring } from './keyring.ts';
import { temporalLogger } from './log.ts';
import { createStreams } from './pages/event-stream.ts';
import { createRunRoute } from './pages/run-route.ts';
import { givenKeyrings } from './runner-keys.ts';
import type { ToolPaths } from './tool-paths.ts';
import { findTools } from './tool-paths.ts';
import { createWebhooks } from './webhooks.ts';
import { startWorkers } from './worker.ts';

export type App = {
  readonly url: string;
  readonly stop: () => Promise<void>;
  /** Settles with the reason when a server that we brought along has ended, also when we stopped it. */
  readonly lost: Promise<string>;
};

/** What is stopped last was started first. */
type Stop = () => Promise<void>;

/** How the parts that come up say how they go down: in order, or by themselves. */
type Life = { readonly stops: Stop[]; readonly lose: (reason: string) => void };

/** The embedded server's only namespace; with an own Temporal server it is what TEMPORAL_NAMESPACE says. */
const embeddedNamespace = 'hatchet';

/**
 * Starts the role that the configuration names. What was started is stopped again when a later part fails, or when
 * `stopped` says so before everything is there: then it rejects with that signal's reason.
 */
export async function startApp(config: Config, log: Logger, stopped: AbortSignal): Promise<App> {
  const stops: Stop[] = [];
  const lost = Promise.withResolvers<string>();
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    const url = await bringUp(config, log, { stops, lose: lost.resolve }, stopped);
    stopped.throwIfAborted();
    return { url, stop, lost: lost.promise };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function bringUp(config: Config, log: Logger, life: Life, stopped: AbortSignal): Promise<string> {
  const { stops } = life;
  Runtime.install({ logger: temporalLogger(log), shutdownSignals: [] });
  // A download can take minutes, and nothing has to be stopped yet.
  const tools = await Promise.race([findTools(config, log), untilStopped(stopped)]);
  const { keyring, converter } = await readKeys(config);
  const [databaseUrl, temporal] = await allOrNone([
    openDatabase(config, log, life),
    openTemporal(config, tools, log, life),
  ]);
  stopped.throwIfAborted();
  const connection = await Connection.connect(temporal.connection);
  stops.push(() => connection.close());
  const client = new Client({ connection, namespace: temporal.namespace, dataConverter: converter });
  const native = await NativeConnection.connect(temporal.connection);
  stops.push(() => native.close());
  const workers = await startWorkers({ config, tools, keyring, converter, client, native, databaseUrl, log });
  stops.push(workers.stop);
  const temporalAnswers: ReadinessCheck = {
    name: 'temporal',
    check: async () =>
      void (await connection.workflowService.describeNamespace({ namespace: temporal.namespace })),
  };
  const { deliver } = createMessenger(client.workflow, config.refreshWaitMs);
  const { webhookSecret: secret, host, port } = config;
  const webhooks = secret === null ? null : await createWebhooks({ secret, deliver, log });
  const readiness = [temporalAnswers, ...workers.readiness];
  const streams = createStreams();
  const runs = workers.runs === null ? null : createRunRoute({ ...workers.runs, streams, log });
  const server = await startHttpServer({ host, port, webhooks, runs, readiness, log });
  stops.push(server.stop, async () => streams.close());
  log.info({ url: server.url, role: config.role }, 'listening');
  return server.url;
}

/** A runner has keys of its own, which open nothing but what it is asked. */
async function readKeys({ runnerKeys, encryptionKeys, dataDir }: Config) {
  if (runnerKeys !== null)
    return { keyring: null, converter: runnerDataConverter(givenKeyrings(runnerKeys)) };
  const keyring = createKeyring(encryptionKeys ?? (await loadOrCreateKey(dataDir)));
  return { keyring, converter: dataConverter(keyring) };
}

function untilStopped(stopped: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (stopped.aborted) reject(stopped.reason);
    stopped.addEventListener('abort', () => reject(stopped.reason), { once: true });
  });
}

/** As Promise.all, but a failure is told when all have ended: what started beside it can be stopped only then. */
async function allOrNone<A, B>(parts: readonly [Promise<A>, Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled(parts);
  return Promise.all(parts);
}

async function openDatabase(config: Config, log: Logger, { stops, lose }: Life): Promise<string | null> {
  if (config.database.kind === 'none') return null;
  if (config.database.kind === 'external') return config.database.url;
  const say = (line: string): void => log.info({ component: 'postgres' }, line);
  const postgres = await startEmbeddedPostgres({ dataDir: config.dataDir, persist: true, log: say });
  stops.push(postgres.stop);
  void postgres.ended.then((reason) => lose(`the embedded PostgreSQL ended: ${reason}`));
  log.info({ component: 'postgres', address: new URL(postgres.url).host }, 'embedded PostgreSQL is ready');
  return postgres.url;
}

async function openTemporal(config: Config, tools: ToolPaths, log: Logger, { stops, lose }: Life) {
  if (config.temporal.kind === 'external') return config.temporal;
  if (tools.temporal === null) throw new Error('the embedded Temporal server needs the temporal command');
  const server = await startEmbeddedTemporal({
    dataDir: config.dataDir,
    temporalPath: tools.temporal,
    namespace: embeddedNamespace,
    persist: true,
    memoryLimit: config.environment.GOMEMLIMIT,
    log: (line) => log.info({ component: 'temporal' }, line),
  });
  stops.push(server.stop);
  void server.ended.then((reason) => lose(`the embedded Temporal server ended: ${reason}`));
  log.info({ component: 'temporal', address: server.address }, 'embedded Temporal server is ready');
  return { connection: { address: server.address }, namespace: embeddedNamespace };
}
