// Which projects are there, what changes in each, and how far are they?
import { markdownTable } from 'markdown-table';
import { projectCheckName } from '../../workflows/model/check.ts';
import type { ChangeCounts } from '../../workflows/model/plan.ts';
import { addCounts } from '../../workflows/model/plan.ts';
import type { ProjectStatus, ProjectView, View } from '../../workflows/model/view.ts';
import { countsAhead, countsDone } from './counts.ts';
import type { Links, Place } from './links.ts';
import { cutText, inlineText, link, tableCell } from './markdown.ts';
import { fitParagraphs } from './paragraphs.ts';
import { isMerged, statusWords } from './status.ts';
import { policyWord } from './verdicts.ts';
import { maxNameLength, named, plural } from './wording.ts';

type Column = {
  readonly title: string;
  readonly align: 'l' | 'r';
  readonly cell: (project: ProjectView) => string;
};

/** Padding makes a small table readable in an e-mail; in a large one it would cost more than the content. */
const maxPaddedRows = 25;
/** More rows than these are not read one by one: only those that need someone stay outside of a fold. */
const maxGlance = 20;
/** An address per row would push the diffs out of the comment; what a row is about is linked from its block. */
const maxLinkedRows = 60;
/** What is folded away may be searched for a name, and no more. */
const maxNamesBytes = 6_000;

/**
 * The table, or null without projects. Of many projects, those that need someone's eyes stand in it; the others are
 * folded below it, and what does not fit into `maxBytes` is counted.
 */
export function projectTable(view: View, links: Links, maxBytes: number, place: Place): string | null {
  const { projects } = view;
  if (projects.length === 0) return null;
  if (projects.length <= maxLinkedRows) return drawn(view, links, maxBytes, { place, linked: true }).text;
  const linked = place === 'check' ? drawn(view, links, maxBytes, { place, linked: true }) : null;
  return linked?.more === 0 ? linked.text : drawn(view, links, maxBytes, { place, linked: false }).text;
}

type Drawn = {
  readonly text: string;
  /** How many projects did not fit. */
  readonly more: number;
};

function drawn(
  view: View,
  links: Links,
  maxBytes: number,
  { place, linked }: { readonly place: Place; readonly linked: boolean },
): Drawn {
  const { ahead, calm, quiet } = split(view.projects);
  const names = quiet.length === 0 ? [] : [quietFold(quiet)];
  const columns = columnsOf(view, links, linked);
  let left = maxBytes - names.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const main = ahead.length === 0 ? null : tableOf(columns, ahead, left);
  left -= Buffer.byteLength(main?.text ?? '');
  const folded = calm.length === 0 ? null : tableOf(columns, calm, left);
  const more = (main?.more ?? 0) + (folded?.more ?? 0);
  const parts = [
    ...(main === null ? [] : [main.text]),
    ...(folded === null || folded.more === calm.length ? [] : [calmFold(calm, folded.text, main !== null)]),
    ...names,
    ...(more === 0 ? [] : [moreProjects(more, links, place)]),
  ];
  return { text: parts.join('\n\n'), more };
}

type Split = Record<'ahead' | 'calm' | 'quiet', readonly ProjectView[]>;

/** `ahead`: in the table; `calm`: ready without risk, or applied; `quiet`: no changes. */
function split(projects: readonly ProjectView[]): Split {
  if (projects.length <= maxGlance) return { ahead: projects, calm: [], quiet: [] };
  const of = (...levels: readonly number[]) => projects.filter((one) => levels.includes(urgency(one)));
  const quiet = of(4);
  const busy = projects.length - quiet.length;
  return busy <= maxGlance
    ? { ahead: of(0, 1, 2, 3), calm: [], quiet }
    : { ahead: of(0, 1, 2), calm: of(3), quiet };
}

/** "214 projects: no changes", with their names inside. */
function quietFold(projects: readonly ProjectView[]): string {
  const shown = fitParagraphs(
    projects.map(({ name }) => named(name)),
    maxNamesBytes,
    (count) => `${count} more`,
  );
  return `<details><summary>${plural(projects.length, 'project')}: no changes</summary>\n\n${shown.join(', ')}\n\n</details>`;
}

/** "36 more projects: 5 to change, 31 to add"; how much of it is done, where nothing else is left. */
function calmFold(projects: readonly ProjectView[], table: string, follows: boolean): string {
  const plans = projects.flatMap(({ plan }) => (plan === null ? [] : [plan]));
  const outputs = plans.reduce((sum, plan) => sum + plan.outputChanges, 0);
  const done = projects.filter(({ status }) => status.kind === 'applied').length;
  const words = done === 0 ? countsAhead : done === projects.length ? countsDone : null;
  const counts =
    plans.length === 0 || words === null
      ? ''
      : `: ${words(addCounts(plans.map((plan) => plan.counts)), outputs)}`;
  const count = plural(projects.length, follows ? 'more project' : 'project');
  return `<details><summary>${count}${counts}</summary>\n\n${table}\n\n</details>`;
}

