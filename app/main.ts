// How is the process started quickly? What its code compiles to is kept, then it runs.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Half of a start's work. Beside the dependencies, as the workflows' bundle; where nothing can be written, it is done anew.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/hatchet/code', import.meta.url)));
await import('./process.ts');
