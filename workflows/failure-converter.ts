// How do errors cross Temporal without their messages and stacks being readable on the way?
import { DefaultFailureConverter } from '@temporalio/common';

/** Loaded by path, into clients, workers and the workflow sandbox alike; the payload codec then encrypts both. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
