// How does Temporal learn that a run is alive, and how far it is?
import type { RunContext, RunStage } from './settings.ts';

/**
 * A third of the plan's heartbeat timeout (workflows/proxies.ts): cancellation arrives only in the answer
 * to a heartbeat.
 */
const heartbeatIntervalMs = 4_000;

/** Beats from the first moment until `work` ends; `enter` says what is going on from now on. */
export async function withHeartbeat<Result>(
  context: RunContext,
  work: (enter: (stage: RunStage) => void) => Promise<Result>,
): Promise<Result> {
  let stage: RunStage = 'checkout';
  const beat = () => context.heartbeat({ stage });
  const enter = (next: RunStage) => {
    stage = next;
    beat();
  };
  beat();
  const timer = setInterval(beat, heartbeatIntervalMs);
  try {
    return await work(enter);
  } finally {
    clearInterval(timer);
  }
}
