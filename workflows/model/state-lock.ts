// Whose is the lock that Terraform found on a state?

/** What Terraform tells of a lock that somebody else holds; '' where it does not tell. */
export type StateLock = {
  readonly id: string;
  /** `OperationTypeApply`, `OperationTypePlan`. */
  readonly operation: string;
  /** `user@host` of the process that took it. */
  readonly who: string;
  /** ISO 8601, the clock of the machine that took it. */
  readonly created: string;
};

/**
 * What an apply wrote down before Terraform started: how its lock will be signed. The id itself cannot be known
 * beforehand, and Terraform tells it only to those who are refused.
 */
export type LockMark = {
  readonly who: string;
  /** ISO 8601, the same machine's clock as the lock's `created`. */
  readonly since: string;
};

/** Locks of applies; a plan's lock is never left to be broken. */
const applyOperation = 'OperationTypeApply';

/** Was it taken by the very apply that left this mark? Whatever is not known does not match. */
export function isOwnLock(lock: StateLock, mark: LockMark | null): boolean {
  if (mark === null || !isLockId(lock.id)) return false;
  const after = Date.parse(lock.created) >= Date.parse(mark.since);
  return lock.operation === applyOperation && lock.who === mark.who && after;
}

/** Fit to be an argument: no leading hyphen, no white space. Ids are UUIDs, numbers or paths, as the backend likes. */
export function isLockId(id: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._:/=+-]{0,199}$/.test(id);
}

/**
 * A name for these locks together, of seven characters: what a button can carry of them. Two that are told apart by
 * nothing else would have to be signed by the same apply.
 */
export function tagOfLocks(ids: readonly string[]): string {
  const hash = [...[...ids].sort().join('\n')].reduce(
    (sum, letter) => Math.imul(sum ^ (letter.codePointAt(0) ?? 0), fnvPrime) >>> 0,
    fnvOffset,
  );
  return hash.toString(36).padStart(tagLength, '0');
}

/** FNV-1a, 32 bits: workflows have no library for it. */
const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;
/** Of 32 bits in base 36. */
const tagLength = 7;
