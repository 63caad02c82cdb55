// Which projects are planned again although nothing of theirs changed, and as what?

/** An ordinary plan, one of the project's end, or whichever of them it had. */
export type PlanKind = 'plain' | 'destroy' | 'same';

/** Why a round begins. `only` names what somebody asked for; empty = all. */
export type RoundReason =
  | { readonly kind: 'changed' }
  | { readonly kind: 'asked'; readonly only: readonly string[]; readonly as: PlanKind }
  /** Projects were applied elsewhere, or the base branch moved. */
  | { readonly kind: 'refresh'; readonly applied: readonly string[] }
  /** What they depend on was applied here. */
  | { readonly kind: 'dependency'; readonly only: readonly string[] };

/** `all`: what is done with those that are not named; null = nothing. */
export type Again = {
  readonly all: PlanKind | null;
  readonly projects: Readonly<Record<string, PlanKind>>;
};

export const nothingAgain: Again = { all: null, projects: {} };

export function againFor(reason: RoundReason): Again {
  switch (reason.kind) {
    case 'changed':
      return nothingAgain;
    case 'asked':
      return { all: reason.only.length === 0 ? reason.as : null, projects: naming(reason.only, reason.as) };
    case 'refresh':
      return { all: null, projects: naming(reason.applied, 'same') };
    case 'dependency':
      return { all: null, projects: naming(reason.only, 'same') };
    default:
      return reason satisfies never;
  }
}

/** What was owed already and what is asked now; the newest word on a project counts. */
export function addAgain(owed: Again, now: Again): Again {
  const asked = Object.entries(now.projects).filter(
    ([name, kind]) => kind !== 'same' || !isNamed(owed, name),
  );
  const kept = now.all === 'plain' ? {} : owed.projects;
  return { all: now.all ?? owed.all, projects: { ...kept, ...Object.fromEntries(asked) } };
}

/** Null: only when something of it changed. */
export function againOf(again: Again, name: string): PlanKind | null {
  return isNamed(again, name) ? (again.projects[name] ?? null) : again.all;
}

const isNamed = ({ projects }: Again, name: string): boolean => Object.hasOwn(projects, name);
const naming = (names: readonly string[], kind: PlanKind): Record<string, PlanKind> =>
  Object.fromEntries(names.map((name) => [name, kind]));
