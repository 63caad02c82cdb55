// What would merging leave behind, of projects that the pull request deletes or takes out of hatchet.yaml?
import { isManaged, isMoved } from '../../workflows/model/picture-deleted.ts';
import type { DeletedProject, View } from '../../workflows/model/view.ts';
import { cutText, htmlText, inlineCode } from './markdown.ts';
import { fitParagraphs } from './paragraphs.ts';
import { copyRemedy, planRemedy, sameState } from './state-manager.ts';
import { maxNameLength, named, nameList, plural } from './wording.ts';

/** Up to this many stand in the sentence itself; more are folded into a list below it. */
const maxInSentence = 3;
/** A thousand names must not push out what is planned. */
const maxListBytes = 4_000;

/**
 * Never skipped silently and never destroyed by itself: who deletes the code, or takes it out of hatchet.yaml, is told
 * what stays, and how to end it.
 */
export function deletedParagraphs(view: View): readonly string[] {
  const open = view.deleted.filter(({ name }) => !endIsPlanned(view, name));
  const left = open.filter((project) => !isManaged(project));
  const endings = [deletion, leaving, leavingPlanned].flatMap((ending) =>
    toldTogether(
      left.filter((project) => endingOf(view, project) === ending),
      ending,
    ),
  );
  return [
    ...countingParagraphs(view),
    ...movedParagraphs(open.filter(isMoved)),
    ...sameStateParagraphs(
      view,
      open.filter((project) => isManaged(project) && !isMoved(project)),
    ),
    ...endings,
  ];
}

/** Where nothing else is planned, the headline says it. */
function countingParagraphs({ counting, projects }: View): readonly string[] {
  return counting.length === 0 || projects.length === 0 ? [] : [`**${countingState(counting)}**`];
}

/** It may have moved only: nothing is claimed, and nothing offered. */
export const countingState = (counting: readonly string[]): string =>
  `Counting what merging would leave behind: ${nameList(counting)}.`;

function movedParagraphs(moved: readonly DeletedProject[]): readonly string[] {
  const told = moved.flatMap(({ name, manager }) =>
    manager === undefined
      ? []
      : [`${named(name)} moved to ${named(manager.project)}: its state is managed there.`],
  );
  if (told.length <= maxInSentence) return told.map((sentence) => `**${sentence}**`);
  const lines = told.map((sentence) => `- ${sentence}`);
  return [
    `**${moved.length} projects moved: their state is managed elsewhere.**`,
    folded(lines, 'projects that moved'),
  ];
}

function sameStateParagraphs(view: View, same: readonly DeletedProject[]): readonly string[] {
  const told = same.flatMap((project) => {
    const { manager } = project;
    if (manager?.kind !== 'managed') return [];
    const whom = named(project.name);
    return [{ whom, sentence: `${whom} ${endingOf(view, project).one} and has ${sameState(manager)}` }];
  });
  const nothing = 'Where that is one state, nothing is left to do.';
  if (told.length <= maxInSentence)
    return told.map(({ whom, sentence }) => `**${sentence}.** ${nothing} ${copyRemedy(whom)}`);
  const lines = told.map(({ sentence }) => `- ${sentence}`);
  return [
    `**${told.length} projects have the same states (lineages) as others.** ${nothing} ${copyRemedy('the project')}`,
    folded(lines, 'projects with the states of others'),
  ];
}

function endingOf({ projects }: View, { name, unlisted }: DeletedProject): Ending {
  if (unlisted === undefined) return deletion;
  return projects.some((project) => project.name === name) ? leavingPlanned : leaving;
}

const endIsPlanned = ({ projects }: View, name: string): boolean =>
  projects.some((project) => project.name === name && project.plan?.destroy === true);

/** What becomes of projects, what merging alone does then, and what a list of them is called. */
type Ending = {
  readonly one: string;
  readonly many: string;
  /** Where none of them has anything. */
  readonly empty: string;
  readonly merging: string;
  readonly list: string;
};

const deletion: Ending = {
  one: 'is deleted',
  many: 'are deleted',
  empty: 'and left nothing to manage',
  merging: 'merging alone leaves them untouched.',
  list: 'deleted projects',
};
const leaving: Ending = {
  one: 'leaves Hatchet’s care',
  many: 'leave Hatchet’s care',
  empty: 'with nothing to manage',
  merging:
    'merging alone lets go of them: they stay as they are, and nothing here is planned or applied for them.',
  list: 'projects that are let go',
};
/** Their code changes in the same pull request. */
const leavingPlanned: Ending = {
  ...leaving,
  merging:
    'merging alone lets go of them: what is planned here is still applied, then they stay as they are.',
};

function toldTogether(left: readonly DeletedProject[], ending: Ending): readonly string[] {
  const names = left.map(({ name }) => name);
  if (names.length === 0) return [];
  const verb = left.length === 1 ? ending.one : ending.many;
  const list = left.length > maxInSentence ? [foldedList(left, ending)] : [];
  return [`**${nameList(names)} ${verb}${stays(left, ending)}.** ${remedy(left, ending)}`, ...list];
}

/** ": 3 resources would stay"; without a number where not all of them were counted. */
function stays(left: readonly DeletedProject[], { empty }: Ending): string {
  const counts = left.map(({ resources }) => resources);
  if (!counts.every((count) => count !== null))
    return `, and what ${left.length === 1 ? 'it manages' : 'they manage'} would stay`;
  const sum = counts.reduce((total, count) => total + count, 0);
  return sum === 0 ? ` ${empty}` : `: ${plural(sum, 'resource')} would stay`;
}

function remedy(left: readonly DeletedProject[], { merging }: Ending): string {
  if (left.every(({ resources }) => resources === 0)) return 'Nothing stays behind.';
  const [unplanned] = left.flatMap(({ manager }) => (manager?.kind === 'unplanned' ? [manager] : []));
  if (unplanned !== undefined)
    return `Their destruction is not planned before ${named(unplanned.project)} is: that is new here, and may manage the same state. ${planRemedy(unplanned)}; ${merging}`;
  const which =
    left.length > maxInSentence ? 'NAME' : left.map(({ name }) => cutText(name, maxNameLength)).join(' ');
  const whose = left.length === 1 ? 'their' : 'the';
  return `${inlineCode(`/hatchet plan ${which} --destroy`)} plans ${whose} destruction; ${merging}`;
}

function foldedList(left: readonly DeletedProject[], { list }: Ending): string {
  const lines = left.map(
    ({ name, resources }) =>
      `- ${named(name)}${resources === null ? '' : `: ${plural(resources, 'resource')}`}`,
  );
  return folded(lines, list);
}

function folded(lines: readonly string[], list: string): string {
  const shown = fitParagraphs(lines, maxListBytes, (count) => `- and ${count} more`);
  return `<details><summary>${htmlText(`${lines.length} ${list}`)}</summary>\n\n${shown.join('\n')}\n\n</details>`;
}
