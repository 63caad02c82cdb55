// What is there to plan, or why is there nothing? What was found, compared with what was on show before.

import type { Again, RoundReason } from './model/again.ts';
import { againOf } from './model/again.ts';
import { authorize, hatchetItself } from './model/authorize.ts';
import type { Configuration } from './model/configuration.ts';
import { rulesFor, withoutLocks } from './model/configuration.ts';
import { continueProject, wordsOf } from './model/keep-plan.ts';
import type { AffectedProject } from './model/project.ts';
import type { PullRequestState } from './model/pull-request-state.ts';
import type { DeletedState, Findings, ProjectState, ProjectsFound } from './model/round.ts';
import { isHeld, isUnderWay, isUnknown } from './model/round.ts';
import { newerStanding } from './model/standing.ts';
import { targetOf } from './model/target.ts';
import type { Inspection } from './port/inspection.ts';

/** What the assessment stands on. `before`: what was on show; `now`: ISO 8601. */
export type Assessment = {
  readonly state: PullRequestState;
  readonly inspection: Inspection;
  readonly reason: RoundReason;
  readonly again: Again;
  readonly before: ProjectsFound | null;
  readonly now: string;
};

type Merged = Extract<Inspection['source'], { kind: 'merged' }>;

export function assess(assessment: Assessment): Findings {
  const { inspection, before } = assessment;
  const { configuration, source, edited } = inspection;
  if (source.kind === 'closed') return remains(before);
  if (configuration.kind === 'broken')
    return { kind: 'config-broken', where: 'base', problems: configuration.problems };
  if (edited !== null && edited.problems.length > 0) {
    return { kind: 'config-broken', where: 'head', problems: edited.problems };
  }
  if (source.kind === 'conflict') return { kind: 'conflict', files: source.files };
  const wanted = withoutDrafts(assessment, source, configuration.configuration);
  const barrier = barrierOf(assessment, source, wanted);
  if (barrier !== null) return barrier;
  const projects = projectsOf(assessment, source, wanted);
  return {
    kind: 'projects',
    source: source.source,
    ...rulesFound(configuration.configuration, inspection.barred),
    forkedAt: source.forkedAt,
    words: wordsOf(inspection.pullRequest),
    editedPolicies: inspection.editedPolicies,
    editsConfiguration: edited !== null,
    ...(edited?.entries === undefined ? {} : { inactiveEntries: edited.entries }),
    poolWaitMs: inspection.poolWaitMs,
    containsBase: inspection.containsBase,
    projects,
    deleted: deletedOf(source, projects, before),
  };
}

/** Where nothing may be applied, nobody else is kept from it either. */
function rulesFound(
  configuration: Configuration,
  barred: Inspection['barred'],
): Pick<ProjectsFound, 'configuration' | 'barred'> {
  return barred === null ? { configuration } : { configuration: withoutLocks(configuration), barred };
}

/** Of a draft by itself only those whose rules say so, and what somebody asked for; of everything else all. */
function withoutDrafts(
  { inspection, reason, before }: Assessment,
  { projects }: Merged,
  configuration: ProjectsFound['configuration'],
): readonly AffectedProject[] {
  const { draft, state } = inspection.pullRequest;
  if (!draft || state !== 'open' || reason.kind === 'asked') return projects;
  const known = reason.kind === 'changed' ? [] : (before?.projects ?? []);
  return projects.filter(
    ({ name }) =>
      rulesFor(configuration, name).plan.drafts || known.some(({ project }) => project.name === name),
  );
}

/** Why nothing is planned by itself although something is affected. */
function barrierOf(
  { state, inspection: { pullRequest, standing }, reason }: Assessment,
  { projects, deleted }: Merged,
  wanted: readonly AffectedProject[],
): Findings | null {
  const affected = projects.length + deleted.projects.length > 0;
  if (!affected || pullRequest.state !== 'open') return null;
  if (pullRequest.draft && reason.kind !== 'asked' && wanted.length === 0) return { kind: 'draft' };
  const target = targetOf({ ...state, pullRequest, standing: newerStanding(state.standing, standing) });
  const denied = authorize('plan', hatchetItself, target) !== null;
  if (!denied || state.allowedHead === pullRequest.head) return null;
  return pullRequest.fork ? { kind: 'fork' } : { kind: 'fork', author: pullRequest.author };
}

