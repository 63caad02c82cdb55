// Which checks stand on the commit, with which conclusion, title and buttons?
import { barTitle } from './branch-bar.ts';
import type { Button, Check, CheckState, Conclusion } from './check.ts';
import { projectCheckName } from './check.ts';
import { ownLocksOf } from './comparison.ts';
import type { Diagnostic } from './diagnostic.ts';
import { ordinal } from './ordinal.ts';
import { deletedProjects, deletedTitle, isOpen } from './picture-deleted.ts';
import type { Scene } from './picture-headline.ts';
import { headlineOf } from './picture-headline.ts';
import { addCounts, describeCounts } from './plan.ts';
import { findProject } from './pull-request-state.ts';
import type { Unmet } from './requirement.ts';
import type { ProjectsFound } from './round.ts';
import { tagOfLocks } from './state-lock.ts';
import { summarizeVerdict } from './verdict.ts';
import type { AppliesOn, ProjectStatus, ProjectView } from './view.ts';

/** GitHub lists checks one below the other: above this many only the aggregates are posted. */
const maxProjectChecks = 25;

export function checksOf(scene: Scene): readonly Check[] {
  const shown = scene.projects.filter(({ name }) => scene.round.lasting || !isPlanning(scene, name));
  const perProject = tooMany(scene) ? [] : shown.map((project) => projectCheck(scene, project));
  return [planCheck(scene), policyCheck(scene), applyCheck(scene), ...perProject];
}

const tooMany = ({ projects }: Scene): boolean => projects.length > maxProjectChecks;

/** Whatever is being applied meanwhile: its newest plan is not there yet. */
const isPlanning = ({ state, round, projects }: Scene, name: string): boolean =>
  round.findings.kind === 'projects' &&
  findProject(state, name)?.result === null &&
  !projects.some((project) => project.name === name && project.status.kind === 'locked');

/** The policies have not answered on a plan that changes something. */
function isJudging(scene: Scene, { name, plan }: ProjectView): boolean {
  return (
    isPlanning(scene, name) ||
    (plan?.hasChanges === true && findProject(scene.state, name)?.verdicts === null)
  );
}

type Face = {
  readonly state: CheckState;
  readonly title: string;
  readonly buttons?: readonly Button[];
  readonly locks?: string;
};

const done = (conclusion: Conclusion, title: string, ...buttons: readonly Button[]): Face => ({
  state: { status: 'completed', conclusion },
  title,
  buttons,
});
const running = (title: string): Face => ({ state: { status: 'in_progress' }, title });
const queued = (title: string): Face => ({ state: { status: 'queued' }, title });

function check(name: string, face: Face, annotations: readonly Diagnostic[], project: string | null): Check {
  const { state, title, buttons = [], locks } = face;
  return { name, state, title, buttons, annotations, project, ...(locks === undefined ? {} : { locks }) };
}

function planCheck(scene: Scene): Check {
  const { findings } = scene.round;
  // With a check per project, its problems stand there.
  const failures = tooMany(scene) ? scene.projects.flatMap(({ status }) => annotationsOf(status)) : [];
  const annotations = findings.kind === 'config-broken' ? findings.problems : failures;
  return check('hatchet/plan', planFace(scene), annotations, null);
}

function planFace(scene: Scene): Face {
  const { findings } = scene.round;
  switch (findings.kind) {
    case 'inspecting':
      return running('Looking for affected projects');
    case 'cancelled':
      return done(
        'cancelled',
        'Cancelled',
        ...(scene.pullRequest.state === 'closed' ? [] : ['replan' as const]),
      );
    case 'conflict':
      return done('failure', `Merge conflict with ${scene.pullRequest.base}`);
    case 'config-broken':
      return done(
        'failure',
        `hatchet.yaml is broken${findings.where === 'base' ? ` on ${scene.pullRequest.base}` : ''}`,
      );
    case 'draft':
      return done('neutral', 'A draft is not planned', 'replan');
    case 'fork':
      return done(
        'action_required',
        findings.author === undefined
          ? 'A fork is planned when a writer allows this commit'
          : `@${findings.author} may not write here: planned when a writer allows this commit`,
        'allow-plan',
      );
    case 'operator-error':
      return findings.why === 'full disk'
        ? done('failure', "Not planned: Hatchet's disk is full", 'replan')
        : done('failure', `Hatchet could not plan this; run ${findings.runId} is in its log`, 'replan');
    case 'projects':
      return plansFace(scene, findings);
    default:
      return findings satisfies never;
  }
}

