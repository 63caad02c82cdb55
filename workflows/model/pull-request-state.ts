// What does the workflow of a pull request remember?

import type { ApplyQuestion, ApplyTrigger } from './apply.ts';
import type { Approval, LostApproval, MissingApproval, Rejection } from './approval.ts';
import { isTeam, missingApprovals } from './approval.ts';
import { defaultConfiguration, rulesFor } from './configuration.ts';
import type { PlanDigest, RunId, Sha } from './identifiers.ts';
import type { Override } from './override.ts';
import { withOverrides } from './override.ts';
import type { PullRequest } from './pull-request.ts';
import type { PullRequestRef } from './repository.ts';
import type { RequirementQuestion, Unmet } from './requirement.ts';
import { requirementsOf, unmetRequirements } from './requirement.ts';
import type { ProjectState, ProjectsFound, Round } from './round.ts';
import { approvalRules, planOf } from './round.ts';
import type { Standing } from './standing.ts';
import type { ApprovalRule, Verdict } from './verdict.ts';

/** Everything that is carried over a continue-as-new. References, counts, digests and decisions only. */
export type PullRequestState = {
  readonly ref: PullRequestRef;
  /** As last read from GitHub; null before the first reading. */
  readonly pullRequest: PullRequest | null;
  /** As last read from GitHub; null before the first reading. */
  readonly standing: Standing | null;
  /** Who pushed a head, as the webhook told; null while none has. */
  readonly pushed: { readonly head: Sha; readonly login: string } | null;
  readonly round: Round | null;
  readonly approvals: readonly Approval[];
  readonly rejections: readonly Rejection[];
  /** The last try to merge it because everything is applied, and GitHub's words if it refused; null: none yet. */
  readonly autoMerge: { readonly head: Sha; readonly refusal: string | null } | null;
  /** Denials that people lifted. */
  readonly overrides: readonly Override[];
  /** Yeses that are gone, and why. */
  readonly lost: readonly LostApproval[];
  /** Digests that were on show before the merge: only these may be applied without somebody looking again. */
  readonly reviewed: readonly PlanDigest[];
  /** It was merged, or found stale after that: what is planned next is applied as far as it was approved. */
  readonly appliesNext: boolean;
  /** How often an apply was refused as stale since anybody said anything. */
  readonly staleInARow: number;
  /** Projects whose lock this pull request may hold, by name. */
  readonly touched: readonly Touched[];
  /** GUIDs of the last deliveries, oldest first: GitHub repeats itself. */
  readonly seen: readonly string[];
  /** A writer allowed the plan of exactly this head of a fork. */
  readonly allowedHead: string | null;
  /** Somebody wants these applies stopped, and was warned; `at`: when they said so (ISO 8601, GitHub's clock). */
  readonly stopAsked?: { readonly at: string; readonly runs: readonly RunId[] };
};

/** `begun`: something of it was applied here, so that only a person, a merge or a close gives it up. */
export type Touched = {
  readonly name: string;
  readonly dir: string;
  readonly workspace: string;
  readonly begun?: true;
};

/** GitHub redelivers within three days; a pull request with more deliveries than this between is not a person's. */
export const maxDeliveriesRemembered = 500;

export function newPullRequest(ref: PullRequestRef): PullRequestState {
  return {
    ref,
    pullRequest: null,
    standing: null,
    pushed: null,
    round: null,
    approvals: [],
    rejections: [],
    overrides: [],
    lost: [],
    autoMerge: null,
    reviewed: [],
    appliesNext: false,
    staleInARow: 0,
    touched: [],
    seen: [],
    allowedHead: null,
  };
}

/**
 * What GitHub says of the pull request now. A merge is final, and whoever notices it first (a webhook, a reading)
 * fixes which plans count as reviewed: those that people could see before.
 */
export function withPullRequest(state: PullRequestState, now: PullRequest): PullRequestState {
  if (state.pullRequest?.state === 'merged') return state;
  if (now.state !== 'merged') return { ...state, pullRequest: now };
  const projects = projectsFound(state)?.projects ?? state.round?.before?.projects ?? [];
  const reviewed = projects.flatMap((project) => {
    const plan = planOf(project);
    return plan !== null && wasShownBefore(project, now.mergedAt) ? [plan.digest] : [];
  });
  return { ...state, pullRequest: now, reviewed, appliesNext: true };
}

/**
 * GitHub's clock tells whether whoever merged could see it. A plan that replaced another counts from the next second
 * on, because what stood there in the same second may have been the other one.
 */
function wasShownBefore({ shownAt, replaced }: ProjectState, mergedAt: string | null): boolean {
  if (shownAt === null) return false;
  if (mergedAt === null) return true;
  const [shown, merged] = [Date.parse(shownAt), Date.parse(mergedAt)];
  return replaced ? shown < merged : shown <= merged;
}

/** The projects of the current round; null while there are none to speak of. */
export function projectsFound(state: PullRequestState): ProjectsFound | null {
  return state.round?.findings.kind === 'projects' ? state.round.findings : null;
}

