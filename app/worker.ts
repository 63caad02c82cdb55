// Which work does this process take? The only place where activities meet workflows.
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client, DataConverter } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createControlActivities } from '../activities/control.ts';
import { createGitHub } from '../activities/github/client.ts';
import { createRunPages } from '../activities/pages/run-pages.ts';
import { createJudge } from '../activities/policy/judge.ts';
import { createPolicyReader } from '../activities/policy/policy-reader.ts';
import { createRunnerActivities } from '../activities/runner.ts';
import { checkout } from '../activities/source/checkout.ts';
import { createGroupInspector } from '../activities/source/group.ts';
import { createHclReader } from '../activities/source/hcl.ts';
import { createSourceInspector } from '../activities/source/inspect.ts';
import type { Mirrors } from '../activities/source/mirror.ts';
import { createMirrors } from '../activities/source/mirror.ts';
import type { Store } from '../activities/store/store.ts';
import { openStore } from '../activities/store/store.ts';
import { createInitCache } from '../activities/terraform/init-cache.ts';
import { canSandbox } from '../activities/terraform/sandbox.ts';
import { sweepRuns } from '../activities/terraform/sweep-runs.ts';
import { controlQueue, runnerQueue } from '../workflows/queues.ts';
import type { Config } from './config.ts';
import { createMessenger } from './deliver.ts';
import type { ReadinessCheck } from './http-server.ts';
import type { Keyring } from './keyring.ts';
import type { RunLinks } from './pages/run-links.ts';
import { createRunLinks } from './pages/run-links.ts';
import type { RunPages } from './pages/run-route.ts';
import type { ToolPaths } from './tool-paths.ts';
import { createEngineFinder } from './tool-paths.ts';
import { workflowBundle } from './workflow-bundle.ts';

/** What the process has, whichever part of the work it takes. */
export type WorkSettings = {
  readonly config: Config;
  readonly tools: ToolPaths;
  readonly keyring: Keyring;
  readonly converter: DataConverter;
  readonly client: Client;
  readonly native: NativeConnection;
  readonly databaseUrl: string | null;
  readonly log: Logger;
};

export type Workers = {
  /** What the pages of runs are made from; null where nothing links to them. */
  readonly runs: { readonly pages: RunPages; readonly links: RunLinks } | null;
  readonly readiness: readonly ReadinessCheck[];
  /** Finishes what runs, takes nothing new, then closes the database. */
  readonly stop: () => Promise<void>;
};

/** Calls to GitHub, git and the database wait more than they work. */
const controlSlots = 20;
/** A control activity takes seconds. */
const controlGrace = '30 seconds';
/** A new version must not interrupt an apply: it is waited for. Source: the timeout of an apply is longer only for the rarest. */
const runnerGrace = '30 minutes';
/** Terraform and its providers keep a core busy; a few more wait for the network. */
const runnerSlots = Math.max(2, cpus().length * 2);

const policiesDir = fileURLToPath(new URL('../policies', import.meta.url));

export async function startWorkers(settings: WorkSettings): Promise<Workers> {
  const { config, keyring, databaseUrl, log } = settings;
  if (databaseUrl === null) return { runs: null, readiness: [], stop: async () => undefined };
  const store = await openStore({ url: databaseUrl, keyring, log });
  await store.artifacts.deleteExpired();
  await store.liveLogs.deleteOld();
  const links = runLinks(settings);
  const mirrors = createMirrors({
    directory: cacheDir(config, 'mirrors'),
    environment: gitEnvironment(config),
  });
  const closes = [() => store.close(), () => mirrors.close()];
  const takes = (role: 'control' | 'runner'): boolean => config.role === 'all' || config.role === role;
  const [control, runners] = await Promise.all([
    takes('control') ? startControl(settings, store, mirrors, links, closes) : null,
    takes('runner') ? startRunners(settings, store, mirrors) : null,
  ]);
  const running = [...(control === null ? [] : [control.worker]), ...(runners ?? [])];
  const runs = running.map((worker) => worker.run());
  return {
    runs: links === null ? null : { pages: createRunPages(store, links.address), links },
    readiness: [
      { name: 'database', check: () => store.ping() },
      ...pollers(running),
      ...(control?.readiness ?? []),
    ],
    stop: async () => {
      for (const worker of running) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.all(runs);
      for (const close of closes.reverse()) await close();
    },
  };
}

async function startControl(
  settings: WorkSettings,
  store: Store,
  mirrors: Mirrors,
  links: RunLinks | null,
  closes: (() => Promise<void>)[],
) {
  const { config, tools, client, native, converter, log } = settings;
  if (config.github === null || tools.opa === null) throw new Error('control needs the App and opa');
  const github = createGitHub(config.github, store.budget);
  const hcl = createHclReader();
  closes.push(() => hcl.close());
  const source = createSourceInspector({ mirrors, hcl, plannedModules: store.plannedModules, log });
  const groups = createGroupInspector({ mirrors, source });
  const judge = createJudge({
    store: store.runs,
    opaPath: tools.opa,
    policiesDir,
    cacheDir: cacheDir(config, 'policies'),
    readPolicies: createPolicyReader({ mirrors, github }),
    log,
  });
  closes.push(() => judge.close());
  const [bundle] = await Promise.all([workflowBundle(log), judge.warm(), hcl.warm()]);
  const messenger = createMessenger(client.workflow, config.refreshWaitMs);
  const { appId } = config.github;
  const pools = { poolHasRunners: poolHasRunners(client), poolWaitMs: config.pools.waitMs };
  const worker = await Worker.create({
    connection: native,
    namespace: client.options.namespace,
    taskQueue: controlQueue,
    workflowBundle: bundle,
    dataConverter: converter,
    activities: createControlActivities({
      github,
      source,
      groups,
      store,
      judge,
      runAddress: links?.address ?? null,
      appId,
      messenger,
      ...pools,
      log,
    }),
    maxConcurrentActivityTaskExecutions: controlSlots,
    shutdownGraceTime: controlGrace,
  });
  return { worker, readiness: [{ name: 'github', check: remembered(() => github.ping()) }] };
}

