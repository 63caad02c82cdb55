// Which work does this process take? The only place where activities meet workflows.
import { rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client, DataConverter } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { ControlDependencies } from '../activities/control.ts';
import { createControlActivities } from '../activities/control.ts';
import { createGitHub } from '../activities/github/client.ts';
import { tellingArrivals } from '../activities/late-arrivals.ts';
import { createRunPages } from '../activities/pages/run-pages.ts';
import { createChangedFilesReader } from '../activities/policy/changed-files.ts';
import { createPolicyChecker } from '../activities/policy/check-edited.ts';
import { createJudge } from '../activities/policy/judge.ts';
import { createPolicyReader } from '../activities/policy/policy-reader.ts';
import { createRunServiceClient } from '../activities/run-service/client.ts';
import { createPasses } from '../activities/run-service/pass.ts';
import { createProofs } from '../activities/run-service/proof.ts';
import type { RunServiceDependencies } from '../activities/run-service/serve.ts';
import { createRunService } from '../activities/run-service/serve.ts';
import type { RunStore } from '../activities/run-store.ts';
import { createRunnerActivities } from '../activities/runner.ts';
import { checkout } from '../activities/source/checkout.ts';
import { createGroupInspector } from '../activities/source/group.ts';
import { createHclReader } from '../activities/source/hcl.ts';
import { createSourceInspector } from '../activities/source/inspect.ts';
import type { Mirrors } from '../activities/source/mirror.ts';
import { createMirrors } from '../activities/source/mirror.ts';
import { maxArtifactBytes } from '../activities/store/artifact.ts';
import type { Store } from '../activities/store/store.ts';
import { openStore } from '../activities/store/store.ts';
import { createInitCache } from '../activities/terraform/init-cache.ts';
import { createLeftovers } from '../activities/terraform/leftovers.ts';
import { canSandbox } from '../activities/terraform/sandbox.ts';
import type { RunAccess } from '../activities/terraform/settings.ts';
import { sweepRuns } from '../activities/terraform/sweep-runs.ts';
import type { RunPass } from '../workflows/port/run.ts';
import { controlQueue, runnerQueue } from '../workflows/queues.ts';
import type { Config } from './config.ts';
import { createMessenger } from './deliver.ts';
import { keepHealing } from './heal-schedule.ts';
import type { ReadinessCheck } from './http-server.ts';
import { keepSweeping } from './keep-sweeping.ts';
import type { Keyring } from './keyring.ts';
import type { RunLinks } from './pages/run-links.ts';
import { createRunLinks } from './pages/run-links.ts';
import type { RunPages } from './pages/run-route.ts';
import { poolHasRunners } from './pool-runners.ts';
import { startRunListener } from './run-listener.ts';
import type { PoolKeyrings } from './runner-keys.ts';
import { derivedKeyrings, givenKeyrings } from './runner-keys.ts';
import { slotsPerPool } from './runner-slots.ts';
import { takenRuns } from './taken-runs.ts';
import type { ToolPaths } from './tool-paths.ts';
import { createEngineFinder } from './tool-paths.ts';
import { pollers, remembered } from './worker-readiness.ts';
import { workflowBundle } from './workflow-bundle.ts';

/** What the process has, whichever part of the work it takes. */
export type WorkSettings = {
  readonly config: Config;
  readonly tools: ToolPaths;
  /** Null in a runner. */
  readonly keyring: Keyring | null;
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
/** That a run is cancelled comes with the answer to a heartbeat: a plan has to be gone 15 s after somebody said so. */
const heartbeatPause = '4 seconds';

/** For the keys that passes are signed with. */
const passPurpose = 'hatchet passes of runs, version 1';

/** For the keys by which a runner shows of which pool it is. */
const proofPurpose = 'hatchet proofs of a pool, version 1';

const proofKeysOf =
  (keyrings: PoolKeyrings) =>
  (pool: string): readonly [Buffer, ...Buffer[]] | null =>
    keyrings(pool)?.derive(proofPurpose) ?? null;

const policiesDir = fileURLToPath(new URL('../policies', import.meta.url));

/** What one role consists of. */
type Parts = Pick<Workers, 'runs' | 'readiness'> & { readonly workers: readonly Worker[] };
/** What is closed last was opened first. */
type Closes = (() => Promise<void>)[];

export async function startWorkers(settings: WorkSettings): Promise<Workers> {
  const closes: Closes = [];
  const { workers, runs, readiness } =
    settings.config.role === 'runner'
      ? await startRunnerAlone(settings, closes)
      : await startAtStore(settings, closes);
  const running = workers.map((worker) => worker.run());
  return {
    runs,
    readiness: [...readiness, ...(workers.length === 0 ? [] : pollers(workers))],
    stop: async () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.all(running);
      for (const close of closes.reverse()) await close();
    },
  };
}