function projectsOf(
  assessment: Assessment,
  source: Merged,
  wanted: readonly AffectedProject[],
): readonly ProjectState[] {
  const { before } = assessment;
  const living = wanted.map((project) => continueFrom(assessment, project, null));
  const ended = source.deleted.projects
    .filter((project) => !isNamedBy(wanted, project) && isEnded(assessment, project))
    .map((project) => continueFrom(assessment, project, source.deleted.tree));
  return [...living, ...ended, ...leftUnderWay([...living, ...ended], before)];
}

const isNamedBy = (projects: readonly AffectedProject[], { name }: AffectedProject): boolean =>
  projects.some((project) => project.name === name);

/** The end of a deleted project is planned when somebody asks, and from then on until somebody asks otherwise. */
function isEnded({ again, before }: Assessment, { name }: AffectedProject): boolean {
  const asked = againOf(again, name);
  if (asked === 'destroy') return true;
  const wasEnded =
    before?.projects.some(({ project, tree }) => project.name === name && tree !== null) === true;
  return wasEnded && asked !== 'plain';
}

function continueFrom(
  { state, inspection, reason, again, before, now }: Assessment,
  project: AffectedProject,
  tree: ProjectState['tree'],
): ProjectState {
  return continueProject({
    project,
    tree,
    prior: before?.projects.find((each) => each.project.name === project.name) ?? null,
    again,
    // What failed stays as people saw it, until something of it changes or somebody asks.
    onlyNamed: reason.kind === 'asked' ? reason.only.length > 0 : reason.kind !== 'changed',
    merged: state.pullRequest?.state === 'merged',
    leftBehind: inspection.leftBehind.flatMap(({ dir, workspace, numbers }) =>
      dir === project.dir && workspace === project.workspace ? numbers : [],
    ),
    unwritten: inspection.unwritten?.find(
      ({ dir, workspace }) => dir === project.dir && workspace === project.workspace,
    ),
    reviewed: state.reviewed,
    now,
  });
}

/** Of a closed pull request only what was asked to be applied is still to be seen. */
function remains(before: ProjectsFound | null): Findings {
  const projects = (before?.projects ?? [])
    .filter((project) => project.apply !== null && !isHeld(project))
    .filter((project) => project.result !== null || isUnderWay(project) || isUnknown(project))
    .map(withPlanApplied);
  return before === null || projects.length === 0
    ? { kind: 'cancelled' }
    : { ...before, projects, deleted: [] };
}

/** What is being applied stays on the picture, also when the newest commit no longer touches it. */
function leftUnderWay(now: readonly ProjectState[], before: ProjectsFound | null): readonly ProjectState[] {
  const gone = (before?.projects ?? []).filter(
    ({ project }) => !now.some((each) => each.project.name === project.name),
  );
  return gone
    .filter((project) => isUnderWay(project) || isUnknown(project))
    .map((project) => ({ ...withPlanApplied(project), gone: true }));
}

/** A newer plan that nobody waits for any more gives way to the one that is being applied. */
function withPlanApplied(project: ProjectState): ProjectState {
  if (project.result !== null || project.apply === null) return project;
  return { ...project, result: { kind: 'planned', plan: project.apply.plan }, verdicts: [] };
}

/**
 * Counted once for the same code; those whose end is planned say themselves what they would take along. What the pull
 * request changes before it lets go of it is not counted: that number would be gone with its apply.
 */
function deletedOf(
  { source, deleted, projects: affected }: Merged,
  projects: readonly ProjectState[],
  before: ProjectsFound | null,
): readonly DeletedState[] {
  const left = deleted.projects.filter(
    ({ name }) => !projects.some(({ project, destroy }) => project.name === name && destroy),
  );
  return left.map((project, index) => {
    const isUnlisted = deleted.unlisted?.includes(project.name) === true;
    const isPlanned = isUnlisted && isNamedBy(affected, project);
    const known = before?.deleted.find(
      (each) => each.project.name === project.name && each.project.sourceDigest === project.sourceDigest,
    );
    const fresh = index < maxCounted ? null : 'unknown';
    // What is pushed can be where it moved to.
    const isOpenAgain = known === undefined || known.open === true || before?.source.head !== source.head;
    return {
      project,
      resources: isPlanned ? 'unknown' : known === undefined ? fresh : known.resources,
      ...(isUnlisted ? { unlisted: true as const } : {}),
      ...(known?.manager === undefined ? {} : { manager: known.manager }),
      ...(isOpenAgain ? { open: true as const } : {}),
    };
  });
}

/** Counting takes a plan of each: a pull request that moves a hundred directories must not wait for it. */
const maxCounted = 10;
