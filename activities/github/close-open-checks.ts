// How are checks closed that nothing will ever finish?
import type { PullRequestRef } from '../../workflows/model/repository.ts';
import type { GitHub } from './client.ts';
import { doWrites } from './mutation.ts';
import type { SurfaceMemory } from './surfaces.ts';
import { dueCancel } from './surfaces.ts';

/** Cancelled, never neutral: a required check must not pass. How many were closed. */
export async function closeOpenChecks(
  { github, memory }: { readonly github: GitHub; readonly memory: SurfaceMemory },
  ref: PullRequestRef,
): Promise<number> {
  const open = (await memory.read(ref)).filter((surface) => surface.open);
  const due = open.map((surface) => dueCancel(ref.repository.nodeId, surface, stuckSummary));
  const results = await doWrites(
    github,
    ref.repository.installationId,
    due.map(({ write }) => write),
  );
  const closed = due.flatMap(({ surface }, index) => {
    const result = results[index];
    return result?.kind === 'done' ? [{ ...surface, nodeId: result.nodeId, at: result.at }] : [];
  });
  await memory.save(ref, closed);
  return closed.length;
}

const stuckSummary =
  'Hatchet cannot go on with this pull request. Whoever operates it finds the cause in its log; a new push or a comment is heard when it is mended.';