/** Everything that it reads and keeps it asks of control. */
async function startRunnerAlone(settings: WorkSettings, closes: Closes): Promise<Parts> {
  const { config } = settings;
  const { url } = config.runService;
  if (url === null) throw new Error('a runner needs the address of control');
  const scratch = cacheDir(config, 'trees');
  // What a runner that was killed left.
  await rm(scratch, { recursive: true, force: true });
  const environment = gitEnvironment(config);
  const { make } = createProofs(proofKeysOf(givenKeyrings(config.runnerKeys ?? new Map())));
  const prove = ({ pool, token }: RunPass): string => make(pool, token);
  const service = createRunServiceClient({ url, scratch, prove, environment });
  const workers = await startRunners(settings, service.accessFor, closes);
  return { workers, runs: null, readiness: [{ name: 'control', check: service.ping }] };
}

async function startAtStore(settings: WorkSettings, closes: Closes): Promise<Parts> {
  const { config, keyring, databaseUrl, log } = settings;
  if (databaseUrl === null || keyring === null) return { workers: [], runs: null, readiness: [] };
  const store = await openStore({ url: databaseUrl, keyring, log });
  closes.push(() => store.close());
  const links = runLinks(config, keyring);
  const workers = config.role === 'web' ? [] : await startWorkAt(settings, { store, keyring, links, closes });
  return {
    workers: workers.flatMap(({ worker }) => worker),
    runs: links === null ? null : { pages: createRunPages(store, links.address), links },
    readiness: [
      { name: 'database', check: () => store.ping() },
      ...workers.flatMap(({ readiness }) => readiness),
    ],
  };
}

/** What control works with. */
type Office = {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly links: RunLinks | null;
  readonly closes: Closes;
};

type ControlOffice = Office & {
  readonly messenger: ReturnType<typeof createMessenger>;
  /** Tells of what reaches it late. */
  readonly runs: RunStore;
};

async function startWorkAt(settings: WorkSettings, office: Office) {
  const { config } = settings;
  const { store, links, closes } = office;
  await store.artifacts.deleteExpired();
  await store.liveLogs.deleteOld();
  const mirrors = createMirrors({
    directory: cacheDir(config, 'mirrors'),
    environment: gitEnvironment(config),
  });
  closes.push(() => mirrors.close());
  const messenger = createMessenger(settings.client.workflow, config.refreshWaitMs);
  const runs = tellingArrivals({ store, messenger, log: settings.log });
  const control = startControl(settings, { ...office, messenger, runs }, mirrors);
  if (config.role === 'control') return [await control];
  const access: RunAccess = {
    store: runs,
    checkout: async ({ repository, tree, into }) => {
      await checkout({ mirror: await mirrors.open(repository.id), tree, into });
    },
    // Nobody could look at it without a page.
    liveLog: links === null ? null : store.liveLogs,
  };
  const runners = startRunners(settings, () => access, closes);
  return Promise.all([control, runners.then((worker) => ({ worker, readiness: [] }))]);
}

async function startControl(settings: WorkSettings, office: ControlOffice, mirrors: Mirrors) {
  const { config, tools, client, native, converter, log } = settings;
  const { store, links, closes, messenger } = office;
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
    builtInCacheDir,
    readPolicies: createPolicyReader({ mirrors, github }),
    readChangedFiles: createChangedFilesReader({ mirrors, github }),
    masks: config.secrets,
    log,
  });
  closes.push(() => judge.close());
  const [bundle] = await Promise.all([workflowBundle(), judge.warm()]);
  const { appId } = config.github;
  const pools = {
    poolHasRunners: poolHasRunners(client),
    takenRuns: takenRuns(client),
    poolWaitMs: config.pools.waitMs,
    lostWaitMs: config.lostWaitMs,
  };
  const admitRun = await openToRunners(settings, office, mirrors);
  const worker = await Worker.create({
    connection: native,
    namespace: client.options.namespace,
    taskQueue: controlQueue,
    workflowBundle: bundle,
    dataConverter: converter,
    activities: createControlActivities({
      dataDir: config.dataDir,
      github,
      source,
      groups,
      store,
      judge,
      checkPolicies: createPolicyChecker({
        mirrors,
        opaPath: tools.opa,
        cacheDir: cacheDir(config, 'policies'),
      }),
      runAddress: links?.address ?? null,
      appId,
      messenger,
      ...pools,
      admitRun,
      log,
    }),
    maxConcurrentActivityTaskExecutions: controlSlots,
    shutdownGraceTime: controlGrace,
  });
  await keepHealing(client.schedule, config.healIntervalMs);
  return { worker, readiness: [{ name: 'github', check: remembered(() => github.ping()) }] };
}

