// Which plans live on when a pull request is looked at again, and which are made anew?
import type { Again } from './again.ts';
import { againOf } from './again.ts';
import { rulesFor } from './configuration.ts';
import type { PlanDigest } from './identifiers.ts';
import type { AffectedProject } from './project.ts';
import type { ProjectState, ProjectsFound } from './round.ts';
import { isApplied, isHeld, isSpent, isUnderWay, isUnknown, refusalOf } from './round.ts';
import type { UnwrittenState } from './unwritten-state.ts';

/** What a project of the newest inspection is compared with. */
export type Continuation = {
  readonly project: AffectedProject;
  readonly tree: ProjectState['tree'];
  /** The same project as it was on show before. */
  readonly prior: ProjectState | null;
  readonly again: Again;
  /** Only what is named is to be planned: what failed before stays as it is. */
  readonly onlyNamed: boolean;
  readonly merged: boolean;
  readonly leftBehind: readonly number[];
  readonly unwritten?: UnwrittenState | undefined;
  /** Digests that were on show before the merge. */
  readonly reviewed: readonly PlanDigest[];
  /** ISO 8601. */
  readonly now: string;
};

/** The project with its old plan where nothing can have changed that, else with none. */
export function continueProject(continuation: Continuation): ProjectState {
  const { project, tree, prior, merged, reviewed, leftBehind, unwritten } = continuation;
  if (prior === null || !keepsResult(continuation, prior)) return freshProject(continuation);
  const { result } = prior;
  const unseen = merged && result?.kind === 'planned' && !reviewed.includes(result.plan.digest);
  return {
    ...prior,
    project,
    tree,
    leftBehind,
    unwritten,
    gone: undefined,
    changedByMerge: merged ? unseen : prior.changedByMerge,
  };
}

function keepsResult(
  { project, tree, again, onlyNamed, merged, unwritten }: Continuation,
  prior: ProjectState,
): boolean {
  const same =
    prior.project.sourceDigest === project.sourceDigest && (tree === null) === (prior.tree === null);
  if (prior.result === null || !same) return false;
  if (merged && isApplied(prior)) return true;
  // It is put back, and the plan was made from the older one.
  if (prior.unwritten !== undefined && unwritten === undefined) return false;
  if (againOf(again, project.name) !== null || wasRefused(prior)) return false;
  if (prior.result.kind === 'failed') return onlyNamed;
  return !isSpent(prior) || onlyNamed || merged;
}

/** A plan that was refused right before its apply is not what it seems; one that nobody may apply yet still is. */
function wasRefused({ apply }: ProjectState): boolean {
  if (apply?.phase.kind !== 'over' || apply.phase.outcome.kind !== 'refused') return false;
  const { refusal } = apply.phase.outcome;
  if (refusal.kind === 'stale') return refusal.reason !== 'dependency applied';
  return ['already-applied', 'not-judged', 'frozen', 'diverged', 'managed-elsewhere'].includes(refusal.kind);
}

function freshProject(continuation: Continuation): ProjectState {
  const { project, tree, prior, now } = continuation;
  const stays = prior !== null && (isUnderWay(prior) || isHeld(prior) || isUnknown(prior));
  return {
    project,
    tree,
    destroy: wantsDestroy(continuation),
    since: now,
    runId: null,
    result: null,
    verdicts: null,
    bundle: null,
    apply: stays ? prior.apply : null,
    turn: prior?.turn ?? null,
    leftBehind: continuation.leftBehind,
    unwritten: continuation.unwritten,
    over: prior?.over ?? null,
    shownAt: null,
    replaced: prior !== null && prior.shownAt !== null,
    voided: null,
    changedByMerge: false,
  };
}

/**
 * Of a project that is deleted only the end can be planned. Of another the end is planned when somebody asks, and
 * again for as long as its files stay the same and nobody asks for an ordinary plan.
 */
function wantsDestroy({ project, tree, prior, again }: Continuation): boolean {
  const asked = againOf(again, project.name);
  if (tree !== null || asked === 'destroy') return true;
  if (asked === 'plain' || prior === null) return false;
  return prior.destroy && prior.project.sourceDigest === project.sourceDigest;
}

type Facts = Pick<ProjectsFound, 'source' | 'configuration' | 'forkedAt' | 'words'>;

/** Do the policies see the same as before beside the plan? Then their answer on the same plan is the same. */
export function seesSame(before: Facts | null, now: Facts): boolean {
  return before !== null && facts(before) === facts(now);
}

/** Right before its apply the policies said something else than was on show: they are asked once more. */
export function wasToldOtherwise(project: ProjectState): boolean {
  const refusal = refusalOf(project);
  return refusal?.kind === 'denied' || refusal?.kind === 'approvals-missing';
}

/** In one order, whoever told them. */
export const wordsOf = ({ title, labels, base }: ProjectsFound['words']): ProjectsFound['words'] => ({
  title,
  labels: labels.toSorted(),
  base,
});

/** Were policies of the repository asked about other words than these, which the pull request has now? */
export function areWordsOld(
  { configuration, projects, words }: Pick<ProjectsFound, 'configuration' | 'projects' | 'words'>,
  fresh: ProjectsFound['words'],
): boolean {
  const now = { ...wordsOf(fresh), base: words.base };
  if (JSON.stringify(now) === JSON.stringify(words)) return false;
  return projects.some(({ project }) => rulesFor(configuration, project.name).policies.length > 0);
}

const facts = ({ source, configuration, forkedAt, words }: Facts): string =>
  JSON.stringify([source.head, source.base, source.tree, configuration, forkedAt, words]);
