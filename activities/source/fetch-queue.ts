// Whose turn is it to fetch? One fetch of a repository at a time, and those that wait go together.
import type { RepositoryId, Sha } from '../../workflows/model/identifiers.ts';

/** Where a repository is fetched from. `token` is an installation token; null for a public remote. */
export type Origin = {
  readonly repository: RepositoryId;
  readonly url: string;
  readonly token: string | null;
};

/** What should be in the mirror afterwards. */
export type Wish = {
  /** Branch names without `refs/heads/`. */
  readonly branches: readonly string[];
  /** Numbers of pull requests whose head is wanted. */
  readonly pullRequests: readonly number[];
  /** Commits wanted by name. */
  readonly commits: readonly Sha[];
};

type Waiting = { readonly origin: Origin; readonly wish: Wish; readonly settle: PromiseWithResolvers<void> };
type Lane = { waiting: Waiting[]; running: boolean };

/**
 * Wishes that arrive while a fetch runs wait and are then fetched together: a fetch that began before the wish
 * may have missed what it asks for. When the joint fetch fails, each is tried alone and hears its own failure.
 */
export function createFetchQueue(fetchNow: (origin: Origin, wish: Wish) => Promise<void>) {
  const lanes = new Map<RepositoryId, Lane>();

  async function drain(repository: RepositoryId, lane: Lane): Promise<void> {
    lane.running = true;
    // Wishes made in the same turn of the event loop belong together, too.
    await Promise.resolve();
    while (lane.waiting.length > 0) {
      const [together, rest] = splitByOrigin(lane.waiting);
      lane.waiting = rest;
      await fetchTogether(together, fetchNow);
    }
    lanes.delete(repository);
  }

  return (origin: Origin, wish: Wish): Promise<void> => {
    const lane = lanes.get(origin.repository) ?? { waiting: [], running: false };
    lanes.set(origin.repository, lane);
    const settle = Promise.withResolvers<void>();
    lane.waiting.push({ origin, wish, settle });
    if (!lane.running) void drain(origin.repository, lane);
    return settle.promise;
  };
}

/** A repository can be renamed while somebody waits: only those that name the same address go together. */
function splitByOrigin(waiting: readonly Waiting[]): [Waiting[], Waiting[]] {
  const url = waiting[0]?.origin.url;
  return [waiting.filter((one) => one.origin.url === url), waiting.filter((one) => one.origin.url !== url)];
}

async function fetchTogether(
  together: readonly Waiting[],
  fetchNow: (origin: Origin, wish: Wish) => Promise<void>,
) {
  // The last token is the freshest.
  const newest = together.at(-1);
  if (newest === undefined) return;
  try {
    await fetchNow(newest.origin, union(together.map((one) => one.wish)));
    for (const one of together) one.settle.resolve();
  } catch (failure) {
    if (together.length === 1) return newest.settle.reject(failure);
    for (const one of together) {
      await fetchNow(one.origin, one.wish).then(one.settle.resolve, one.settle.reject);
    }
  }
}

function union(wishes: readonly Wish[]): Wish {
  return {
    branches: [...new Set(wishes.flatMap((wish) => wish.branches))],
    pullRequests: [...new Set(wishes.flatMap((wish) => wish.pullRequests))],
    commits: [...new Set(wishes.flatMap((wish) => wish.commits))],
  };
}
