// How does a pull request stand at GitHub: who reviewed it, who pushed to it, and may it be merged?
import type { Sha } from './identifiers.ts';
import type { Mergeability, ReviewDecision } from './mergeability.ts';

/** The last word of one person in a review; a mere comment is none. */
export type Review = {
  readonly login: string;
  readonly state: 'approved' | 'changes-requested' | 'dismissed';
  /** The head that it was given on; null when GitHub no longer has that commit. */
  readonly commit: Sha | null;
  /** ISO 8601, GitHub's clock. */
  readonly submittedAt: string;
  /** May the reviewer push here, at the moment of reading? */
  readonly mayWrite: boolean;
};

/** Read afresh with the pull request itself; `readAt`: ISO 8601, when GitHub was asked. */
export type Standing = {
  readonly readAt: string;
  readonly head: Sha;
  readonly reviews: readonly Review[];
  readonly decision: ReviewDecision;
  /** Who wrote and who committed the head commit, as far as GitHub knows them. */
  readonly pushers: readonly string[];
  /** May whoever opened it push here? An App that opened it from this repository could; null: nobody asked. */
  readonly authorMayWrite: boolean | null;
  /** Null: nobody asked. */
  readonly mergeability: Mergeability | null;
};

/** Readings can cross: the later one holds, with what only the earlier one asked for. */
export function newerStanding(known: Standing | null, read: Standing): Standing {
  if (known === null) return read;
  if (known.readAt > read.readAt) return known;
  return { ...read, authorMayWrite: read.authorMayWrite ?? known.authorMayWrite };
}
