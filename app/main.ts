// How is the process started small and quickly? With few and small heaps; what its code compiles to is kept.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// glibc gives threads heaps of their own, and what one of them frees the others cannot use: two serve all of ours, with a
// fifth less memory. Node lets each of its threads keep 32 MiB for what is new; with half of that nothing takes longer.
// Both are asked for before anything of ours runs, so the process begins again as itself.
if (process.platform === 'linux' && process.env.MALLOC_ARENA_MAX === undefined) {
  const argv = [process.execPath, '--max-semi-space-size=8', ...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(process.execPath, argv, { ...process.env, MALLOC_ARENA_MAX: '2' });
}
// Half of a start's work. Beside the dependencies, as the workflows' bundle; where nothing can be written, it is done anew.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/hatchet/code', import.meta.url)));
await import('./process.ts');
