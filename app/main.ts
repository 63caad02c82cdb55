// How is the process started small and quickly? With few and small heaps; what its code compiles to is kept.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// glibc gives threads heaps of their own, and what one of them frees the others cannot use: two serve all of ours, with a
// fifth less memory. Node lets each of its threads keep 32 MiB for what is new; with half of that nothing takes longer.
// Both are asked for before anything of ours runs, so the process begins again as itself; what an operator asks for counts.
const { HATCHET_BEGUN_AGAIN: begunAgain, MALLOC_ARENA_MAX = '2', NODE_OPTIONS = '' } = process.env;
// It is about this very process: no setting, and nothing for its children.
delete process.env.HATCHET_BEGUN_AGAIN;
if (process.platform === 'linux' && begunAgain === undefined) {
  const isAsked = [NODE_OPTIONS, ...process.execArgv].some((each) =>
    /--max[-_]semi[-_]space[-_]size/.test(each),
  );
  const flags = isAsked ? [] : ['--max-semi-space-size=8'];
  const argv = [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)];
  const environment = { ...process.env, MALLOC_ARENA_MAX, HATCHET_BEGUN_AGAIN: 'yes' };
  process.execve?.(process.execPath, argv, environment);
}
// Half of a start's work. Beside the dependencies, as the workflows' bundle; where nothing can be written, it is done anew.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/hatchet/code', import.meta.url)));
await import('./process.ts');
