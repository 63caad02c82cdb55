// What do a runner and the run service say to each other?
import { Buffer } from 'node:buffer';
import { z } from 'zod';
import type { Refusal } from '../../workflows/model/apply.ts';
import type { PlanBytes, PlanFiles, StoredPlan } from '../run-store.ts';
import { planChangesSchema, planMasksSchema, storedPlanSchema } from '../store/documents.ts';

/** Whose path it is says the pass: none of them names a run, a plan or a repository. */
export const paths = {
  ping: '/runner/ping',
  tree: '/runner/tree',
  plan: '/runner/plan',
  planFile: '/runner/plan/file',
  planJson: '/runner/plan/json',
  log: '/runner/log',
  erroredState: '/runner/errored-state',
  /** Of an apply that could not keep one when it ended. */
  lateLog: '/runner/late-log',
  /** And the number of the chunk. */
  liveLog: '/runner/live-log/',
} as const;

/** What a runner says of itself, beside its pass. */
export const headers = {
  /** That it has a key of the pass's pool. */
  proof: 'hatchet-proof',
  /** A name that the process gave itself, for what only one process may take. */
  taker: 'hatchet-taker',
} as const;

/** Another process has taken what only one may take. */
export const takenStatus = 409;

const mebibyte = 1024 * 1024;

/** People said no before anybody had taken it; the body says what. */
export const calledBackStatus = 410;
export const calledBackSchema = z.object({
  refusal: z.custom<Refusal>((value) => typeof value === 'object' && value !== null && 'kind' in value),
});

/** What is larger is refused before it fills memory. */
export const limits = {
  /** The plan file and its JSON, each of which the store takes up to 240 MiB of, and what is small beside them. */
  planBytes: 512 * mebibyte,
  /** Of all that runners send at one time: the largest plan, and much that is small beside it. */
  bytesAtOnce: 640 * mebibyte,
  /** A kept log is cut at 16 Mi characters, of four bytes at most. */
  logBytes: 64 * mebibyte,
  /** What the store takes of one artifact. */
  stateBytes: 240 * mebibyte,
  /** All that is followed of a run has 4 Mi characters. */
  chunkBytes: 16 * mebibyte,
} as const;

/** Why a request was refused, for the runner's log; never what it held. */
export const refusalSchema = z.object({ problem: z.string() });

/** The parts of a form, each named once. */
const formType = 'application/octet-stream';

export function planForm(stored: StoredPlan, bytes: PlanBytes): FormData {
  const { planFile, planJson, masks, log, changes, lockFile } = bytes;
  const form = new FormData();
  form.set('stored', JSON.stringify(stored));
  form.set('changes', JSON.stringify(changes));
  form.set('masks', JSON.stringify(masks));
  form.set('planFile', blobOf(planFile));
  form.set('planJson', blobOf(planJson));
  form.set('log', blobOf(log));
  if (lockFile !== null) form.set('lockFile', blobOf(lockFile));
  return form;
}

/** Throws when it is no form, when something is missing, or when a document has another shape. */
export async function readPlanForm(
  contentType: string,
  body: Buffer,
): Promise<{ readonly stored: StoredPlan; readonly bytes: PlanBytes }> {
  const form = await readForm(contentType, body);
  return {
    stored: storedPlanSchema.parse(JSON.parse(textOf(form, 'stored'))),
    bytes: {
      changes: planChangesSchema.parse(JSON.parse(textOf(form, 'changes'))),
      masks: planMasksSchema.parse(JSON.parse(textOf(form, 'masks'))),
      planFile: await bytesOf(form, 'planFile'),
      planJson: await bytesOf(form, 'planJson'),
      log: await bytesOf(form, 'log'),
      lockFile: form.has('lockFile') ? await bytesOf(form, 'lockFile') : null,
    },
  };
}

export function planFilesForm({ planFile, lockFile }: PlanFiles): FormData {
  const form = new FormData();
  form.set('planFile', blobOf(planFile));
  if (lockFile !== null) form.set('lockFile', blobOf(lockFile));
  return form;
}

export async function readPlanFilesForm(contentType: string, body: Buffer): Promise<PlanFiles> {
  const form = await readForm(contentType, body);
  return {
    planFile: await bytesOf(form, 'planFile'),
    lockFile: form.has('lockFile') ? await bytesOf(form, 'lockFile') : null,
  };
}

const readForm = (contentType: string, body: Buffer): Promise<FormData> =>
  new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();

const blobOf = (bytes: Buffer): Blob => new Blob([new Uint8Array(bytes)], { type: formType });

function textOf(form: FormData, name: string): string {
  const part = form.get(name);
  if (typeof part !== 'string') throw new Error(`the part ${name} is missing`);
  return part;
}

async function bytesOf(form: FormData, name: string): Promise<Buffer> {
  const part = form.get(name);
  if (part === null || typeof part === 'string') throw new Error(`the part ${name} is missing`);
  return Buffer.from(await part.arrayBuffer());
}
