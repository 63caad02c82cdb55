// What is the state, and who does what next? The first lines of the comment and of the aggregate checks.
import type { MissingApproval } from '../../workflows/model/approval.ts';
import type { BranchBar } from '../../workflows/model/branch-bar.ts';
import type { Finding } from '../../workflows/model/comparison.ts';
import { addCounts } from '../../workflows/model/plan.ts';
import type { Unmet } from '../../workflows/model/requirement.ts';
import { blocks } from '../../workflows/model/verdict.ts';
import type { AppliesOn, Headline, ProjectView, View } from '../../workflows/model/view.ts';
import { isRunnersFullDisk } from '../full-disk.ts';
import { audience } from './approvals.ts';
import { barRemedy, barWords } from './branch-bar.ts';
import { countsAhead, countsDone } from './counts.ts';
import { countingState, deletedParagraphs } from './deleted.ts';
import { leftBehindParagraphs } from './left-behind.ts';
import type { Links } from './links.ts';
import { cutText, inlineCode, inlineText, link, person } from './markdown.ts';
import { isMerged } from './status.ts';
import { denialRemedy } from './verdicts.ts';
import { duration, join, named, nameList, plural } from './wording.ts';

type Told = { readonly state: string; readonly next: string };
type Context = { readonly view: View; readonly links: Links };

/** State and next step stand on one line up to this length, links included. */
const maxOneLine = 150;
/** GitHub's refusals are a sentence. */
const maxRefusal = 300;

/** The first paragraphs: state and next step, then what merging would leave behind. */
export function openingParagraphs(view: View, links: Links): readonly string[] {
  const deleted = deletedParagraphs(view);
  const silent = view.headline.kind === 'no-projects' && deleted.length > 0;
  return [
    ...leftBehindParagraphs(view),
    ...(silent ? [] : [headlineText(view, links)]),
    ...mergeParagraphs(view),
    ...deleted,
  ];
}

/** Everything is applied, and `apply.auto_merge` came to nothing. */
function mergeParagraphs({ mergeRefusal }: View): readonly string[] {
  if (mergeRefusal === null) return [];
  const words = inlineText(cutText(mergeRefusal, maxRefusal));
  const stop = /[.!?]$/.test(words) ? '' : '.';
  return [
    `Hatchet was to merge this and could not: ${words}${stop} It is not tried again: merge it by hand.`,
  ];
}

/** The state in bold, then the next step: one line of Markdown, or two when that reads better. */
function headlineText(view: View, links: Links): string {
  const { state, next } = tell(view.headline, { view, links });
  return `**${state}**${state.length + next.length > maxOneLine ? '\n' : ' '}${next}`;
}

