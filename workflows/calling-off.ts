// What becomes of an apply that is on its way when somebody takes back what it stands on?
import type { Desk } from './desk.ts';
import { findProject } from './model/pull-request-state.ts';
import { isUnderWay } from './model/round.ts';
import { callBack } from './proxies.ts';
import { endUngranted } from './renewing.ts';
import { tellProjects } from './telling-projects.ts';

/** It was asked for, and has not said how it ended. */
export function isOnItsWay({ state }: Desk, name: string): boolean {
  const project = findProject(state, name);
  return project !== null && isUnderWay(project);
}

/**
 * To be called when what was said is recorded. What no runner has taken by then is taken by none any more, and says so
 * at once. Names of those that a runner has.
 */
export async function callOff(desk: Desk, names: readonly string[]): Promise<readonly string[]> {
  const late: string[] = [];
  for (const name of names) {
    const state = findProject(desk.state, name);
    if (state === null || state.apply === null || !isUnderWay(state)) continue;
    const { runId } = state.apply;
    const answer = await callBack({ runId });
    if (answer === 'taken' && isOnItsWay(desk, name)) late.push(name);
    // It waits in line: its project's workflow knows of no word.
    if (answer === 'not begun') await endUngranted(desk, name, runId);
    if (answer === 'called back')
      await tellProjects(desk, [state.project], { kind: 'stop', ref: desk.state.ref, runId });
  }
  return late;
}