function tableOf(columns: readonly Column[], projects: readonly ProjectView[], maxBytes: number): Drawn {
  const rows = projects.map((project) => ({
    project,
    cells: columns.map(({ cell }) => tableCell(cell(project))),
  }));
  const shown = fittingRows(rows, maxBytes);
  const text = markdownTable([columns.map(({ title }) => title), ...shown.map(({ cells }) => cells)], {
    align: columns.map(({ align }) => align),
    alignDelimiters: shown.length <= maxPaddedRows,
  });
  return { text, more: rows.length - shown.length };
}

function moreProjects(count: number, links: Links, place: Place): string {
  if (place === 'check') return `${plural(count, 'more project')}.`;
  return `${plural(count, 'more project')}, see ${link('hatchet/plan', links.check('hatchet/plan'))}.`;
}

function columnsOf(view: View, links: Links, linked: boolean): readonly Column[] {
  const applied = view.headline.kind === 'applied';
  const context = { links, merged: isMerged(view), bare: applied, alone: false, now: null };
  const rare = (['import', 'move', 'forget'] as const).filter((part) =>
    view.projects.some(({ plan }) => plan !== null && plan.counts[part] > 0),
  );
  return [
    {
      title: 'Project',
      align: 'l',
      cell: (project) => projectCell(project, linked ? links : null),
    },
    ...(['add', 'change', 'destroy', 'replace', ...rare] as const).map(countColumn),
    ...(applied ? [] : [{ title: 'Policy', align: 'l', cell: policyWord } satisfies Column]),
    {
      title: applied ? 'Applied' : 'Status',
      align: 'l',
      cell: (project) => `${statusWords(project.status, context)}${planLog(project, links)}`,
    },
  ];
}

/** ", [log](…)": of a plan that is being made or was not; any other stands in its block or on its check. */
function planLog({ status, runId }: ProjectView, links: Links): string {
  const isOpen = status.kind === 'planning' || status.kind === 'failed';
  const log = isOpen && runId !== null ? links.run(runId) : null;
  return log === null ? '' : `, ${link('log', log)}`;
}

/** Its own check has the diff; without one, the page of its run. */
function projectCell({ name, runId, plan }: ProjectView, links: Links | null): string {
  const address =
    links?.check(projectCheckName(name)) ?? (runId === null ? null : (links?.run(runId) ?? null));
  return `${link(projectLabel(name), address)}${plan?.destroy === true ? ' (destroy plan)' : ''}`;
}

/** As text where it is harmless; escapes inside of a link are not read alike everywhere, so then as code. */
function projectLabel(name: string): string {
  const text = inlineText(cutText(name, maxNameLength));
  return /[\\&]/.test(text) ? named(name) : text;
}

/** Zeros are left out; what cannot be taken back stands out. */
function countColumn(part: keyof ChangeCounts): Column {
  const risky = part === 'destroy' || part === 'replace' || part === 'forget';
  return {
    title: part.charAt(0).toUpperCase() + part.slice(1),
    align: 'r',
    cell: ({ plan, status }) => {
      const count = plan?.counts[part] ?? 0;
      if (count === 0) return '';
      return risky && status.kind !== 'applied' ? `**${count}**` : `${count}`;
    },
  };
}

type Row = { readonly project: ProjectView; readonly cells: readonly string[] };

/** Those that need someone's eyes are kept before those that do not; the order stays. */
function fittingRows(rows: readonly Row[], maxBytes: number): readonly Row[] {
  let left = maxBytes;
  const kept = new Set<Row>();
  for (const row of rows.toSorted((a, b) => urgency(a.project) - urgency(b.project))) {
    const cost = Buffer.byteLength(`| ${row.cells.join(' | ')} |\n`);
    if (cost > left) break;
    left -= cost;
    kept.add(row);
  }
  return rows.filter((row) => kept.has(row));
}

/** Somebody or something is at work on it, or it waits for its turn. */
const moving: readonly ProjectStatus['kind'][] = [
  'planning',
  'judging',
  'after',
  'locked',
  'queued',
  'held',
  'applying',
];

/** Smaller is more urgent. */
export function urgency({ plan, status }: ProjectView): number {
  if (
    ['failed', 'denied', 'rejected', 'apply-failed', 'stopped', 'unknown', 'state-unwritten'].includes(
      status.kind,
    )
  )
    return 0;
  if (plan !== null && plan.risky.length > 0 && status.kind !== 'applied') return 1;
  if (status.kind === 'waiting-for-approval' || moving.includes(status.kind)) return 2;
  return status.kind === 'no-changes' ? 4 : 3;
}
