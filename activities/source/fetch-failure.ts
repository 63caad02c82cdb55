// Why did a fetch fail, and who can mend it?
import { operatorError, retryLater } from '../faults.ts';

/** The question is asked after a failure only; who does not answer by then is not reachable. */
const probeTimeoutMs = 10_000;
/** GitHub's advice where it sends no `retry-after`: wait at least a minute. */
const defaultWaitSeconds = 60;

/**
 * Asks the remote by HTTP what git would have been told, because git has one exit code for everything.
 * OperatorError: no such repository for this token. Anything else is worth another try.
 */
export async function explainFetchFailure(failed: {
  readonly url: string;
  readonly authorization: string | null;
  readonly stderr: string;
}): Promise<Error> {
  const said = failed.stderr.trim().slice(-500) || 'no message';
  const answer = await probe(failed.url, failed.authorization);
  if (answer === null) return new Error(`git fetch from ${failed.url} failed: ${said}`);
  if ([401, 403, 404, 410].includes(answer.status)) {
    return operatorError(
      `${failed.url} cannot be fetched with this installation's token (HTTP ${answer.status})`,
    );
  }
  if (answer.status === 429) return retryLater(`${failed.url} asks to wait`, answer.waitSeconds * 1000);
  return new Error(`git fetch from ${failed.url} failed (HTTP ${answer.status}): ${said}`);
}

async function probe(url: string, authorization: string | null) {
  if (!/^https?:/.test(url)) return null;
  try {
    const response = await fetch(`${url}/info/refs?service=git-upload-pack`, {
      redirect: 'manual',
      headers: authorization === null ? {} : { authorization },
      signal: AbortSignal.timeout(probeTimeoutMs),
    });
    await response.body?.cancel();
    const waitSeconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return { status: response.status, waitSeconds: waitSeconds > 0 ? waitSeconds : defaultWaitSeconds };
  } catch {
    return null;
  }
}
