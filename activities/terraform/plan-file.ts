// Which state was a plan file made from?
import type { Buffer } from 'node:buffer';
import { buffer } from 'node:stream/consumers';
import { fromBufferPromise } from 'yauzl';
import { z } from 'zod';

/** Terraform's identity of one version of one state. */
export type StateVersion = { readonly lineage: string; readonly serial: number };

const stateSchema = z.object({ lineage: z.string(), serial: z.number() });

/** The state's bytes are held in memory once; beyond this Terraform itself is hardly usable. */
const maxStateBytes = 512 * 1024 * 1024;

/**
 * Reads the zip entry `tfstate`. Null when there was no state yet, or where the plan file cannot be looked into
 * (OpenTofu can encrypt it).
 */
export async function readPlannedState(planFile: Buffer): Promise<StateVersion | null> {
  const zip = await fromBufferPromise(planFile).catch(() => null);
  if (zip === null) return null;
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName !== 'tfstate' || entry.uncompressedSize > maxStateBytes) continue;
    return parseStateVersion((await buffer(await zip.openReadStreamPromise(entry))).toString());
  }
  return null;
}

/** Null when `text` is no state, or an empty one that was never written. */
export function parseStateVersion(text: string): StateVersion | null {
  try {
    const state = stateSchema.parse(JSON.parse(text));
    return state.lineage === '' ? null : { lineage: state.lineage, serial: state.serial };
  } catch {
    return null;
  }
}
