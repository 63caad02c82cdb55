// How far is one project, in the table's words?

import type { RunId } from '../../workflows/model/identifiers.ts';
import { ordinal } from '../../workflows/model/ordinal.ts';
import type { Unmet } from '../../workflows/model/requirement.ts';
import type { AppliesOn, ProjectStatus, View } from '../../workflows/model/view.ts';
import type { Links } from './links.ts';
import { link, person } from './markdown.ts';
import { clock, join, nameList, plural } from './wording.ts';

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
};

/** Finished Markdown for the inside of a line. */
export function statusWords(status: ProjectStatus, context: StatusContext): string {
  switch (status.kind) {
    case 'planning':
      return `planning${since(status.since)}`;
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
      return context.alone ? `waiting for ${missingWords(status)}` : 'waiting';
    case 'waiting-for-requirements':
      return context.alone
        ? `waiting for ${join(
            status.unmet.map(({ kind }) => waitedFor[kind]),
            'and',
          )}`
        : 'waiting';
    case 'ready':
      return context.merged ? 'approved, not applied' : `ready, ${readyWords(status.applies ?? 'merge')}`;
    case 'queued':
      return queuedWords(status);
    case 'locked':
      return lockedWords(status);
    case 'stopped':
      return `not applied, because ${nameList(status.projects)} was not`;
    case 'superseded':
      return `a newer merge of #${status.by} was applied`;
    case 'held':
      return `waits for ${nameList(status.projects)}`;
    case 'after':
      return `after ${nameList(status.projects)}`;
    case 'applying':
      return status.since === null
        ? 'waiting for a runner'
        : `applying${since(status.since)}${logWords(status, context)}`;
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

function queuedWords({ behind, position, since: from }: Extract<ProjectStatus, { kind: 'queued' }>): string {
  const what = behind === null ? 'waiting for its turn' : `waiting for #${behind}`;
  const place = `${what}, ${ordinal(position)} in line`;
  return from === null ? place : `${place},${since(from)}`;
}

function lockedWords({ owner, position, since: from }: Extract<ProjectStatus, { kind: 'locked' }>): string {
  return `waiting for #${owner}, ${ordinal(position)} in line,${since(from)}`;
}

/** " since 22:04 UTC": a comment stands still, so it says when, not how long. */
const since = (from: string | null): string => (from === null ? '' : ` since ${clock(from)}`);

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
