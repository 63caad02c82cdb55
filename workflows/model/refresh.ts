// Which open pull requests are to be planned again, in which order, and how many at once?

/** Something happened that plans of open pull requests may not know of. */
export type RefreshCause =
  | { readonly kind: 'pushed'; readonly branch: string }
  /** `dependents`: what comes after it, near and far. `number`: the pull request that applied it, whose own plan knows. */
  | {
      readonly kind: 'applied';
      readonly project: string;
      readonly dependents?: readonly string[];
      readonly number: number;
    };

/** One pull request to be planned again. `applied`: projects of its own that were applied elsewhere, or come after such. */
export type Refresh = { readonly number: number; readonly applied: readonly string[] };

/** What is known of an open pull request. `planned`: names of projects that it has ever planned, or tried to. */
export type OpenPullRequest = {
  readonly number: number;
  readonly base: string;
  readonly planned: readonly string[];
};

export type RefreshQueue = {
  /** Nobody has looked yet whom they concern. */
  readonly causes: readonly RefreshCause[];
  /** Oldest pull request first, none twice. */
  readonly waiting: readonly Refresh[];
  /** Told to plan again, not heard of since; by number. */
  readonly running: readonly number[];
};

/** A merge into a branch with a hundred open pull requests must leave room for what people do meanwhile. */
export const maxRefreshesAtOnce = 4;

export const emptyQueue: RefreshQueue = { causes: [], waiting: [], running: [] };

/** The same cause again, before anybody looked, changes nothing. */
export function noteCause(queue: RefreshQueue, cause: RefreshCause): RefreshQueue {
  return queue.causes.some((known) => isSame(known, cause))
    ? queue
    : { ...queue, causes: [...queue.causes, cause] };
}

function isSame(left: RefreshCause, right: RefreshCause): boolean {
  if (left.kind === 'pushed') return right.kind === 'pushed' && left.branch === right.branch;
  if (right.kind !== 'applied' || left.number !== right.number) return false;
  return JSON.stringify(changedBy(left)) === JSON.stringify(changedBy(right));
}

/** Names of the projects whose plans may be others now. */
export function changedBy(cause: RefreshCause): readonly string[] {
  return cause.kind === 'applied' ? [cause.project, ...(cause.dependents ?? [])] : [];
}

/**
 * Whom the causes concern: what is based on a branch that moved, or plans a project that somebody else applied, or one
 * that comes after it.
 */
export function concerned(
  open: readonly OpenPullRequest[],
  causes: readonly RefreshCause[],
): readonly Refresh[] {
  return open.flatMap(({ number, base, planned }) => {
    const moved = causes.some((cause) => cause.kind === 'pushed' && cause.branch === base);
    const applied = causes.flatMap((cause) =>
      cause.kind === 'applied' && cause.number !== number
        ? changedBy(cause).filter((name) => planned.includes(name))
        : [],
    );
    return moved || applied.length > 0 ? [{ number, applied: [...new Set(applied)] }] : [];
  });
}

/**
 * Puts them in line. One that waits already is told of everything at once; one that is being planned was told before
 * this happened, so it gets in line again.
 */
export function enqueueRefreshes(queue: RefreshQueue, found: readonly Refresh[]): RefreshQueue {
  const byNumber = new Map<number, Refresh>();
  for (const { number, applied } of [...queue.waiting, ...found]) {
    const known = byNumber.get(number)?.applied ?? [];
    byNumber.set(number, { number, applied: [...new Set([...known, ...applied])] });
  }
  const waiting = [...byNumber.values()].sort((left, right) => left.number - right.number);
  return { ...queue, waiting };
}

/** The next one whose turn it is, or null: there is no room, or all that wait are being planned right now. */
export function startRefresh(
  queue: RefreshQueue,
): { readonly queue: RefreshQueue; readonly refresh: Refresh } | null {
  if (queue.running.length >= maxRefreshesAtOnce) return null;
  const refresh = queue.waiting.find(({ number }) => !queue.running.includes(number));
  if (refresh === undefined) return null;
  const waiting = queue.waiting.filter((each) => each !== refresh);
  return { queue: { ...queue, waiting, running: [...queue.running, refresh.number] }, refresh };
}

export function finishRefresh(queue: RefreshQueue, number: number): RefreshQueue {
  return { ...queue, running: queue.running.filter((each) => each !== number) };
}

export function isIdle({ causes, waiting, running }: RefreshQueue): boolean {
  return causes.length === 0 && waiting.length === 0 && running.length === 0;
}
