// Is what GitHub did not get across found and set right by the schedule, and is nothing ever done twice by it?
import { randomBytes } from 'node:crypto';
import type { DataConverter } from '@temporalio/client';
import { Client, Connection } from '@temporalio/client';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { dataConverter } from '../app/codec.ts';
import { createKeyring } from '../app/keyring.ts';
import type { WebhookMatch } from '../fixtures/sandbox/faults.ts';
import type { CheckRun } from '../fixtures/sandbox/model.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import type { GatedStates } from './gated-states.ts';
import { startGatedStates } from './gated-states.ts';
import {
  appliesOf,
  branchOff,
  database,
  expectNothingTwice,
  mainComment,
  openChecks,
  openOn,
  openReady,
  order,
  patienceMs,
  replies,
  seedDatabase,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilReady,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;
let states: GatedStates;
let connection: Connection;
let sql: postgres.Sql;

beforeAll(async () => {
  const environment = { HATCHET_HEAL_INTERVAL: '5s', HATCHET_REFRESH_WAIT: '20ms' };
  [world, states, connection] = await Promise.all([
    createWorld({ environment }),
    startGatedStates(),
    Connection.connect({ address: inject('temporalAddress') }),
  ]);
  sql = postgres(world.databaseUrl, { max: 1 });
});
afterAll(async () => {
  await sql?.end();
  await states?.close();
  await connection?.close();
  await world?.close();
});

const one = 'resource "terraform_data" "one" {}\n';
const two = 'resource "terraform_data" "two" {}\n';

/** The next such webhook of the pull request is never sent, and GitHub has no record of it. */
function drop({ number }: PullRequestHandle, match: WebhookMatch): void {
  world.sandbox.faults.dropNext({ ...match, number });
}

/** What the record says was healed on a pull request, oldest first. */
async function healedOn({ number }: PullRequestHandle): Promise<readonly string[]> {
  const rows = await sql<{ target: string }[]>`select target from event
    where number = ${number} and actor = 'hatchet' and action = 'heal' order by id`;
  return rows.map(({ target }) => target);
}

/** Waits until the record has exactly these, in this order. */
async function untilHealed(pullRequest: PullRequestHandle, ...lost: readonly string[]): Promise<void> {
  await vi.waitUntil(async () => (await healedOn(pullRequest)).length >= lost.length, {
    timeout: patienceMs,
    interval: 100,
  });
  expect(await healedOn(pullRequest)).toEqual(lost);
}

function workflowOf({ number }: PullRequestHandle, converter: DataConverter = {}) {
  const client = new Client({ connection, namespace: world.namespace, dataConverter: converter });
  return client.workflow.getHandle(`pr/${world.repository.id}/${number}`);
}

const isOpen = ({ status }: CheckRun): boolean => status !== 'completed';

test('an opening that nobody heard of is planned (S13)', async () => {
  world.sandbox.faults.dropNext({ event: 'pull_request', action: 'opened' });
  const pullRequest = await openOn(world, { dir: 'opening', body: one });
  await untilReady(pullRequest);
  await untilHealed(pullRequest, 'opening');
  expectNothingTwice(pullRequest);
});

test('a push to a base branch that nobody heard of is planned with (S13)', async () => {
  const shared = { 'shared/unheard/main.tf': one };
  const base = await branchOff(world, 'moved-unheard', shared);
  const body = 'module "m" {\n  source = "../shared/unheard"\n}\n';
  const pullRequest = await openReady(world, { dir: 'based', body, base });
  world.sandbox.faults.dropNext({ event: 'push', ref: `refs/heads/${base}` });
  await world.repository.commit(base, { files: { 'shared/unheard/two.tf': two } });
  await untilCheck(pullRequest, 'hatchet/plan', '1 project: 2 to add');
  await untilReady(pullRequest);
  const pushes = await sql`select from event where action = 'heal' and target = ${base}`;
  expect(pushes).toHaveLength(1);
});

describe.concurrent('what GitHub did not get across', () => {
  test('of a pull request is found: a push, a draft mark, another base, a closing (S13, S14)', async ({
    expect,
  }) => {
    const base = await branchOff(world, 'another-base');
    const pullRequest = await openReady(world, { dir: 'changing', body: one });
    drop(pullRequest, { event: 'pull_request', action: 'synchronize' });
    await pullRequest.push({ 'changing/two.tf': two });
    await untilCheck(pullRequest, 'hatchet/plan', '1 project: 2 to add');
    await untilReady(pullRequest);
    drop(pullRequest, { event: 'pull_request', action: 'converted_to_draft' });
    pullRequest.convertToDraft();
    await untilCheck(pullRequest, 'hatchet/plan', 'A draft is not planned');
    drop(pullRequest, { event: 'pull_request', action: 'ready_for_review' });
    pullRequest.ready();
    await untilReady(pullRequest);
    drop(pullRequest, { event: 'pull_request', action: 'edited' });
    await pullRequest.retarget(base);
    await untilHealed(pullRequest, 'push', 'change of draft', 'change of draft', 'change of base');
    await untilReady(pullRequest);
    await order(pullRequest, 'hubot', '/hatchet apply');
    await untilComment(pullRequest, '**Applied.**');
    drop(pullRequest, { event: 'pull_request', action: 'closed' });
    pullRequest.close();
    const released = () => sql`select from lock_event where dir = 'changing' and kind = 'released'`;
    await vi.waitUntil(async () => (await released()).length > 0, { timeout: patienceMs, interval: 100 });
    drop(pullRequest, { event: 'pull_request', action: 'reopened' });
    await pullRequest.reopen();
    const all = ['push', 'change of draft', 'change of draft', 'change of base', 'closing', 'reopening'];
    await vi.waitUntil(async () => (await healedOn(pullRequest)).length === all.length, {
      timeout: patienceMs,
      interval: 100,
    });
    expect(await healedOn(pullRequest)).toEqual(all);
    mainComment(pullRequest);
  });

  test('of a merge is applied, once (S13)', async ({ expect }) => {
    const base = await branchOff(world, 'merged-unheard');
    const pullRequest = await openReady(world, { dir: 'merging', body: one, base });
    drop(pullRequest, { event: 'pull_request', action: 'closed' });
    world.sandbox.faults.dropNext({ event: 'push', ref: `refs/heads/${base}` });
    await pullRequest.merge({ by: 'hubot' });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', pullRequest.mergeCommit ?? '');
    await untilHealed(pullRequest, 'merge');
    expect(await appliesOf(world, 'merging')).toEqual([{ number: pullRequest.number, state: 'applied' }]);
  });

  test('of a command is obeyed, with the rights of who wrote it and as of when (S13, S10)', async ({
    expect,
  }) => {
    await seedDatabase(world, 'wishing', '1');
    const pullRequest = await openOn(world, { dir: 'wishing', body: database('2') });
    await untilComment(pullRequest, 'Waiting for 1 approval');
    const comment = { event: 'issue_comment', action: 'created' };
    drop(pullRequest, comment);
    pullRequest.comment('reader', '/hatchet approve');
    await vi.waitUntil(() => replies(pullRequest).length === 1, { timeout: patienceMs });
    drop(pullRequest, comment);
    const edited = pullRequest.comment('hubot', 'hm');
    pullRequest.editComment(edited, '/hatchet approve', 'hubot');
    drop(pullRequest, comment);
    const yes = pullRequest.comment('hubot', '/hatchet approve');
    await untilReady(pullRequest);
    expect(pullRequest.reactions(yes)).toEqual(['eyes']);
    expect(pullRequest.reactions(edited)).toEqual([]);
    expect(replies(pullRequest)).toHaveLength(1);
    await untilHealed(pullRequest, 'comment', 'comment');
  });

  test('and has a record of is asked for again, once (S13)', async ({ expect }) => {
    await seedDatabase(world, 'clicking', '1');
    const pullRequest = await openOn(world, { dir: 'clicking', body: database('2') });
    await untilComment(pullRequest, 'Waiting for 1 approval');
    world.sandbox.faults.loseNext({ event: 'check_run', action: 'requested_action' });
    pullRequest.clickButton(pullRequest.check('hatchet/apply'), 'approve', 'hubot');
    await untilReady(pullRequest);
    const clicks = world.sandbox.deliveries.list().filter(({ action }) => action === 'requested_action');
    expect(clicks.map(({ redelivery, status }) => [redelivery, status])).toEqual([
      [true, 'OK'],
      [false, 'failed to connect'],
    ]);
    expect(new Set(clicks.map(({ guid }) => guid)).size).toBe(1);
  });

  test('by the end of its workflow is shown anew, and no check stays open (S14)', async ({ expect }) => {
    states.hold('ended');
    const pullRequest = await openOn(world, { dir: 'ended', body: one, backend: states.backend('ended') });
    const planning = { matching: isOpen, timeoutMs: patienceMs };
    const { id } = await pullRequest.waitForCheck('hatchet/plan: ended', planning);
    await workflowOf(pullRequest).terminate('an operator wanted it so');
    states.release('ended');
    await untilReady(pullRequest);
    const left = () => pullRequest.allChecks().filter(isOpen);
    await vi.waitUntil(() => left().length === 0, { timeout: patienceMs, interval: 100 });
    expect(pullRequest.allChecks().find((run) => run.id === id)?.conclusion).not.toBeNull();
    mainComment(pullRequest);
  });

  test('because a workflow cannot go on leaves no check open (S14)', async ({ expect }) => {
    states.hold('stuck');
    const pullRequest = await openOn(world, { dir: 'stuck', body: one, backend: states.backend('stuck') });
    await pullRequest.waitForCheck('hatchet/plan: stuck', { matching: isOpen, timeoutMs: patienceMs });
    // Sealed with a key that nobody has: no worker can take this step.
    const foreign = dataConverter(createKeyring([{ id: 'lost', bytes: randomBytes(32) }]));
    await workflowOf(pullRequest, foreign).signal('message', {});
    states.release('stuck');
    const left = () => pullRequest.allChecks().filter(isOpen);
    await vi.waitUntil(() => left().length === 0, { timeout: patienceMs, interval: 100 });
    for (const name of ['hatchet/plan', 'hatchet/apply'])
      expect(pullRequest.check(name)).toMatchObject({ conclusion: 'cancelled', title: 'Cancelled' });
    await untilHealed(pullRequest, 'checks');
    await workflowOf(pullRequest).terminate('it could not go on');
    await pullRequest.push({ 'stuck/two.tf': two });
    await untilReady(pullRequest);
  });

  test('because the App was not there yet is planned when it is (S13)', async () => {
    const owner = 'other-org';
    world.sandbox.createOrganization(owner);
    const files = { 'README.md': '' };
    const early = await world.sandbox.createRepository({ owner, name: 'early', files });
    early.collaborator('mona', 'write');
    world.sandbox.uninstallApp(owner);
    const late = await early.openPullRequest({
      title: 'Before the App',
      author: 'mona',
      head: 'late',
      files: { 'late/main.tf': world.project('late', one) },
    });
    world.sandbox.installApp(owner);
    await untilReady(late);
  });
});

test('a look that finds nothing costs one question to GitHub per installation, and its deliveries (S13)', async () => {
  const owners = [...new Set(['octo-org', 'other-org'])];
  const { calls } = world.sandbox;
  const looks = (): readonly (readonly string[])[] => {
    const routes = calls.list('api').map(({ route }) => route);
    const starts = routes.flatMap((route, index) => (route === 'GET /app/hook/deliveries' ? [index] : []));
    return starts.slice(0, -1).map((start, index) => routes.slice(start + 1, starts[index + 1]));
  };
  const quiet = (look: readonly string[]): boolean =>
    look.length === owners.length && look.every((route) => route === 'POST /graphql');
  calls.reset();
  await vi.waitUntil(() => looks().some(quiet), { timeout: patienceMs, interval: 200 });
});

test('no check is left open (S14)', () => {
  expect(openChecks(world)).toEqual([]);
  expect(world.sandbox.faults.unused()).toEqual([]);
});
