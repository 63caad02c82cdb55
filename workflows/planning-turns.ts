// Which projects may be planned now, where the lock comes before the plan?
import { condition } from '@temporalio/workflow';
import type { Desk } from './desk.ts';
import { changeProject } from './desk.ts';
import { rulesFor } from './model/configuration.ts';
import { findProject } from './model/pull-request-state.ts';
import type { ProjectState, ProjectsFound } from './model/round.ts';
import { inLockOrder } from './model/turn.ts';
import type { RoundWork } from './planning-projects.ts';
import { askTurn, stepBack } from './taking-turns.ts';

/**
 * Takes the round's projects in order, as far as nobody else owns them. The names of those that are planned when
 * their turn comes: at the first that is not free, everything after it is given up again.
 */
export async function takeTurns(work: RoundWork): Promise<ReadonlySet<string>> {
  const { desk, found } = work;
  const locked = new Set<string>();
  let waits = false;
  for (const { project } of inLockOrder(found.projects.filter(comesFirst(found)))) {
    const state = findProject(desk.state, project.name);
    if (state === null || state.apply !== null) continue;
    // What something of was applied here is not given back for what comes before it.
    const may = !waits || isBegun(desk, project.name);
    const free = may && (await takeTurn(work, state));
    if (desk.state.round?.id !== work.roundId) break;
    if (free) continue;
    locked.add(project.name);
    // Nobody waits for it, so that it keeps nothing from being planned.
    if (may && isRefused(desk, project.name)) continue;
    waits = true;
    await waitFor(desk, project.name);
  }
  return locked;
}

/** Asked for, it comes before what is held here: that is said in place of a plan. */
function isRefused(desk: Desk, name: string): boolean {
  const { turn, result } = findProject(desk.state, name) ?? {};
  return turn === null && result?.kind === 'failed';
}

const isBegun = ({ state: { touched } }: Desk, project: string): boolean =>
  touched.some(({ name, begun }) => name === project && begun === true);

const comesFirst =
  ({ configuration }: ProjectsFound) =>
  ({ project }: ProjectState): boolean =>
    rulesFor(configuration, project.name).lock === 'plan';

/** Whoever stands in line is told when it is their turn, and need not ask again. */
async function takeTurn({ desk, roundId }: RoundWork, { project, turn }: ProjectState): Promise<boolean> {
  const now = () => findProject(desk.state, project.name)?.turn?.kind;
  if (turn?.kind !== 'yours' && turn?.kind !== 'behind') {
    await askTurn(desk, project);
    await condition(() => now() !== 'asked' || desk.state.round?.id !== roundId);
  }
  return now() === 'yours';
}

/** What it has of the project is not for show: when its turn comes, the project is another. */
async function waitFor(desk: Desk, name: string): Promise<void> {
  const state = findProject(desk.state, name);
  if (state === null) return;
  const turn = state.turn?.kind === 'behind' ? state.turn : ({ kind: 'wanted' } as const);
  changeProject(desk, name, { turn, result: null, verdicts: null });
  if (state.turn?.kind === 'yours') await stepBack(desk, state.project);
}

/** What the newest commit no longer touches is for others, unless something of it was applied. */
export async function leaveGone(
  desk: Desk,
  before: ProjectsFound | null,
  { projects }: ProjectsFound,
): Promise<void> {
  const gone = (before?.projects ?? []).filter(
    ({ project, turn }) => turn !== null && !projects.some((each) => each.project.name === project.name),
  );
  await stepBack(desk, ...gone.map(({ project }) => project));
}
