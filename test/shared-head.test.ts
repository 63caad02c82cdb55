// Does a check that several pull requests write keep from merging what one of them may not merge, and is it always somebody's?
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkKey, meetCompany, shareSurfaces } from '../activities/github/shared-head.ts';
import type { Surface } from '../activities/github/surfaces.ts';
import { withNeighbours } from '../activities/render/neighbours.ts';
import type { Store } from '../activities/store/store.ts';
import { openStore } from '../activities/store/store.ts';
import { createKeyring } from '../app/keyring.ts';
import type { Message } from '../workflows/messages.ts';
import type { Check, CheckState } from '../workflows/model/check.ts';
import { parseSha } from '../workflows/model/identifiers.ts';
import type { Neighbour } from '../workflows/model/shared-head.ts';
import { statesOf, worstState } from '../workflows/model/shared-head.ts';
import { createTestDatabase } from './postgres.ts';
import { view, waitingView } from './render-example.ts';
import { repository } from './stored-plan.ts';

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
      '#7 and #12 have this commit as their head: this check shows the worst of what they say. Below is what there is to say of #12. What #7 needs stands on #7.\n\n**Applied.**',
  });
  expect(withNeighbours({ ...check, name: 'hatchet/plan' }, rendered, waitingView, others)).toBe(rendered);
});

test.each(Object.keys(states))(
  'there are buttons beside one that is %s only if the check is completed',
  (other) => {
    const button = { label: 'Apply now', description: 'Apply', identifier: 'apply:12' };
    const beside = {
      number: 7,
      checks: [{ name: check.name, title: '', state: states[other] ?? check.state }],
    };
    const { actions } = withNeighbours(check, { ...rendered, actions: [button] }, waitingView, [beside]);
    expect(actions).toEqual(states[other]?.status === 'completed' ? [button] : []);
  },
);

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

let store: Store;
const told: Message[] = [];
beforeAll(async () => {
  const keyring = createKeyring([{ id: 'k1', bytes: randomBytes(32) }]);
  const { url } = await createTestDatabase();
  store = await openStore({ url, keyring, log: { debug: () => {} } });
});
afterAll(() => store?.close());

const [first, second] = [parseSha('1'.repeat(40)), parseSha('2'.repeat(40))];

async function know(number: number, head: typeof first, state: 'open' | 'closed' = 'open'): Promise<void> {
  const facts = {
    nodeId: 'PR',
    title: '',
    author: 'mona',
    draft: false,
    fork: false,
    labels: [],
    base: 'main',
  };
  const rest = { baseSha: head, mergeCommit: null, mergedBy: null, mergedAt: null };
  const pullRequest = { ...facts, ...rest, number, head, state };
  await store.pullRequests.save({
    repository,
    pullRequest,
    standing: null,
    readAt: new Date().toISOString(),
  });
}

/** As a picture does it: who is there, then what is written, each check as one run of its own where none is known. */
async function draw(
  number: number,
  head: typeof first,
  names: readonly string[],
  over = false,
  tellPullRequest = async (message: Message): Promise<void> => void told.push(message),
) {
  const checks = names.map((name) => ({ ...check, name, state: states.in_progress ?? check.state }));
  const picture = { number, repository, sha: head, head, checks, ...(over ? { over: true as const } : {}) };
  const now = view({ kind: 'planning', projects: [] }, [], picture);
  const ref = { repository, number };
  const deps = { memory: store.shown, heads: store.heads, tellPullRequest };
  const [remembered, heads] = [await store.shown.read(ref), await store.heads.read(ref, head)];
  const company = await meetCompany(deps, now, remembered, heads);
  const done = names
    .map((name) => checkKey(head, name))
    .filter((key) => !company.ceded.has(key))
    .map((key): Surface => {
      const nodeId = company.surfaces.find((one) => one.key === key)?.nodeId ?? `run of #${number}`;
      return { key, nodeId, hash: `by #${number}`, annotationsHash: '', open: true, at: null };
    });
  await store.shown.save(ref, done);
  await shareSurfaces(store.shown, now, company.neighbours, done);
  return {
    beside: company.neighbours.map((one) => one.number),
    runs: done.map(({ nodeId }) => nodeId),
    told: told.splice(0).map((message) => `${message.kind} #${message.ref.number}`),
  };
}

const openOf = async (number: number): Promise<readonly string[]> =>
  (await store.shown.read({ repository, number })).map(
    ({ key, nodeId, hash }) => `${key.slice(40)}, ${nodeId}, ${hash}`,
  );

