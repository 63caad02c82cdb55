// Which of its projects does a pull request ask for next, so that no two wait for each other for ever?
import type { Project } from './project.ts';

/** How far a pull request is with owning a project. Times are ISO 8601. */
export type Turn =
  /** It is asked for when everything before it in order is the pull request's own. */
  | { readonly kind: 'wanted' }
  | { readonly kind: 'asked' }
  | { readonly kind: 'behind'; readonly owner: number; readonly position: number; readonly since: string }
  | { readonly kind: 'yours' };

type Wanting = { readonly project: Pick<Project, 'dir' | 'workspace'>; readonly turn: Turn | null };

/**
 * The order in which every pull request takes its projects. Whoever waits holds nothing that comes later in it, so
 * two that want the same projects cannot each hold what the other waits for.
 */
export function inLockOrder<Each extends Pick<Wanting, 'project'>>(
  projects: readonly Each[],
): readonly Each[] {
  return projects.toSorted((left, right) => compare(key(left), key(right)));
}

const key = ({ project }: Pick<Wanting, 'project'>): readonly [string, string] => [
  project.dir,
  project.workspace,
];

/** By code units: the same on every machine. */
function compare([dir, workspace]: readonly [string, string], other: readonly [string, string]): number {
  if (dir !== other[0]) return dir < other[0] ? -1 : 1;
  return workspace === other[1] ? 0 : workspace < other[1] ? -1 : 1;
}

/** One at a time: null while the answer to one is still open, or when nothing is wanted. */
export function nextWanted<Each extends Wanting>(projects: readonly Each[]): Each | null {
  if (projects.some(isWaiting)) return null;
  return inLockOrder(projects).find(({ turn }) => turn?.kind === 'wanted') ?? null;
}

/**
 * Does it hold or want something that comes later? Then it keeps this one, although its apply was refused: to ask for
 * it again while holding what others wait for could make them wait for each other.
 */
export function hasLater<Each extends Wanting>(projects: readonly Each[], project: Each): boolean {
  const ordered = inLockOrder(projects);
  return ordered.slice(ordered.indexOf(project) + 1).some(({ turn }) => turn !== null);
}

/** It was asked for, and belongs to somebody else as far as anybody knows. */
const isWaiting = ({ turn }: Pick<Wanting, 'turn'>): boolean =>
  turn?.kind === 'asked' || turn?.kind === 'behind';
