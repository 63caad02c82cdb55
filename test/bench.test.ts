// Does the benchmark measure what it says, lose nothing, and find GitHub asked as seldom as was promised?
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Benchmark } from '../fixtures/bench/result.ts';
import { findTestTools } from './tools.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
/** It starts two servers and runs Terraform a hundred times, beside all other tests. */
const benchTimeoutMs = 420_000;

/** Progress is told every five seconds, and a look at GitHub is taken again when it is older than one. */
const moreEveryMs = 2_000;

const page =
  'Before.\n<!-- bench: what follows is written by `npm run bench -- --markdown` -->\nold\n<!-- bench: end -->\nAfter.\n';

let directory: string;
let benchmark: Benchmark;
let markdown: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hatchet-bench-test-'));
  const [json, text] = [join(directory, 'bench.json'), join(directory, 'page.md')];
  await writeFile(text, page);
  const tools = Object.values(await findTestTools()).map(dirname);
  const args = ['fixtures/bench/main.ts', '--quick', '--json', json, '--markdown', text];
  const env = {
    PATH: [...new Set(tools), process.env.PATH].join(delimiter),
    HOME: process.env.HOME ?? directory,
    TMPDIR: directory,
  };
  await run(process.execPath, args, { cwd: root, env, timeout: benchTimeoutMs });
  benchmark = JSON.parse(await readFile(json, 'utf8')) as Benchmark;
  markdown = await readFile(text, 'utf8');
}, benchTimeoutMs);
afterAll(() => rm(directory, { recursive: true }));

test('every case is measured, nothing is lost, and GitHub would have accepted all of it', () => {
  const cases = benchmark.scenarios.map(
    ({ kind, projects, pullRequests, lost }) => `${kind} ${projects} in ${pullRequests}, lost ${lost}`,
  );
  expect(cases).toEqual([
    'plan 1 in 1, lost 0',
    'apply 1 in 1, lost 0',
    'plan 10 in 1, lost 0',
    'apply 10 in 1, lost 0',
    'plan 1 in 3, lost 0',
  ]);
  expect({
    ...benchmark.idle,
    violations: benchmark.violations,
    failed: benchmark.failedWebhooks,
  }).toMatchObject({
    violations: 0,
    failed: 0,
  });
});

test('each measurement has its share of git and Terraform, and the machine beside it', () => {
  for (const { kind, visible, byHand, ratio } of benchmark.scenarios) {
    const commands = kind === 'plan' ? ['fetch', 'checkout', 'init', 'plan', 'show'] : ['apply'];
    expect(Object.keys(byHand.commands)).toEqual(commands);
    expect(ratio).toBeCloseTo(visible.p50 / byHand.wall.p50, 1);
  }
  expect(benchmark.machine.cores).toBeGreaterThan(0);
  expect(Object.keys(benchmark.versions)).toEqual(
    expect.arrayContaining(['node', 'git', 'terraform', 'temporal']),
  );
});

test.each([
  { kind: 'plan', projects: 1, most: 4 },
  { kind: 'apply', projects: 1, most: 4 },
  { kind: 'plan', projects: 10, most: 6 },
  { kind: 'apply', projects: 10, most: 6 },
])(
  'the $kind of $projects takes at most $most requests of GitHub, and one more for each two seconds that it takes',
  ({ kind, projects, most }) => {
    const found = benchmark.scenarios.find(
      (one) => one.kind === kind && one.projects === projects && one.pullRequests === 1,
    );
    // Of a busy machine that takes longer.
    const more = Math.floor((found?.visible.p95 ?? 0) / moreEveryMs);
    expect(found?.calls.total, JSON.stringify(found?.calls)).toBeLessThanOrEqual(most + more);
  },
);

test.runIf(process.platform === 'linux')('memory and CPU of the whole tree are told', () => {
  expect(benchmark.idle.memory?.processes).toBeGreaterThan(3);
  expect(benchmark.idle.memory?.byProgram).toMatchObject({
    temporal: expect.any(Number),
    postgres: expect.any(Number),
  });
  expect(benchmark.idle.cpuPercentOfACore).not.toBeNull();
  expect(benchmark.scenarios.at(-1)?.peak?.totalMiB).toBeGreaterThan(0);
});

test('the page keeps what people wrote around the figures', () => {
  expect(markdown).toMatch(
    /^Before\.\n<!-- bench: .* -->\n\n\d+ cores .*\n\n<!-- bench: end -->\nAfter\.\n$/s,
  );
  expect(markdown).toContain('| plan: 10 projects');
});
