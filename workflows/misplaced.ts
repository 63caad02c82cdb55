// What becomes of words that were sealed for another workflow than the one that hears them?
import type { WorkflowInterceptors } from '@temporalio/workflow';
import { ApplicationFailure, log } from '@temporalio/workflow';

/**
 * Stands where something was said to a workflow that was sealed for another. Nobody of ours does that: somebody who
 * reaches Temporal has copied it. Only the payload codec makes one.
 */
export type Misplaced = { readonly sealedForAnother: string };

const isMisplaced = (value: unknown): value is Misplaced =>
  typeof value === 'object' && value !== null && 'sealedForAnother' in value;

/** Temporal finds it by this name, in each workflow. A signal is not heard; a workflow that is begun like that ends. */
export const interceptors = (): WorkflowInterceptors => ({
  inbound: [
    {
      handleSignal(input, next) {
        const found = input.args.find(isMisplaced);
        if (found === undefined) return next(input);
        log.warn('refused a signal that was sealed for another workflow', {
          signal: input.signalName,
          sealedFor: found.sealedForAnother,
        });
        return Promise.resolve();
      },
      execute(input, next) {
        const found = input.args.find(isMisplaced);
        if (found === undefined) return next(input);
        throw ApplicationFailure.nonRetryable(`begun with what was sealed for ${found.sealedForAnother}`);
      },
    },
  ],
});
