// What does a failed call to GitHub mean: try again, wait, or tell the operator?
import { ApplicationFailure } from '@temporalio/common';
import { operatorError, retryLater } from '../faults.ts';

/** Without a word from GitHub on how long to wait, its documentation asks for at least a minute. */
const defaultWaitMs = 60_000;
/** A clock that differs a little must not make us come back too early. */
const clockSlackMs = 1_000;

const finalStatuses: readonly number[] = [403, 404, 410, 422];
/** GraphQL's words for 403, 422 and 404; any other error of its own ("Something went wrong") passes. */
const finalTypes = ['FORBIDDEN', 'UNPROCESSABLE', 'NOT_FOUND', 'INSUFFICIENT_SCOPES', 'undefinedField'];

type Failed = {
  readonly status?: number;
  readonly message?: string;
  readonly response?: { readonly headers?: Readonly<Record<string, string | number | undefined>> };
  readonly headers?: Readonly<Record<string, string | number | undefined>>;
  readonly errors?: readonly { readonly type?: string; readonly message?: string }[];
};

/**
 * Rate limits wait for as long as GitHub says. 404, 410 and 422, and permissions that are missing (as in an archived
 * repository, a locked conversation or a suspended App), do not mend themselves: an OperatorError. Everything else (5xx, 401 of a token that has not spread yet, the network) is retried.
 * Source: docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
export function translate(what: string, error: unknown): Error {
  if (error instanceof ApplicationFailure) return error;
  const failed = error as Failed;
  const waitMs = limitWaitMs(error);
  if (waitMs !== null) return retryLater(`GitHub limits the rate of ${what}`, waitMs, error);
  const message = `${what} failed: ${failed.status ?? ''} ${failed.message ?? String(error)}`.trim();
  const refused = failed.errors?.some(({ type }) => type !== undefined && finalTypes.includes(type)) ?? false;
  const final = refused || (failed.status !== undefined && finalStatuses.includes(failed.status));
  return final ? operatorError(message, error) : new Error(message, { cause: error });
}

/** How long GitHub wants to hear nothing from the installation; null when the failure is none of a limit. */
export function limitWaitMs(error: unknown): number | null {
  if (error instanceof ApplicationFailure) return null;
  const failed = error as Failed;
  const headers = failed.response?.headers ?? failed.headers ?? {};
  const limited = failed.errors?.some(({ type }) => type === 'RATE_LIMITED') ?? false;
  return limited || failed.status === 403 || failed.status === 429
    ? waitOf(headers, limited || failed.status === 429)
    : null;
}

/** Null when the headers speak of no limit. */
function waitOf(headers: NonNullable<Failed['headers']>, surely: boolean): number | null {
  const retryAfter = Number(headers['retry-after']);
  if (Number.isFinite(retryAfter) && headers['retry-after'] !== undefined)
    return retryAfter * 1000 + clockSlackMs;
  if (String(headers['x-ratelimit-remaining']) === '0') {
    return Math.max(Number(headers['x-ratelimit-reset']) * 1000 - Date.now(), 0) + clockSlackMs;
  }
  return surely ? defaultWaitMs : null;
}
