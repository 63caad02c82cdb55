// Which tools do the tests of policies run, and how do they put policies to a plan?
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PolicyBundle } from '../activities/policy/bundle.ts';
import type { CompileResult } from '../activities/policy/compile.ts';
import { compilePolicies } from '../activities/policy/compile.ts';
import type { Evaluation } from '../activities/policy/evaluate.ts';
import type { InputShape, PolicyFacts } from '../activities/policy/input.ts';
import { resolveTool } from '../app/tools/resolve.ts';
import type { ToolName } from '../app/tools/versions.ts';
import { defaultConfiguration } from '../workflows/model/configuration.ts';

/** The absolute path of a tool, found or fetched as the app does it. */
export async function toolPath(name: ToolName): Promise<string> {
  const { path } = await resolveTool(name, {
    path: process.env.PATH ?? '',
    dataDir: join(import.meta.dirname, '..', '.hatchet'),
    mirrors: {},
    environment: process.env,
    progress: () => {},
    log: () => {},
  });
  return path;
}

/** Runs `work` with a folder of its own that is gone afterwards. */
export async function withFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'hatchet-policy-test-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function compileRego(files: Readonly<Record<string, string>>): Promise<CompileResult> {
  const sources = Object.entries(files).map(([path, text]) => ({ path, text }));
  return withFolder(async (cacheDir) =>
    compilePolicies({ opaPath: await toolPath('opa'), cacheDir, sources }),
  );
}

const someFacts: PolicyFacts = {
  project: { name: 'prod', dir: 'envs/prod', workspace: 'default', engine: 'terraform' },
  pr: {
    number: 7,
    author: 'mona',
    base: 'main',
    head: 'a'.repeat(40),
    title: 'T',
    labels: [],
    changed_files: [],
  },
  run: { trigger: 'pull_request', time: '2026-11-22T01:02:03.004Z' },
  config: defaultConfiguration,
};

export const emptyPlan = { format_version: '1.2', resource_changes: [] };

/** The bundle of one Rego file; throws when it does not compile. */
export async function bundleOf(...files: readonly string[]): Promise<PolicyBundle> {
  const compiled = await compileRego(Object.fromEntries(files.map((text, index) => [`${index}.rego`, text])));
  if (compiled.kind === 'broken') throw new Error(compiled.problems[0].summary);
  return compiled.bundle;
}

export type Asked = {
  readonly plan?: unknown;
  readonly planJson?: Uint8Array;
  readonly shape?: InputShape;
};

/** What an evaluation needs beside its bundle; the plan is empty unless said otherwise. */
export function evaluationOf(bundle: PolicyBundle, { plan, planJson, shape }: Asked = {}): Evaluation {
  const bytes = planJson ?? Buffer.from(JSON.stringify(plan ?? emptyPlan));
  return { bundle, planJson: bytes, masks: [], facts: someFacts, shape: shape ?? 'nested' };
}
