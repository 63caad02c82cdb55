// What does a check say of other pull requests that have the same head?
import type { Check } from '../../workflows/model/check.ts';
import type { Neighbour } from '../../workflows/model/shared-head.ts';
import { statesOf, worstState } from '../../workflows/model/shared-head.ts';
import type { View } from '../../workflows/model/view.ts';
import type { RenderedCheck } from './checks.ts';
import { plainTitle } from './markdown.ts';
import { join } from './wording.ts';

/** As long as any title; each has its share, of which at least some words can be read. */
const maxTitle = 200;
const minShare = 30;
/** A summary has little room left, see `renderCheck`: of more than these the others are counted. */
const maxNamed = 4;

/** Both are named, and what they say; the rest of the text and the buttons are those of the view's own pull request. */
export function withNeighbours(
  check: Check,
  rendered: RenderedCheck,
  { number }: View,
  neighbours: readonly Neighbour[],
): RenderedCheck {
  const others = neighbours.flatMap((one) => {
    const same = one.checks.find(({ name }) => name === check.name);
    return same === undefined ? [] : [{ number: one.number, title: same.title }];
  });
  if (others.length === 0) return rendered;
  const all = [{ number, title: rendered.title }, ...others].toSorted((a, b) => a.number - b.number);
  const numbers = all.slice(0, maxNamed).map((one) => `#${one.number}`);
  const more = all.length - numbers.length;
  const names = join(more > 0 ? [...numbers, `${more} more`] : numbers, 'and');
  return {
    ...rendered,
    title: sharedTitle(all),
    summary: `${names} have this commit as their head: this check shows the worst of what they say. Below is what there is to say of #${number}. ${elsewhere(others)}\n\n${rendered.summary}`,
    // Buttons are for completed checks: this one is not while another is still at work.
    actions:
      worstState(check.state, statesOf(check.name, neighbours)).status === 'completed'
        ? rendered.actions
        : [],
  };
}

/** Where to act for whom the rest of the text is not about. */
function elsewhere(others: readonly { readonly number: number }[]): string {
  const [first] = others;
  return others.length === 1 && first !== undefined
    ? `What #${first.number} needs stands on #${first.number}.`
    : 'What the others need stands on each of them.';
}

/** "#7: Applied; #8: 1 approval missing: prod" */
function sharedTitle(all: readonly { readonly number: number; readonly title: string }[]): string {
  const share = Math.floor(maxTitle / all.length) - 2;
  const titles = all.map(({ number, title }) =>
    plainTitle(`#${number}: ${title}`, Math.max(share, minShare)),
  );
  return plainTitle(titles.join('; '), maxTitle);
}
