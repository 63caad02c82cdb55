// When is it looked whether what an apply left behind can be kept now?
import { setTimeout as sleep } from 'node:timers/promises';

/** Terraform may outlive a runner by hours, and a network that was cut comes back at some time: there is no hurry. */
const pauseMs = 60_000;

/** Now, and from time to time. Ends the looking; whatever is under way then is done anew by the next start. */
export function keepSweeping(sweep: () => Promise<void>): () => Promise<void> {
  const ended = new AbortController();
  void (async () => {
    while (!ended.signal.aborted) {
      await sweep();
      await sleep(pauseMs, undefined, { signal: ended.signal, ref: false }).catch(() => undefined);
    }
  })();
  return async () => ended.abort();
}
