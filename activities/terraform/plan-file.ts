// Which state and which configuration was a plan file made from?
import type { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { fromBufferPromise } from 'yauzl';
import { z } from 'zod';
import type { DynamicBlocks } from './dynamic-blocks.ts';
import { findDynamicBlocks } from './dynamic-blocks.ts';

/** Terraform's identity of one version of one state. */
export type StateVersion = { readonly lineage: string; readonly serial: number };

/** The files of the root module and of every module that init found or downloaded, as they were planned. */
export type PlannedConfiguration = {
  /** Lowercase hex SHA-256 over their names and texts. */
  readonly sha256: string;
  readonly dynamic: DynamicBlocks;
};

export type PlanFileContent = {
  readonly state: StateVersion | null;
  /** Null where the plan file cannot be looked into, or holds more than anybody wrote by hand. */
  readonly configuration: PlannedConfiguration | null;
};

const stateSchema = z.object({ lineage: z.string(), serial: z.number() });

/** The state's bytes are held in memory once; beyond this Terraform itself is hardly usable. */
const maxStateBytes = 512 * 1024 * 1024;
/** All modules of the largest projects together have a few megabytes. */
const maxConfigurationBytes = 64 * 1024 * 1024;

/** `modules.json` beside these names directories of this machine: what is in them stands here. */
const configurationFile = /^tfconfig\/m-[^/]*\/[^/]+$/;

/** Nothing is found where the plan file cannot be looked into (OpenTofu can encrypt it). */
export async function readPlanFile(planFile: Buffer): Promise<PlanFileContent> {
  const zip = await fromBufferPromise(planFile).catch(() => null);
  if (zip === null) return { state: null, configuration: null };
  const files = new Map<string, string>();
  let [state, configurationBytes]: [StateVersion | null, number] = [null, 0];
  for await (const entry of zip.eachEntry()) {
    const { fileName, uncompressedSize: size } = entry;
    const read = async () => (await buffer(await zip.openReadStreamPromise(entry))).toString('latin1');
    if (fileName === 'tfstate' && size <= maxStateBytes) state = parseStateVersion(await read());
    if (!configurationFile.test(fileName)) continue;
    configurationBytes += size;
    if (configurationBytes <= maxConfigurationBytes) files.set(fileName, await read());
  }
  const complete = files.size > 0 && configurationBytes <= maxConfigurationBytes;
  return { state, configuration: complete ? describe(files) : null };
}

function describe(files: ReadonlyMap<string, string>): PlannedConfiguration {
  const sum = createHash('sha256');
  const inOrder = [...files].sort(([left], [right]) => (left < right ? -1 : 1));
  for (const file of inOrder) sum.update(`${JSON.stringify(file)}\n`);
  return { sha256: sum.digest('hex'), dynamic: findDynamicBlocks(inOrder) };
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
