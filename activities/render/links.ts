// Where do the texts point to?

/** Web addresses, or null where there is none (yet): then the text stands without a link. */
export type Links = {
  /** A check by its full name, for example `hatchet/apply`. */
  readonly check: (name: string) => string | null;
  /** The log of a run, by run id or plan id. */
  readonly run: (id: string) => string | null;
  readonly commit: (sha: string) => string | null;
};
