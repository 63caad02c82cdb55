// What is said of the projects that merging would end?
import type { DeletedState, ProjectsFound } from './round.ts';
import type { DeletedProject } from './view.ts';

/** More names would bury the number. */
const maxNames = 2;

/** Of an open one nobody knows yet whether it was only moved. */
export const deletedProjects = ({ deleted }: Pick<ProjectsFound, 'deleted'>): readonly DeletedProject[] =>
  deleted
    .filter((each) => !isOpen(each))
    .map(({ project, resources, unlisted, manager }) => ({
      name: project.name,
      resources: typeof resources === 'number' ? resources : null,
      ...(unlisted === undefined ? {} : { unlisted }),
      ...(manager === undefined ? {} : { manager }),
    }));

/** What would stay of it, and whether anything would, is still being found out. */
export const isOpen = ({ open }: DeletedState): boolean => open === true;

/** Its state, or one that it was copied from or to, is another project's: its end is not offered. */
export const isManaged = ({ manager }: DeletedProject): boolean => manager?.kind === 'managed';

/** Its state is another project's now: nothing of it stays behind. */
export const isMoved = ({ manager }: DeletedProject): boolean =>
  manager?.kind === 'managed' && manager.moved === true;

/** "old moved to new; dns is deleted, prod leaves Hatchet's care: 3 resources would stay"; empty where nothing ends. */
export function deletedTitle(deleted: readonly DeletedProject[]): string {
  const ended = deleted.filter((project) => !isManaged(project));
  const gone = ended.filter(({ unlisted }) => unlisted === undefined);
  const unlisted = ended.filter((each) => each.unlisted === true);
  const parts = [
    ...(gone.length === 0 ? [] : [`${who(gone)} ${gone.length === 1 ? 'is' : 'are'} deleted`]),
    ...(unlisted.length === 0
      ? []
      : [`${who(unlisted)} ${unlisted.length === 1 ? 'leaves' : 'leave'} Hatchet's care`]),
  ];
  const left = parts.length === 0 ? [] : [`${parts.join(', ')}: ${what(ended)} would stay`];
  const same = deleted.filter((project) => isManaged(project) && !isMoved(project));
  return [...movedWords(deleted.filter(isMoved)), ...sameWords(same), ...left].join('; ');
}

function movedWords(moved: readonly DeletedProject[]): readonly string[] {
  const [first] = moved;
  if (first?.manager === undefined) return [];
  return [moved.length === 1 ? `${first.name} moved to ${first.manager.project}` : `${who(moved)} moved`];
}

function sameWords(same: readonly DeletedProject[]): readonly string[] {
  const [first] = same;
  if (first?.manager === undefined) return [];
  return [
    same.length === 1
      ? `${first.name} has the same state as ${first.manager.project}`
      : `${who(same)} have the same states as others`,
  ];
}

const who = (projects: readonly DeletedProject[]): string =>
  projects.length > maxNames ? `${projects.length} projects` : projects.map(({ name }) => name).join(' and ');

function what(deleted: readonly DeletedProject[]): string {
  const counts = deleted.map(({ resources }) => resources);
  if (counts.includes(null)) return deleted.length === 1 ? 'what it manages' : 'what they manage';
  const sum = counts.reduce<number>((total, count) => total + (count ?? 0), 0);
  if (sum === 0) return 'nothing';
  return `${sum} ${sum === 1 ? 'resource' : 'resources'}`;
}