test('whoever comes writes on the runs that are there, and whoever goes leaves them to the others', async () => {
  await Promise.all([know(7, first), know(8, first)]);
  expect(await draw(7, first, ['gate', 'only 7'])).toEqual({
    beside: [],
    runs: ['run of #7', 'run of #7'],
    told: [],
  });
  expect(await draw(8, first, ['gate'])).toEqual({ beside: [7], runs: ['run of #7'], told: [] });
  // Both know of each other's writes, and of nothing that the other has for itself.
  expect(await openOf(7)).toEqual(['111111:gate, run of #7, by #8', '111111:only 7, run of #7, by #7']);
  expect(await openOf(8)).toEqual(['111111:gate, run of #7, by #8']);
  // A check that comes later is one run, too.
  expect(await draw(8, first, ['gate', 'later'])).toMatchObject({ runs: ['run of #7', 'run of #8'] });
  expect(await draw(7, first, ['gate', 'later', 'only 7'])).toEqual({
    beside: [8],
    runs: ['run of #7', 'run of #8', 'run of #7'],
    told: [],
  });
  await know(7, second);
  expect(await draw(7, second, ['gate'])).toEqual({ beside: [], runs: ['run of #7'], told: ['redraw #8'] });
  // What is left is its own to close.
  expect(await openOf(7)).toEqual(['111111:only 7, run of #7, by #7', '222222:gate, run of #7, by #7']);
  expect(await draw(8, first, ['gate', 'later'])).toMatchObject({ beside: [], told: [] });

  await know(7, first);
  expect(await draw(7, first, ['gate'])).toEqual({ beside: [8], runs: ['run of #7'], told: [] });
  await know(8, first, 'closed');
  expect(await draw(7, first, ['gate'])).toMatchObject({ beside: [] });
  expect(await draw(8, first, ['gate', 'later'], true)).toEqual({
    beside: [],
    runs: ['run of #8'],
    told: ['redraw #7'],
  });
  // What is #7's now is not written on again, however often the closed one is shown.
  expect(await draw(8, first, ['gate', 'later'], true)).toEqual({
    beside: [],
    runs: ['run of #8'],
    told: [],
  });
});

const commit = (digit: string) => parseSha(digit.repeat(40));

test.each([
  ['pushed', { from: commit('3'), to: commit('4'), goes: 20, stays: 21, over: false }],
  ['closed', { from: commit('3'), to: commit('3'), goes: 22, stays: 21, over: true }],
])('whoever is %s tells those that it leaves, also when that fails at first (S14)', async (_, story) => {
  const { from, to, goes, stays, over } = story;
  await Promise.all([know(goes, from), know(stays, from)]);
  await draw(goes, from, ['gate', 'own']);
  expect(await draw(stays, from, ['gate'])).toMatchObject({ beside: [goes] });
  await know(goes, to, over ? 'closed' : 'open');
  const lost = async () => {
    throw new Error('Temporal is not there');
  };
  await expect(draw(goes, to, ['gate', 'own'], over, lost)).rejects.toThrow('Temporal is not there');
  // Whoever stays and draws meanwhile speaks for itself only.
  expect(await draw(stays, from, ['gate'])).toMatchObject({ beside: [] });
  const again = await draw(goes, to, ['gate', 'own'], over);
  expect(again).toMatchObject({ told: [`redraw #${stays}`] });
  expect(again.runs).toHaveLength(over ? 1 : 2);
  // The shared run is not its to close.
  const open = (await openOf(goes)).filter((line) => line.startsWith('333333:'));
  expect(open).toEqual([expect.stringMatching(/^333333:own/)]);
  expect(await draw(goes, to, ['gate', 'own'], over)).toMatchObject({ told: [] });
});

test('of two that leave at once at least one closes what they shared (S14)', async () => {
  const [from, to] = [commit('5'), commit('6')];
  await Promise.all([know(30, from), know(31, from)]);
  await draw(30, from, ['gate']);
  await draw(31, from, ['gate']);
  await Promise.all([know(30, to), know(31, to)]);
  await Promise.all([draw(30, to, ['gate']), draw(31, to, ['gate'])]);
  const kept = [...(await openOf(30)), ...(await openOf(31))];
  expect(kept.filter((line) => line.startsWith('555555:gate')).length).toBeGreaterThan(0);
});