function tell(headline: Headline, context: Context): Told {
  const { view } = context;
  switch (headline.kind) {
    case 'planning':
      if (headline.projects.length === 0 && view.counting.length > 0)
        return { state: countingState(view.counting), next: 'Nothing to do yet: the answer appears here.' };
      return {
        state: headline.projects.length === 0 ? 'Planning.' : `Planning ${nameList(headline.projects)}.`,
        next: 'Nothing to do yet: the plans appear here.',
      };
    case 'cancelled':
      return { state: 'Planning was cancelled.', next: 'Comment `/hatchet plan` to plan again.' };
    case 'no-projects':
      return { state: 'No Terraform project is affected.', next: 'Nothing to review or to apply.' };
    case 'no-changes':
      return {
        state: 'No changes.',
        next: `${plural(view.projects.length, 'project')} planned, nothing to apply.`,
      };
    case 'draft':
      return {
        state: 'A draft is not planned.',
        next: 'It is planned when it is marked as ready for review.',
      };
    case 'fork':
      return toldOfFork(context, headline.author);
    case 'conflict':
      return {
        state: `Conflict with ${named(headline.base)}${headline.files.length === 0 ? '' : ` in ${nameList(headline.files)}`}.`,
        next: `Merge ${named(headline.base)} into this branch or rebase it, then push.`,
      };
    case 'config-broken':
      return toldOfConfiguration(headline.where, view);
    case 'operator-error':
      if (headline.why === 'full disk')
        return {
          state: "Hatchet's disk is full.",
          next: 'Your code is not the cause. Whoever runs Hatchet makes room on the disk of `HATCHET_DATA_DIR`; then comment `/hatchet plan`.',
        };
      return {
        state: 'Hatchet could not finish.',
        next: `Your code is not the cause. Whoever runs Hatchet finds it in the log under ${link(inlineCode(headline.runId), context.links.run(headline.runId))}; then comment \`/hatchet plan\`.`,
      };
    case 'plan-failed':
      return toldOfFailedPlan(headline.projects, view);
    case 'barred':
      return toldOfBar(headline.bar);
    case 'denied':
      return toldOfDenial(headline, view);
    case 'locked':
      return toldOfLock(view);
    case 'rejected':
      return {
        state: `Rejected by ${person(headline.by)}: ${nameList(headline.projects)}.`,
        next: `Blocked until ${person(headline.by)} approves or a push changes the plan.`,
      };
    case 'waiting-for-approval':
      return toldOfWaiting(headline.missing, context);
    case 'waiting-for-requirements':
      return {
        state: `${capitalized(join(unmetKinds(headline.unmet), 'and'))}: ${nameList(headline.projects)}.`,
        next: `See below what is missing. Then ${isMerged(view) ? 'it is applied' : appliesWords(view)}.`,
      };
    case 'ready':
      return toldOfReady(context);
    case 'applying':
      return toldOfApplying(headline.projects, view);
    case 'apply-failed':
      return toldOfFailedApply(headline.projects, context);
    case 'state-unwritten':
      return {
        state: `A state has to be put back first: ${nameList(headline.projects)}.`,
        next: `See below how; then ${buttonOn('Re-plan', context)} or comment \`/hatchet plan\`.`,
      };
    case 'unknown':
      return toldOfUnknown(headline.projects, context);
    case 'superseded':
      return {
        state: `A newer merge was applied to ${nameList(headline.projects)}.`,
        next: 'It contains this one, and an older merge is never applied over a newer one: nothing is left to do.',
      };
    case 'applied':
      return toldOfApplied(view);
    case 'partly-applied':
      return {
        state: `${nameList(headline.applied)} applied, ${nameList(headline.open)} not yet.`,
        next: isMerged(view)
          ? `${buttonOn('Apply now', context)}, or comment \`/hatchet apply\`.`
          : `${capitalized(appliesWords(view, 'the rest'))}.`,
      };
    case 'closed':
      return { state: 'Closed without a merge.', next: 'Nothing more is planned or applied here.' };
    default:
      return headline satisfies never;
  }
}

/** Until a runner has taken it nothing is applied. */
function toldOfApplying(asked: readonly string[], { projects }: View): Told {
  const taken = projects.flatMap(({ name, status }) =>
    status.kind === 'applying' && status.since !== null ? [name] : [],
  );
  return {
    state: taken.length > 0 ? `Applying ${nameList(taken)}.` : `Waiting to be applied: ${nameList(asked)}.`,
    next: 'Nothing to do: the result appears here.',
  };
}

function toldOfFork(context: Context, author: string | undefined): Told {
  const button = buttonOn('Allow plan', context, 'hatchet/plan');
  const command = inlineCode(`/hatchet plan ${context.view.head.slice(0, 7)}`);
  return {
    state:
      author === undefined
        ? 'Not planned: this comes from a fork, and planning runs its code.'
        : `Not planned: ${person(author)} may not write here, and planning runs code.`,
    next: `Anyone with write, after a look at the code: ${button}, or comment ${command}.`,
  };
}

function toldOfConfiguration(where: 'base' | 'head', { base }: View): Told {
  return where === 'base'
    ? {
        state: `\`hatchet.yaml\` on ${named(base)} is broken.`,
        next: `Nothing is planned until it is mended on ${named(base)}.`,
      }
    : {
        state: '`hatchet.yaml` is broken in this pull request.',
        next: 'Merging it would stop every pull request. Mend it and push.',
      };
}

function toldOfFailedPlan(projects: readonly string[], view: View): Told {
  const failures = view.projects.flatMap(({ status }) => (status.kind === 'failed' ? [status] : []));
  const errors = failures.reduce((sum, { diagnosticCount }) => sum + diagnosticCount, 0);
  const others = view.projects.length > projects.length ? '; other projects are not held up' : '';
  const state = `${nameList(projects)} could not be planned.`;
  const isForOperator = failures.every(({ diagnostics }) => diagnostics.some(isRunnersFullDisk));
  if (failures.length > 0 && isForOperator)
    return { state, next: `The runner's disk is full, see below; then comment \`/hatchet plan\`${others}.` };
  return {
    state,
    next: `Fix the ${errors > 1 ? 'errors' : 'error'} below and push${others}.`,
  };
}

/** Planned all the same: people see what it would do. */
function toldOfBar(bar: BranchBar): Told {
  return { state: `${capitalized(barWords(bar))}.`, next: barRemedy(bar) };
}

