// What is a plan, and what did planning a project come to?
import type { Diagnostic } from './diagnostic.ts';
import type { PlanDigest, PlanId, RunId, Sha, SourceDigest } from './identifiers.ts';
import type { Project } from './project.ts';
import { isSameProject } from './project.ts';

/** How many resources, by what happens to them. A replacement counts once, as replace. */
export type ChangeCounts = {
  readonly add: number;
  readonly change: number;
  readonly replace: number;
  readonly destroy: number;
  readonly import: number;
  readonly move: number;
  readonly forget: number;
};

/** A resource whose change cannot be taken back: shown by name wherever the plan is mentioned. */
export type RiskyChange = { readonly address: string; readonly action: 'destroy' | 'replace' | 'forget' };

/** One planned project. The bytes (plan file, JSON, log, changes) stay in the store under `id`. */
export type Plan = {
  readonly id: PlanId;
  /** The run that made it; its page has the log. */
  readonly runId: RunId;
  readonly project: Project;
  readonly digest: PlanDigest;
  readonly counts: ChangeCounts;
  readonly outputChanges: number;
  /** False when applying it would do nothing at all. */
  readonly hasChanges: boolean;
  /** The first ones only, at most `maxRiskyChanges`; `counts` has the totals. */
  readonly risky: readonly RiskyChange[];
  readonly warnings: readonly Diagnostic[];
  readonly sourceDigest: SourceDigest;
  readonly head: Sha;
  readonly base: Sha;
  readonly engineVersion: string;
  /** Plans the end of everything that the project has. */
  readonly destroy: boolean;
};

/** What a plan repeats of what was asked for. */
export type PlanOrder = Pick<Plan, 'runId' | 'project' | 'sourceDigest' | 'head' | 'base' | 'destroy'>;

/** Whatever else a runner says of its plan, it must be the one that was asked for: rules go by these. */
export function isAsOrdered(plan: PlanOrder, order: PlanOrder): boolean {
  return (
    isSameProject(plan.project, order.project) &&
    plan.runId === order.runId &&
    plan.sourceDigest === order.sourceDigest &&
    plan.head === order.head &&
    plan.base === order.base &&
    plan.destroy === order.destroy
  );
}

/** Names carried through history; the full list is in the store. */
export const maxRiskyChanges = 5;

/** What planning came to. A failure of the user's code is a value, not an error. */
export type PlanResult =
  | {
      readonly kind: 'planned';
      readonly plan: Plan;
      /** It held the state's lock meanwhile, in a backend where that keeps everybody else out. */
      readonly alone?: true;
      /** Directories of local modules that init found, relative to the repository; absent in older histories. */
      readonly moduleDirs?: readonly string[];
    }
  | {
      readonly kind: 'failed';
      readonly runId: RunId;
      readonly diagnostics: readonly Diagnostic[];
      /** How many diagnostics there were before the list was cut. */
      readonly diagnosticCount: number;
      /**
       * Its engine failed and finds nothing wrong with the code alone: what it asks outside may be there only when others
       * are applied. Looked at only where the project depends on others; absent: their apply would not help.
       */
      readonly validCode?: true;
    };

const countOrder = ['add', 'change', 'replace', 'destroy', 'import', 'move', 'forget'] as const;

/** "3 to add, 1 to replace": the non-zero parts; "no changes" or "only outputs change" when there are none. */
export function describeCounts(counts: ChangeCounts, outputChanges: number): string {
  const parts = countOrder.filter((part) => counts[part] > 0).map((part) => `${counts[part]} to ${part}`);
  if (parts.length > 0) return parts.join(', ');
  return outputChanges > 0 ? 'only outputs change' : 'no changes';
}

/** The sum over several plans. */
export function addCounts(all: readonly ChangeCounts[]): ChangeCounts {
  const sum = { add: 0, change: 0, replace: 0, destroy: 0, import: 0, move: 0, forget: 0 };
  for (const counts of all) for (const part of countOrder) sum[part] += counts[part];
  return sum;
}
