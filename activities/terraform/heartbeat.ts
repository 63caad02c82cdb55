// How does Temporal learn that a run is alive, and how far it is?
import type { LockMark } from '../../workflows/model/state-lock.ts';
import type { RunContext, RunStage } from './settings.ts';

/**
 * A third of the plan's heartbeat timeout (workflows/proxies.ts): cancellation arrives only in the answer
 * to a heartbeat.
 */
const heartbeatIntervalMs = 4_000;

/**
 * Beats from the first moment until `work` ends; `enter` says what is going on from now on. `mark` goes with every beat:
 * it is what is left of a run that is never heard of again.
 */
export async function withHeartbeat<Result>(
  context: RunContext,
  work: (enter: (stage: RunStage) => void) => Promise<Result>,
  mark: LockMark | null = null,
): Promise<Result> {
  let stage: RunStage = 'checkout';
  const beat = () => context.heartbeat(mark === null ? { stage } : { stage, mark });
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
