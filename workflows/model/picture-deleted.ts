// What is said of the projects that merging would end?
import type { DeletedState, ProjectsFound } from './round.ts';
import type { DeletedProject } from './view.ts';

/** More names would bury the number. */
const maxNames = 2;

export const deletedProjects = ({ deleted }: Pick<ProjectsFound, 'deleted'>): readonly DeletedProject[] =>
  deleted.map(({ project, resources }) => ({
    name: project.name,
    resources: typeof resources === 'number' ? resources : null,
  }));

export const isCounting = ({ resources }: DeletedState): boolean => resources === null;

/** "dns is deleted: 3 resources would stay"; empty where nothing is deleted. */
export function deletedTitle(deleted: readonly DeletedProject[]): string {
  const [first] = deleted;
  if (first === undefined) return '';
  const names = deleted.map(({ name }) => name);
  const who = names.length > maxNames ? `${names.length} projects` : names.join(' and ');
  return `${who} ${names.length === 1 ? 'is' : 'are'} deleted: ${what(deleted)} would stay`;
}

function what(deleted: readonly DeletedProject[]): string {
  const counts = deleted.map(({ resources }) => resources);
  if (counts.includes(null)) return deleted.length === 1 ? 'what it manages' : 'what they manage';
  const sum = counts.reduce<number>((total, count) => total + (count ?? 0), 0);
  if (sum === 0) return 'nothing';
  return `${sum} ${sum === 1 ? 'resource' : 'resources'}`;
}