function toldOfDenial(headline: Extract<Headline, { kind: 'denied' }>, view: View): Told {
  const { projects } = headline;
  const verdicts = view.projects
    .filter(({ name }) => projects.includes(name))
    .flatMap((project) => project.verdicts);
  const blocking = verdicts.filter(blocks);
  const policies = [...new Set(blocking.map(({ policy }) => policy))];
  const unevaluated = blocking.some(({ error }) => error !== null);
  const verb = policies.length > 1 ? 'block' : 'blocks';
  return {
    state: `${policies.length === 0 ? 'A policy' : nameList(policies)} ${verb} ${nameList(projects)}.`,
    next: `No approval can change that: see the reason below, then ${denialRemedy({ policies, overriders: headline.overriders, unevaluated })}`,
  };
}

/** Where the lock comes before the plan. */
function toldOfLock({ projects }: View): Told {
  const locked = projects.flatMap(({ status }) => (status.kind === 'locked' ? [status] : []));
  const owners = [...new Set(locked.map(({ owner }) => `#${owner}`))];
  const names = [...new Set(locked.map(({ project }) => project))];
  return {
    state: `Waiting for ${join(owners, 'and')} to release ${nameList(names)}.`,
    next: 'Planned here by itself as soon as that is merged and applied or closed, or somebody comments `/hatchet unlock` there.',
  };
}

function toldOfWaiting(missing: readonly MissingApproval[], context: Context): Told {
  const { view } = context;
  const count = Math.max(0, ...missing.map(({ rule, given }) => rule.count - given));
  const names = [...new Set(missing.map(({ project }) => project))];
  const risks = names
    .flatMap((name) => view.projects.filter((project) => project.name === name))
    .map(riskWords);
  const shown =
    risks.length > maxRisks ? [...risks.slice(0, maxRisks), `${risks.length - maxRisks} more`] : risks;
  const audiences = [...new Set(missing.map(({ rule }) => audience(rule, view.author)))];
  const who = audiences.length === 1 ? capitalized(audiences[0] ?? '') : 'Those named below';
  const then = isMerged(view) ? 'The last yes starts the apply.' : `Then ${appliesWords(view)}.`;
  return {
    state: `Waiting for ${plural(count, 'approval')}: ${shown.join('; ')}.`,
    next: `${who}: ${buttonOn('Approve', context)}, or comment \`/hatchet approve\`. ${then}`,
  };
}

const unmetWord: Readonly<Record<Unmet['kind'], string>> = {
  approved: 'not approved by a review',
  mergeable: 'not mergeable',
  up_to_date: 'not up to date',
};

const unmetKinds = (unmet: readonly Unmet[]): string[] => [
  ...new Set(unmet.map(({ kind }) => unmetWord[kind])),
];

/** More of them would bury the next step. */
const maxRisks = 3;

/** "`prod` replaces `aws_db_instance.main` and destroys 3 resources" */
function riskWords({ name, plan }: ProjectView): string {
  const parts = (['destroy', 'replace', 'forget'] as const).flatMap((action) => {
    const count = plan?.counts[action] ?? 0;
    const first = plan?.risky.find((change) => change.action === action);
    if (count === 0) return [];
    return [
      `${action}s ${count === 1 && first !== undefined ? named(first.address) : plural(count, 'resource')}`,
    ];
  });
  return parts.length === 0 ? named(name) : `${named(name)} ${join(parts, 'and')}`;
}

function toldOfReady(context: Context): Told {
  const { view } = context;
  const plans = view.projects.flatMap(({ plan }) => (plan?.hasChanges ? [plan] : []));
  const outputs = plans.reduce((sum, plan) => sum + plan.outputChanges, 0);
  const what = `${plural(plans.length, 'project')}, ${countsAhead(addCounts(plans.map(({ counts }) => counts)), outputs)}`;
  return isMerged(view)
    ? {
        state: `Not applied yet: ${what}.`,
        next: `${buttonOn('Apply now', context)}, or comment \`/hatchet apply\`.`,
      }
    : { state: `Ready: ${what}.`, next: `${capitalized(appliesWords(view))}.` };
}

/** "merging applies it", "comment `/hatchet apply` to apply it", or both where projects differ. */
function appliesWords(view: View, what = 'it'): string {
  const ways = waysOf(view);
  if (ways.length === 1)
    return ways[0] === 'merge' ? `merging applies ${what}` : `comment ${applyCommand} to apply ${what}`;
  return `merging applies ${what}; the table says which need ${applyCommand}`;
}

