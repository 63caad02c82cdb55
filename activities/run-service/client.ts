// How does a runner without database and mirror get what its run needs, and keep what comes of it?
import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { Refusal } from '../../workflows/model/apply.ts';
import type { RunPass } from '../../workflows/port/run.ts';
import { operatorError } from '../faults.ts';
import type { LogSink, PlanFiles, RunnerStore } from '../run-store.ts';
import { unpackTree } from '../source/unpack-tree.ts';
import { storedPlanSchema } from '../store/documents.ts';
import type { RunAccess } from '../terraform/settings.ts';
import type { Question } from './ask.ts';
import { ask, insist } from './ask.ts';
import { readBytes } from './read-bytes.ts';
import {
  calledBackSchema,
  calledBackStatus,
  limits,
  paths,
  planForm,
  readPlanFilesForm,
  takenStatus,
} from './wire.ts';

export type RunServiceClient = {
  /** What the run may use that the pass is of; `signal` ends its checkout. OperatorError: it has no pass. */
  readonly accessFor: (pass: RunPass | null, signal: AbortSignal) => RunAccess;
  /** Rejects when the service does not answer. */
  readonly ping: () => Promise<void>;
};

/** Hundreds of megabytes over a slow line. */
const bytesTimeoutMs = 10 * 60_000;
/** A few kilobytes; the next chunk brings what this one did not. */
const chunkTimeoutMs = 10_000;
const pingTimeoutMs = 5_000;

/** `url`: where control listens for runners, without a slash at its end. `scratch`: a directory for trees on their way. */
export function createRunServiceClient(settings: {
  readonly url: string;
  readonly scratch: string;
  /** Shows that this is a runner of the pass's pool; throws when it is none. */
  readonly prove: (pass: RunPass) => string;
  /** What git needs to know of this machine. */
  readonly environment: Readonly<Record<string, string>>;
}): RunServiceClient {
  const { url } = settings;
  return {
    accessFor: (pass, signal) => {
      if (pass === null)
        throw operatorError('control gives no passes to runners: set HATCHET_RUNNER_LISTEN there');
      const asking = { url, pass, proof: settings.prove(pass) };
      return {
        store: createStore(asking),
        liveLog: pass.followed ? createLiveLog(asking) : null,
        checkout: (request) =>
          insist(async () => {
            const question = { ...asking, path: paths.tree, timeoutMs: bytesTimeoutMs, signal };
            const { body } = await ask(question);
            const pack = Readable.fromWeb((body ?? new Blob([]).stream()) as ReadableStream);
            await unpackTree({ ...settings, ...request, pack, signal });
          }, signal),
      };
    },
    async ping() {
      const { status } = await fetch(`${url}${paths.ping}`, { signal: AbortSignal.timeout(pingTimeoutMs) });
      if (status !== 204) throw new Error(`the run service answered ${status}`);
    },
  };
}

type Asking = Pick<Question, 'url' | 'pass' | 'proof'>;

/** Reads insist; whoever keeps something knows best how long to go on trying. */
function createStore(asking: Asking): RunnerStore {
  const question = { ...asking, timeoutMs: bytesTimeoutMs };
  // Not ended by a cancellation: an apply has to say in its own words that it never began.
  const read = <Result>(
    path: string,
    parse: (response: Response) => Promise<Result>,
    by: Pick<Question, 'taker'> = {},
  ) => insist(async () => parse(await ask({ ...question, path, ...by })), null);
  const keep = async (path: string, body: FormData | Buffer): Promise<void> => {
    await ask({ ...question, path, body: body instanceof FormData ? body : new Uint8Array(body) });
  };
  return {
    readPlan: () => read(paths.plan, async (response) => storedPlanSchema.parse(await response.json())),
    takePlanFile: ({ taker }) => read(paths.planFile, takenFiles, { taker }),
    readPlanJson: () => read(paths.planJson, bytesOf),
    savePlan: (stored, bytes) => keep(paths.plan, planForm(stored, bytes)),
    saveLog: (_, log) => keep(paths.log, log),
    addLog: (_, log) => keep(paths.lateLog, log),
    saveErroredState: (_, state) => keep(paths.erroredState, state),
  };
}

async function takenFiles(response: Response): Promise<PlanFiles | Refusal | null> {
  if (response.status === takenStatus) return null;
  if (response.status === calledBackStatus) return calledBackSchema.parse(await response.json()).refusal;
  return readPlanFilesForm(response.headers.get('content-type') ?? '', await bytesOf(response));
}

async function bytesOf(response: Response): Promise<Buffer> {
  const bytes = await readBytes(response.body ?? new Blob([]).stream(), limits.planBytes);
  if (bytes === null) throw operatorError('control sent more than a plan can be');
  return bytes;
}

function createLiveLog(asking: Asking): LogSink {
  return {
    async append(_, seq, text) {
      const body = new Uint8Array(Buffer.from(text));
      await ask({ ...asking, path: `${paths.liveLog}${seq}`, body, timeoutMs: chunkTimeoutMs });
    },
  };
}