function plansFace(scene: Scene, found: ProjectsFound): Face {
  const { projects } = scene;
  const open = projects.filter(({ name }) => isPlanning(scene, name));
  if (open.length > 0)
    return running(`Planning ${countProjects(projects.length)}: ${projects.length - open.length} done`);
  if (found.deleted.some(isOpen)) return running('Counting what merging would leave behind');
  const failed = projects.filter(
    ({ plan, status }) => plan === null && status.kind !== 'after' && status.kind !== 'locked',
  );
  if (failed.length > 0) return done('failure', failureTitle(failed), 'replan');
  const locked = lockedTitle(projects);
  if (locked !== null) return done('action_required', locked, 'replan');
  const deleted = deletedTitle(deletedProjects(found));
  if (projects.length === 0) return done('neutral', deleted || 'No Terraform project is affected');
  const planned = `${countProjects(projects.length)}: ${describeAll(projects)}`;
  return done(
    'success',
    [planned, ...afterWords(projects), deleted].filter((part) => part !== '').join('; '),
    'replan',
  );
}

type Locked = Extract<ProjectStatus, { kind: 'locked' }>;

const lockedWords = ({ owner, project, position }: Locked): string =>
  `Waiting for #${owner} to release ${project}, ${ordinal(position)} in line`;

/** Null when every project is the pull request's own or nobody's. */
function lockedTitle(projects: readonly ProjectView[]): string | null {
  const all = projects.flatMap(({ status }) => (status.kind === 'locked' ? [status] : []));
  const [first] = all;
  if (first === undefined) return null;
  const more = all.length - 1;
  return `${lockedWords(first)}${more > 0 ? `; ${countProjects(more)} more` : ''}`;
}

/** Titles are one line: more of them are only counted. */
const maxAfter = 3;

/** "app after network" of each that cannot be planned before others are applied. */
function afterWords(projects: readonly ProjectView[]): readonly string[] {
  const words = projects.flatMap(({ name, status }) =>
    status.kind === 'after' ? [`${name} after ${status.projects.join(', ')}`] : [],
  );
  const more = words.length - maxAfter;
  return more > 0 ? [...words.slice(0, maxAfter), `${more} more wait`] : words;
}

function describeAll(projects: readonly ProjectView[]): string {
  const plans = projects.flatMap(({ plan }) => (plan === null ? [] : [plan]));
  const outputs = plans.reduce((sum, plan) => sum + plan.outputChanges, 0);
  return describeCounts(addCounts(plans.map((plan) => plan.counts)), outputs);
}

function failureTitle(failed: readonly ProjectView[]): string {
  const [first] = failed;
  if (first === undefined || failed.length > 1) return `${countProjects(failed.length)} could not be planned`;
  const problem = first.status.kind === 'failed' ? first.status.diagnostics[0] : undefined;
  return problem === undefined
    ? `${first.name} could not be planned`
    : `${first.name}: ${problem.summary}${placeOf(problem)}`;
}

function placeOf(problem: Diagnostic): string {
  if (problem.path === undefined) return '';
  return ` (${problem.path}${problem.startLine === undefined ? '' : `:${problem.startLine}`})`;
}

function policyCheck(scene: Scene): Check {
  const { findings } = scene.round;
  const problems = findings.kind === 'projects' ? findings.editedPolicies.problems : [];
  return check('hatchet/policy', policyFace(scene), problems, null);
}

function policyFace(scene: Scene): Face {
  const { findings } = scene.round;
  if (findings.kind === 'inspecting') return queued('Waits for the plan');
  if (findings.kind === 'cancelled') return done('cancelled', 'Cancelled');
  if (findings.kind !== 'projects') return done('neutral', 'Nothing to judge');
  if (scene.projects.some((project) => isJudging(scene, project))) return queued('Waits for the plan');
  const verdicts = scene.projects.flatMap((project) => project.verdicts);
  if (verdicts.length === 0) return done('neutral', 'Nothing to judge');
  const errors = verdicts.filter((verdict) => summarizeVerdict(verdict) === 'error');
  if (errors[0] !== undefined) return done('failure', `${errors[0].policy} could not be evaluated`, 'replan');
  const denials = verdicts.filter((verdict) => summarizeVerdict(verdict) === 'deny');
  const mandatory = denials.filter((verdict) => verdict.level === 'mandatory');
  if (mandatory[0] !== undefined)
    return done('failure', `${mandatory[0].policy}: ${mandatory[0].denials[0]?.message ?? 'denied'}`);
  if (denials.length > 0) return done('neutral', `${denials.length} advisory denied`);
  const overridden = verdicts.find((verdict) => summarizeVerdict(verdict) === 'overridden');
  if (overridden !== undefined)
    return done('success', `${overridden.policy}: overridden by @${overridden.overridden?.by}`);
  return done('success', policyTitle(verdicts));
}

