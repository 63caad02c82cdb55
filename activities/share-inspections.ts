// May several applies of one pull request be checked against one look at it?
import type { Inspection } from '../workflows/activities.ts';
import type { PullRequestRef } from '../workflows/model/repository.ts';

type Inspect = (ref: PullRequestRef) => Promise<Inspection>;
type Shared = { readonly askedAt: number; readonly inspection: Promise<Inspection> };

/** What GitHub answers may itself be as old. One wish can begin dozens of applies within it. */
const sharedForMs = 1_000;

/**
 * Whoever asks within a second of another about the same pull request gets the same answer, counted from the moment
 * in which it was asked for; a failure is not shared with those who come later.
 */
export function shareInspections(inspect: Inspect): Inspect {
  const known = new Map<string, Shared>();
  return (ref) => {
    const now = performance.now();
    for (const [key, { askedAt }] of known) if (now - askedAt > sharedForMs) known.delete(key);
    const key = `${ref.repository.id}/${ref.number}`;
    const shared = known.get(key);
    if (shared !== undefined) return shared.inspection;
    const inspection = inspect(ref);
    known.set(key, { askedAt: now, inspection });
    inspection.catch(() => known.get(key)?.inspection === inspection && known.delete(key));
    return inspection;
  };
}
