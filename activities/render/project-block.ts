// How does one project read in the comment: its diff, and what the policies say about it?
import { projectCheckName } from '../../workflows/model/check.ts';
import type { ProjectStatus, ProjectView } from '../../workflows/model/view.ts';
import { countsAhead, countsByAction, countsDone } from './counts.ts';
import { diagnosticText } from './diagnostics.ts';
import type { FittedDiff } from './fit-diffs.ts';
import type { Links, Place } from './links.ts';
import { noPages } from './links.ts';
import { cutText, fenced, htmlText, link } from './markdown.ts';
import { fitParagraphs } from './paragraphs.ts';
import { runLine } from './run-line.ts';
import { otherSentences } from './verdicts.ts';
import { join, maxNameLength, named, plural } from './wording.ts';

/** What policies and Terraform say beside a diff must not push it out; the check has all of it. */
const maxSentencesBytes = 4_000;

/** Of projects that are alike, this many stand in the title; the others are listed below it. */
const maxInTitle = 3;
const maxNamesBytes = 4_000;

/**
 * A folded block, open while something in it cannot be taken back. `diff` is null when it could not be read. Several
 * projects are alike: the first one speaks for all.
 */
export function projectBlock(
  projects: readonly [ProjectView, ...ProjectView[]],
  diff: FittedDiff | null,
  links: Links,
  place: Place,
): string {
  const [project] = projects;
  const risky = (project.plan?.risky.length ?? 0) > 0 && project.status.kind !== 'applied';
  const more = moreLink(project, links, place);
  const body =
    diff === null ? [...sentences(project), `The diff is not here; ${more}.`] : diffBody(project, diff, more);
  return [
    `<details${risky ? ' open' : ''}><summary>${title(projects)}</summary>`,
    ...otherNames(projects),
    ...body,
    ...(projects.length === 1 ? runLine(project, links) : []),
    '</details>',
  ].join('\n\n');
}

/** "<b>prod</b>: 1 to replace"; "<b>a</b>, <b>b</b>, <b>c</b> and 37 more, ×40: 1 to change in each". */
function title(projects: readonly [ProjectView, ...ProjectView[]]): string {
  const [{ plan, status }] = projects;
  const names = projects
    .slice(0, maxInTitle)
    .map(({ name }) => `<b>${htmlText(cutText(name, maxNameLength))}</b>`);
  const more = projects.length - names.length;
  const who = join(more > 0 ? [...names, `${more} more`] : names, 'and');
  const many = projects.length > 1;
  const end = plan?.destroy === true ? ', destroy plan' : '';
  const counts = plan === null ? '' : `: ${countWords(status)(plan.counts, plan.outputChanges)}`;
  return `${who}${many ? `, ×${projects.length}` : ''}${end}${counts}${many ? ' in each' : ''}`;
}

function otherNames(projects: readonly ProjectView[]): readonly string[] {
  if (projects.length <= maxInTitle) return [];
  const names = fitParagraphs(
    projects.map(({ name }) => named(name)),
    maxNamesBytes,
    (count) => `${count} more`,
  );
  return [`The same in ${names.join(', ')}.`];
}

/** Paragraphs: risky changes, what policies say, the other changes (folded when they follow risky ones). */
function diffBody(project: ProjectView, diff: FittedDiff, more: string): readonly string[] {
  const rest = diff.rest.length === 0 ? [] : [fenced('diff', diff.rest)];
  const { counts, outputChanges } = countsByAction(diff.shownRest);
  const folded =
    diff.risky.length === 0 || rest.length === 0
      ? rest
      : [
          `<details><summary>Also ${countWords(project.status)(counts, outputChanges)}</summary>`,
          ...rest,
          '</details>',
        ];
  return [
    ...(diff.risky.length === 0 ? [] : [fenced('diff', diff.risky)]),
    ...sentences(project),
    ...folded,
    ...leftOut(diff, more),
  ];
}

function countWords({ kind }: ProjectStatus): typeof countsAhead {
  return kind === 'applied' ? countsDone : countsAhead;
}

/** Once it is applied, what the policies asked for is history. */
function sentences({ verdicts, plan, status }: ProjectView): readonly string[] {
  if (status.kind === 'applied') return [];
  const all = [...otherSentences(verdicts), ...(plan?.warnings ?? []).map(diagnosticText)];
  return fitParagraphs(
    all,
    maxSentencesBytes,
    (count) => `${plural(count, 'more finding')}, see the checks.`,
  );
}

/** The line that says how much is missing and where it is; nothing when everything is there. */
export function leftOut({ left, named: bare }: FittedDiff, more: string): readonly string[] {
  const { counts, outputChanges } = countsByAction(left);
  const parts = [
    left.size === 0 ? '' : `${countsAhead(counts, outputChanges)} not shown`,
    bare === 0 ? '' : `${bare} shown by name only`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? [] : [`More: ${parts.join(', ')}; ${more}.`];
}

/** Its check has more room than the comment, and so has that of all plans; its run's page has everything. */
function moreLink({ name, plan }: ProjectView, links: Links, place: Place): string {
  const check = links.check(projectCheckName(name));
  if (check !== null) return `see ${link('the check', check)}`;
  const page = plan === null ? null : links.run(plan.runId);
  if (page !== null) return `see ${link('the whole plan', page)}`;
  return place === 'check' ? noPages : `see the ${link('hatchet/plan', links.check('hatchet/plan'))} check`;
}