function policyTitle(verdicts: readonly ProjectView['verdicts'][number][]): string {
  const asking = verdicts.filter((verdict) => verdict.approvals.length > 0);
  if (asking[0] === undefined) return 'All policies passed';
  const count = Math.max(...asking.flatMap((verdict) => verdict.approvals.map((rule) => rule.count)));
  return `${asking[0].policy}: ${count} ${count === 1 ? 'approval' : 'approvals'} needed`;
}

function applyCheck(scene: Scene): Check {
  return check('hatchet/apply', applyFace(scene), [], null);
}

/** The gate: what it says is what the first line of the comment says, in one line. */
function applyFace(scene: Scene): Face {
  const headline = headlineOf(scene);
  const names = 'projects' in headline ? headline.projects.join(', ') : '';
  const merged = scene.pullRequest.state === 'merged';
  switch (headline.kind) {
    case 'planning':
      return queued('Waits for the plan');
    case 'cancelled':
      return done('cancelled', 'Cancelled');
    case 'closed':
      return done('cancelled', 'The pull request was closed');
    case 'no-projects':
    case 'no-changes':
      return done('neutral', 'Nothing to apply');
    case 'draft':
      return done('action_required', 'A draft is not applied');
    case 'fork':
      return done(
        'action_required',
        headline.author === undefined ? 'A fork waits for a writer' : 'Waits for a writer',
      );
    case 'conflict':
      return done('failure', `Merge conflict with ${headline.base}`);
    case 'config-broken':
      return done('failure', 'hatchet.yaml is broken');
    case 'operator-error':
      return done('failure', 'The plan failed');
    case 'plan-failed':
      return done('failure', `The plan failed: ${names}`);
    case 'barred':
      // Only what is still to be merged is kept from that: what is merged already waits for nobody.
      return done(merged ? 'neutral' : 'action_required', barTitle(headline.bar));
    case 'denied':
      return done('failure', `A policy denies ${names}`);
    case 'locked':
      return done('action_required', lockedTitle(scene.projects) ?? '');
    case 'rejected':
      return done('failure', `Rejected by @${headline.by}`, 'approve');
    case 'waiting-for-approval':
      return done('action_required', missingTitle(scene.projects), 'approve');
    case 'waiting-for-requirements':
      return done('action_required', unmetTitle(headline.unmet, names));
    case 'ready':
      if (merged) return done('action_required', 'Not applied yet', 'apply');
      return readyFace(scene, headline.applies);
    case 'applying':
      return running(applyingTitle(scene.projects));
    case 'apply-failed':
      return done('failure', applyFailedTitle(scene.projects), 'replan');
    case 'state-unwritten':
      return done('failure', `A state has to be put back first: ${names}`, 'replan', 'unlock');
    case 'unknown':
      return unknownFace(scene, names);
    case 'superseded':
      return done('neutral', supersededTitle(scene.projects));
    case 'applied':
      return done('success', 'Applied');
    case 'partly-applied':
      return merged || waitsForComment(scene)
        ? done('action_required', `Not applied yet: ${headline.open.join(', ')}`, 'apply')
        : done('success', `${headline.applied.join(', ')} applied; the rest applies on merge`, 'apply');
    default:
      return headline satisfies never;
  }
}

/** What can be decided: first of all about what was looked at already. */
function unknownFace({ projects, pullRequest }: Scene, names: string): Face {
  const title = `Outcome unknown: ${names}`;
  const findings = projects.flatMap(({ status }) =>
    status.kind === 'unknown' && status.finding !== undefined ? [status.finding] : [],
  );
  const compared = findings.filter((finding) => finding.kind === 'compared');
  if (compared.length > 0) {
    const isOver = compared.every(({ atWorkUntil }) => atWorkUntil === undefined);
    const rest = isOver && pullRequest.state !== 'closed' ? (['apply-rest'] as const) : [];
    return done('failure', title, 'accept', ...rest, 'unlock');
  }
  const locks = ownLocksOf(findings);
  return locks.length > 0
    ? { ...done('failure', title, 'force-unlock', 'unlock'), locks: tagOfLocks(locks) }
    : done('failure', title, 'unlock');
}

