// What does GitHub show that the record does not know, and what has to be said because of it?
import { parseCommand } from './command.ts';
import type { Sha } from './identifiers.ts';
import type { PullRequest } from './pull-request.ts';

/** What nobody heard of when it happened. */
export type Lost =
  | 'opening'
  | 'push'
  | 'change of base'
  | 'change of draft'
  | 'reopening'
  | 'merge'
  | 'closing'
  /** It was merged, something is still to be applied, and no workflow follows it any more. */
  | 'apply'
  | 'comment'
  | 'review'
  /** The checks that should stand on its commit do not, or are not completed and nothing will complete them. */
  | 'checks';

/** What GitHub shows of a pull request while all are looked at. `updatedAt`: ISO 8601, GitHub's clock. */
export type SeenPullRequest = Pick<
  PullRequest,
  'nodeId' | 'number' | 'state' | 'draft' | 'head' | 'base' | 'baseSha' | 'mergedAt'
> & { readonly updatedAt: string };

/** What the record says of it. */
export type KnownPullRequest = Pick<
  PullRequest,
  'nodeId' | 'number' | 'state' | 'draft' | 'head' | 'base' | 'baseSha'
> & {
  /** Our checks were written onto the commit that they belong on. */
  readonly shown: boolean;
  /** Some of our checks, on whichever of its commits, are not completed. */
  readonly openChecks: boolean;
  /** An apply of it has begun and has not reported: its checks have to be open. */
  readonly applying: boolean;
  /** It is merged, and the check on its merge commit says that something is still to be applied. */
  readonly unapplied: boolean;
};

/**
 * What the record missed of one pull request; null when nothing. `since`: when it was last looked (ISO 8601); what was
 * merged before that and never known is nobody's business.
 */
export function lostOf(seen: SeenPullRequest, known: KnownPullRequest | null, since: string): Lost | null {
  if (known === null) {
    if (seen.state === 'open') return 'opening';
    return isMergedSince(seen, since) ? 'merge' : null;
  }
  // A merge is final: whatever else is said was read before.
  if (known.state === 'merged') return isMergedSince(seen, since) && !known.shown ? 'merge' : null;
  if (seen.state !== known.state) return lostByState[seen.state];
  if (seen.state === 'closed') return null;
  if (seen.head !== known.head) return 'push';
  if (seen.base !== known.base) return 'change of base';
  if (seen.draft !== known.draft) return 'change of draft';
  return known.shown ? null : 'checks';
}

const lostByState = { open: 'reopening', closed: 'closing', merged: 'merge' } as const;

function isMergedSince({ state, mergedAt }: SeenPullRequest, since: string): boolean {
  return state === 'merged' && mergedAt !== null && Date.parse(mergedAt) >= Date.parse(since);
}

/** Open in the record, and not among all that are open. */
export function closedUnheard(
  open: readonly SeenPullRequest[],
  known: readonly KnownPullRequest[],
): readonly KnownPullRequest[] {
  const numbers = new Set(open.map(({ number }) => number));
  return known.filter(({ number, state }) => state === 'open' && !numbers.has(number));
}

/** A base branch and its tip, where open pull requests were last planned on another one. */
export type MovedBase = { readonly branch: string; readonly tip: Sha };

/** Drafts are not planned, so their base may be of any age. */
export function movedBases(
  open: readonly SeenPullRequest[],
  known: readonly KnownPullRequest[],
): readonly MovedBase[] {
  const moved = new Map<string, MovedBase>();
  for (const { number, base, baseSha, draft } of open) {
    const before = known.find((each) => each.number === number);
    if (draft || before === undefined || before.base !== base || before.baseSha === baseSha) continue;
    moved.set(base, { branch: base, tip: baseSha });
  }
  return [...moved.values()];
}

/** What a difference is told apart by: while these are the same, it is the same one. */
export function factsOf({ state, head, base, draft, updatedAt }: SeenPullRequest): string {
  return [state, head, base, draft ? 'draft' : 'ready', updatedAt].join(' ');
}

/** A comment as GitHub shows it. Times are ISO 8601, GitHub's clock. */
export type SeenComment = {
  readonly id: number;
  readonly nodeId: string;
  readonly body: string;
  readonly createdAt: string;
  readonly edited: boolean;
  /** Null where the account is gone. */
  readonly author: { readonly login: string; readonly human: boolean } | null;
};

/** A comment that is a command, as its webhook would have said. */
export type SeenCommand = Pick<SeenComment, 'id' | 'nodeId' | 'createdAt'> & {
  readonly actor: string;
  readonly command: NonNullable<ReturnType<typeof parseCommand>>;
};

/** An edited comment may have said anything when it was written. */
export function commandsSince(comments: readonly SeenComment[], since: string): readonly SeenCommand[] {
  return comments.flatMap(({ id, nodeId, body, createdAt, edited, author }) => {
    if (edited || author?.human !== true || Date.parse(createdAt) < Date.parse(since)) return [];
    const command = parseCommand(body);
    return command === null ? [] : [{ id, nodeId, createdAt, actor: author.login, command }];
  });
}

/** A review as GitHub shows it. `state` in GitHub's words, small; times are ISO 8601, GitHub's clock. */
export type SeenReview = {
  readonly id: number;
  readonly state: string;
  readonly at: string | null;
  readonly updatedAt: string;
  readonly login: string;
};

/** Given or dismissed since; a mere comment says nothing to a plan, and nobody else sees a pending one. */
export function reviewsSince(reviews: readonly SeenReview[], since: string): readonly SeenReview[] {
  return reviews.filter(
    ({ state, updatedAt }) =>
      state !== 'commented' && state !== 'pending' && Date.parse(updatedAt) >= Date.parse(since),
  );
}

/** GitHub's clock and its several servers are not quite at one: what happened this long before a look may show after it. */
const overlapMs = 10_000;
/** What nobody heard of for this long is no wish any more. It is as long as GitHub keeps deliveries. */
const oldestMs = 3 * 24 * 60 * 60_000;

/** From when on a repository is looked at. Null: it never was, so nothing from before counts. ISO 8601. */
export function lookSince(lookedAt: string | null, at: string): string {
  const now = Date.parse(at);
  const since = lookedAt === null ? now : Math.max(Date.parse(lookedAt) - overlapMs, now - oldestMs);
  return new Date(since).toISOString();
}

/** A webhook takes seconds: GitHub shows what it is about before it has arrived. */
const webhookPatienceMs = 60_000;

/** Whether the webhook of what came to be at `since` may arrive yet. Both ISO 8601, GitHub's clock. */
export const mayBeOnItsWay = (since: string, now: string): boolean =>
  Date.parse(now) - Date.parse(since) < webhookPatienceMs;

/** One attempt of GitHub's to deliver a webhook. `at`: ISO 8601. */
export type DeliveryAttempt = {
  readonly id: number;
  readonly guid: string;
  readonly at: string;
  readonly ok: boolean;
  readonly event: string;
};

/** The last attempt of each webhook that none of them got across. */
export function undelivered(attempts: readonly DeliveryAttempt[]): readonly DeliveryAttempt[] {
  const arrived = new Set(attempts.filter(({ ok }) => ok).map(({ guid }) => guid));
  const last = new Map<string, DeliveryAttempt>();
  for (const attempt of attempts) {
    const before = last.get(attempt.guid);
    if (arrived.has(attempt.guid) || (before !== undefined && before.id > attempt.id)) continue;
    last.set(attempt.guid, attempt);
  }
  return [...last.values()].sort((left, right) => left.id - right.id);
}
