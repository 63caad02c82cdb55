// Who owns a project right now, and who is next?
import type { ApplyGrant } from './apply.ts';
import type { RunId } from './identifiers.ts';
import type { PullRequestRef } from './repository.ts';

/** A granted apply that waits for its turn. */
export type ApplyRequest = {
  readonly kind: 'apply';
  /** The asking pull request and its workflow, which hears the outcome. */
  readonly ref: PullRequestRef;
  readonly replyTo: string;
  readonly runId: RunId;
  readonly grant: ApplyGrant;
};

/** What a pull request asks of the workflow that owns a project. */
export type ProjectRequest =
  | ApplyRequest
  | { readonly kind: 'release'; readonly ref: PullRequestRef; readonly why: 'closed' | 'unlock' }
  | { readonly kind: 'withdraw'; readonly ref: PullRequestRef };

/**
 * The lock of one project. `owner` is a pull request's number: it owns the project from its first apply until it
 * is merged and applied, or closed. Only the owner's requests run; the others wait in order.
 */
export type Lock = {
  readonly owner: number | null;
  readonly queue: readonly ApplyRequest[];
  readonly running: ApplyRequest | null;
  /** The number of the last apply; only ever grows, so that the store can refuse an older one. */
  readonly fence: number;
  /** Why nothing may run until a person decides; null when things may run. */
  readonly frozen: string | null;
};

export const freeLock: Lock = { owner: null, queue: [], running: null, fence: 0, frozen: null };

/** A request of a run that is queued or running already changes nothing. */
export function enqueue(lock: Lock, request: ApplyRequest): Lock {
  const known = [...lock.queue, ...(lock.running === null ? [] : [lock.running])];
  if (known.some(({ runId }) => runId === request.runId)) return lock;
  return { ...lock, queue: [...lock.queue, request] };
}

/** Takes the first request that may run, or null. `nowMs` keeps the fence growing over the workflow's lives. */
export function startNext(lock: Lock, nowMs: number): (Lock & { readonly running: ApplyRequest }) | null {
  if (lock.running !== null || lock.frozen !== null) return null;
  const next = lock.queue.find(({ ref }) => lock.owner === null || lock.owner === ref.number);
  if (next === undefined) return null;
  return {
    ...lock,
    owner: next.ref.number,
    queue: lock.queue.filter((request) => request !== next),
    running: next,
    fence: Math.max(lock.fence + 1, nowMs),
  };
}

/**
 * The running apply has ended. An outcome that nobody knows freezes the project; one that was refused before it
 * began gives back an ownership that it had only just taken.
 */
export function finish(
  lock: Lock,
  end: { readonly frozen: string | null; readonly ownerBefore: number | null },
): Lock {
  return { ...lock, running: null, frozen: end.frozen, owner: end.ownerBefore };
}

/**
 * The pull request gives up the project and its place in the queue. Its running apply is never interrupted, and a
 * frozen project stays its own until a person says `unlock`.
 */
export function release(lock: Lock, number: number, why: 'closed' | 'unlock'): Lock {
  const queue = lock.queue.filter(({ ref }) => ref.number !== number);
  const keeps = lock.running?.ref.number === number || (lock.frozen !== null && why === 'closed');
  if (keeps || lock.owner !== number) return { ...lock, queue };
  return { ...lock, owner: null, queue, frozen: null };
}

/** Takes back what the pull request has waiting in the queue, keeps what it owns. */
export function withdraw(lock: Lock, number: number): Lock {
  return { ...lock, queue: lock.queue.filter(({ ref }) => ref.number !== number) };
}

/** What happened to a lock, for the record. `number`: the pull request that holds or held it. */
export type LockChange = {
  readonly kind: 'taken' | 'released' | 'frozen' | 'unlocked';
  readonly number: number;
  readonly fence: number;
  readonly reason: string;
};

/** What to record of a step from one state to the next; null when ownership did not change. */
export function lockChange(before: Lock, after: Lock): LockChange | null {
  const { fence } = after;
  if (before.frozen === null && after.frozen !== null) {
    return { kind: 'frozen', number: after.owner ?? 0, fence, reason: after.frozen };
  }
  if (before.owner === after.owner) return null;
  if (after.owner !== null) return { kind: 'taken', number: after.owner, fence, reason: '' };
  const kind = before.frozen === null ? 'released' : 'unlocked';
  return { kind, number: before.owner ?? 0, fence, reason: before.frozen ?? '' };
}

/** Nobody owns it, nobody waits, nothing runs: the workflow may end. */
export function isFree(lock: Lock): boolean {
  return lock.owner === null && lock.queue.length === 0 && lock.running === null && lock.frozen === null;
}
