// How does a workflow wait for what its own worker does for it?
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  sleep,
  TimeoutFailure,
} from '@temporalio/workflow';

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
  return again((request) => {
    const turn = last.then(() => localActivity(request));
    last = turn.catch(() => undefined);
    return turn;
  }, patience);
}

function again<Request, Result>(
  step: (request: Request) => Promise<Result>,
  patience: Patience,
): (request: Request) => Promise<Result> {
  return async (request) => {
    for (let attempt = 1, pauseMs = patience.firstPauseMs; ; attempt += 1, pauseMs *= 2) {
      try {
        return await step(request);
      } catch (error) {
        if (attempt >= patience.attempts || !isWorthAnotherTry(error)) throw error;
      }
      await sleep(Math.min(pauseMs, patience.longestPauseMs));
    }
  };
}

/**
 * Each step begins when the one before it is done, its retries included: what is said later never arrives earlier. What
 * was given up would otherwise take along what was asked for since.
 */
export function inOrder<Request, Result>(
  step: (request: Request) => Promise<Result>,
): (request: Request) => Promise<Result> {
  let before: Promise<unknown> = Promise.resolve();
  return (request) => {
    const result = before.then(() => step(request));
    before = result.catch(() => undefined);
    return result;
  };
}

type Batch<Request, Result> = {
  readonly requests: Request[];
  readonly results: Promise<readonly Result[]>;
};

/** As `inTurn`: what is asked for until its turn comes is done in one step. The results stand in the order of requests. */
export function inTurnTogether<Request, Result>(
  localActivity: (requests: readonly Request[]) => Promise<readonly Result[]>,
  patience: Patience,
): (request: Request) => Promise<Result> {
  let open: Batch<Request, Result> | null = null;
  function begin(): Batch<Request, Result> {
    const requests: Request[] = [];
    const results = last.then(() => {
      open = null;
      // Whoever asked first may be cancelled, and the others not.
      return CancellationScope.nonCancellable(() => localActivity(requests));
    });
    last = results.catch(() => undefined);
    return { requests, results };
  }
  return again(async (request) => {
    open ??= begin();
    const index = open.requests.push(request) - 1;
    const results = await open.results;
    return results[index] as Result;
  }, patience);
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
