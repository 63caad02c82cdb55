// What kinds of failure are there, and who gets to see them?
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { Diagnostic } from '../workflows/model/diagnostic.ts';
import { fullDiskType } from '../workflows/port/inspection.ts';
import { notStartedDetail, notStartedType } from '../workflows/port/run.ts';

/** The `type` of a failure that the pull request's people can mend; `details[0]` are its diagnostics. */
const userErrorType = 'UserError';
/** The `type` of a failure that only an operator can mend: a key, a permission, a binary, a policy bundle. */
export const operatorErrorType = 'OperatorError';

/** Shown in full on the pull request and not retried: the same input fails the same way. */
export function userError(diagnostics: readonly [Diagnostic, ...Diagnostic[]]): ApplicationFailure {
  return ApplicationFailure.create({
    type: userErrorType,
    message: diagnostics[0].summary,
    nonRetryable: true,
    details: [diagnostics],
    category: ApplicationFailureCategory.BENIGN,
  });
}

/** One neutral line and a run id on the pull request; the cause goes to the log. Not retried. */
export function operatorError(message: string, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type: operatorErrorType,
    message,
    nonRetryable: true,
    ...(cause instanceof Error ? { cause } : {}),
  });
}

/** An operator has to make room; told at once, and not retried: what is written meanwhile makes it worse. */
export function fullDisk(cause: Error): ApplicationFailure {
  const message = `the disk of HATCHET_DATA_DIR is full: make room there. ${cause.message}`;
  return ApplicationFailure.create({ type: fullDiskType, message, nonRetryable: true, cause });
}

/**
 * A runner gave up before it started Terraform: nothing was applied. Whatever else an apply throws leaves open what was
 * done. Not retried.
 */
export function notStarted(cause: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type: notStartedType,
    message: notStartedDetail,
    details: [notStartedDetail],
    nonRetryable: true,
    ...(cause instanceof Error ? { cause } : {}),
  });
}

export const isNotStarted = (error: unknown): boolean =>
  error instanceof ApplicationFailure && error.type === notStartedType;

/** The world asks to wait, for example GitHub's `retry-after`; anything else that throws is retried by the policy. */
export function retryLater(message: string, delayMs: number, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'RetryLater',
    message,
    nextRetryDelay: delayMs,
    category: ApplicationFailureCategory.BENIGN,
    ...(cause instanceof Error ? { cause } : {}),
  });
}
