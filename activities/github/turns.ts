// Whose turn is it to talk to GitHub, when not all can at once?
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApplicationFailure } from '@temporalio/common';
import type { InstallationId } from '../../workflows/model/identifiers.ts';
import { retryLater } from '../faults.ts';
import type { WriteBudget, WriteCost } from './budget.ts';

export type Turns = {
  /** Returns when a write may be sent. Rejects with the time to come back when that is not soon. */
  take(installation: InstallationId, cost: WriteCost): Promise<void>;
  /** GitHub said that it wants to hear nothing: nobody asks again before, in no process. */
  pause(installation: InstallationId, ms: number): Promise<void>;
  /** Throws while the installation is known to be paused: reads would only make it worse. */
  refusePaused(installation: InstallationId): void;
};

/** All who wait must not come back in the same moment. */
const spread = 0.25;

export function createTurns(budget: WriteBudget, maxWaitMs: number): Turns {
  const pausedUntil = new Map<InstallationId, number>();
  return {
    async take(installation, cost) {
      const first = await budget.take(installation, cost);
      if (first === 0) return;
      if (first > maxWaitMs) throw later(first);
      await sleep(first);
      const second = await budget.take(installation, cost);
      if (second > 0) throw later(second);
    },
    async pause(installation, ms) {
      pausedUntil.set(installation, Math.max(pausedUntil.get(installation) ?? 0, Date.now() + ms));
      // A database that is away must not hide what GitHub said; this process knows it anyway.
      await budget.pause(installation, ms).catch(() => undefined);
    },
    refusePaused(installation) {
      const until = pausedUntil.get(installation);
      if (until === undefined) return;
      if (until > Date.now()) throw later(until - Date.now());
      pausedUntil.delete(installation);
    },
  };
}

function later(ms: number): ApplicationFailure {
  return retryLater(
    'the rate that GitHub allows this installation is used up',
    ms * (1 + Math.random() * spread),
  );
}
