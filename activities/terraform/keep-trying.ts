// How is something kept that cannot be made again?
import { setTimeout as sleep } from 'node:timers/promises';

/** Together a minute: a database that restarts is back by then. */
const delaysMs = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

/** Whether `save` came through in the end: Temporal repeats no apply, and a plan only once and at once. */
export async function keepTrying(
  save: () => Promise<void>,
  waitsMs: readonly number[] = delaysMs,
): Promise<boolean> {
  for (const delayMs of [0, ...waitsMs]) {
    if (delayMs > 0) await sleep(delayMs);
    const saved = await save().then(
      () => true,
      () => false,
    );
    if (saved) return true;
  }
  return false;
}
