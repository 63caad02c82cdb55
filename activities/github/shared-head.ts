// Who else has checks on the commit that is being shown, and whom does this pull request leave there?
import { randomUUID } from 'node:crypto';
import type { Message } from '../../workflows/messages.ts';
import type { PullRequestRef } from '../../workflows/model/repository.ts';
import type { Neighbour, OwnCheck } from '../../workflows/model/shared-head.ts';
import type { View } from '../../workflows/model/view.ts';
import type { Surface, SurfaceMemory } from './surfaces.ts';

/** On which commit a pull request was shown last, and what it said there by itself. */
export type ShownHead = { readonly sha: string; readonly checks: readonly OwnCheck[] };

export type KnownHeads = {
  readonly own: ShownHead | null;
  readonly others: readonly (ShownHead & { readonly number: number })[];
};

export type HeadMemory = {
  /** `others`: open ones that were last shown on `sha`, or where this one was, by number. */
  read(ref: PullRequestRef, sha: string): Promise<KnownHeads>;
  save(ref: PullRequestRef, head: ShownHead): Promise<void>;
  forget(ref: PullRequestRef): Promise<void>;
};

export type HeadDependencies = {
  readonly memory: SurfaceMemory;
  readonly heads: HeadMemory;
  readonly tellPullRequest: (message: Message) => Promise<unknown>;
};

export type Company = {
  /** Open, and with the same head as this one, which is open, too. */
  readonly neighbours: readonly Neighbour[];
  /** Keys of the checks that this one shared, and that are the others' now. */
  readonly ceded: ReadonlySet<string>;
  /** What is remembered of this one's surfaces: those that it shares as whoever came first has them. */
  readonly surfaces: readonly Surface[];
};

/**
 * Remembers what this one says from now on, and lets those that it leaves know: tried again, it still knows whom. Nothing
 * is asked of GitHub.
 */
export async function meetCompany(
  deps: HeadDependencies,
  view: View,
  remembered: readonly Surface[],
  before: KnownHeads,
): Promise<Company> {
  const ref = { repository: view.repository, number: view.number };
  const { left, others } = await stepBack(deps.heads, view, before);
  const there = standingAt(others, view.sha);
  const here = view.over === true || view.sha !== view.head ? [] : there;
  // Closed without a merge: as long as the commit is the head of others, its checks are theirs.
  const theirs = view.over === true && view.sha === view.head ? there : [];
  const ceded = new Set([...left, ...theirs].flatMap(keysOf));
  const shared = await sharedSurfaces(deps.memory, view, remembered, { own: before.own, others: here });
  await deps.memory.forget(ref, [...ceded]);
  await tellLeft(deps, ref, left);
  await note(deps.heads, view, before.own);
  const replaced = new Set([...ceded, ...shared.map(({ key }) => key)]);
  return {
    neighbours: here,
    ceded,
    surfaces: [...remembered.filter(({ key }) => !replaced.has(key)), ...shared],
  };
}

const isSame = (view: View, own: ShownHead | null): boolean =>
  own?.sha === view.sha && view.over === undefined;

type Others = KnownHeads['others'];

/** Whoever has nothing to say there any more is about to be gone. */
const standingAt = (others: Others, sha: string): Others =>
  others.filter((one) => one.sha === sha && one.checks.length > 0);

/**
 * Until those that stay know of it, this one is remembered where it was, as one that says nothing there. Who stays is
 * read after that: of two that leave at once neither may think that the other one closes the checks.
 */
async function stepBack(
  heads: HeadMemory,
  view: View,
  { own, others }: KnownHeads,
): Promise<{ readonly left: Others; readonly others: Others }> {
  if (own === null || isSame(view, own) || standingAt(others, own.sha).length === 0)
    return { left: [], others };
  const ref = { repository: view.repository, number: view.number };
  await heads.save(ref, { sha: own.sha, checks: [] });
  const now = await heads.read(ref, view.sha);
  return { left: standingAt(now.others, own.sha), others: now.others };
}

/** They show the worse of both there, and would hear of a push or a close by nobody else. */
async function tellLeft(deps: HeadDependencies, { repository }: PullRequestRef, left: Others): Promise<void> {
  for (const { number } of left)
    await deps.tellPullRequest({
      kind: 'redraw',
      deliveryId: randomUUID(),
      ref: { repository, number },
    });
}

const keysOf = ({ sha, checks }: ShownHead): readonly string[] =>
  checks.map(({ name }) => checkKey(sha, name));

export const checkKey = (sha: string, name: string): string => `check:${sha}:${name}`;

/** GitHub shows the newest run of a name: whoever comes to a commit, or to a check of it, writes on the one there. */
async function sharedSurfaces(
  memory: SurfaceMemory,
  view: View,
  remembered: readonly Surface[],
  { own, others }: KnownHeads,
): Promise<readonly Surface[]> {
  const known = new Set(isSame(view, own) ? remembered.map(({ key }) => key) : []);
  const keys = view.checks.map(({ name }) => checkKey(view.sha, name)).filter((key) => !known.has(key));
  if (keys.length === 0) return [];
  const all = await Promise.all(
    others.map(async (one) => {
      const theirs = keysOf(one).filter((key) => keys.includes(key));
      const surfaces = await memory.read({ repository: view.repository, number: one.number });
      return surfaces.filter(({ key }) => theirs.includes(key));
    }),
  );
  return [...new Map(all.flat().map((surface) => [surface.key, surface])).values()];
}

async function note(heads: HeadMemory, view: View, own: ShownHead | null): Promise<void> {
  const ref = { repository: view.repository, number: view.number };
  if (view.over === true) return own === null ? undefined : heads.forget(ref);
  const checks = view.checks.map(({ name, state, title }) => ({ name, state, title }));
  const same = own?.sha === view.sha && JSON.stringify(own.checks) === JSON.stringify(checks);
  if (!same) await heads.save(ref, { sha: view.sha, checks });
}

/** What was written on a shared check is what every one of them knows of it. */
export async function shareSurfaces(
  memory: SurfaceMemory,
  { repository, sha }: View,
  neighbours: readonly Neighbour[],
  done: readonly Surface[],
): Promise<void> {
  for (const { number, checks } of neighbours) {
    const keys = keysOf({ sha, checks });
    await memory.save(
      { repository, number },
      done.filter(({ key }) => keys.includes(key)),
    );
  }
}

/** One after the other on each commit: two that wrote at once would not know of each other. */
export function createCommitTurns() {
  const last = new Map<string, Promise<unknown>>();
  return async <Result>({ repository, sha }: View, work: () => Promise<Result>): Promise<Result> => {
    const key = `${repository.id}/${sha}`;
    const before = last.get(key);
    const mine = before === undefined ? work() : before.then(work);
    const settled = mine.catch(() => undefined);
    last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (last.get(key) === settled) last.delete(key);
    }
  };
}