export function findProject(state: PullRequestState, name: string): ProjectState | null {
  return knownProjects(state).find((project) => project.project.name === name) ?? null;
}

/** Also those of the round before, while the current one has none: an apply may still be under way there. */
export function knownProjects(state: PullRequestState): readonly ProjectState[] {
  return (projectsFound(state) ?? state.round?.before)?.projects ?? [];
}

/** Approvals that the plan of one project still waits for. */
export function missingFor(state: PullRequestState, project: ProjectState): readonly MissingApproval[] {
  const found = projectsFound(state);
  const plan = planOf(project);
  if (found === null || plan === null) return [];
  return missingApprovals({
    project: project.project.name,
    digest: plan.digest,
    rules: approvalRules(project, found.configuration),
    approvals: state.approvals,
    authors: authorsOf(state),
  });
}

/** Who opened it and who made or pushed its head: their own yes counts only where a rule says so. */
export function authorsOf({ pullRequest, standing, pushed }: PullRequestState): readonly string[] {
  if (pullRequest === null) return [];
  const { author, head } = pullRequest;
  return [
    author,
    ...(standing?.head === head ? standing.pushers : []),
    ...(pushed?.head === head ? [pushed.login] : []),
  ];
}

/** What has to be agreed to before the project is applied. */
export function rulesOf(state: PullRequestState, project: ProjectState): readonly ApprovalRule[] {
  const found = projectsFound(state);
  return found === null ? [] : approvalRules(project, found.configuration);
}

/** What the policies say to the plan on show, and what people overrode of it; null while they have not answered. */
export function verdictsOf(state: PullRequestState, project: ProjectState): readonly Verdict[] | null {
  const plan = planOf(project);
  if (project.verdicts === null || plan === null) return project.verdicts;
  const { bundle } = project;
  const about = { project: project.project.name, digest: plan.digest, bundle };
  return withOverrides(project.verdicts, about, state.overrides);
}

/** The teams that any rule here names. */
export function teamsAsked(state: PullRequestState): readonly string[] {
  const found = projectsFound(state);
  const named = knownProjects(state).flatMap((project) => rulesOf(state, project).flatMap(({ by }) => by));
  return [...new Set([...named, ...(found?.configuration.overrides.by ?? [])].filter(isTeam))];
}

/** What `apply.require` wants of the pull request for this project; null while nothing is known of it. */
export function requirementQuestion(
  state: PullRequestState,
  { project }: ProjectState,
): RequirementQuestion | null {
  const { pullRequest, standing } = state;
  const found = projectsFound(state);
  if (found === null || pullRequest === null) return null;
  const { containsBase, configuration } = found;
  const rules = rulesFor(configuration, project.name);
  return { rules, pullRequest, standing, containsBase, authors: authorsOf(state) };
}

export const isMergeabilityAsked = (state: PullRequestState): boolean =>
  knownProjects(state).some((project) => {
    const question = requirementQuestion(state, project);
    return question !== null && requirementsOf(question).includes('mergeable');
  });

/** Of a plan that changes nothing, nothing is asked. */
export function unmetFor(state: PullRequestState, project: ProjectState): readonly Unmet[] {
  const question = requirementQuestion(state, project);
  return question === null || planOf(project)?.hasChanges !== true ? [] : unmetRequirements(question);
}

/** The person who says no to the plan on show, or null. */
export function rejectedBy(state: PullRequestState, project: ProjectState): string | null {
  const digest = planOf(project)?.digest;
  const no = state.rejections.find((each) => each.project === project.project.name && each.digest === digest);
  return no?.actor.login ?? null;
}

/** Whom hatchet.yaml lets set a denial aside. */
export const overridersOf = (state: PullRequestState): readonly string[] =>
  projectsFound(state)?.configuration.overrides.by ?? [];

/** What `grantApply` has to decide on for one project. */
export function applyQuestion(
  state: PullRequestState & { readonly pullRequest: PullRequest },
  project: ProjectState,
  trigger: ApplyTrigger,
): ApplyQuestion {
  const found = projectsFound(state);
  const { name, pool } = project.project;
  return {
    project: name,
    plan: found === null ? null : planOf(project),
    planFailed: project.result?.kind === 'failed',
    verdicts: verdictsOf(state, project),
    approvals: state.approvals,
    rejections: state.rejections,
    rules: found === null ? [] : approvalRules(project, found.configuration),
    overriders: overridersOf(state),
    unmet: unmetFor(state, project),
    over: project.over,
    pullRequest: state.pullRequest,
    barred: found?.barred ?? null,
    authors: authorsOf(state),
    head: state.round?.head ?? state.pullRequest.head,
    trigger,
    roundId: state.round?.id ?? null,
    pool,
    timeoutMs: rulesFor(found?.configuration ?? defaultConfiguration, name).apply.timeout,
    poolWaitMs: found?.poolWaitMs ?? 0,
  };
}
