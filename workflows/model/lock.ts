// Who owns a project right now, and who is next?
import type { ApplyGrant, ApplyOutcome } from './apply.ts';
import { longestStopMs } from './apply.ts';
import type { Rules } from './configuration.ts';
import type { RunId } from './identifiers.ts';
import type { PullRequestRef } from './repository.ts';
import type { LockMark } from './state-lock.ts';

/** From when on a pull request owns a project: its first apply, its first plan, or never beyond a running apply. */
export type LockMode = Rules['lock'];

/** A granted apply that waits for its turn. */
export type ApplyRequest = {
  readonly kind: 'apply';
  /** The asking pull request and its workflow, which hears the outcome. */
  readonly ref: PullRequestRef;
  readonly replyTo: string;
  readonly runId: RunId;
  readonly grant: ApplyGrant;
  /** Names of the projects that come after this one, whose plans may be others then; absent where nothing does. */
  readonly dependents?: readonly string[];
  readonly mode: LockMode;
  /** In line, where the project is somebody else's; otherwise it is had at once or not at all. */
  readonly waits: boolean;
};

/** A pull request that wants to own a project before it plans it, or before what it needs first is applied. */
export type TurnRequest = {
  readonly kind: 'turn';
  readonly ref: PullRequestRef;
  readonly replyTo: string;
  /** What the asking pull request calls the project. */
  readonly project: string;
  /** As of an apply. */
  readonly waits: boolean;
};

export type WaitingRequest = ApplyRequest | TurnRequest;

/** What a pull request asks of the workflow that owns a project. */
export type ProjectRequest =
  | WaitingRequest
  | { readonly kind: 'release'; readonly ref: PullRequestRef; readonly why: 'closed' }
  | {
      readonly kind: 'release';
      readonly ref: PullRequestRef;
      readonly why: 'unlock';
      readonly actor?: string;
    }
  /** What waits as this run was granted anew, for a head that changes nothing of the project. */
  | {
      readonly kind: 'renew';
      readonly ref: PullRequestRef;
      readonly runId: RunId;
      readonly grant: ApplyGrant;
    }
  /** It no longer wants what it waits for; what it has applied stays its own. */
  | { readonly kind: 'withdraw'; readonly ref: PullRequestRef }
  /** Interrupts this run of the pull request's, gracefully. */
  | { readonly kind: 'stop'; readonly ref: PullRequestRef; readonly runId: RunId }
  /** Has another look at what an apply with an unknown outcome has done: somebody wants it, or its runner is heard of. */
  | { readonly kind: 'look-again'; readonly ref: PullRequestRef }
  /** A person has decided what came of an apply with an unknown outcome: the project goes on. */
  | {
      readonly kind: 'settle';
      readonly ref: PullRequestRef;
      readonly runId: RunId;
      readonly outcome: ApplyOutcome;
    }
  /** Somebody wonders why nothing was heard of this run for so long: whoever knows nothing of it says so. */
  | {
      readonly kind: 'ask-after';
      readonly ref: PullRequestRef;
      readonly replyTo: string;
      readonly project: string;
      readonly runId: RunId;
    }
  /** A person wants Terraform's own lock broken that such an apply left behind. */
  | { readonly kind: 'unlock-state'; readonly ref: PullRequestRef; readonly lockId: string };
/**
 * The lock of one project. `owner` is a pull request's number: it owns the project until it is merged and applied,
 * closed, or gives it up. Only the owner's requests are granted; the others wait in order.
 */
export type Lock = {
  readonly owner: number | null;
  /** The owner has begun to apply something: then it is more than its turn, and `withdraw` does not give it up. */
  readonly applied: boolean;
  readonly queue: readonly WaitingRequest[];
  readonly running: ApplyRequest | null;
  /** The number of the last apply; only ever grows, so that the store can refuse an older one. */
  readonly fence: number;
  /** Why nothing may run until a person decides; null when things may run. */
  readonly frozen: string | null;
  /** The apply that froze it; absent when things may run. */
  readonly unsettled?: Unsettled;
};

/** An apply whose outcome nobody knows, and how long nobody may look because its runner may still be at work. */
export type Unsettled = {
  readonly request: ApplyRequest;
  readonly waitMs: number;
  /** What it wrote down of the state lock that it would take. */
  readonly mark: LockMark | null;
  /** When contact with it was lost (ISO 8601). */
  readonly lostAt: string;
  /** Its runner has said so when it told the outcome: its Terraform has come to its end. */
  readonly ended: boolean;
};

/**
 * Until when (ISO 8601) the Terraform of a lost apply may still be at work; null: it is over. `alone`: somebody has held
 * the state's lock since, which it would hold. Where nothing tells, it is over once it has been lost for as long as an
 * apply may take at all: its runner asks it to stop, and it does.
 */
export function atWorkUntil(
  { request: { grant }, waitMs, lostAt, ended }: Unsettled,
  seen: { readonly alone: boolean; readonly nowMs: number },
): string | null {
  const untilMs = Date.parse(lostAt) + grant.timeoutMs + longestStopMs + waitMs;
  return ended || seen.alone || seen.nowMs >= untilMs ? null : new Date(untilMs).toISOString();
}

export type Ownership = Pick<Lock, 'owner' | 'applied'>;

const nobody: Ownership = { owner: null, applied: false };

export const freeLock: Lock = { ...nobody, queue: [], running: null, fence: 0, frozen: null };

/** Whose it is, or whose it is next, where that is not this pull request; else null. */
export function takenBy({ owner, queue }: Lock, number: number): number | null {
  const other = owner ?? queue.find(({ ref }) => ref.number !== number)?.ref.number ?? null;
  return other === number ? null : other;
}