const applyCommand = '`/hatchet apply`';

function waysOf({ headline, projects }: View): readonly AppliesOn[] {
  const ways = projects.flatMap(({ status }) =>
    status.kind === 'ready' ||
    status.kind === 'waiting-for-approval' ||
    status.kind === 'waiting-for-requirements'
      ? [status.applies ?? 'merge']
      : [],
  );
  const fallback = headline.kind === 'ready' ? headline.applies : 'merge';
  return ways.length === 0 ? [fallback] : [...new Set(ways)];
}

function toldOfFailedApply(projects: readonly string[], context: Context): Told {
  const [first, ...others] = context.view.projects.filter(({ status }) => status.kind === 'apply-failed');
  const next = `To go on: remove the cause below, then ${buttonOn('Re-plan', context)} or comment \`/hatchet plan\` (a new plan, a new approval).`;
  if (first?.status.kind !== 'apply-failed' || others.length > 0) {
    return { state: `${nameList(projects)} could not be applied completely.`, next };
  }
  const { done, total } = first.status;
  const state =
    done === 0
      ? `${named(first.name)} could not be applied: none of its changes is done.`
      : `${named(first.name)} is half applied: ${done} of ${plural(total, 'change')} ${done === 1 ? 'is' : 'are'} done.`;
  return { state, next };
}

function toldOfUnknown(projects: readonly string[], context: Context): Told {
  const findings = context.view.projects.flatMap(({ status }) =>
    status.kind === 'unknown' ? [status.finding] : [],
  );
  const which = projects.length === 1 ? nameList(projects) : 'them';
  return {
    state: `Outcome unknown: ${nameList(projects)}.`,
    next: `Nobody heard how the apply ended. Hatchet starts nothing else on ${which} until someone with write decides; where contact with a runner was lost, Terraform may still be at work there. ${decisionWords(findings, context)}`,
  };
}

/** What can be decided now: first of all about what was looked at already. */
function decisionWords(findings: readonly (Finding | undefined)[], context: Context): string {
  const unlock = '`/hatchet unlock` gives the lock up.';
  const compared = findings.filter((finding) => finding?.kind === 'compared');
  if (compared.some(({ atWorkUntil }) => atWorkUntil !== undefined))
    return `See below what is done so far and why **Apply the rest** has to wait. Whoever knows that it is over may decide now: ${buttonOn('Accept as it is', context)} keeps it so, ${unlock}`;
  if (compared.length > 0)
    return `See below what is done, then: ${buttonOn('Accept as it is', context)} keeps it so, **Apply the rest** (or \`/hatchet apply\`) plans what is left, ${unlock}`;
  if (findings.some((finding) => finding?.kind === 'unwritten'))
    return `Its state has to be put back first, see below. ${capitalized(unlock)}`;
  if (findings.some((finding) => finding?.kind === 'state-locked'))
    return `What is done cannot be told yet: Terraform's own lock of the state is held, see below. ${capitalized(unlock)}`;
  return findings.length === 0 || findings.includes(undefined)
    ? `In a moment a new plan tells what is done. ${buttonOn('Unlock', context)}, or comment \`/hatchet unlock\`, gives the lock up.`
    : `What is done could not be looked at, see below. ${buttonOn('Unlock', context)}, or comment \`/hatchet unlock\`, gives the lock up.`;
}

function toldOfApplied(view: View): Told {
  const applied = view.projects.filter(({ status }) => status.kind === 'applied');
  const plans = applied.flatMap(({ plan }) => (plan === null ? [] : [plan]));
  const outputs = plans.reduce((sum, plan) => sum + plan.outputChanges, 0);
  const what = countsDone(addCounts(plans.map(({ counts }) => counts)), outputs);
  return { state: 'Applied.', next: `${plural(applied.length, 'project')}, ${what}${took(applied)}.` };
}

/** ", in 3m 12s": from the first start to the last end, where every start is known. */
function took(applied: readonly ProjectView[]): string {
  const spans = applied.flatMap(({ status }) =>
    status.kind === 'applied' && status.startedAt !== undefined
      ? [{ start: Date.parse(status.startedAt), end: Date.parse(status.at) }]
      : [],
  );
  if (spans.length === 0 || spans.length < applied.length) return '';
  const ms = Math.max(...spans.map(({ end }) => end)) - Math.min(...spans.map(({ start }) => start));
  return `, in ${duration(ms)}`;
}

function buttonOn(label: string, { links }: Context, check = 'hatchet/apply'): string {
  return `**${label}** on the ${link(check, links.check(check))} check`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
