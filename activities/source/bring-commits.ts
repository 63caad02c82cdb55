// How do the commits of a pull request get into the mirror, with as few fetches as possible?
import { ApplicationFailure } from '@temporalio/common';
import type { Sha } from '../../workflows/model/identifiers.ts';
import type { Origin, Wish } from './fetch-queue.ts';
import type { Mirror, Mirrors } from './mirror.ts';

/**
 * Nothing is fetched when all are there; a fetch that has begun is waited for; then the base branch and the pull
 * request are asked for by name, and what is still missing by its object name (a base branch may be deleted).
 * Throws an error worth a retry when GitHub does not serve them yet: a head can lag behind its webhook.
 */
export async function bringCommits(request: {
  readonly mirrors: Mirrors;
  readonly origin: Origin;
  readonly pullRequest: { readonly number: number; readonly base: string };
  readonly wanted: readonly Sha[];
  readonly begun: Promise<unknown> | null;
}): Promise<Mirror> {
  const { mirrors, origin, pullRequest, wanted, begun } = request;
  const mirror = await mirrors.open(origin.repository);
  const byName: Wish = { branches: [pullRequest.base], pullRequests: [pullRequest.number], commits: [] };
  const ways = [
    () => begun,
    () => mirrors.fetch(origin, byName),
    (commits: readonly Sha[]) => mirrors.fetch(origin, { branches: [], pullRequests: [], commits }),
  ];
  let left = await missingCommits(mirror, wanted);
  let failure: unknown = null;
  for (const way of ways) {
    if (left.length === 0) return mirror;
    failure = await attempt(() => way(left));
    left = await missingCommits(mirror, wanted);
  }
  if (left.length === 0) return mirror;
  throw failure ?? new Error(`commits ${left.join(', ')} are not served yet`);
}

/** Null when it went well; who refuses us now will refuse us again. */
async function attempt(way: () => Promise<unknown> | null): Promise<unknown> {
  try {
    await way();
    return null;
  } catch (failure) {
    if (failure instanceof ApplicationFailure) throw failure;
    return failure;
  }
}

async function missingCommits(mirror: Mirror, wanted: readonly Sha[]): Promise<Sha[]> {
  const there = await Promise.all(wanted.map((sha) => mirror.objects.has(sha)));
  return wanted.filter((_, index) => there[index] === false);
}
