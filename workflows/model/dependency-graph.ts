// What comes before and after a project by hatchet.yaml, whichever projects a pull request touches?

/** What each project names in `depends_on`, by name; those that name nothing are left out. */
export type DependencyGraph = Readonly<Record<string, readonly string[]>>;

/**
 * What has to be applied before a project: what it names, and whatever stands behind those of them that are not `here`.
 * What is here says by itself what comes before it, so that a long chain is not told again for each of its links.
 */
export function dependenciesThrough(
  graph: DependencyGraph,
  name: string,
  here: ReadonlySet<string>,
): readonly string[] {
  return [...reach(name, (each) => (each === name || !here.has(each) ? namedBy(graph, each) : []))];
}

/** Whatever comes after a project, near and far. */
export function dependentsOf(graph: DependencyGraph, name: string): readonly string[] {
  const names = Object.keys(graph);
  return [...reach(name, (each) => names.filter((other) => namedBy(graph, other).includes(each)))];
}

const namedBy = (graph: DependencyGraph, name: string): readonly string[] =>
  Object.hasOwn(graph, name) ? (graph[name] ?? []) : [];

/** Everything that is reached from a name by one or more steps, the nearest first, but not the name itself. */
export function reach(from: string, step: (name: string) => readonly string[]): ReadonlySet<string> {
  const found = new Set(step(from));
  // A set tells whoever goes through it also of what is added meanwhile.
  for (const name of found) for (const next of step(name)) found.add(next);
  found.delete(from);
  return found;
}
