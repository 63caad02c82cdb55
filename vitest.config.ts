// How are the tests run? One file after the other in few processes, but for those that change their process.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

// Each file's process loads the same libraries: what they compile to is kept. Read by Node as a process starts.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
  new URL('node_modules/.cache/hatchet/code', import.meta.url),
);

/** Those that have a world: an app and a GitHub take seconds to start, so they share them where they can. */
const ofTheWholeApp = readdirSync(new URL('test', import.meta.url))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name}`)
  .filter((path) => readFileSync(new URL(path, import.meta.url), 'utf8').includes("from './world.ts'"));

/** Each in a process of its own: they change what belongs to all of it, as the metrics, the network or Temporal's log. */
const alone = [
  'codec',
  'demo-markdown',
  'fuzz-webhook',
  'github-client',
  'replay',
  'run-page',
  'run-page-browser',
  'share-readings',
].map((name) => `test/${name}.test.ts`);

export default defineConfig({
  test: {
    // Temporal's native module crashes in worker threads.
    pool: 'forks',
    // Most tests wait for other processes: more of them than cores keep the cores busy.
    maxWorkers: 5,
    sequence: { sequencer: LongestFirst },
    // One database and one Temporal server for all.
    globalSetup: ['test/global-setup.ts'],
    // A cold Terraform, a Temporal server and a database on a busy machine; a hanging test still ends.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Counted by .ci/run.
    reporters: ['default', ['json', { outputFile: 'node_modules/.cache/hatchet/tests.json' }]],
    projects: [
      {
        extends: true,
        test: {
          name: 'app',
          include: ofTheWholeApp,
          isolate: false,
          environment: './test/shared-stage.ts',
          setupFiles: ['test/tell-trouble.ts'],
        },
      },
      {
        extends: true,
        // To load the same libraries anew for each file would take a second of work.
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [...ofTheWholeApp, ...alone],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
});
