// Which projects are there, what changes in each, and how far are they?
import { markdownTable } from 'markdown-table';
import { projectCheckName } from '../../workflows/model/check.ts';
import type { ChangeCounts } from '../../workflows/model/plan.ts';
import type { ProjectView, View } from '../../workflows/model/view.ts';
import type { Links } from './links.ts';
import { cutText, inlineText, link, tableCell } from './markdown.ts';
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

/** The table, or null without projects. Rows that do not fit into `maxBytes` are counted below it. */
export function projectTable(view: View, links: Links, maxBytes: number): string | null {
  if (view.projects.length === 0) return null;
  const columns = columnsOf(view, links);
  const header = columns.map(({ title }) => title);
  const rows = view.projects.map((project) => ({
    project,
    cells: columns.map(({ cell }) => tableCell(cell(project))),
  }));
  const shown = fittingRows(rows, maxBytes);
  const table = markdownTable([header, ...shown.map(({ cells }) => cells)], {
    align: columns.map(({ align }) => align),
    alignDelimiters: shown.length <= maxPaddedRows,
  });
  const more = rows.length - shown.length;
  return more === 0 ? table : `${table}\n\n${moreProjects(more, links)}`;
}

function moreProjects(count: number, links: Links): string {
  return `${plural(count, 'more project')}, see ${link('hatchet/plan', links.check('hatchet/plan'))}.`;
}

function columnsOf(view: View, links: Links): readonly Column[] {
  const applied = view.headline.kind === 'applied';
  const context = { links, merged: isMerged(view), bare: applied };
  const rare = (['import', 'move', 'forget'] as const).filter((part) =>
    view.projects.some(({ plan }) => plan !== null && plan.counts[part] > 0),
  );
  return [
    {
      title: 'Project',
      align: 'l',
      cell: ({ name }) => link(projectLabel(name), links.check(projectCheckName(name))),
    },
    ...(['add', 'change', 'destroy', 'replace', ...rare] as const).map(countColumn),
    ...(applied ? [] : [{ title: 'Policy', align: 'l', cell: policyWord } satisfies Column]),
    {
      title: applied ? 'Applied' : 'Status',
      align: 'l',
      cell: ({ plan, status }) => statusWords(status, { ...context, planId: plan?.id ?? null }),
    },
  ];
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

/** Smaller is more urgent. */
export function urgency({ plan, status }: ProjectView): number {
  if (['failed', 'denied', 'rejected', 'apply-failed', 'unknown'].includes(status.kind)) return 0;
  if (plan !== null && plan.risky.length > 0 && status.kind !== 'applied') return 1;
  if (status.kind === 'waiting-for-approval') return 2;
  return status.kind === 'no-changes' ? 4 : 3;
}
