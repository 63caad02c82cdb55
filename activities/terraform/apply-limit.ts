// What happens to an apply that takes longer than hatchet.yaml allows?
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import type { RunContext } from './settings.ts';

/** More than this many milliseconds, which are 24 days, no timer of Node's can wait. */
const longestTimerMs = 2 ** 31 - 1;

class TooLong extends Error {}

/**
 * Stops the work as a person's cancel does, so that what Terraform has done by then is written and told: Temporal's own
 * limit, which is longer, would only cut off whoever can tell.
 */
export async function withinLimit<Result>(
  timeoutMs: number,
  context: RunContext,
  work: (context: RunContext) => Promise<Result>,
): Promise<Result> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new TooLong()), Math.min(timeoutMs, longestTimerMs));
  try {
    return await work({ ...context, signal: AbortSignal.any([context.signal, limit.signal]) });
  } finally {
    clearTimeout(timer);
  }
}

/** Why an apply was stopped that had begun, for whoever reads its outcome; nothing where a person wanted it. */
export const whyStopped = ({ reason }: AbortSignal): readonly Diagnostic[] =>
  reason instanceof TooLong
    ? [tooLong('Hatchet asked Terraform to stop, as a cancel does: what is done stays done.')]
    : [];

/** Why one was stopped before Terraform began. */
export const whyStoppedBefore = ({ reason }: AbortSignal): Diagnostic =>
  reason instanceof TooLong
    ? tooLong('Nothing was changed: Terraform was not started yet.')
    : { severity: 'error', summary: 'Cancelled before anything was changed', detail: '' };

const tooLong = (what: string): Diagnostic => ({
  severity: 'error',
  summary: 'It took longer than `apply.timeout` allows',
  detail: `${what} Raise \`apply.timeout\` in hatchet.yaml where an apply needs longer.`,
});
