// How far is one project, in the table's words?

import type { RunId } from '../../workflows/model/identifiers.ts';
import { ordinal } from '../../workflows/model/ordinal.ts';
import type { Unmet } from '../../workflows/model/requirement.ts';
import type { AppliesOn, ProjectStatus, View } from '../../workflows/model/view.ts';
import type { Links } from './links.ts';
import { link, person } from './markdown.ts';
import { clock, duration, join, moment, named, nameList, plural } from './wording.ts';

/** After a merge the checks stand on the merge commit. */
export function isMerged(view: View): boolean {
  return view.sha !== view.head;
}

/** What the words depend on beside the status itself. */
export type StatusContext = {
  readonly merged: boolean;
  readonly links: Links | null;
  /** The column's own title says "Applied" already. */
  readonly bare: boolean;
  /** Nothing beside it says what the policies ask for. */
  readonly alone: boolean;
  /** When it is read (ISO 8601); null where it stands for as long as nothing changes: then it cannot say how long. */
  readonly now: string | null;
};

/** Finished Markdown for the inside of a line. */
export function statusWords(status: ProjectStatus, context: StatusContext): string {
  switch (status.kind) {
    case 'planning':
      return status.waitsFor === undefined
        ? `planning${since(status.since, context)}`
        : `waiting for ${runnerOf(status.waitsFor)}${since(status.since, context)}`;
    case 'cancelled':
      return 'cancelled';
    case 'failed':
      return 'failed';
    case 'no-changes':
      return 'no changes';
    case 'judging':
      return 'asking the policies';
    case 'barred':
      return 'not applied from this branch';
    case 'denied':
      return 'denied';
    case 'rejected':
      return `rejected by ${person(status.by)}`;
    case 'waiting-for-approval':
      return context.alone ? `waiting for ${missingWords(status)}${planned(status, context)}` : 'waiting';
    case 'waiting-for-requirements':
      return context.alone ? `waiting for ${unmetWords(status)}${planned(status, context)}` : 'waiting';
    case 'ready':
      return context.merged ? 'approved, not applied' : `ready, ${readyWords(status.applies ?? 'merge')}`;
    case 'queued':
      return queuedWords(status, context);
    case 'locked':
      return lockedWords(status, context);
    case 'stopped':
      return `not applied, because ${nameList(status.projects)} was not`;
    case 'superseded':
      return `a newer merge of #${status.by} was applied`;
    case 'held':
      return `waits for ${nameList(status.projects)}${waitingSince(status.since, context)}`;
    case 'after':
      return `after ${nameList(status.projects)}${waitingSince(status.since, context)}`;
    case 'applying':
      return status.since === null
        ? `waiting for a runner${waitingSince(status.askedAt, context)}`
        : `applying${since(status.since, context)}${logWords(status, context)}`;
    case 'applied':
      return `${context.bare ? '' : 'applied '}${appliedWords(status, context)}`;
    case 'apply-failed':
      return `${failedWords(status)}${logWords(status, context)}`;
    case 'state-unwritten':
      return 'blocked: a state is to be put back';
    case 'unknown':
      return `outcome unknown${logWords(status, context)}`;
    default:
      return status satisfies never;
  }
}

const waitedFor: Readonly<Record<Unmet['kind'], string>> = {
  approved: 'an approving review',
  mergeable: 'being mergeable',
  up_to_date: 'being up to date',
};

const readyWords = (applies: AppliesOn): string =>
  applies === 'merge' ? 'applies on merge' : '`/hatchet apply` applies it';

function missingWords({ missing }: Extract<ProjectStatus, { kind: 'waiting-for-approval' }>): string {
  return plural(Math.max(0, ...missing.map(({ rule, given }) => rule.count - given)), 'approval');
}

function unmetWords({ unmet }: Extract<ProjectStatus, { kind: 'waiting-for-requirements' }>): string {
  return join(
    unmet.map(({ kind }) => waitedFor[kind]),
    'and',
  );
}

/** "a runner", "a runner of the pool `gpu`": who names no pool in hatchet.yaml need not know that there are any. */
const runnerOf = (pool: string): string =>
  pool === 'default' ? 'a runner' : `a runner of the pool ${named(pool)}`;

function queuedWords(
  { behind, position, since: from }: Extract<ProjectStatus, { kind: 'queued' }>,
  context: StatusContext,
): string {
  const what = behind === null ? 'waiting for its turn' : `waiting for #${behind}`;
  const place = `${what}, ${ordinal(position)} in line`;
  return from === null ? place : `${place},${waitingSince(from, context)}`;
}

function lockedWords(
  { owner, position, since: from }: Extract<ProjectStatus, { kind: 'locked' }>,
  context: StatusContext,
): string {
  return `waiting for #${owner}, ${ordinal(position)} in line,${waitingSince(from, context)}`;
}

/** " since 22:04 UTC": a comment stands still, so it says when; a reply also how long, " since 22:04 UTC (3m 12s)". */
function since(from: string | null, { now }: StatusContext): string {
  if (from === null) return '';
  return ` since ${clock(from)}${now === null ? '' : ` (${howLong(from, now)})`}`;
}

/** As `since`, of what may last for days. */
function waitingSince(from: string | undefined, context: StatusContext): string {
  if (from === undefined) return '';
  return context.now === null ? ` since ${moment(from)}` : since(from, context);
}

/** ", planned 22:04 UTC (3m 12s ago)": what it waits for may have begun to be missing later than that. */
const planned = ({ plannedAt }: { readonly plannedAt?: string }, { now }: StatusContext): string =>
  plannedAt === undefined || now === null
    ? ''
    : `, planned ${clock(plannedAt)} (${howLong(plannedAt, now)} ago)`;

const howLong = (from: string, now: string): string => duration(Date.parse(now) - Date.parse(from));

function appliedWords(status: Extract<ProjectStatus, { kind: 'applied' }>, context: StatusContext): string {
  const who = status.on === 'merge' ? 'on merge' : `by ${person(status.by)}`;
  return `${clock(status.at)} ${who}${logWords(status, context)}`;
}

const failedWords = ({ done, total }: Extract<ProjectStatus, { kind: 'apply-failed' }>): string =>
  done === 0 ? 'apply failed, nothing changed' : `half applied, ${done} of ${total}`;

/** ", [log](…)": of the apply. */
function logWords({ runId }: { readonly runId?: RunId }, { links }: StatusContext): string {
  const log = runId === undefined ? null : (links?.run(runId) ?? null);
  return log === null ? '' : `, ${link('log', log)}`;
}
