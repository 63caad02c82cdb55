// How far is the planning of one head? A round: the projects, their plans, verdicts and applies.
import type { Again } from './again.ts';
import type { ApplyOutcome, ApplyTrigger, Refusal } from './apply.ts';
import { rulesAsked } from './approval.ts';
import type { BranchBar } from './branch-bar.ts';
import type { Finding } from './comparison.ts';
import type { Configuration } from './configuration.ts';
import { rulesFor } from './configuration.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { EditedPolicies } from './edited-policies.ts';
import type { PlanDigest, RunId, Sha } from './identifiers.ts';
import type { Plan, PlanResult } from './plan.ts';
import type { AffectedProject } from './project.ts';
import type { PullRequest, Source } from './pull-request.ts';
import type { StateManager } from './state-manager.ts';
import type { Turn } from './turn.ts';
import type { UnwrittenState } from './unwritten-state.ts';
import type { ApprovalRule, Verdict } from './verdict.ts';

/** The apply of one project: waiting, running or over. Times are ISO 8601. */
export type ApplyState = {
  readonly runId: RunId;
  readonly digest: PlanDigest;
  /** What is applied, whatever else is planned meanwhile. */
  readonly plan: Plan;
  /** The head that it was granted for; absent while it is held. */
  readonly head?: Sha;
  readonly trigger: ApplyTrigger;
  readonly phase: /** Somebody wants it, and it starts when these are applied and the project is this pull request's. */
    | { readonly kind: 'held'; readonly after: readonly string[]; readonly since?: string }
    | { readonly kind: 'asked'; readonly since?: string }
    | {
        readonly kind: 'queued';
        readonly owner: number;
        readonly position: number;
        readonly since: string;
      }
    | { readonly kind: 'applying'; readonly startedAt: string }
    | { readonly kind: 'over'; readonly startedAt: string | null; readonly outcome: ApplyOutcome };
};

export type ProjectState = {
  readonly project: AffectedProject;
  /** The tree that it is planned from, where that is not the round's: the base's, for a project that is deleted. */
  readonly tree: Sha | null;
  /** Somebody asked for a plan of the end of all that it has. */
  readonly destroy: boolean;
  /** When it was last begun to be planned (ISO 8601). */
  readonly since: string;
  /** The run that plans it or planned it last; null before the first. */
  readonly runId: RunId | null;
  /** When a runner took that run; null: none had when somebody looked; absent: nobody has looked. */
  readonly takenAt?: string | null;
  /** Null while it is being planned. */
  readonly result: PlanResult | null;
  /** When the result came; absent while there is none. */
  readonly resultAt?: string;
  /** Null while the policies have not answered. */
  readonly verdicts: readonly Verdict[] | null;
  /** The policies and rules that gave them (lowercase hex SHA-256); null while they have not answered. */
  readonly bundle: string | null;
  readonly apply: ApplyState | null;
  /** The newest commit no longer touches it: it is here for its apply only. */
  readonly gone?: true | undefined;
  /** Whether it is the pull request's own; null while nobody asked for it. */
  readonly turn: Turn | null;
  /** Pull requests that were applied to it and then closed without a merge. */
  readonly leftBehind: readonly number[];
  /** What an apply of the project could not write, and nobody has put back. */
  readonly unwritten?: UnwrittenState | undefined;
  /** The pull request whose apply is not part of what this one stands on; null = none. */
  readonly over: number | null;
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
  /** The round whose checks are on show: an older one while all that it showed still holds. */
  readonly shownId: RunId;
  readonly head: Sha;
  readonly findings: Findings;
  /** What was on show before this round began, until it is known what lives on of it. */
  readonly before: ProjectsFound | null;
  /** What has to be planned again, until it is; a round that is overtaken hands it on. */
  readonly again: Again;
  /** The base that what is on show was planned with; null before the first plan. */
  readonly shownBase: Sha | null;
  readonly plannedAt: string | null;
  /** It takes so long that people want to see which projects are still being planned. */
  readonly lasting: boolean;
};

