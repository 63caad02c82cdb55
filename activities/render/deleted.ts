// What would merging leave behind, of projects that the pull request deletes?
import type { DeletedProject, View } from '../../workflows/model/view.ts';
import { cutText, htmlText, inlineCode } from './markdown.ts';
import { fitParagraphs } from './paragraphs.ts';
import { maxNameLength, named, nameList, plural } from './wording.ts';

/** Up to this many stand in the sentence itself; more are folded into a list below it. */
const maxInSentence = 3;
/** A thousand names must not push out what is planned. */
const maxListBytes = 4_000;

/** Never skipped silently and never destroyed by itself: who deletes the code is told what stays, and how to end it. */
export function deletedParagraphs(view: View): readonly string[] {
  const left = view.deleted.filter(({ name }) => !endIsPlanned(view, name));
  const [first] = left;
  if (first === undefined) return [];
  const names = left.map(({ name }) => name);
  const verb = left.length === 1 ? 'is' : 'are';
  const list = left.length > maxInSentence ? [foldedList(left)] : [];
  return [`**${nameList(names)} ${verb} deleted${stays(left)}.** ${remedy(left)}`, ...list];
}

const endIsPlanned = ({ projects }: View, name: string): boolean =>
  projects.some((project) => project.name === name && project.plan?.destroy === true);

/** ": 3 resources would stay"; without a number where not all of them were counted. */
function stays(left: readonly DeletedProject[]): string {
  const counts = left.map(({ resources }) => resources);
  if (!counts.every((count) => count !== null))
    return `, and what ${left.length === 1 ? 'it manages' : 'they manage'} would stay`;
  const sum = counts.reduce((total, count) => total + count, 0);
  return sum === 0 ? ' and left nothing to manage' : `: ${plural(sum, 'resource')} would stay`;
}

function remedy(left: readonly DeletedProject[]): string {
  if (left.every(({ resources }) => resources === 0)) return 'Nothing stays behind.';
  const which =
    left.length > maxInSentence ? 'NAME' : left.map(({ name }) => cutText(name, maxNameLength)).join(' ');
  const whose = left.length === 1 ? 'their' : 'the';
  return `${inlineCode(`/hatchet plan ${which} --destroy`)} plans ${whose} destruction; merging alone leaves them untouched.`;
}

function foldedList(left: readonly DeletedProject[]): string {
  const lines = left.map(
    ({ name, resources }) =>
      `- ${named(name)}${resources === null ? '' : `: ${plural(resources, 'resource')}`}`,
  );
  const shown = fitParagraphs(lines, maxListBytes, (count) => `- and ${count} more`);
  return `<details><summary>${htmlText(plural(left.length, 'deleted project'))}</summary>\n\n${shown.join('\n')}\n\n</details>`;
}
