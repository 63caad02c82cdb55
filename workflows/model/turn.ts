// Which of its projects does a pull request ask for next, so that no two wait for each other for ever?
import type { Project } from './project.ts';

/** How far a pull request is with owning a project. Times are ISO 8601. */
export type Turn =
  /** `taken`: whose it was when it was asked for without waiting. */
  | { readonly kind: 'wanted'; readonly taken?: number }
  | { readonly kind: 'asked' }
  | { readonly kind: 'behind'; readonly owner: number; readonly position: number; readonly since: string }
  | { readonly kind: 'yours' };

type Place = Pick<Project, 'dir' | 'workspace'>;
type Wanting = { readonly project: Place; readonly turn: Turn | null };

/**
 * The order in which every pull request waits for projects. Whoever waits holds nothing that comes later in it, so two
 * that want the same projects cannot each hold what the other waits for.
 */
export function inLockOrder<Each extends Pick<Wanting, 'project'>>(
  projects: readonly Each[],
): readonly Each[] {
  return projects.toSorted((left, right) => compare(left.project, right.project));
}

/** By code units: the same on every machine. */
function compare(left: Place, right: Place): number {
  if (left.dir !== right.dir) return left.dir < right.dir ? -1 : 1;
  return left.workspace === right.workspace ? 0 : left.workspace < right.workspace ? -1 : 1;
}

export type Step<Each, Held> =
  /** `waits`: in line, where it is somebody else's. What is in `giveBack` is left to others before that. */
  | {
      readonly kind: 'ask';
      readonly projects: readonly Each[];
      readonly waits: boolean;
      readonly giveBack: readonly Each[];
    }
  /** It belongs to somebody else, and to wait for it while these are held could be for ever. */
  | { readonly kind: 'refuse'; readonly project: Each; readonly holds: readonly Held[] };

/**
 * All at once first, to be had at once or not at all: hardly ever does anybody else want one of them. For the first that
 * is taken it stands in line, and gives back what comes later. `begun`: the projects of which it has applied something,
 * which it cannot give back. Null while an answer is still open, and when nothing is wanted.
 */
export function nextStep<Each extends Wanting, Held extends Place>(
  projects: readonly Each[],
  begun: readonly Held[],
): Step<Each, Held> | null {
  if (projects.some(isWaiting)) return null;
  const wanted = inLockOrder(projects.filter(({ turn }) => turn?.kind === 'wanted'));
  const [first] = wanted;
  if (first === undefined) return null;
  const taken = wanted.find(({ turn }) => turn?.kind === 'wanted' && turn.taken !== undefined);
  const { project } = taken ?? first;
  const yours = projects.filter(
    ({ turn, project: own }) => turn?.kind === 'yours' && compare(own, project) > 0,
  );
  const holds = heldAfter(begun, project);
  if (taken === undefined) {
    const waits = wanted.length === 1 && yours.length === 0 && holds.length === 0;
    return { kind: 'ask', projects: wanted, waits, giveBack: [] };
  }
  if (holds.length > 0) return { kind: 'refuse', project: taken, holds };
  return { kind: 'ask', projects: [taken], waits: true, giveBack: yours };
}

/** What of these comes later in order: whoever holds it may not wait for `project`. */
export function heldAfter<Held extends Place>(begun: readonly Held[], project: Place): readonly Held[] {
  return begun.filter((place) => compare(place, project) > 0);
}

/** Everything before it in order is settled: to apply something of it keeps nobody waiting in a circle. */
export function isNext<Each extends Wanting>(projects: readonly Each[], project: Place): boolean {
  const before = projects.filter((each) => compare(each.project, project) < 0);
  return before.every(({ turn }) => turn === null || turn.kind === 'yours');
}

/** It was asked for, and belongs to somebody else as far as anybody knows. */
const isWaiting = ({ turn }: Pick<Wanting, 'turn'>): boolean =>
  turn?.kind === 'asked' || turn?.kind === 'behind';