/** A project that merging would end while what it manages stays. */
export type DeletedState = {
  readonly project: AffectedProject;
  /** How many would stay; null while that is being counted, `unknown` where it could not be. */
  readonly resources: number | 'unknown' | null;
  /** Its code stays: merging takes it out of hatchet.yaml. */
  readonly unlisted?: true;
  /** Who else manages what it has, or may; absent: nobody, or that was not looked up yet. */
  readonly manager?: StateManager;
  /** Whether it only moved was not looked up since the newest push: nothing is said of it. Absent: it was. */
  readonly open?: true;
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
  /** `author`: who may not write here, although the branch is in this repository; absent: it is a fork. */
  | { readonly kind: 'fork'; readonly author?: string }
  | { readonly kind: 'operator-error'; readonly runId: RunId; readonly why?: 'full disk' }
  | {
      readonly kind: 'projects';
      readonly source: Source;
      readonly configuration: Configuration;
      /** Why nothing of it may be applied: its base branch is none that may be applied from. Absent: it may. */
      readonly barred?: BranchBar;
      /** The commit that the pull request's own changes are counted from. */
      readonly forkedAt: Sha;
      /** What policies see of the pull request beside its commits. */
      readonly words: Pick<PullRequest, 'title' | 'labels' | 'base'>;
      readonly editedPolicies: EditedPolicies;
      readonly editsConfiguration: boolean;
      /** Names of projects that hatchet.yaml adds, or has planned in another way, once it is merged. Absent: none. */
      readonly inactiveEntries?: readonly string[];
      /** How long a plan or an apply waits for a runner before somebody looks whether there is one. */
      readonly poolWaitMs: number;
      /** The head contains the tip of the base branch. */
      readonly containsBase: boolean;
      readonly projects: readonly ProjectState[];
      readonly deleted: readonly DeletedState[];
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

/** It was tried, and what is left to do is something else. */
export function isSpent({ apply }: ProjectState): boolean {
  return apply?.phase.kind === 'over' && ['failed', 'unknown'].includes(apply.phase.outcome.kind);
}

/** Terraform could not write its state, which is kept, or is still on its runner's disk. */
export function leftState({ apply }: ProjectState): boolean {
  const outcome = apply?.phase.kind === 'over' ? apply.phase.outcome : null;
  if (outcome?.kind === 'failed') return outcome.stateKept || outcome.stateOnRunner === true;
  return outcome?.kind === 'unknown' && outcome.finding?.kind === 'unwritten';
}

/** What was found out about such an apply; null while nothing was. */
export function findingOf({ apply }: ProjectState): Finding | null {
  const outcome = apply?.phase.kind === 'over' ? apply.phase.outcome : null;
  return outcome?.kind === 'unknown' ? (outcome.finding ?? null) : null;
}

/** Asked for, queued or running: it will still say how it ended. */
export function isUnderWay(state: ProjectState): boolean {
  return state.apply !== null && state.apply.phase.kind !== 'over' && !isHeld(state);
}

/** Its apply is wanted and waits for the projects that it depends on. */
export function isHeld(state: ProjectState): boolean {
  return state.apply?.phase.kind === 'held';
}

/** Why its apply was refused last; null when it was not. */
export function refusalOf({ apply }: ProjectState): Refusal | null {
  const over = apply?.phase.kind === 'over' ? apply.phase.outcome : null;
  return over?.kind === 'refused' ? over.refusal : null;
}

/** Nothing is left to do: no changes, applied, or part of what a later merge has applied. */
export function isSettled(state: ProjectState): boolean {
  return isApplied(state) || planOf(state)?.hasChanges === false || refusalOf(state)?.kind === 'superseded';
}

/** Every rule whose approvals a plan needs: hatchet.yaml's, the policies', and one when a merge changed it. */
export function approvalRules(state: ProjectState, configuration: Configuration): readonly ApprovalRule[] {
  if (planOf(state)?.hasChanges !== true) return [];
  const asked = rulesAsked(rulesFor(configuration, state.project.name), state.verdicts ?? []);
  const merged = state.changedByMerge
    ? [{ count: 1, by: [], author: true, message: 'the merge changed this plan', source: 'hatchet' }]
    : [];
  const message = `it goes over what #${state.over} has applied, which is not part of it`;
  const diverged =
    state.over === null ? [] : [{ count: 1, by: [], author: true, message, source: 'hatchet' }];
  return [...asked, ...merged, ...diverged];
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
