// How is a plan put to policies without trusting that they ever answer?
import { Worker } from 'node:worker_threads';
import type { PolicyBundle } from './bundle.ts';
import type { InputShape, PolicyFacts } from './input.ts';
import type { PackageAnswer } from './result.ts';
import type { News, Question, ThreadSettings } from './worker-thread.ts';

export type EvaluationLimits = {
  /** For all packages of a bundle together, on a thread that is already running. */
  readonly timeoutMs: number;
  /** Of 64 KiB each. */
  readonly memoryPages: number;
  /** Of JavaScript's own objects in the thread. */
  readonly heapMb: number;
  readonly planBytes: number;
};

export const evaluationLimits: EvaluationLimits = {
  // A plan of 5 MB takes half a second, one of 20 MB four; a loop takes for ever, and the activity has 30 s for all.
  timeoutMs: 10_000,
  // 512 MiB: OPA needs about 14 times the size of the plan.
  memoryPages: 8192,
  // The biggest plan parsed once, several times over; the default would depend on the machine.
  heapMb: 1024,
  // What 512 MiB can hold.
  planBytes: 32 * 1024 * 1024,
};

/** A thread that has not come up by then never will. */
const startTimeoutMs = 30_000;

export type Evaluation = {
  readonly bundle: PolicyBundle;
  readonly planJson: Uint8Array;
  /** Values that no answer may hold, of this plan alone. */
  readonly masks: readonly string[];
  readonly facts: PolicyFacts;
  readonly shape: InputShape;
};

export type Evaluator = {
  /**
   * One answer per package, in the bundle's order; whatever goes wrong with a policy is an answer too. Rejects only
   * after `close`.
   */
  readonly evaluate: (evaluation: Evaluation) => Promise<readonly PackageAnswer[]>;
  /** Starts the thread, so that the first plan does not wait for it. */
  readonly start: () => Promise<void>;
  /** Lets what was asked before come to its end. */
  readonly close: () => Promise<void>;
};

/**
 * One thread, one plan at a time; a thread that ran too long or died is replaced for the next plan. What comes out of
 * it holds neither `masks` nor what the plan marks as sensitive.
 */
export function createEvaluator(limits: EvaluationLimits, masks: readonly string[] = []): Evaluator {
  let thread: Promise<Worker> | null = null;
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;

  const currentThread = (): Promise<Worker> => {
    if (thread !== null) return thread;
    const started = startThread({ heapMb: limits.heapMb, masks }, () => {
      if (thread === started) thread = null;
    });
    thread = started;
    return started;
  };
  const retire = async (worker: Worker): Promise<void> => {
    thread = null;
    await worker.terminate();
  };
  const evaluateNow = async (evaluation: Evaluation): Promise<readonly PackageAnswer[]> => {
    const { bundle, planJson } = evaluation;
    const failed = (reason: string) =>
      bundle.packages.map((pkg) => ({ kind: 'failed', package: pkg, reason }) as const);
    if (planJson.byteLength > limits.planBytes) return failed(tooBig(planJson.byteLength, limits));
    const worker = await currentThread().catch(() => null);
    if (worker === null) return failed('the thread for policies did not start');
    const { answers, broken } = await ask(worker, evaluation, limits);
    if (broken) await retire(worker);
    return answers;
  };

  return {
    async evaluate(evaluation) {
      if (closed) throw new Error('policies are no longer evaluated here');
      const answers = last.then(() => evaluateNow(evaluation));
      last = answers.catch(() => {});
      return answers;
    },
    async start() {
      await currentThread();
    },
    async close() {
      closed = true;
      await last;
      const running = await thread?.catch(() => null);
      await running?.terminate();
    },
  };
}

/** For whoever has to make the plan smaller; rounded so that it never reads as if it fitted. */
function tooBig(bytes: number, { planBytes }: EvaluationLimits): string {
  const mebibytes = (size: number, round: (size: number) => number): string =>
    `${round((size / 1024 / 1024) * 10) / 10} MiB`;
  return (
    `the plan is too big: its JSON has ${mebibytes(bytes, Math.ceil)}, and a policy is given at most ` +
    `${mebibytes(planBytes, Math.floor)}. Divide the project, or change fewer resources at a time`
  );
}

/** A running thread with nothing of this process's environment. `onGone` is called when it ends, however it ends. */
async function startThread(
  { heapMb, masks }: ThreadSettings & Pick<EvaluationLimits, 'heapMb'>,
  onGone: () => void,
): Promise<Worker> {
  const worker = new Worker(new URL('./worker-thread.ts', import.meta.url), {
    env: {},
    execArgv: [],
    workerData: { masks } satisfies ThreadSettings,
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  // An idle thread must not keep the process alive, nor take it down when it dies.
  worker.unref();
  worker.on('error', onGone);
  worker.on('exit', onGone);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => reject(new Error('the thread for policies did not start in time')),
    startTimeoutMs,
  );
  worker.once('message', () => resolve());
  worker.once('error', reject);
  worker.once('exit', () => reject(new Error('the thread for policies ended at its start')));
  try {
    await promise;
    return worker;
  } catch (cause) {
    onGone();
    await worker.terminate();
    throw cause;
  } finally {
    clearTimeout(timer);
  }
}

/** Puts one question. `broken`: the thread can take no other. Packages that had answered before keep their answer. */
async function ask(
  worker: Worker,
  { bundle, planJson, masks, facts, shape }: Evaluation,
  limits: EvaluationLimits,
): Promise<{ readonly answers: readonly PackageAnswer[]; readonly broken: boolean }> {
  const { digest, module, packages } = bundle;
  const question: Question = {
    digest,
    module,
    packages,
    planJson,
    masks,
    facts,
    shape,
    maximumPages: limits.memoryPages,
  };
  const heard = new Map<string, News & { kind: 'answered' | 'failed' }>();
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const onMessage = (news: News): void => {
    if (news.kind === 'done') resolve(null);
    else if (news.kind !== 'ready') heard.set(news.name, news);
  };
  const onError = (cause: unknown): void => resolve(crashReason(cause));
  const onExit = (): void => resolve('the thread for policies died');
  const timer = setTimeout(
    () => resolve(`it took longer than ${limits.timeoutMs / 1000} s`),
    limits.timeoutMs,
  );
  worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  worker.postMessage(question);
  const broken = await promise;
  clearTimeout(timer);
  worker.off('message', onMessage).off('error', onError).off('exit', onExit);

  const answers = packages.map((pkg): PackageAnswer => {
    const news = heard.get(pkg.name);
    if (news?.kind === 'answered') return { kind: 'answered', package: pkg, resultSet: news.resultSet };
    return { kind: 'failed', package: pkg, reason: news?.reason ?? broken ?? 'it gave no answer' };
  });
  return { answers, broken: broken !== null };
}

function crashReason(cause: unknown): string {
  const outOfMemory = cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
  return outOfMemory ? 'it needs more memory than it may have' : 'the thread for policies died';
}
