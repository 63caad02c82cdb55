// How does a test run real Terraform on the fixtures, without Temporal around it?
import { randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { applyPlan } from '../activities/terraform/apply.ts';
import type { EngineFor } from '../activities/terraform/engine.ts';
import { createInitCache } from '../activities/terraform/init-cache.ts';
import type { Leftovers } from '../activities/terraform/leftovers.ts';
import { createLeftovers } from '../activities/terraform/leftovers.ts';
import { planProject } from '../activities/terraform/plan.ts';
import { canSandbox } from '../activities/terraform/sandbox.ts';
import type {
  RunAccess,
  RunContext,
  RunnerDependencies,
  RunnerSettings,
  RunStage,
} from '../activities/terraform/settings.ts';
import { createEngines } from '../app/tools/engines.ts';
import type { ApplyGrant, ApplyOutcome } from '../workflows/model/apply.ts';
import { grantApply, isGrant } from '../workflows/model/apply.ts';
import type { SourceDigest } from '../workflows/model/identifiers.ts';
import {
  parseInstallationId,
  parseRepositoryId,
  parseRunId,
  parseSha,
} from '../workflows/model/identifiers.ts';
import type { Plan, PlanResult } from '../workflows/model/plan.ts';
import type { AffectedProject } from '../workflows/model/project.ts';
import type { MemoryRunStore } from './memory-run-store.ts';
import { createMemoryRunStore } from './memory-run-store.ts';

const fixtures = join(import.meta.dirname, '../fixtures/terraform');
const sha = (digit: string) => parseSha(digit.repeat(40));

const repository = {
  installationId: parseInstallationId(1),
  id: parseRepositoryId(2),
  nodeId: 'R_2',
  owner: 'octo-org',
  name: 'infra',
  webUrl: 'https://github.example/octo-org/infra',
};

export const project: AffectedProject = {
  name: 'prod',
  dir: 'envs/prod',
  workspace: 'default',
  engine: 'terraform',
  sourceDigest: 'a'.repeat(64) as SourceDigest,
  varFiles: [],
  version: null,
  pool: 'default',
  dependsOn: [],
  problems: [],
};

export type TerraformRunner = {
  readonly root: string;
  readonly store: MemoryRunStore;
  readonly settings: RunnerSettings;
  /** Outside every run, listed in HATCHET_RUNNER_PATHS; the fixtures' state is kept there. */
  readonly stateDir: string;
  readonly stages: RunStage[];
  /** What the operator's log was told. */
  readonly warnings: readonly string[];
  /** What else is committed; paths are relative to the repository. */
  readonly files: Map<string, string>;
  /** Committed files that are no text. */
  readonly bytes: Map<string, Buffer>;
  /** Committed links, and where they lead. */
  readonly links: Map<string, string>;
  /** What could not be kept. */
  readonly leftovers: Leftovers;
  readonly plan: (fixture: string, options?: PlanOptions) => Promise<PlanResult>;
  readonly apply: (plan: Plan, options?: ApplyOptions) => Promise<ApplyOutcome>;
  readonly close: () => Promise<void>;
};

type PlanOptions = {
  readonly project?: AffectedProject;
  readonly signal?: AbortSignal;
  /** The repository without the backend that keeps the state of the fixtures. */
  readonly withoutBackend?: boolean;
  readonly destroy?: boolean;
};

type ApplyOptions = {
  readonly grant?: ApplyGrant;
  readonly runId?: string;
  readonly attempt?: number;
  readonly signal?: AbortSignal;
};

const bubblewrapPath = '/usr/bin/bwrap';
/** Null where bubblewrap is missing or not permitted. */
export const bubblewrap = (await canSandbox(bubblewrapPath)) ? bubblewrapPath : null;

/** Whatever is on PATH, and nothing from anywhere else. */
const closedDoor = 'http://127.0.0.1:1';
export const ownEngines = createEngines({
  path: process.env.PATH ?? '',
  dataDir: join(tmpdir(), 'hatchet-no-tools'),
  mirrors: { terraform: closedDoor, tofu: closedDoor },
  environment: {},
  progress: () => undefined,
  log: () => undefined,
});

/** `at`: a directory that another process has made for its own runner. */
export async function createTerraformRunner(
  changed: Partial<RunnerSettings> = {},
  at: string | null = null,
  engineFor: EngineFor = ownEngines,
): Promise<TerraformRunner> {
  const root = at ?? (await realpath(await mkdtemp(join(tmpdir(), 'hatchet-terraform-'))));
  const stateDir = join(root, 'state');
  await mkdir(stateDir, { recursive: true });
  const settings: RunnerSettings = {
    workDir: join(root, 'work'),
    environment: {},
    paths: [stateDir],
    network: 'none',
    bubblewrap,
    pluginCacheDir: join(root, 'plugins'),
    masks: [],
    maxPlanBytes: 240 * 1024 * 1024,
    ...changed,
  };
  const store = createMemoryRunStore();
  const stages: RunStage[] = [];
  const warnings: string[] = [];
  const files = new Map<string, string>();
  const bytes = new Map<string, Buffer>();
  const links = new Map<string, string>();
  let fixture = 'start';
  let backend = true;
  const access = (): RunAccess => dependencies;
  const leftovers = createLeftovers({ settings, accessFor: access, log: pino({ level: 'silent' }) });
  const dependencies: RunnerDependencies = {
    store,
    settings,
    engineFor,
    liveLog: store.live,
    initCache: createInitCache(join(root, 'inits')),
    pass: null,
    leftovers: { add: (directory) => leftovers.add(directory) },
    checkout: async ({ into }) => {
      await mkdir(join(into, project.dir), { recursive: true });
      await cp(join(fixtures, fixture), join(into, project.dir), { recursive: true });
      if (backend)
        await writeFile(join(into, project.dir, 'backend.tf'), backendAt(join(stateDir, 'prod.tfstate')));
      for (const [path, text] of [...files, ...bytes]) {
        await mkdir(join(into, path, '..'), { recursive: true });
        await writeFile(join(into, path), text, { mode: 0o755 });
      }
      for (const [path, target] of links) await symlink(target, join(into, path));
    },
  };
  const contextOf = (options: { signal?: AbortSignal; attempt?: number }): RunContext => ({
    heartbeat: ({ stage }) => void (stages.at(-1) === stage || stages.push(stage)),
    signal: options.signal ?? new AbortController().signal,
    attempt: options.attempt ?? 1,
    warn: (message) => void warnings.push(message),
  });
  return {
    root,
    store,
    settings,
    stateDir,
    stages,
    warnings,
    files,
    bytes,
    links,
    leftovers,
    plan: (name, options = {}) => {
      fixture = name;
      backend = options.withoutBackend !== true;
      return planProject(contextOf(options), dependencies, {
        repository,
        number: 7,
        project: options.project ?? project,
        source: { head: sha('1'), base: sha('2'), tree: sha('3') },
        destroy: options.destroy ?? false,
        runId: parseRunId(randomUUID()),
      });
    },
    apply: (plan, options = {}) =>
      applyPlan(contextOf(options), dependencies, {
        repository,
        grant: options.grant ?? grantFor(plan),
        runId: parseRunId(options.runId ?? randomUUID()),
        fence: 1,
      }),
    close: () => rm(root, { recursive: true, force: true, maxRetries: 5 }),
  };
}

function backendAt(path: string): string {
  return `terraform {\n  backend "local" {\n    path = ${JSON.stringify(path)}\n  }\n}\n`;
}

/** What `grantApply` says to an open pull request that needs no approval. */
export function grantFor(plan: Plan): ApplyGrant {
  const answer = grantApply({
    project: plan.project.name,
    plan,
    planFailed: false,
    verdicts: [],
    approvals: [],
    rejections: [],
    over: null,
    rules: [],
    unmet: [],
    barred: null,
    pullRequest: {
      nodeId: 'PR_7',
      number: 7,
      title: 'Change the network',
      author: 'octocat',
      state: 'open',
      draft: false,
      fork: false,
      head: plan.head,
      base: 'main',
      baseSha: plan.base,
      mergeCommit: null,
      mergedBy: null,
      mergedAt: null,
      labels: [],
    },
    authors: ['octocat'],
    trigger: { kind: 'comment', actor: 'octocat' },
    pool: 'default',
    timeoutMs: 7_200_000,
    poolWaitMs: 120_000,
    roundId: null,
    head: plan.head,
  });
  if (!isGrant(answer)) throw new Error(`refused: ${JSON.stringify(answer)}`);
  return answer;
}

/** The plan, or the diagnostics as the test's failure. */
export function planned(result: PlanResult): Plan {
  if (result.kind !== 'planned') throw new Error(JSON.stringify(result.diagnostics));
  return result.plan;
}

/** Command lines of processes that have `text` in them. */
export async function processesNaming(text: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.includes(text));
}