/** Where it is configured, runners on machines of their own are let in, each run with a pass of its own. */
async function openToRunners(
  { config, log }: WorkSettings,
  { store, runs, keyring, links, closes }: ControlOffice,
  mirrors: Mirrors,
): Promise<ControlDependencies['admitRun']> {
  const { listen } = config.runService;
  if (listen === null) return () => null;
  const passes = createPasses({ keys: keyring.derive(passPurpose), now: Date.now });
  const packTree: RunServiceDependencies['packTree'] = async (repository, tree, signal) => {
    const mirror = await mirrors.open(repository);
    return (await mirror.objects.has(tree)) ? mirror.pack(tree, signal) : null;
  };
  const { applies, liveLogs } = store;
  const proofs = createProofs(proofKeysOf(derivedKeyrings(keyring)));
  const service = createRunService({ passes, proofs, store: runs, applies, liveLogs, packTree, log });
  const listener = await startRunListener(listen, service, log);
  closes.push(listener.stop);
  return (admission) => ({
    token: passes.issue(admission),
    pool: admission.pool,
    followed: links !== null,
  });
}

function runLinks({ links: { url, lifetimeMs } }: Config, keyring: Keyring): RunLinks | null {
  return url === null ? null : createRunLinks({ keyring, url, lifetimeMs, now: Date.now });
}

/** One worker per pool. */
async function startRunners(
  settings: WorkSettings,
  accessFor: Parameters<typeof createRunnerActivities>[1],
  closes: Closes,
): Promise<readonly Worker[]> {
  const { config, tools, client, native, converter, log } = settings;
  if (tools.terraform === null) throw new Error('a runner needs terraform');
  const bubblewrap = await sandbox(config, tools, log);
  const workDir = cacheDir(config, 'runs');
  const masks = config.secrets;
  const leftovers = createLeftovers({ settings: { workDir, masks }, accessFor, log });
  for (const run of await sweepRuns(workDir)) {
    log.warn({ run }, 'an apply was cut off here; what it leaves is kept as soon as it can be');
    leftovers.add(run);
  }
  closes.push(keepSweeping(leftovers.sweep));
  const machine = {
    leftovers,
    engineFor: createEngineFinder(config, log),
    initCache: createInitCache(cacheDir(config, 'inits')),
    settings: {
      workDir,
      environment: config.runner.env,
      paths: config.runner.paths,
      network: config.runner.network,
      bubblewrap,
      pluginCacheDir: cacheDir(config, 'providers'),
      masks,
      maxPlanBytes: maxArtifactBytes,
    },
  };
  const activities = createRunnerActivities(machine, accessFor);
  const { served } = config.pools;
  const slots = slotsPerPool(cpus().length, served.length);
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
        maxHeartbeatThrottleInterval: heartbeatPause,
      }),
    ),
  );
}

/** Says plainly what is not protected, or refuses to run like that. */
async function sandbox(config: Config, { bubblewrap }: ToolPaths, log: Logger): Promise<string | null> {
  if (bubblewrap !== null && (await canSandbox(bubblewrap))) return bubblewrap;
  const why = bubblewrap === null ? 'bubblewrap is not installed' : 'bubblewrap does not work here';
  if (config.runner.requireSandbox) throw new Error(`HATCHET_REQUIRE_SANDBOX is set, and ${why}`);
  log.warn(
    `${why}: Terraform, its providers and the code of pull requests can read what this user can, ` +
      `${reachable(config)} among it. ` +
      'Install bubblewrap; HATCHET_REQUIRE_SANDBOX=true refuses to run without it',
  );
  return null;
}

const reachable = ({ role }: Config): string =>
  role === 'runner'
    ? "other projects' runs and the passes of this runner"
    : "the App's key, the database and other projects";

/** Beside the dependencies, as the workflows' bundle: they are this installation's, whatever its data. */
const builtInCacheDir = fileURLToPath(new URL('../node_modules/.cache/hatchet/policies', import.meta.url));

/** What can be made again when it is lost. */
const cacheDir = ({ dataDir }: Config, name: string): string => join(dataDir, 'cache', name);

/** What git may know of this machine: where programs are, how the network is reached, whom it trusts. */
function gitEnvironment({ environment }: Config): Readonly<Record<string, string>> {
  const names = /^(?:PATH|SSL_CERT_(?:FILE|DIR)|GIT_SSL_CAINFO|(?:https?|no|all)_proxy)$/i;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => names.test(name)));
}
