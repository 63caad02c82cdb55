// How much may be written to GitHub, and what goes first when it gets tight?
import type { InstallationId } from '../../workflows/model/identifiers.ts';

/** What one request costs. `content`: comments that it creates, which GitHub counts apart. */
export type WriteCost = {
  readonly content: number;
  /** Somebody waits for it: an answer, the comment, a finished check. Progress may wait. */
  readonly urgent: boolean;
};

/** Shared by everything that writes for an installation, in whichever process. */
export type WriteBudget = {
  /** 0: it may be sent now, and is counted. Else nothing is counted, and this many milliseconds have to pass. */
  take(installation: InstallationId, cost: WriteCost): Promise<number>;
  /** GitHub wants to hear nothing from the installation for so long. */
  pause(installation: InstallationId, ms: number): Promise<void>;
};

/** Requests with writes, and comments created, in any stretch of so many seconds. */
export type WriteLimit = { readonly seconds: number; readonly requests: number; readonly content: number };

/**
 * A little below what GitHub allows, because a request arrives later than it was counted, and reads count as well.
 * 2,000 points a minute for GraphQL, 5 for a mutation, 1 for a query: 400 mutations without any query.
 * 5,000 points an hour for all requests of an installation. 80 comments a minute, 500 an hour: only what creates
 * content and notifies people, not checks, edits and reactions.
 * Source: docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
 */
export const writeLimits: readonly WriteLimit[] = [
  { seconds: 60, requests: 240, content: 72 },
  { seconds: 3_600, requests: 3_000, content: 450 },
];

/** What is kept back for what somebody waits for. */
const urgentShare = 0.2;

/** The limits as they are for a request. */
export function limitsFor(limits: readonly WriteLimit[], { urgent }: WriteCost): readonly WriteLimit[] {
  if (urgent) return limits;
  return limits.map((limit) => ({ ...limit, requests: Math.floor(limit.requests * (1 - urgentShare)) }));
}
