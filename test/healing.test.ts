// Is what GitHub did not get across found and set right by the schedule, and is nothing ever done twice by it?
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataConverter } from '@temporalio/client';
import { Client, Connection } from '@temporalio/client';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { dataConverter } from '../app/codec.ts';
import { createKeyring } from '../app/keyring.ts';
import type { WebhookMatch } from '../fixtures/sandbox/faults.ts';
import type { CheckRun } from '../fixtures/sandbox/model.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import type { GatedStates } from './gated-states.ts';
import { startGatedStates } from './gated-states.ts';
import { faces } from './normalize.ts';
import {
  appliesOf,
  branchOff,
  click,
  database,
  everyBranch,
  expectNothingTwice,
  mainComment,
  openOn,
  openReady,
  order,
  patienceMs,
  replies,
  seedDatabase,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilReady,
  untilSecondAfter,
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
    createWorld({ environment, files: () => everyBranch }),
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

test('what a merge queue asked and nobody heard of is answered (S13)', async () => {
  const pullRequest = await openReady(world, { dir: 'queued', body: one });
  world.sandbox.faults.dropNext({ event: 'merge_group', action: 'checks_requested' });
  // What was asked just now may be on its way, and is left to its webhook.
  const at = new Date(Date.now() - 2 * 60_000);
  const { data, destroy } = await world.repository.createMergeGroup([pullRequest], 'hubot', { at });
  await untilHealed(pullRequest, 'merge group');
  const answered = (): boolean =>
    world.repository
      .checks(data.headSha)
      .some(({ name, conclusion }) => name === 'hatchet/apply' && conclusion === 'success');
  await vi.waitUntil(answered, { timeout: patienceMs, interval: 100 });
  await destroy('merged');
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied', pullRequest.mergeCommit ?? '');
  expect(await healedOn(pullRequest)).toEqual(['merge group']);
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

  test('of a review is heard (S13, S17)', async ({ expect }) => {
    await seedDatabase(world, 'reviewing', '1');
    const pullRequest = await openOn(world, { dir: 'reviewing', body: database('2') });
    await untilComment(pullRequest, 'Waiting for 1 approval');
    drop(pullRequest, { event: 'pull_request_review', action: 'submitted' });
    pullRequest.review('hubot', 'APPROVE');
    await untilReady(pullRequest);
    await untilHealed(pullRequest, 'review');
    expect(pullRequest.check('hatchet/apply').title).toBe('Approved, applies on merge');
  });

  test('and has a record of is asked for again, once (S13)', async ({ expect }) => {
    await seedDatabase(world, 'clicking', '1');
    const pullRequest = await openOn(world, { dir: 'clicking', body: database('2') });
    await untilComment(pullRequest, 'Waiting for 1 approval');
    world.sandbox.faults.loseNext({ event: 'check_run', action: 'requested_action' });
    click(pullRequest, pullRequest.check('hatchet/apply'), 'Approve', 'hubot');
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

  test('by the end of its workflow keeps no merge from being applied (S13)', async ({ expect }) => {
    await seedDatabase(world, 'forgotten', '1');
    const base = await branchOff(world, 'forgotten-base');
    const pullRequest = await openOn(world, { dir: 'forgotten', body: database('2'), base });
    await untilComment(pullRequest, 'Waiting for 1 approval');
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: forgotten', merge);
    await workflowOf(pullRequest).terminate('it was lost');
    await untilHealed(pullRequest, 'apply');
    const shown = await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: forgotten', merge);
    await workflowOf(pullRequest).terminate('and again');
    // Whoever says something does not wait for the next look.
    pullRequest.comment('mona', '/hatchet status');
    await vi.waitUntil(() => replies(pullRequest).length === 1, { timeout: patienceMs });
    await untilSecondAfter(await untilComment(pullRequest, 'Waiting for 1 approval'));
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
    expect(shown.conclusion).toBe('action_required');
    expect(await appliesOf(world, 'forgotten')).toEqual([{ number: pullRequest.number, state: 'applied' }]);
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

/**
 * What of a pull request's story can be disturbed: which webhook, what makes it, and what comes of it. `listed`: GitHub
 * keeps no trace of it but its own list of failed deliveries.
 */
type Step = readonly [
  WebhookMatch & { readonly event: string; readonly listed?: true },
  (dir: string) => (pullRequest: PullRequestHandle) => Promise<unknown>,
];

/** Waits until another round is on show than now. */
async function untilAnew(pullRequest: PullRequestHandle, act: () => unknown): Promise<void> {
  const { externalId } = pullRequest.check('hatchet/plan');
  await act();
  const isNew = (run: CheckRun): boolean => run.externalId !== externalId;
  await pullRequest.waitForCheck('hatchet/plan', {
    status: 'completed',
    matching: isNew,
    timeoutMs: patienceMs,
  });
  await untilComment(pullRequest, 'Waiting for 1 approval');
}

const steps: readonly Step[] = [
  [
    { event: 'pull_request', action: 'ready_for_review' },
    () => async (pullRequest) => {
      pullRequest.ready();
      await untilComment(pullRequest, 'Waiting for 1 approval');
    },
  ],
  [
    { event: 'pull_request', action: 'synchronize' },
    (dir) => async (pullRequest) => {
      await pullRequest.push({ [`${dir}/main.tf`]: world.project(dir, database('3')) });
      await untilComment(pullRequest, pullRequest.headSha.slice(0, 7));
    },
  ],
  [
    { event: 'pull_request', action: 'converted_to_draft' },
    () => async (pullRequest) => {
      pullRequest.convertToDraft();
      await untilCheck(pullRequest, 'hatchet/plan', 'A draft is not planned');
    },
  ],
  [
    { event: 'pull_request', action: 'ready_for_review' },
    () => async (pullRequest) => {
      pullRequest.ready();
      await untilComment(pullRequest, 'Waiting for 1 approval');
    },
  ],
  [
    { event: 'push' },
    (dir) => async (pullRequest) => {
      const files = { [`${dir}/more.tf`]: 'resource "terraform_data" "more" {}\n' };
      await world.repository.commit(`base-of-${dir}`, { files });
      await untilComment(pullRequest, 'terraform_data.more');
    },
  ],
  [
    { event: 'check_run', action: 'requested_action', listed: true },
    () => (pullRequest) =>
      untilAnew(pullRequest, () => click(pullRequest, pullRequest.check('hatchet/plan'), 'Re-plan', 'mona')),
  ],
  [
    { event: 'check_suite', action: 'rerequested', listed: true },
    () => (pullRequest) =>
      untilAnew(pullRequest, () => world.repository.rerunSuite(pullRequest.headSha, 'mona')),
  ],
  [
    { event: 'pull_request_review', action: 'submitted' },
    () => async (pullRequest) => {
      await untilSecondAfter(await untilComment(pullRequest, 'Waiting for 1 approval'));
      const review = pullRequest.review('hubot', 'APPROVE');
      await untilReady(pullRequest);
      pullRequest.dismissReview(review, 'mona');
      await untilComment(pullRequest, 'the review was dismissed');
    },
  ],
  [
    { event: 'issue_comment', action: 'created' },
    () => async (pullRequest) => {
      const plan = await untilComment(pullRequest, 'Waiting for 1 approval');
      await untilSecondAfter(plan);
      pullRequest.comment('hubot', '/hatchet approve');
      await untilReady(pullRequest);
    },
  ],
  [
    { event: 'merge_group', action: 'checks_requested', listed: true },
    () => async (pullRequest) => {
      const group = await world.repository.createMergeGroup([pullRequest], 'hubot');
      const passed = (): boolean =>
        world.repository.checks(group.headSha).some(({ title }) => title === 'Approved, applies on merge');
      await vi.waitUntil(passed, { timeout: patienceMs, interval: 50 });
      await group.destroy('dequeued');
    },
  ],
  [
    { event: 'pull_request', action: 'closed' },
    () => async (pullRequest) => {
      await pullRequest.merge({ by: 'hubot' });
      await untilCheck(pullRequest, 'hatchet/apply', 'Applied', pullRequest.mergeCommit ?? '');
      await untilComment(pullRequest, '**Applied.**');
    },
  ],
];

/** Everything that is left of the story: on GitHub and in the record. */
async function endOf(pullRequest: PullRequestHandle, dir: string): Promise<unknown> {
  const { number } = pullRequest;
  const clean = (text: string): string => text.replaceAll(dir, 'DIR').replaceAll(`#${number}`, '#N');
  const events = await sql`select actor, action, target, allowed from event
    where number = ${number} and action <> 'heal' order by id`;
  const approvals = await sql`select login, decision from approval where number = ${number} order by login`;
  return {
    head: faces(pullRequest.checks()).map(clean),
    merge: faces(pullRequest.checks(pullRequest.mergeCommit ?? '')).map(clean),
    comments: pullRequest.comments().length,
    comment: clean(mainComment(pullRequest))
      .split('\n')[1]
      ?.replace(/ in \d+s/, ''),
    // Facts are written when nobody waits for the next step: some a little later than what came after them.
    events: events.map((event) => clean(JSON.stringify(event))).sort(),
    approvals: [...approvals],
    applies: (await appliesOf(world, dir)).map(({ state }) => state),
  };
}

test('the story has a webhook of every kind that the App asks for (S13)', async () => {
  const app = z.object({ default_events: z.array(z.string()) });
  const { default_events } = app.parse(
    parse(await readFile(join(import.meta.dirname, '..', 'app.yml'), 'utf8')),
  );
  expect([...new Set(steps.map(([{ event }]) => event))].sort()).toEqual([...default_events].sort());
});

test(
  'each webhook of a story, twice or dropped, leaves what the undisturbed story leaves (S13)',
  async () => {
    const { faults, deliveries } = world.sandbox;
    const others = new Set(deliveries.list().map(({ id }) => id));
    const play = async (
      dir: string,
      disturb: (match: WebhookMatch, listed: boolean) => void,
    ): Promise<PullRequestHandle> => {
      await seedDatabase(world, dir, '1');
      const base = await branchOff(world, `base-of-${dir}`);
      const pullRequest = await openOn(world, { dir, body: database('2'), draft: true, base });
      await untilCheck(pullRequest, 'hatchet/plan', 'A draft is not planned');
      for (const [{ listed = false, ...match }, act] of steps) {
        // Others say no number: which of the three stories it hits is all the same.
        const byNumber = ['pull_request', 'pull_request_review', 'issue_comment'].includes(match.event);
        const ref = match.event === 'push' ? { ref: `refs/heads/${base}` } : {};
        disturb({ ...match, ...ref, ...(byNumber ? { number: pullRequest.number } : {}) }, listed);
        await act(dir)(pullRequest);
      }
      return pullRequest;
    };
    const [calm, doubled, dropped] = await Promise.all([
      play('calm', () => undefined),
      play('doubled', (match) => faults.doubleNext(match)),
      play('dropped', (match, listed) => (listed ? faults.loseNext(match) : faults.dropNext(match))),
    ]);
    // And everything of them once more, when all is over.
    for (const { id } of deliveries.list().filter((each) => !others.has(each.id)))
      await deliveries.redeliver(id);
    await untilWorkflowsRest([calm, doubled, dropped]);
    const end = await endOf(calm, 'calm');
    expect(await endOf(doubled, 'doubled')).toEqual(end);
    expect(await endOf(dropped, 'dropped')).toEqual(end);
  },
  2 * storyTimeoutMs,
);

/** Waits until nobody follows them any more: whatever was said was heard. */
async function untilWorkflowsRest(all: readonly PullRequestHandle[]): Promise<void> {
  const runs = async (one: PullRequestHandle): Promise<boolean> =>
    (await workflowOf(one).describe()).status.name === 'RUNNING';
  const rest = async (): Promise<boolean> => !(await Promise.all(all.map(runs))).includes(true);
  await vi.waitUntil(rest, { timeout: patienceMs, interval: 100 });
}

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

test('no check is left open (S14)', async () => {
  await untilNoneOpen(world);
  expect(world.sandbox.faults.unused()).toEqual([]);
});
