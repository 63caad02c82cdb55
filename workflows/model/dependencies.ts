// Which projects of a pull request have to be applied before which?

import { reach } from './dependency-graph.ts';
import type { ProjectState } from './round.ts';
import { isApplied, isSettled } from './round.ts';

type Projects = readonly ProjectState[];

/** Whatever has to be applied before this project and is not yet, near and far, in the order of `projects`. */
export function openDependencies(projects: Projects, name: string): readonly string[] {
  const before = reach(name, (each) => directDependencies(projects, each));
  return projects.filter((each) => before.has(each.project.name) && !isSettled(each)).map(nameOf);
}

/** It could not be planned, and that may be because these are not applied yet. */
export function isForWantOf({ result }: Pick<ProjectState, 'result'>, before: readonly string[]): boolean {
  return before.length > 0 && result?.kind === 'failed' && result.validCode === true;
}

/** Whatever comes after this project and is not applied yet, near and far. */
export function openDependents(projects: Projects, name: string): readonly string[] {
  const after = reach(name, (each) =>
    projects.map(nameOf).filter((other) => directDependencies(projects, other).includes(each)),
  );
  return projects.filter((each) => after.has(each.project.name) && !isApplied(each)).map(nameOf);
}

/** What others wait for comes first; in a circle, which hatchet.yaml rules out, the order given holds. */
export function inApplyOrder(projects: Projects): Projects {
  const ordered = new Map<string, ProjectState>();
  const entered = new Set<string>();
  const enter = (name: string): void => {
    const state = projects.find((each) => each.project.name === name);
    if (state === undefined || entered.has(name)) return;
    entered.add(name);
    directDependencies(projects, name).forEach(enter);
    ordered.set(name, state);
  };
  projects.map(nameOf).forEach(enter);
  return [...ordered.values()];
}

/** What is taken down goes the other way round: the dependent first. */
function directDependencies(projects: Projects, name: string): readonly string[] {
  const state = projects.find((each) => each.project.name === name);
  if (state === undefined) return [];
  const others = projects.filter((each) => each !== state);
  return others
    .filter((other) => {
      const [later, earlier] = state.destroy && other.destroy ? [other, state] : [state, other];
      return later.project.dependsOn.includes(earlier.project.name);
    })
    .map(nameOf);
}

const nameOf = ({ project }: ProjectState): string => project.name;
