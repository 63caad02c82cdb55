// Which events of a pull request or a check are heard, and which change nothing here?
import { expect, test } from 'vitest';
import { parseCheckRunEvent } from '../app/events/check-run.ts';
import { parsePullRequestEvent } from '../app/events/pull-request.ts';

const repo = { id: 7 };
const pullRequest = {
  node_id: 'PR_1',
  number: 1,
  title: 'Add a network',
  state: 'open',
  draft: false,
  merged: false,
  user: { login: 'mona' },
  labels: [{ name: 'prod-ok' }],
  head: { sha: 'a'.repeat(40), repo },
  base: { ref: 'main', sha: 'b'.repeat(40), repo },
};
const payload = {
  installation: { id: 1 },
  repository: {
    id: 7,
    node_id: 'R_1',
    name: 'infra',
    html_url: 'https://github.example/octo-org/infra',
    owner: { login: 'octo-org' },
  },
  sender: { login: 'hubot' },
};
const merged = { state: 'closed', merged: true, merge_commit_sha: 'c'.repeat(40) };

test.each<readonly [string, object, object, boolean]>([
  ['labeled', {}, {}, true],
  ['unlabeled', {}, {}, true],
  ['edited', { changes: { title: { from: 'Old' } } }, {}, true],
  ['edited', { changes: { base: { ref: { from: 'old' } } } }, {}, true],
  ['edited', { changes: { body: { from: 'Old' } } }, {}, false],
  ['assigned', {}, {}, false],
  ['locked', {}, {}, false],
  ['unlocked', {}, {}, true],
  ['unlocked', {}, { state: 'closed' }, false],
  // What is over must not begin anew because somebody tidies up labels.
  ['labeled', {}, { state: 'closed' }, false],
  ['labeled', {}, merged, false],
  ['edited', { changes: { title: { from: 'Old' } } }, merged, false],
  ['closed', {}, merged, true],
])('%s %j of one that is %j: heard %s', (action, change, state, heard) => {
  const event = { ...payload, ...change, action, pull_request: { ...pullRequest, ...state } };
  const message = parsePullRequestEvent('delivery', event);
  expect(message !== null).toBe(heard);
  if (message?.kind === 'pull-request')
    expect(message.pullRequest).toMatchObject({ title: 'Add a network', labels: ['prod-ok'] });
});

test('a re-run of a check is for whom it was written by, and for all that have its commit as their head', () => {
  const check_run = {
    name: 'hatchet/apply',
    head_sha: 'a'.repeat(40),
    external_id: '7:00000000-0000-4000-8000-000000000000',
  };
  const event = { ...payload, action: 'rerequested', check_run };
  const rerun = { kind: 'rerun', deliveryId: 'delivery', actor: 'hubot', head: 'a'.repeat(40) };
  expect(parseCheckRunEvent('delivery', event)).toEqual([
    { ...rerun, ref: { repository: expect.objectContaining({ id: 7 }), number: 7 } },
    { ...rerun, repository: expect.objectContaining({ id: 7 }) },
  ]);
  const foreign = { ...event, check_run: { ...check_run, external_id: 'of another App' } };
  expect(parseCheckRunEvent('delivery', foreign)).toEqual([]);
});
