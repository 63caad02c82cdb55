// Where do the texts point to?
import type { RunId } from '../../workflows/model/identifiers.ts';

/** Web addresses, or null where there is none (yet): then the text stands without a link. */
export type Links = {
  /** A check by its full name, for example `hatchet/apply`. */
  readonly check: (name: string) => string | null;
  /** The page of a run: its log and, of a plan, all of its diff. */
  readonly run: (id: RunId) => string | null;
  readonly commit: (sha: string) => string | null;
};
