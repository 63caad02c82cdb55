// Does a check that several pull requests write keep from merging what one of them may not merge?
import { expect, test } from 'vitest';
import { withNeighbours } from '../activities/render/neighbours.ts';
import type { Check, CheckState } from '../workflows/model/check.ts';
import type { Neighbour } from '../workflows/model/shared-head.ts';
import { statesOf, worstState } from '../workflows/model/shared-head.ts';
import { waitingView } from './render-example.ts';

const completed = (conclusion: Extract<CheckState, { status: 'completed' }>['conclusion']): CheckState => ({
  status: 'completed',
  conclusion,
});
const states: Readonly<Record<string, CheckState>> = {
  failure: completed('failure'),
  action_required: completed('action_required'),
  cancelled: completed('cancelled'),
  in_progress: { status: 'in_progress' },
  queued: { status: 'queued' },
  neutral: completed('neutral'),
  success: completed('success'),
};
const letsMerge = (state: CheckState | undefined): boolean =>
  state?.status === 'completed' && ['success', 'neutral'].includes(state.conclusion);

test.each(
  Object.keys(states).flatMap((own, index) =>
    Object.keys(states).map((other, at) => [own, other, index, at] as const),
  ),
)('%s beside %s', (own, other, index, at) => {
  const [mine, theirs] = [states[own], states[other]];
  if (mine === undefined || theirs === undefined) throw new Error('no such state');
  const worst = worstState(mine, [theirs]);
  expect(worst).toEqual(index <= at ? mine : theirs);
  expect(worstState(theirs, [mine, mine])).toEqual(worst);
  expect(letsMerge(worst)).toBe(letsMerge(mine) && letsMerge(theirs));
});

const check: Check = {
  name: 'hatchet/apply',
  state: completed('success'),
  title: 'Applied',
  buttons: [],
  annotations: [],
  project: null,
};
const rendered = { title: 'Applied', summary: '**Applied.**', text: null, annotations: [], actions: [] };
const neighbour = (number: number, title: string): Neighbour => ({
  number,
  checks: [{ name: 'hatchet/apply', state: completed('action_required'), title }],
});

test('each is named with what it says, and nobody where the other has no such check', () => {
  const others = [neighbour(7, '1 approval missing: prod')];
  expect(statesOf('hatchet/apply', others)).toEqual([completed('action_required')]);
  expect(statesOf('hatchet/plan: prod', others)).toEqual([]);
  expect(withNeighbours(check, rendered, waitingView, others)).toEqual({
    ...rendered,
    title: '#7: 1 approval missing: prod; #12: Applied',
    summary:
      '#7 and #12 have this commit as their head: this check shows the worst of what they say. Below is what there is to say of #12.\n\n**Applied.**',
  });
  expect(withNeighbours({ ...check, name: 'hatchet/plan' }, rendered, waitingView, others)).toBe(rendered);
});

test('however many there are, and however long they speak, it fits', () => {
  const others = Array.from({ length: 40 }, (_, index) => neighbour(index + 20, 'long\n'.repeat(90)));
  const { title, summary } = withNeighbours(check, { ...rendered, summary: '' }, waitingView, others);
  expect(title).toMatch(/^#12: [^\n]{1,195}$/);
  expect(summary).toContain('#12, #20, #21, #22 and 37 more have this commit');
  // What `renderCheck` leaves of 65,535, and what may be said of a locked conversation.
  expect(Buffer.byteLength(summary)).toBeLessThan(535 - 330);
  const two = withNeighbours(check, rendered, waitingView, others.slice(0, 1));
  expect(two.title).toMatch(/^#12: Applied; #20: long/);
});
