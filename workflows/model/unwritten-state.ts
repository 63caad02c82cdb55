// Which state could Terraform not write, and has anybody put it back?
import type { RunId } from './identifiers.ts';

/**
 * What an apply left that nobody has put back or given up: until then every plan is made from an older state, and
 * would make again what is there. `number`: the pull request that was applied. `kept`: the store has it; else only
 * the disk of its runner.
 */
export type UnwrittenState = {
  readonly runId: RunId;
  readonly number: number;
  readonly kept: boolean;
};
