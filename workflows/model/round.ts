// How far is the planning of one head? A round: the projects, their plans, verdicts and applies.
import type { ApplyOutcome, ApplyTrigger } from './apply.ts';
import type { Configuration } from './configuration.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { PlanDigest, RunId, Sha } from './identifiers.ts';
import type { Plan, PlanResult } from './plan.ts';
import type { AffectedProject } from './project.ts';
import type { Source } from './pull-request.ts';
import type { ApprovalRule, Verdict } from './verdict.ts';

/** The apply of one project: waiting, running or over. */
export type ApplyState = {
  readonly runId: RunId;
  readonly digest: PlanDigest;
  readonly trigger: ApplyTrigger;
  readonly phase:
    | { readonly kind: 'asked' }
    | { readonly kind: 'queued'; readonly owner: number; readonly position: number }
    | { readonly kind: 'applying'; readonly startedAt: string }
    | { readonly kind: 'over'; readonly startedAt: string | null; readonly outcome: ApplyOutcome };
};

export type ProjectState = {
  readonly project: AffectedProject;
  /** Null while it is being planned. */
  readonly result: PlanResult | null;
  /** Null while the policies have not answered. */
  readonly verdicts: readonly Verdict[] | null;
  readonly apply: ApplyState | null;
  /** When the plan on show became visible; null before. */
  readonly shownAt: string | null;
  /** It replaced another plan on the screen: then it counts as shown from the next second on. */
  readonly replaced: boolean;
  /** Why earlier approvals no longer count, in one sentence. */
  readonly voided: string | null;
  /** After a merge: the plan differs from the one that was on show, so somebody has to look. */
  readonly changedByMerge: boolean;
};

/** What one planning found: one head against one base. */
export type Round = {
  readonly id: RunId;
  readonly head: Sha;
  readonly findings: Findings;
  /** What was on show before this round began: plans and applies that may live on. */
  readonly before: ProjectsFound | null;
  readonly plannedAt: string | null;
};

export type Findings =
  | { readonly kind: 'inspecting' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'conflict'; readonly files: readonly string[] }
  | {
      readonly kind: 'config-broken';
      readonly where: 'base' | 'head';
      readonly problems: readonly Diagnostic[];
    }
  | { readonly kind: 'draft' }
  | { readonly kind: 'fork' }
  | { readonly kind: 'operator-error'; readonly runId: string }
  | {
      readonly kind: 'projects';
      readonly source: Source;
      readonly configuration: Configuration;
      readonly changedFiles: readonly string[];
      readonly editsConfiguration: boolean;
      readonly projects: readonly ProjectState[];
    };

export type ProjectsFound = Extract<Findings, { kind: 'projects' }>;

/** The plan of a project, or null while it has none. */
export function planOf(state: ProjectState): Plan | null {
  return state.result?.kind === 'planned' ? state.result.plan : null;
}

/** Applied, and nothing newer was planned over it. */
export function isApplied(state: ProjectState): boolean {
  return state.apply?.phase.kind === 'over' && state.apply.phase.outcome.kind === 'applied';
}

/** Nobody knows how the apply ended; a person has to decide. */
export function isUnknown(state: ProjectState): boolean {
  return state.apply?.phase.kind === 'over' && state.apply.phase.outcome.kind === 'unknown';
}

/** Asked for, queued or running: it will still say how it ended. */
export function isUnderWay(state: ProjectState): boolean {
  return state.apply !== null && state.apply.phase.kind !== 'over';
}

/** Nothing is left to do: no changes, or applied. */
export function isSettled(state: ProjectState): boolean {
  return isApplied(state) || planOf(state)?.hasChanges === false;
}

/** Every rule whose approvals a plan needs: hatchet.yaml's, the policies', and one when a merge changed it. */
export function approvalRules(state: ProjectState, configuration: Configuration): readonly ApprovalRule[] {
  if (planOf(state)?.hasChanges !== true) return [];
  const { approvals } = configuration;
  const configured = approvals.count > 0 ? [{ ...approvals, message: '', source: 'hatchet.yaml' }] : [];
  const asked = (state.verdicts ?? []).flatMap((verdict) => verdict.approvals);
  const merged = state.changedByMerge
    ? [{ count: 1, by: [], author: true, message: 'the merge changed this plan', source: 'hatchet' }]
    : [];
  return [...configured, ...asked, ...merged];
}

/** The round with one project's state replaced. */
export function withProject(
  found: ProjectsFound,
  name: string,
  change: Partial<ProjectState>,
): ProjectsFound {
  return {
    ...found,
    projects: found.projects.map((state) => (state.project.name === name ? { ...state, ...change } : state)),
  };
}
