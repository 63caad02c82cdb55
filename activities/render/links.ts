// Where do the texts point to?
import type { RunId } from '../../workflows/model/identifiers.ts';

/** A clause: where the rest is, when nothing leads to it. */
export const noPages = 'whole plans have a page each where `HATCHET_URL` is set';

/** Of the `hatchet/plan` check it is said elsewhere that the rest is there: it cannot say so of itself. */
export type Place = 'comment' | 'check';

/** Web addresses, or null where there is none (yet): then the text stands without a link. */
export type Links = {
  /** A check by its full name, for example `hatchet/apply`. */
  readonly check: (name: string) => string | null;
  /** The page of a run: its log and, of a plan, all of its diff. */
  readonly run: (id: RunId) => string | null;
  readonly commit: (sha: string) => string | null;
};
