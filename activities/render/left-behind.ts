// What is applied to the projects that no merge contains?
import type { ProjectView, View } from '../../workflows/model/view.ts';
import { fitParagraphs } from './paragraphs.ts';
import { join, named, plural } from './wording.ts';

/** They come before everything else, and must not push it out. */
const maxBytes = 2_000;
/** More numbers tell nobody more. */
const maxNumbers = 5;

/** A paragraph for each project that is not what the base branch says: its plan undoes what others have done. */
export function leftBehindParagraphs({ projects }: View): readonly string[] {
  const told = projects.flatMap((project) => leftBehindSentence(project) ?? []);
  return fitParagraphs(told, maxBytes, (count) => `The same of ${plural(count, 'more project')}.`);
}

/** Null where there is nothing of the kind. Once this one is merged and applied, it is history. */
export function leftBehindSentence({ name, leftBehind, status }: ProjectView): string | null {
  if (leftBehind.length === 0 || status.kind === 'applied') return null;
  const numbers = leftBehind.slice(0, maxNumbers).map((number) => `#${number}`);
  const more = leftBehind.length - numbers.length;
  const who = join(more > 0 ? [...numbers, `${more} more`] : numbers, 'and');
  return `**${named(name)} was applied by ${who}, not merged.** What that has made is still there; the plan here undoes what the code does not have.`;
}
