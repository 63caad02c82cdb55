// When is a process of use that takes work from Temporal?
import type { Worker } from '@temporalio/worker';
import type { ReadinessCheck } from './http-server.ts';

/** Ready while every worker polls. */
export function pollers(workers: readonly Worker[]): readonly ReadinessCheck[] {
  const check = async (): Promise<void> => {
    const stopped = workers.find((worker) => worker.getState() !== 'RUNNING');
    if (stopped !== undefined)
      throw new Error(`the worker of ${stopped.options.taskQueue} is ${stopped.getState()}`);
  };
  return [{ name: 'workers', check }];
}

/** A good answer holds for this long: whoever asks every second must not make us ask GitHub every second. */
const readinessMs = 60_000;

export function remembered(check: () => Promise<void>): () => Promise<void> {
  let goodUntil = 0;
  return async () => {
    if (Date.now() < goodUntil) return;
    await check();
    goodUntil = Date.now() + readinessMs;
  };
}