/** A draft can be planned when somebody asks, but not applied. */
function readyFace({ pullRequest }: Scene, applies: AppliesOn): Face {
  const apply = pullRequest.draft ? [] : (['apply'] as const);
  return applies === 'comment'
    ? done('action_required', 'Not applied yet', ...apply)
    : done('success', 'Approved, applies on merge', ...apply);
}

/** Something that a merge would not apply is still to be applied. */
const waitsForComment = ({ projects }: Scene): boolean =>
  projects.some(({ status }) => status.kind === 'ready' && status.applies === 'comment');

function missingTitle(projects: readonly ProjectView[]): string {
  const waiting = projects.flatMap(({ name, status }) =>
    status.kind === 'waiting-for-approval' ? [{ name, status }] : [],
  );
  const count = Math.max(
    ...waiting.flatMap(({ status }) => status.missing.map(({ rule, given }) => rule.count - given)),
  );
  return `${count} ${count === 1 ? 'approval' : 'approvals'} missing: ${waiting.map(({ name }) => name).join(', ')}`;
}

const unmetWord: Readonly<Record<Unmet['kind'], string>> = {
  approved: 'approved',
  mergeable: 'mergeable',
  up_to_date: 'up to date',
};

/** "Not approved and not up to date: prod" */
function unmetTitle(unmet: readonly Unmet[], names: string): string {
  const words = [...new Set(unmet.map(({ kind }) => `not ${unmetWord[kind]}`))].join(' and ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}: ${names}`;
}

function applyingTitle(projects: readonly ProjectView[]): string {
  const waiting = projects.find(({ status }) => status.kind === 'queued');
  if (waiting?.status.kind === 'queued' && !projects.some(({ status }) => status.kind === 'applying')) {
    return `Waiting for #${waiting.status.behind ?? '?'} to apply ${waiting.name} (${ordinal(waiting.status.position)} in line)`;
  }
  const applying = projects.flatMap(({ name, status }) =>
    status.kind === 'applying' ? [{ name, taken: status.since !== null }] : [],
  );
  const taken = applying.filter((each) => each.taken);
  return taken.length > 0
    ? `Applying ${taken.map(({ name }) => name).join(', ')}`
    : `Waiting for a runner: ${applying.map(({ name }) => name).join(', ')}`;
}

function supersededTitle(projects: readonly ProjectView[]): string {
  const by = projects.flatMap(({ status }) => (status.kind === 'superseded' ? [status.by] : []));
  return `A newer merge of #${[...new Set(by)].join(', #')} was applied`;
}

function applyFailedTitle(projects: readonly ProjectView[]): string {
  const failed = projects.filter(({ status }) => status.kind === 'apply-failed');
  const [first] = failed;
  if (first?.status.kind !== 'apply-failed' || failed.length > 1)
    return `${countProjects(failed.length)} could not be applied`;
  const problem = first.status.diagnostics[0];
  return `${first.name} failed, ${first.status.done} of ${first.status.total} done${problem === undefined ? '' : `: ${problem.summary}`}`;
}

function projectCheck(scene: Scene, project: ProjectView): Check {
  const { name } = project;
  if (isPlanning(scene, name)) {
    return check(projectCheckName(name), running(planningTitle(project.status)), [], name);
  }
  return check(projectCheckName(name), projectFace(project), annotationsOf(project.status), name);
}

/** A check stands still, so it says when, not how long. */
function planningTitle(status: ProjectStatus): string {
  if (status.kind !== 'planning' || status.since === null) return 'Planning';
  const what = status.waitsFor === undefined ? 'Planning' : 'Waiting for a runner';
  return `${what} since ${new Date(status.since).toISOString().slice(11, 16)} UTC`;
}

function projectFace({ plan, status }: ProjectView): Face {
  if (plan !== null) return done('success', describeCounts(plan.counts, plan.outputChanges), 'replan');
  if (status.kind === 'failed') {
    const problem = status.diagnostics[0];
    return done(
      'failure',
      problem === undefined ? 'The plan failed' : `${problem.summary}${placeOf(problem)}`,
      'replan',
    );
  }
  if (status.kind === 'locked') return done('action_required', lockedWords(status));
  if (status.kind === 'after') return done('neutral', `After ${status.projects.join(', ')}`, 'replan');
  return done('cancelled', 'Cancelled', 'replan');
}

function annotationsOf(status: ProjectStatus): readonly Diagnostic[] {
  return status.kind === 'failed' || status.kind === 'apply-failed' ? status.diagnostics : [];
}

const countProjects = (count: number): string => `${count} ${count === 1 ? 'project' : 'projects'}`;
