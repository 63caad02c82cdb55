// When does the app end that several test files use, one after the other? When their process has no more of them.
import type { Environment } from 'vitest/runtime';

type End = () => Promise<void>;

declare global {
  // The environment and the test files load this module each for themselves.
  var endOfStage: End | undefined;
}

/** Called once, after the last test file of this process; what was said last counts. */
export function endAtLast(end: End): void {
  globalThis.endOfStage = end;
}

/** Set up once for each process, and torn down with it. */
// biome-ignore lint/style/noDefaultExport: Vitest asks for one
export default {
  name: 'shared-stage',
  viteEnvironment: 'ssr',
  setup: () => ({ teardown: async () => globalThis.endOfStage?.() }),
} satisfies Environment;
