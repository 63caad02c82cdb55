// Does GitHub's trouble, or what people do to our comment, lose anything or make us write it twice?
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Failure } from '../fixtures/sandbox/faults.ts';
import type { CheckRun } from '../fixtures/sandbox/model.ts';
import {
  ask,
  expectNothingTwice,
  mainComment,
  openOn,
  order,
  patienceMs,
  replies,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilReady,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;

beforeAll(async () => {
  world = await createWorld({ alone: true });
});
afterAll(() => world.close());

const good = 'resource "terraform_data" "one" {\n  input = 1\n}';

type Trouble = readonly [when: 'before' | 'after', failure: Failure];

/** What happens, one after the other, to the first comment, to an answer, and to the comment's next text. */
const troubles: readonly (readonly [string, Trouble, Trouble, Trouble])[] = [
  [
    'a 500, a lost answer and a secondary rate limit',
    ['before', { kind: 'server-error', status: 500 }],
    ['after', { kind: 'reset' }],
    ['before', { kind: 'secondary-rate-limit', status: 403, retryAfterSeconds: 1 }],
  ],
  [
    'a 502 after the writing, a secondary rate limit and a reset connection',
    ['after', { kind: 'server-error', status: 502 }],
    ['before', { kind: 'secondary-rate-limit', status: 429, retryAfterSeconds: 1 }],
    ['before', { kind: 'reset' }],
  ],
];

test.each(troubles)('%s neither lose nor double anything', async (name, first, answer, next) => {
  const fail = (operation: string, [when, failure]: Trouble): void =>
    world.sandbox.faults.failNext({ operation, when, failure });
  fail('addComment', first);
  const pullRequest = await openOn(world, { dir: name.replaceAll(' ', '-').replaceAll(',', ''), body: good });
  await untilReady(pullRequest);
  expectNothingTwice(pullRequest);
  fail('addComment', answer);
  expect(await ask(pullRequest, 'hubot', '/hatchet status')).toMatchObject({ reaction: 'eyes' });
  fail('updateIssueComment', next);
  await order(pullRequest, 'hubot', '/hatchet apply');
  await untilComment(pullRequest, '**Applied.**');
  mainComment(pullRequest);
  expect(replies(pullRequest)).toHaveLength(1);
  expect(world.sandbox.faults.unused()).toEqual([]);
});

test('a failing read of the pull request is tried again', async () => {
  const failure = { kind: 'server-error', status: 502 } as const;
  world.sandbox.faults.failNext({ route: '/graphql', failure, times: 3 });
  const pullRequest = await openOn(world, { dir: 'read', body: good });
  await untilReady(pullRequest);
  expectNothingTwice(pullRequest);
});

test('a comment that a person deleted is made anew', async () => {
  const pullRequest = await openOn(world, { dir: 'deleted', body: good });
  const comment = await untilComment(pullRequest, 'Ready');
  pullRequest.deleteComment(comment, 'mona');
  await pullRequest.push({ 'deleted/more.tf': 'resource "terraform_data" "two" {}\n' });
  const again = await untilComment(pullRequest, '2 to add');
  expect(again.id).not.toBe(comment.id);
  await untilReady(pullRequest);
  expectNothingTwice(pullRequest);
});

test('a permission that is missing is named in the log, and the process lives', async () => {
  const { permissions } = world.sandbox.app;
  const { checks: _, ...fewer } = permissions;
  world.sandbox.setPermissions('octo-org', fewer);
  world.sandbox.expireInstallationTokens();
  const pullRequest = await openOn(world, { dir: 'forbidden', body: good });
  const named = (): boolean =>
    world.app.lines.some((line) => line.includes('not accessible by integration') && line.includes('check'));
  await vi.waitUntil(named, { timeout: patienceMs, interval: 100 });
  expect((await fetch(`${world.app.url}/healthz`)).status).toBe(200);
  world.sandbox.setPermissions('octo-org', permissions);
  world.sandbox.expireInstallationTokens();
  await pullRequest.push({ 'forbidden/more.tf': 'resource "terraform_data" "two" {}\n' });
  await untilReady(pullRequest);
});

test('in a locked conversation an answer is given up with a word in the log, and the checks go on', async () => {
  const pullRequest = await openOn(world, { dir: 'locked', body: good });
  await untilReady(pullRequest);
  pullRequest.lock(true);
  pullRequest.comment('hubot', '/hatchet status');
  const told = (): boolean => world.app.lines.some((line) => line.includes('GitHub takes no answer'));
  await vi.waitUntil(told, { timeout: patienceMs, interval: 100 });
  await order(pullRequest, 'hubot', '/hatchet apply');
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
  pullRequest.lock(false);
  expect((await ask(pullRequest, 'hubot', '/hatchet status')).reply).toContain('applied');
  expect(replies(pullRequest)).toHaveLength(1);
});

test('what a locked conversation did not take is written when it is unlocked', async () => {
  world.sandbox.faults.hold();
  const pullRequest = await openOn(world, { dir: 'unlocked', body: good });
  pullRequest.lock(true);
  await world.sandbox.faults.release();
  await untilCheck(pullRequest, 'hatchet/apply', 'Approved, applies on merge');
  const isSilent = (run: CheckRun): boolean =>
    run.summary?.startsWith('**The conversation of this pull request is locked') === true;
  const untilPlanSays = (matching: (run: CheckRun) => boolean) =>
    pullRequest.waitForCheck('hatchet/plan', { status: 'completed', matching, timeoutMs: patienceMs });
  await untilPlanSays(isSilent);
  expect(pullRequest.comments()).toEqual([]);
  expect(pullRequest.checks().filter(isSilent)).toHaveLength(1);
  pullRequest.lock(false);
  await untilReady(pullRequest);
  await untilPlanSays((run) => !isSilent(run));
});

test('while the App is suspended nothing is asked in a circle, and what was missed is made good (S13)', async () => {
  const pullRequest = await openOn(world, { dir: 'suspended', body: good });
  await untilReady(pullRequest);
  world.sandbox.suspend('octo-org');
  const merge = await pullRequest.merge({ by: 'hubot' });
  const { calls } = world.sandbox;
  calls.reset();
  await delay(idleMs);
  expect(calls.list().length).toBeLessThanOrEqual(maxLookCalls);
  world.sandbox.unsuspend('octo-org');
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
  expectNothingTwice(pullRequest);
});

/** One look at where the App is installed, and at what GitHub could not deliver. */
const maxLookCalls = 5;

/** Anything that polls more often than every few seconds is seen in this time. */
const idleMs = 3_000;

test('whoever has nothing to do asks nobody', async () => {
  const { calls } = world.sandbox;
  const isQuiet = async (): Promise<boolean> => {
    calls.reset();
    await delay(idleMs);
    return calls.list().length === 0;
  };
  // Whoever gave the App its permissions back has it look for what it missed.
  await vi.waitUntil(isQuiet, { timeout: patienceMs });
  for (let probe = 0; probe < 5; probe += 1)
    expect((await fetch(`${world.app.url}/readyz`)).status).toBe(200);
  expect(world.sandbox.calls.list().length).toBeLessThanOrEqual(1);
  expect((await fetch(`${world.app.url}/healthz`)).status).toBe(200);
  expect((await fetch(`${world.app.url}/metrics`)).status).toBe(200);
  expect((await fetch(`${world.app.url}/anything`)).status).toBe(404);
});

test('no check is left open (S14)', () => untilNoneOpen(world));
