// What does a check say, within the limits of the Checks API?
import type { Button, Check } from '../../workflows/model/check.ts';
import { actionIdOf, projectCheckName } from '../../workflows/model/check.ts';
import type { ProjectStatus, ProjectView, View } from '../../workflows/model/view.ts';
import { givenLines, missingLines } from './approvals.ts';
import { requirementLines } from './checklist.ts';
import type { ChangesByPlan } from './comment.ts';
import { countsAhead } from './counts.ts';
import type { Annotation } from './diagnostics.ts';
import { annotationsOf, diagnosticText } from './diagnostics.ts';
import type { FittedDiff } from './fit-diffs.ts';
import { fitDiffs } from './fit-diffs.ts';
import { openingParagraphs } from './headline.ts';
import { leftBehindSentence } from './left-behind.ts';
import type { LikeProjects } from './like-projects.ts';
import { likeProjects } from './like-projects.ts';
import type { Links } from './links.ts';
import { noPages } from './links.ts';
import { fenced, link, plainTitle } from './markdown.ts';
import { fitParagraphs, joinParagraphs, paragraphBytes } from './paragraphs.ts';
import type { ChangeGroup } from './plan-diff.ts';
import { groupChanges } from './plan-diff.ts';
import { problemParagraphs, projectProblems } from './problems.ts';
import { leftOut } from './project-block.ts';
import { fittedBlocks } from './project-blocks.ts';
import { runLine } from './run-line.ts';
import { isMerged, statusWords } from './status.ts';
import { projectTable } from './table.ts';
import { blockingSentences, otherSentences } from './verdicts.ts';
import { named, nameList, plural } from './wording.ts';

type CheckAction = {
  readonly label: string;
  readonly description: string;
  readonly identifier: string;
};

/** Everything of a check that is text. `text` is null when the summary says it all. */
export type RenderedCheck = {
  readonly title: string;
  readonly summary: string;
  readonly text: string | null;
  readonly annotations: readonly Annotation[];
  readonly actions: readonly CheckAction[];
};

/** GitHub documents no limit for titles; its list of checks shows about this much. */
const maxTitle = 200;
/** Checks API: 65,535 bytes each for summary and text; a little less leaves room for the note that something is cut. */
const maxBytes = 65_000;
/** Warnings beside a diff must not push it out. */
const maxProblemBytes = 15_000;
/** Checks API: three buttons; label 20, description 40, identifier 20 characters. */
const maxActions = 3;

const actions: Record<Button, Omit<CheckAction, 'identifier'>> = {
  approve: { label: 'Approve', description: 'Say yes to the plans shown here' },
  apply: { label: 'Apply now', description: 'Apply what is planned and approved' },
  replan: { label: 'Re-plan', description: 'Plan again' },
  'allow-plan': { label: 'Allow plan', description: 'Plan this commit of the fork' },
  unlock: { label: 'Unlock', description: 'Give up the locks of this pull request' },
  accept: { label: 'Accept as it is', description: 'Take what is there, keep the lock' },
  'apply-rest': { label: 'Apply the rest', description: 'Plan what is left, then ask for approval' },
  'force-unlock': { label: 'Force-unlock state', description: "Break the lost apply's lock of the state" },
};

/**
 * Whose changes a check shows: its project's. What has neither a check of its own nor a page is on `hatchet/plan`, once
 * all of it is there.
 */
export function projectsOn(check: Check, view: View, links: Links): readonly ProjectView[] {
  if (check.project !== null) return view.projects.filter(({ name }) => name === check.project);
  if (check.name !== 'hatchet/plan' || check.state.status !== 'completed') return [];
  const isElsewhere = ({ name, plan }: ProjectView): boolean =>
    links.check(projectCheckName(name)) !== null || (plan !== null && links.run(plan.runId) !== null);
  return view.projects.filter((project) => project.plan?.hasChanges === true && !isElsewhere(project));
}

/** `changes` holds at least those of `projectsOn`. */
export function renderCheck(check: Check, view: View, changes: ChangesByPlan, links: Links): RenderedCheck {
  const { annotations, others } = annotationsOf(check.annotations);
  const project = view.projects.find(({ name }) => name === check.project);
  const content =
    project === undefined
      ? aggregateContent(check, view, changes, links)
      : projectContent(project, view, changes, links);
  const problems = unless([...content.summary, ...content.text], others.map(diagnosticText));
  const text = cut([...problems, ...content.text]);
  return {
    title: plainTitle(check.title || check.name, maxTitle),
    summary: cut(content.summary),
    text: text === '' ? null : text,
    annotations,
    actions: check.buttons.slice(0, maxActions).map((button) => ({
      ...actions[button],
      identifier: actionIdOf(button, { number: view.number, locks: check.locks }),
    })),
  };
}

type Content = { readonly summary: readonly string[]; readonly text: readonly string[] };

/** Problems without a line of the repository, unless they are told anyway. */
function unless(told: readonly string[], problems: readonly string[]): readonly string[] {
  return problems.filter((problem) => !told.includes(problem));
}

