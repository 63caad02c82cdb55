// What stands on the commit of a merge group: the same three checks, with which conclusion and title?
import { barTitle } from './branch-bar.ts';
import type { Check, Conclusion } from './check.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { GroupAnswer, MergeGroup } from './merge-group.ts';
import type { Plan } from './plan.ts';
import { addCounts, describeCounts } from './plan.ts';
import type { Verdict } from './verdict.ts';
import { summarizeVerdict } from './verdict.ts';

/** What is known of a group so far, or how its planning ended. */
export type GroupFindings =
  | { readonly kind: 'inspecting' }
  /** GitHub took the group apart before there was an answer. */
  | { readonly kind: 'destroyed' }
  /** No answer in time: GitHub would give up on the group without saying why. */
  | { readonly kind: 'overdue' }
  | {
      readonly kind: 'config-broken';
      readonly where: 'base' | 'head';
      readonly problems: readonly Diagnostic[];
    }
  /** Pull requests from forks whose newest commit nobody allowed to be planned. */
  | { readonly kind: 'fork'; readonly numbers: readonly number[] }
  | { readonly kind: 'operator-error'; readonly runId: string }
  | { readonly kind: 'projects'; readonly projects: readonly GroupProjectView[] };

export type GroupProjectView = {
  readonly name: string;
  /** Null while it is not there, or when it failed. */
  readonly plan: Plan | null;
  readonly verdicts: readonly Verdict[];
  readonly answer: GroupAnswer;
};

/** The picture of a group: plans are references, their changes stay in the store. */
export type GroupView = {
  readonly group: MergeGroup;
  /** Names the work in the log. */
  readonly runId: string;
  readonly findings: GroupFindings;
  readonly checks: readonly Check[];
};

/** A check as it stands on GitHub, so that only what differs is written: hashes say what it shows. */
export type WrittenCheck = {
  readonly key: string;
  readonly nodeId: string;
  readonly hash: string;
  readonly annotationsHash: string;
  readonly open: boolean;
  readonly at: string | null;
};

type Face = Pick<Check, 'state' | 'title'> & { readonly annotations?: readonly Diagnostic[] };

export function groupChecks({ group, findings }: Pick<GroupView, 'group' | 'findings'>): readonly Check[] {
  const faces = { plan: planFace(findings, group), policy: policyFace(findings), apply: applyFace(findings) };
  return Object.entries(faces).map(([name, face]) => ({
    name: `hatchet/${name}`,
    state: face.state,
    title: face.title,
    // A person decides on the pull request, where the plan is; nothing can be mended on a group's commit.
    buttons: [],
    annotations: face.annotations ?? [],
    project: null,
  }));
}

const done = (conclusion: Conclusion, title: string): Face => ({
  state: { status: 'completed', conclusion },
  title,
});
const queued: Face = { state: { status: 'queued' }, title: 'Waits for the plan' };
const gone = done('cancelled', 'The merge group is gone');

function planFace(findings: GroupFindings, { base }: MergeGroup): Face {
  switch (findings.kind) {
    case 'inspecting':
      return { state: { status: 'in_progress' }, title: 'Planning the merge group' };
    case 'destroyed':
      return gone;
    case 'overdue':
      return done('failure', 'The plans were not there in time');
    case 'config-broken':
      return {
        ...done('failure', `hatchet.yaml is broken${findings.where === 'base' ? ` on ${base}` : ''}`),
        annotations: findings.problems,
      };
    case 'fork':
      return done('failure', `Nobody allowed the plan of a fork: ${numberList(findings.numbers)}`);
    case 'operator-error':
      return done('failure', `Hatchet could not plan this; run ${findings.runId} is in its log`);
    case 'projects':
      return plansFace(findings.projects);
    default:
      return findings satisfies never;
  }
}

function plansFace(projects: readonly GroupProjectView[]): Face {
  if (projects.length === 0) return done('neutral', 'No Terraform project is affected');
  const failed = projects.filter(({ answer }) => answer.kind === 'failed');
  const open = projects.filter(({ plan, answer }) => plan === null && answer.kind === 'planning');
  if (open.length > 0) {
    const title = `Planning ${countProjects(projects.length)}: ${projects.length - open.length} done`;
    return { state: { status: 'in_progress' }, title };
  }
  if (failed.length > 0) {
    const annotations = failed.flatMap(({ answer }) => (answer.kind === 'failed' ? answer.diagnostics : []));
    return { ...done('failure', `${nameList(failed)} could not be planned`), annotations };
  }
  return done('success', `${countProjects(projects.length)}: ${describeAll(projects)}`);
}

