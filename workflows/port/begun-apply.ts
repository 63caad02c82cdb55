// What is known of an apply from its fence on?
import type { ApplyGrant, ApplyOutcome } from '../model/apply.ts';
import type { RunId } from '../model/identifiers.ts';
import type { LockMode } from '../model/lock.ts';
import type { RunPass } from './run.ts';

/** What is kept with the fence, for whoever finds it after the project's workflow is gone. */
export type AskedApply = {
  /** The run of the project's workflow: one that is reset or begun anew is another. */
  readonly life: string;
  readonly replyTo: string;
  readonly mode: LockMode;
};

export type UnfinishedApply = {
  readonly runId: RunId;
  readonly number: number;
  readonly grant: ApplyGrant;
  readonly asked: AskedApply;
  /** How long a runner that was lost may still be at work. */
  readonly lostWaitMs: number;
  /** What is recorded of it, and since when (ISO 8601), where it was told already that nobody knows what it has done. */
  readonly lost: {
    readonly at: string;
    readonly outcome: Extract<ApplyOutcome, { kind: 'unknown' }>;
  } | null;
};

/** The fence is there. */
export type ApplyBegun = {
  readonly kind: 'begun';
  /** Milliseconds that its runner may still be at work after contact with it was lost. */
  readonly lostWaitMs: number;
  /** What its runner shows; null where no runner needs one. */
  readonly pass: RunPass | null;
};
