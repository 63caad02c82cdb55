// Where in OPA's bundle is the WebAssembly module, and may it be run?
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Parser } from 'tar';
import { operatorError } from '../faults.ts';

const modulePath = '/policy.wasm';

/**
 * The module of a bundle that `opa build --target wasm` wrote. OperatorError: there is none, or it is not valid;
 * OPA is known to write invalid modules without an error.
 */
export async function readWasm(archive: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const parser = new Parser({
    onReadEntry(entry) {
      if (entry.path === modulePath) entry.on('data', (chunk) => chunks.push(chunk));
      else entry.resume();
    },
  });
  await pipeline(createReadStream(archive), parser);
  const wasm = Buffer.concat(chunks);
  if (wasm.length === 0) throw operatorError('opa build wrote a bundle without a WebAssembly module');
  if (!WebAssembly.validate(wasm)) throw operatorError('opa build wrote an invalid WebAssembly module');
  return wasm;
}