function describeAll(projects: readonly GroupProjectView[]): string {
  const plans = projects.flatMap(({ plan }) => (plan === null ? [] : [plan]));
  const outputs = plans.reduce((sum, plan) => sum + plan.outputChanges, 0);
  return describeCounts(addCounts(plans.map(({ counts }) => counts)), outputs);
}

function policyFace(findings: GroupFindings): Face {
  if (findings.kind === 'inspecting') return queued;
  if (findings.kind === 'destroyed') return gone;
  if (findings.kind === 'overdue') return done('failure', 'The policies did not answer in time');
  if (findings.kind !== 'projects') return done('neutral', 'Nothing to judge');
  if (findings.projects.some(({ answer }) => answer.kind === 'planning')) return queued;
  const verdicts = findings.projects.flatMap((project) => project.verdicts);
  if (verdicts.length === 0) return done('neutral', 'Nothing to judge');
  const unclear = verdicts.find((verdict) => summarizeVerdict(verdict) === 'error');
  if (unclear !== undefined) return done('failure', `${unclear.policy} could not be evaluated`);
  const denials = verdicts.filter((verdict) => summarizeVerdict(verdict) === 'deny');
  const mandatory = denials.find(({ level }) => level === 'mandatory');
  if (mandatory !== undefined)
    return done('failure', `${mandatory.policy}: ${mandatory.denials[0]?.message ?? 'denied'}`);
  if (denials.length > 0) return done('neutral', `${denials.length} advisory denied`);
  return done('success', 'All policies answered');
}

function applyFace(findings: GroupFindings): Face {
  switch (findings.kind) {
    case 'inspecting':
      return queued;
    case 'destroyed':
      return gone;
    case 'overdue':
      return done('failure', 'Nothing could be compared in time');
    case 'config-broken':
      return done('failure', 'hatchet.yaml is broken');
    case 'fork':
    case 'operator-error':
      return done('failure', 'The plan failed');
    case 'projects':
      return gateFace(findings.projects);
    default:
      return findings satisfies never;
  }
}

/** The gate: every project that would change is what people approved, or the first that is not says so. */
function gateFace(projects: readonly GroupProjectView[]): Face {
  if (projects.some(({ answer }) => answer.kind === 'planning')) return queued;
  const failures = projects.flatMap(({ name, answer }) => {
    const reason = objection(answer);
    return reason === null ? [] : [`${name}: ${reason}`];
  });
  const [first] = failures;
  if (first !== undefined)
    return done('failure', failures.length === 1 ? first : `${first} (and ${failures.length - 1} more)`);
  return projects.some(({ answer }) => answer.kind === 'approved')
    ? done('success', 'Approved, applies on merge')
    : done('neutral', 'Nothing to apply');
}

/** Why a project may not be merged, in a few words; null when it may. */
function objection(answer: GroupAnswer): string | null {
  switch (answer.kind) {
    case 'planning':
    case 'after':
    case 'no-changes':
    case 'approved':
      return null;
    case 'failed':
      return 'the plan failed';
    case 'never-shown':
      return 'no pull request of the group shows its plan';
    case 'differs':
      return `the plan is not the one on ${numberList(answer.numbers)}`;
    case 'barred':
      return barTitle(answer.bar);
    case 'denied':
      return `denied by ${answer.policies.join(', ')}`;
    case 'rejected':
      return `rejected by @${answer.by} on #${answer.number}`;
    case 'approvals-missing': {
      const count = Math.max(...answer.missing.map(({ rule, given }) => rule.count - given));
      return `${count} ${count === 1 ? 'approval' : 'approvals'} missing on #${answer.number}`;
    }
    case 'unreviewed':
      return `not approved by a review on #${answer.number}`;
    case 'not-applied':
      return 'not applied yet';
    default:
      return answer satisfies never;
  }
}

const countProjects = (count: number): string => `${count} ${count === 1 ? 'project' : 'projects'}`;
const numberList = (numbers: readonly number[]): string => numbers.map((number) => `#${number}`).join(', ');

/** More names than this say no more in a title. */
const maxNamesInTitle = 3;

function nameList(projects: readonly GroupProjectView[]): string {
  const names = projects.slice(0, maxNamesInTitle).map(({ name }) => name);
  const more = projects.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}
