// Which of the plans that are asked for do runners have, and which wait for one that is free?
import { isCancellation, log } from '@temporalio/workflow';
import type { Desk } from './desk.ts';
import { changeProject } from './desk.ts';
import { projectsFound } from './model/pull-request-state.ts';
import { findTaken } from './proxies.ts';

/** What was said to wait for a runner when somebody looked last. */
export const waitsForRunner = ({ state }: Desk): boolean =>
  (projectsFound(state)?.projects ?? []).some(
    ({ runId, result, takenAt }) => runId !== null && result === null && takenAt === null,
  );

/** Asked when somebody wants to read it: runners have better to do than to tell of every plan that they have begun. */
export async function lookAtRunners(desk: Desk): Promise<void> {
  const asked = (projectsFound(desk.state)?.projects ?? []).flatMap(({ project, runId, result }) =>
    runId === null || result !== null ? [] : [{ name: project.name, runId }],
  );
  if (asked.length === 0) return;
  try {
    const taken = await findTaken({ runs: asked.map(({ runId }) => runId) });
    for (const [index, { name, runId }] of asked.entries())
      noteTaken(desk, name, runId, taken[index] ?? null);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('nobody knows which plans runners have', { error });
  }
}

/** By then it may be another run, or over. */
function noteTaken(desk: Desk, name: string, run: string, takenAt: string | null): void {
  const now = projectsFound(desk.state)?.projects.find(({ project }) => project.name === name);
  if (now?.runId !== run || now.result !== null) return;
  changeProject(desk, name, { takenAt });
  // It is said to wait, and does not any more.
  if (now.takenAt === null && takenAt !== null) desk.stale = true;
}
