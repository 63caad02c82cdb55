// What does the first line say: the state, and who has to do what next?
import type { BranchBar } from './branch-bar.ts';
import { isOpen } from './picture-deleted.ts';
import type { PullRequest } from './pull-request.ts';
import type { PullRequestState } from './pull-request-state.ts';
import { overridersOf } from './pull-request-state.ts';
import type { Round } from './round.ts';
import type { Headline, ProjectStatus, ProjectView } from './view.ts';

export type Scene = {
  readonly state: PullRequestState;
  readonly round: Round;
  readonly pullRequest: PullRequest;
  readonly projects: readonly ProjectView[];
};

/** The worst thing first: what stops people comes before what waits, and that before what is done. */
export function headlineOf(scene: Scene): Headline {
  const { findings } = scene.round;
  const bar = findings.kind === 'projects' ? findings.barred : undefined;
  return sceneHeadline(scene) ?? projectsHeadline(scene.projects, bar, overridersOf(scene.state));
}

function sceneHeadline({ round, pullRequest, projects }: Scene): Headline | null {
  const { findings } = round;
  const open = ['applying', 'queued', 'unknown', 'apply-failed'];
  const closed = pullRequest.state === 'closed' && !projects.some(({ status }) => open.includes(status.kind));
  if (closed) return { kind: 'closed' };
  switch (findings.kind) {
    case 'inspecting':
      return { kind: 'planning', projects: [] };
    case 'cancelled':
    case 'draft':
      return { kind: findings.kind };
    case 'fork':
      return findings;
    case 'conflict':
      return { kind: 'conflict', base: pullRequest.base, files: findings.files };
    case 'config-broken':
      return { kind: 'config-broken', where: findings.where, diagnostics: findings.problems };
    case 'operator-error':
      return findings;
    case 'projects':
      if (projects.length > 0) return null;
      return findings.deleted.some(isOpen) ? { kind: 'planning', projects: [] } : { kind: 'no-projects' };
    default:
      return findings satisfies never;
  }
}

function projectsHeadline(
  projects: readonly ProjectView[],
  bar: BranchBar | undefined,
  overriders: readonly string[],
): Headline {
  const named = (...kinds: readonly ProjectStatus['kind'][]): string[] =>
    projects.filter(({ status }) => kinds.includes(status.kind)).map(({ name }) => name);
  const unknown = named('unknown');
  if (unknown.length > 0) return { kind: 'unknown', projects: unknown };
  const planning = named('planning', 'judging');
  if (planning.length > 0) return { kind: 'planning', projects: planning };
  const applying = named('applying', 'queued');
  if (applying.length > 0) return { kind: 'applying', projects: applying };
  const applyFailed = named('apply-failed');
  if (applyFailed.length > 0) return { kind: 'apply-failed', projects: applyFailed };
  const unwritten = named('state-unwritten');
  if (unwritten.length > 0) return { kind: 'state-unwritten', projects: unwritten };
  const failed = named('failed');
  if (failed.length > 0) return { kind: 'plan-failed', projects: failed };
  const barred = named('barred');
  if (bar !== undefined && barred.length > 0) return { kind: 'barred', projects: barred, bar };
  const denied = named('denied');
  if (denied.length > 0) {
    const aside = overriders.length > 0 && isEachOverridable(projects) ? { overriders } : {};
    return { kind: 'denied', projects: denied, ...aside };
  }
  const locked = named('locked');
  if (locked.length > 0) return { kind: 'locked', projects: locked };
  return waitingHeadline(projects, named);
}

/** A policy that gave no answer has said nothing that could be set aside. */
const isEachOverridable = (projects: readonly ProjectView[]): boolean =>
  projects.every(
    ({ status, verdicts }) => status.kind !== 'denied' || verdicts.every(({ error }) => error === null),
  );

function waitingHeadline(
  projects: readonly ProjectView[],
  named: (...kinds: readonly ProjectStatus['kind'][]) => string[],
): Headline {
  const rejected = projects.find(({ status }) => status.kind === 'rejected');
  if (rejected?.status.kind === 'rejected') {
    return { kind: 'rejected', by: rejected.status.by, projects: named('rejected') };
  }
  const missing = projects.flatMap(({ status }) =>
    status.kind === 'waiting-for-approval' ? status.missing : [],
  );
  if (missing.length > 0) return { kind: 'waiting-for-approval', missing };
  const unmet = projects.flatMap(({ status }) =>
    status.kind === 'waiting-for-requirements' ? status.unmet : [],
  );
  if (unmet.length > 0)
    return { kind: 'waiting-for-requirements', projects: named('waiting-for-requirements'), unmet };
  const applied = named('applied');
  const open = named('ready', 'held', 'after', 'stopped');
  const superseded = named('superseded');
  if (applied.length === 0 && open.length === 0 && superseded.length > 0)
    return { kind: 'superseded', projects: superseded };
  if (applied.length > 0)
    return open.length === 0 ? { kind: 'applied' } : { kind: 'partly-applied', applied, open };
  if (open.length === 0) return { kind: 'no-changes' };
  const asked = projects.some(({ status }) => status.kind === 'ready' && status.applies === 'comment');
  return { kind: 'ready', applies: asked ? 'comment' : 'merge' };
}
