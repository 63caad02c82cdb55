// What happens while no runner takes a plan or an apply?
import { ActivityFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import { poolHasRunners } from './proxies.ts';

/**
 * Tries anew for as long as the pool has runners: then they are only busy. Work that nobody took was never begun, so
 * trying again repeats nothing. Rejects with the failure of the last attempt.
 */
export async function untilTaken<Result>(pool: string, work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!wasNotTaken(error) || !(await hasRunners(pool))) throw error;
    }
  }
}

/** Nobody ever picked it up. */
export const wasNotTaken = (error: unknown): boolean => timeoutOf(error) === 'SCHEDULE_TO_START';

/** Temporal gave it to a process that is not heard of any more, or the process never got it. */
export const wentSilent = (error: unknown): boolean => timeoutOf(error) === 'HEARTBEAT';

function timeoutOf(error: unknown): TimeoutFailure['timeoutType'] | null {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof TimeoutFailure ? cause.timeoutType : null;
}

/** Does anybody work for the pool? Where nobody knows, the first answer holds: nobody came. */
export async function hasRunners(pool: string): Promise<boolean> {
  try {
    return await poolHasRunners({ pool });
  } catch (error) {
    if (isCancellation(error)) throw error;
    return false;
  }
}

/** Who has to do what about it. */
export const noRunner = (pool: string) => ({
  summary: `No runner of the pool \`${pool}\` answered.`,
  detail: `Start a runner with HATCHET_POOLS=${pool}, or name another pool in hatchet.yaml; then comment \`/hatchet plan\`.`,
});