/** What is queued or running already changes nothing. */
export function enqueue(lock: Lock, request: WaitingRequest): Lock {
  const known = [...lock.queue, ...(lock.running === null ? [] : [lock.running])];
  return known.some((each) => isSame(each, request)) ? lock : { ...lock, queue: [...lock.queue, request] };
}

/** The newer grant in the older one's place in line; what waits no longer is left as it is. */
export function renew(lock: Lock, { runId, grant }: Pick<ApplyRequest, 'runId' | 'grant'>): Lock {
  const queue = lock.queue.map((each) =>
    each.kind === 'apply' && each.runId === runId ? { ...each, grant } : each,
  );
  return { ...lock, queue };
}

function isSame(left: WaitingRequest, right: WaitingRequest): boolean {
  return left.kind === 'apply'
    ? right.kind === 'apply' && left.runId === right.runId
    : right.kind === 'turn' && left.ref.number === right.ref.number;
}

/** The owner's turns, and those of whoever is first in line when nobody owns it. */
export function grantTurns(lock: Lock): { readonly lock: Lock; readonly granted: readonly TurnRequest[] } {
  const [first] = lock.queue;
  const next = first?.kind === 'turn' ? first.ref.number : null;
  const owner = lock.owner ?? next;
  const granted = lock.queue.filter((each) => each.kind === 'turn' && each.ref.number === owner);
  if (owner === null || granted.length === 0) return { lock, granted: [] };
  const queue = lock.queue.filter((each) => !granted.includes(each));
  return { lock: { ...lock, owner, queue }, granted: granted.filter((each) => each.kind === 'turn') };
}

/** Takes the first apply that may run, or null. `lifeMs`, when this life of the workflow began, keeps the fence growing. */
export function startNext(lock: Lock, lifeMs: number): (Lock & { readonly running: ApplyRequest }) | null {
  if (lock.running !== null || lock.frozen !== null) return null;
  const mine = lock.owner === null ? lock.queue.slice(0, 1) : lock.queue.filter((each) => isOf(each, lock));
  const next = mine.find((each) => each.kind === 'apply');
  if (next === undefined) return null;
  return {
    ...lock,
    owner: next.ref.number,
    applied: true,
    queue: lock.queue.filter((request) => request !== next),
    running: next,
    fence: Math.max(lock.fence + 1, lifeMs),
  };
}

const isOf = ({ ref }: WaitingRequest, { owner }: Lock): boolean => ref.number === owner;

/**
 * The running apply has ended. An outcome that nobody knows freezes the project for its owner. One that was refused
 * before it began, or that was not to own anything, leaves the project to whoever had it before.
 */
export function finish(
  lock: Lock,
  end: {
    readonly frozen: string | null;
    readonly refused: boolean;
    readonly before: Ownership;
    readonly unsettled?: Unsettled;
  },
): Lock {
  const passes = end.refused || lock.running?.mode === 'none';
  const { owner, applied } = end.before;
  const ownership = end.frozen === null && passes ? { owner, applied } : {};
  const unsettled = end.unsettled === undefined ? {} : { unsettled: end.unsettled };
  return { ...lock, running: null, frozen: end.frozen, ...ownership, ...unsettled };
}

/** An apply was found that an earlier life of the project's workflow had begun: nothing runs over it. */
export function freeze(lock: Lock, unsettled: Unsettled, reason: string): Lock {
  return { ...lock, owner: unsettled.request.ref.number, applied: true, frozen: reason, unsettled };
}

/** The outcome is known now: its pull request goes on with the project, unless it was not to own anything. */
export function thaw(lock: Lock): Lock {
  const { unsettled, ...rest } = lock;
  if (unsettled === undefined) return lock;
  return { ...rest, frozen: null, ...(unsettled.request.mode === 'none' ? nobody : {}) };
}

/**
 * The pull request gives up the project and its place in the queue. Its running apply is never interrupted, and a
 * frozen project stays its own until a person says `unlock`.
 */
export function release(lock: Lock, number: number, why: 'closed' | 'unlock'): Lock {
  const queue = lock.queue.filter(({ ref }) => ref.number !== number);
  const keeps = lock.running?.ref.number === number || (lock.frozen !== null && why === 'closed');
  if (keeps || lock.owner !== number) return { ...lock, queue };
  return { ...thaw(lock), ...nobody, queue, frozen: null };
}

/** Takes back what the pull request has waiting, and its turn; keeps what it has applied. */
export function withdraw(lock: Lock, number: number): Lock {
  const queue = lock.queue.filter(({ ref }) => ref.number !== number);
  return lock.owner === number && !lock.applied ? { ...lock, ...nobody, queue } : { ...lock, queue };
}

/** What happened to a lock, for the record. `number`: the pull request that holds or held it. */
export type LockChange = {
  readonly kind: 'taken' | 'released' | 'frozen' | 'unlocked' | 'settled';
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
  if (before.owner === after.owner) {
    const settled = before.frozen !== null && after.frozen === null && after.owner !== null;
    return settled ? { kind: 'settled', number: after.owner, fence, reason: before.frozen } : null;
  }
  if (after.owner !== null) return { kind: 'taken', number: after.owner, fence, reason: '' };
  const kind = before.frozen === null ? 'released' : 'unlocked';
  return { kind, number: before.owner ?? 0, fence, reason: before.frozen ?? '' };
}

/** Nobody owns it, nobody waits, nothing runs: the workflow may end. */
export function isFree(lock: Lock): boolean {
  return lock.owner === null && lock.queue.length === 0 && lock.running === null && lock.frozen === null;
}
