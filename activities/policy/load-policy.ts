// How does a compiled policy become something that can be asked?
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { loadPolicy as load } from '@open-policy-agent/opa-wasm';
import type { Builtin } from './builtins/builtins.ts';

export type LoadedPolicy = {
  /** OPA's result set: `[{ result }]`, or `[]` when undefined. Throws strings and objects, not Errors. */
  readonly evaluate: (input: ArrayBuffer, entrypoint: string) => unknown;
  readonly memoryBytes: () => number;
};

/** What the SDK starts with; it grows from there. */
const initialPages = 5;
/** The SDK's own version of these differs from OPA (npm-opa-wasm issue 60), and would win over ours. */
const replacedBuiltins = ['sprintf', 'regex.split'];

/** Throws when the module cannot run within `maximumPages` of 64 KiB. */
export async function loadPolicy(policy: {
  readonly module: WebAssembly.Module;
  readonly maximumPages: number;
  readonly builtins: Readonly<Record<string, Builtin>>;
}): Promise<LoadedPolicy> {
  preferOurBuiltins();
  const memory = { initial: initialPages, maximum: policy.maximumPages };
  const loaded = await load(policy.module, memory, { ...policy.builtins });
  return {
    evaluate: (input, entrypoint) => loaded.evaluate(input, entrypoint),
    memoryBytes: () => loaded.mem.buffer.byteLength,
  };
}

/**
 * The SDK looks among its own built-in functions before it looks at ours, so those that we replace are taken out of
 * its table. The table belongs to this thread alone; the package hides it from `import`, not from its file's path.
 */
function preferOurBuiltins(): void {
  const require = createRequire(import.meta.url);
  const table: unknown = require(
    join(dirname(require.resolve('@open-policy-agent/opa-wasm')), 'builtins', 'index.js'),
  );
  if (typeof table !== 'object' || table === null)
    throw new Error('the table of built-in functions is missing');
  for (const name of replacedBuiltins) Reflect.deleteProperty(table, name);
}