function aggregateContent(check: Check, view: View, changes: ChangesByPlan, links: Links): Content {
  const table = projectTable(view, links, maxBytes - 5_000, 'check');
  return {
    summary: [...openingParagraphs(view, links), ...(table === null ? [] : [table])],
    text: aggregateText(check, view, changes, links),
  };
}

function aggregateText(check: Check, view: View, changes: ChangesByPlan, links: Links): readonly string[] {
  switch (check.name) {
    case 'hatchet/plan':
      return planText(view, likeProjects(projectsOn(check, view, links), changes), links);
    case 'hatchet/policy':
      return view.projects.flatMap(({ name, verdicts }) =>
        listed(
          [...blockingSentences(verdicts), ...otherSentences(verdicts)].map(
            (sentence) => `${named(name)}: ${sentence}`,
          ),
        ),
      );
    case 'hatchet/apply':
      return [
        ...listed(checklist(view)),
        ...keptSentence(view),
        ...view.projects
          .filter(({ status }) => status.kind !== 'failed' && status.kind !== 'after')
          .flatMap(projectProblems),
      ];
    default:
      return [];
  }
}

function planText(view: View, likes: readonly LikeProjects[], links: Links): readonly string[] {
  const problems = problemParagraphs(view, likes.length === 0 ? maxBytes : maxProblemBytes);
  return [...problems, ...fittedBlocks(likes, maxBytes - paragraphBytes(problems), links, 'check')];
}

/** What stands between each project and its apply, and who can give it; the summary's table has the rest. */
function checklist({ projects, author }: View): readonly string[] {
  return [...requirementLines({ projects }), ...missingLines(projects, author), ...givenLines(projects)];
}

/** What was merged and not applied keeps others out, so that nobody applies something else over it. */
function keptSentence(view: View): readonly string[] {
  const open: readonly ProjectStatus['kind'][] = [
    'failed',
    'denied',
    'waiting-for-approval',
    'waiting-for-requirements',
    'ready',
    'rejected',
    'apply-failed',
    'state-unwritten',
    'unknown',
  ];
  const kept = view.projects.filter(({ status }) => isMerged(view) && open.includes(status.kind));
  if (kept.length === 0) return [];
  const names = nameList(kept.map(({ name }) => name));
  return [
    `${names} ${kept.length === 1 ? 'stays' : 'stay'} this pull request's until that is applied; \`/hatchet unlock\` gives it up.`,
  ];
}

function projectContent(project: ProjectView, view: View, changes: ChangesByPlan, links: Links): Content {
  const { plan } = project;
  if (project.status.kind === 'failed') {
    return {
      summary: [
        `${named(project.name)} could not be planned.`,
        ...projectProblems(project),
        ...runLine(project, links),
      ],
      text: [],
    };
  }
  const known = plan === null ? undefined : changes.get(plan.id);
  const status = statusWords(project.status, {
    merged: isMerged(view),
    links,
    bare: false,
    alone: false,
    now: null,
  });
  const end = plan?.destroy === true ? 'destroy plan, ' : '';
  const counts = !plan?.hasChanges ? '' : `${end}${countsAhead(plan.counts, plan.outputChanges)}; `;
  const left = leftBehindSentence(project);
  const summary = [
    ...(left === null ? [] : [left]),
    `${named(project.name)}: ${counts}${status}.`,
    ...otherSentences(project.verdicts),
    ...runLine(project, links),
  ];
  const problems = fitParagraphs(
    [...projectProblems(project), ...(plan?.warnings ?? []).map(diagnosticText)],
    maxProblemBytes,
    (count) => `${plural(count, 'more problem')}, see the log.`,
  );
  if (!plan?.hasChanges) return { summary, text: problems };
  const page = links.run(plan.runId);
  const more = page === null ? noPages : `see ${link('the log', page)}`;
  if (known === undefined) return { summary, text: [`The diff is not here; ${more}.`, ...problems] };
  const room = maxBytes - paragraphBytes(problems);
  return { summary, text: [...diffOf(groupChanges(known), more, room), ...problems] };
}

/** One block with everything, what cannot be taken back first. */
function diffOf(groups: readonly ChangeGroup[], more: string, room: number): readonly string[] {
  for (let budget = room; ; ) {
    const [diff] = fitDiffs([groups], budget);
    if (diff === undefined) return [];
    const text = [fenced('diff', spaced(diff)), ...leftOut(diff, more)];
    const over = Buffer.byteLength(text.join('\n\n')) + 2 - room;
    if (over <= 0 || budget <= 0) return text;
    budget -= over;
  }
}

function spaced({ risky, rest }: FittedDiff): readonly string[] {
  return risky.length > 0 && rest.length > 0 ? [...risky, '', ...rest] : [...risky, ...rest];
}

function cut(paragraphs: readonly string[]): string {
  return joinParagraphs(
    fitParagraphs(paragraphs, maxBytes, (count) => `${plural(count, 'more paragraph')} left out.`),
  );
}

/** Items of a list: each is kept or cut by itself. */
function listed(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `- ${line}`);
}
