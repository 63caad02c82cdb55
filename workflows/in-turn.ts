// How does a workflow wait for what its own worker does for it?
import { ActivityFailure, ApplicationFailure, sleep, TimeoutFailure } from '@temporalio/workflow';

/** How often is it tried, and for how long is the first pause? Each pause is twice as long as the one before. */
export type Patience = {
  readonly attempts: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
};

/** The step that was begun last. Each workflow has its own: its code is evaluated for it alone. */
let last: Promise<unknown> = Promise.resolve();

/**
 * One local activity at a time. Temporal tells of several in the order in which they end, and when the workflow is
 * replayed in another one: what follows them would be another history, and the workflow would be stuck for ever. Its
 * own retries would keep the others waiting, so they are made here, between which the others have their turn.
 */
export function inTurn<Request, Result>(
  localActivity: (request: Request) => Promise<Result>,
  patience: Patience,
): (request: Request) => Promise<Result> {
  return async (request) => {
    for (let attempt = 1, pauseMs = patience.firstPauseMs; ; attempt += 1, pauseMs *= 2) {
      const turn = last.then(() => localActivity(request));
      last = turn.catch(() => undefined);
      try {
        return await turn;
      } catch (error) {
        if (attempt >= patience.attempts || !isWorthAnotherTry(error)) throw error;
      }
      await sleep(Math.min(pauseMs, patience.longestPauseMs));
    }
  };
}

/**
 * It was not cancelled, and whoever threw it did not say that another attempt ends the same. What a local activity
 * throws arrives as it is (SDK 1.24); as an activity's failure only what befell it from outside, its time limit.
 */
function isWorthAnotherTry(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) return cause.nonRetryable !== true;
  return cause instanceof TimeoutFailure;
}
