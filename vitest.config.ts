// How are the tests run? Each file in a process of its own, beside one database and one Temporal server for all.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

// Each file's process loads the same libraries: what they compile to is kept. Read by Node as a process starts.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
  new URL('node_modules/.cache/hatchet/code', import.meta.url),
);

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Temporal's native module crashes in worker threads.
    pool: 'forks',
    // Most tests wait for other processes: more of them than cores keep the cores busy.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/global-setup.ts'],
    // A cold Terraform, a Temporal server and a database on a busy machine; a hanging test still ends.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Counted by .ci/run.
    reporters: ['default', ['json', { outputFile: 'node_modules/.cache/hatchet/tests.json' }]],
  },
});
