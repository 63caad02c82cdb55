// How far is one project, in the table's words?

import { ordinal } from '../../workflows/model/ordinal.ts';
import type { ProjectStatus, View } from '../../workflows/model/view.ts';
import type { Links } from './links.ts';
import { inlineCode, link, person } from './markdown.ts';
import { clock } from './wording.ts';

/** After a merge the checks stand on the merge commit. */
export function isMerged(view: View): boolean {
  return view.sha !== view.head;
}

/** What the words depend on beside the status itself. */
export type StatusContext = {
  readonly merged: boolean;
  readonly links: Links | null;
  /** Names the log of an apply whose run is not known. */
  readonly planId: string | null;
  /** The column's own title says "Applied" already. */
  readonly bare: boolean;
};

/** Finished Markdown for the inside of a line. */
export function statusWords(status: ProjectStatus, context: StatusContext): string {
  switch (status.kind) {
    case 'planning':
      return 'planning';
    case 'cancelled':
      return 'cancelled';
    case 'failed':
      return 'failed';
    case 'no-changes':
      return 'no changes';
    case 'judging':
      return 'asking the policies';
    case 'denied':
      return 'denied';
    case 'rejected':
      return `rejected by ${person(status.by)}`;
    case 'waiting-for-approval':
      return 'waiting';
    case 'ready':
      return context.merged ? 'approved, not applied' : 'ready, applies on merge';
    case 'queued':
      return queuedWords(status);
    case 'held':
      return `waits for ${status.projects.map(inlineCode).join(', ')}`;
    case 'after':
      return `after ${status.projects.map(inlineCode).join(', ')}`;
    case 'applying':
      return 'applying';
    case 'applied':
      return `${context.bare ? '' : 'applied '}${appliedWords(status, context)}`;
    case 'apply-failed':
      return status.done === 0
        ? 'apply failed, nothing changed'
        : `half applied, ${status.done} of ${status.total}`;
    case 'unknown':
      return 'outcome unknown';
    default:
      return status satisfies never;
  }
}

function queuedWords({ behind, position }: Extract<ProjectStatus, { kind: 'queued' }>): string {
  const place = `${ordinal(position)} in line`;
  return behind === null ? `waiting for its turn, ${place}` : `waiting for #${behind}, ${place}`;
}

function appliedWords(status: Extract<ProjectStatus, { kind: 'applied' }>, context: StatusContext): string {
  const who = status.on === 'merge' ? 'on merge' : `by ${person(status.by)}`;
  const id = status.runId ?? context.planId;
  const log = id === null ? null : (context.links?.run(id) ?? null);
  return `${clock(status.at)} ${who}${log === null ? '' : `, ${link('log', log)}`}`;
}