function runLinks({ config, keyring }: WorkSettings): RunLinks | null {
  const { url, lifetimeMs } = config.links;
  return url === null ? null : createRunLinks({ keyring, url, lifetimeMs, now: Date.now });
}

/** One worker per pool; they share the machine, so each has its part of the slots. */
async function startRunners(
  settings: WorkSettings,
  store: Store,
  mirrors: Mirrors,
): Promise<readonly Worker[]> {
  const { config, tools, client, native, converter, log } = settings;
  if (tools.terraform === null) throw new Error('a runner needs terraform');
  const bubblewrap = await sandbox(config, tools, log);
  const workDir = cacheDir(config, 'runs');
  for (const run of await sweepRuns(workDir))
    log.warn({ run }, 'an apply was cut off here; its files are kept');
  const activities = createRunnerActivities({
    store: store.runs,
    checkout: async ({ repository, tree, into }) => {
      await checkout({ mirror: await mirrors.open(repository.id), tree, into });
    },
    engineFor: createEngineFinder(config, log),
    // Nobody could look at it without a page.
    liveLog: config.links.url === null ? null : store.liveLogs,
    initCache: createInitCache(cacheDir(config, 'inits')),
    settings: {
      workDir,
      environment: config.runner.env,
      paths: config.runner.paths,
      network: config.runner.network,
      bubblewrap,
      pluginCacheDir: cacheDir(config, 'providers'),
      masks: config.secrets,
    },
  });
  const { served } = config.pools;
  const slots = Math.max(1, Math.floor(runnerSlots / served.length));
  return Promise.all(
    served.map((pool) =>
      Worker.create({
        connection: native,
        namespace: client.options.namespace,
        taskQueue: runnerQueue(pool),
        dataConverter: converter,
        activities,
        maxConcurrentActivityTaskExecutions: slots,
        shutdownGraceTime: runnerGrace,
      }),
    ),
  );
}

/** TASK_QUEUE_TYPE_ACTIVITY; the client brings no name for it. Source: temporal/api/enums/v1/task_queue.proto */
const activityQueue = 2;
/** Somebody who polls now, or did in the last minutes: the server remembers them that long. */
const poolHasRunners =
  ({ workflowService, options: { namespace } }: Client) =>
  async ({ pool }: { readonly pool: string }): Promise<boolean> => {
    const { pollers: found } = await workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: runnerQueue(pool) },
      taskQueueType: activityQueue,
    });
    return (found ?? []).length > 0;
  };

/** Says plainly what is not protected, or refuses to run like that. */
async function sandbox({ runner }: Config, { bubblewrap }: ToolPaths, log: Logger): Promise<string | null> {
  if (bubblewrap !== null && (await canSandbox(bubblewrap))) return bubblewrap;
  const why = bubblewrap === null ? 'bubblewrap is not installed' : 'bubblewrap does not work here';
  if (runner.requireSandbox) throw new Error(`HATCHET_REQUIRE_SANDBOX is set, and ${why}`);
  log.warn(
    `${why}: Terraform, its providers and the code of pull requests can read what this user can, ` +
      "the App's key, the database and other projects among it. " +
      'Install bubblewrap; HATCHET_REQUIRE_SANDBOX=true refuses to run without it',
  );
  return null;
}

/** Ready while every worker polls. */
function pollers(workers: readonly Worker[]): readonly ReadinessCheck[] {
  const check = async (): Promise<void> => {
    const stopped = workers.find((worker) => worker.getState() !== 'RUNNING');
    if (stopped !== undefined)
      throw new Error(`the worker of ${stopped.options.taskQueue} is ${stopped.getState()}`);
  };
  return [{ name: 'workers', check }];
}

/** A good answer holds for this long: whoever asks every second must not make us ask GitHub every second. */
const readinessMs = 60_000;

function remembered(check: () => Promise<void>): () => Promise<void> {
  let goodUntil = 0;
  return async () => {
    if (Date.now() < goodUntil) return;
    await check();
    goodUntil = Date.now() + readinessMs;
  };
}

/** What can be made again when it is lost. */
const cacheDir = ({ dataDir }: Config, name: string): string => join(dataDir, 'cache', name);

/** What git may know of this machine: where programs are, how the network is reached, whom it trusts. */
function gitEnvironment({ environment }: Config): Readonly<Record<string, string>> {
  const names = /^(?:PATH|SSL_CERT_(?:FILE|DIR)|GIT_SSL_CAINFO|(?:https?|no|all)_proxy)$/i;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => names.test(name)));
}
