// How does a runner reach the run service, and what if it is away for a moment?
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { RunPass } from '../../workflows/port/run.ts';
import { operatorError } from '../faults.ts';
import { speaksOfFullDisk } from '../full-disk.ts';
import { calledBackStatus, headers, refusalSchema, takenStatus } from './wire.ts';

export type Question = {
  readonly url: string;
  readonly pass: RunPass;
  /** That this is a runner of the pass's pool. */
  readonly proof: string;
  readonly path: string;
  /** The process that wants to take what only one may take. */
  readonly taker?: string;
  /** What is to be kept; without it, something is asked for. */
  readonly body?: FormData | Uint8Array<ArrayBuffer>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
};

/** Together a minute: by then a control that was started anew is back, as long as its database is. */
const delaysMs = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

/** One try. OperatorError: refused; that it was taken before, or called back, is an answer. What else throws may be better next time. */
export async function ask(question: Question): Promise<Response> {
  const { url, pass, proof, path, taker, body, timeoutMs, signal } = question;
  const timeout = AbortSignal.timeout(timeoutMs);
  const response = await fetch(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'PUT',
    headers: {
      authorization: `Bearer ${pass.token}`,
      [headers.proof]: proof,
      ...(taker === undefined ? {} : { [headers.taker]: taker }),
    },
    ...(body === undefined ? {} : { body }),
    signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    redirect: 'error',
  });
  if (response.ok || [takenStatus, calledBackStatus].includes(response.status)) return response;
  if (response.status >= 500) throw new Error(`the run service answered ${response.status}`);
  const refusal = refusalSchema.safeParse(await response.json().catch(() => null));
  const problem = refusal.data?.problem ?? `HTTP ${response.status}`;
  throw operatorError(`control refused ${path}: ${problem}`);
}

/** Tries until it works, is refused, finds the disk full, or a minute is over. Throws the reason of `signal` when it aborts. */
export async function insist<Result>(
  attempt: () => Promise<Result>,
  signal: AbortSignal | null,
): Promise<Result> {
  for (const delayMs of delaysMs) {
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ApplicationFailure || speaksOfFullDisk(error)) throw error;
      await sleep(delayMs, undefined, signal === null ? {} : { signal });
    }
  }
  return attempt();
}
