// What holds between the last check of an apply and its end, when a no comes late or its runner is not heard of again?
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import type { HttpStateServer } from '../fixtures/drills/http-state-server.ts';
import { startHttpStateServer } from '../fixtures/drills/http-state-server.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { applyTakenSignal } from '../workflows/messages.ts';
import { parseRunId } from '../workflows/model/identifiers.ts';
import { runnerActivityId, runnerQueue } from '../workflows/queues.ts';
import { faces } from './normalize.ts';
import type { RoleProcesses } from './role-processes.ts';
import {
  appliesOf,
  ask,
  openOn,
  order,
  patienceMs,
  replies,
  stateFile,
  untilCheck,
  untilComment,
  untilNoneOpen,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

/** Whoever waits for a runner that is lost waits for its heartbeat, and for the next sweep of what it had left. */
const lostMs = 180_000;
vi.setConfig({ testTimeout: 2 * lostMs, hookTimeout: lostMs });
let world: World;
let roles: RoleProcesses;
let refusing: HttpStateServer;
let unlocked: HttpStateServer;

beforeAll(async () => {
  [refusing, unlocked] = await Promise.all([startHttpStateServer(), startHttpStateServer()]);
  world = await createWorld({
    split: true,
    files: () => ({ 'hatchet.yaml': 'version: 1\napprovals: { count: 1 }\n' }),
    environment: { HATCHET_LOST_WAIT: '100ms' },
  });
  if (world.roles === null) throw new Error('this world has one process');
  roles = world.roles;
});
afterAll(async () => {
  await world.close();
  await Promise.all([refusing.close(), unlocked.close()]);
});

const good = 'resource "terraform_data" "one" {\n  input = 1\n}';
const gated = (gate: string): string => `resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch '${gate}.reached'; while [ ! -e '${gate}' ]; do sleep 0.1; done"
  }
}`;

async function approve(pullRequest: PullRequestHandle): Promise<void> {
  await untilComment(pullRequest, 'Waiting for 1 approval');
  await order(pullRequest, 'hubot', '/hatchet approve');
  await untilComment(pullRequest, 'Ready');
}

async function beginApply(dir: string, backend: { readonly backend?: string } = {}) {
  const gate = stateFile(world, `${dir}-gate`);
  const pullRequest = await openOn(world, { dir, body: gated(gate), ...backend });
  await approve(pullRequest);
  await order(pullRequest, 'mona', '/hatchet apply');
  await vi.waitUntil(() => existsSync(`${gate}.reached`), { timeout: patienceMs, interval: 50 });
  return { pullRequest, openGate: () => writeFile(gate, '') };
}

/** A backend without locks: nothing but its runner tells whether Terraform is at work. */
const withoutLock = ({ backend }: HttpStateServer) => ({
  backend: backend.replace(/^.*lock_address.*\n/gm, ''),
});

async function untilApplyWaits(pullRequest: PullRequestHandle, dir: string): Promise<void> {
  await pullRequest.waitForCheck('hatchet/apply', {
    matching: (run) => run.title === `Waiting for a runner: ${dir}`,
    timeoutMs: patienceMs,
  });
}

/** Whoever reaches Temporal can send this; resolves when the project's workflow has looked into it. */
async function claimToBeRunner(dir: string): Promise<void> {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const client = new Client({ connection, namespace: world.namespace });
  const workflow = client.workflow.getHandle(`project/${world.repository.id}/${dir}/default`);
  await workflow.signal(applyTakenSignal);
  const isHeard = async (): Promise<boolean> => {
    const events = (await workflow.fetchHistory()).events ?? [];
    const at = events.findIndex(
      (event) => event.workflowExecutionSignaledEventAttributes?.signalName === applyTakenSignal.name,
    );
    return at >= 0 && events.slice(at).some((event) => event.markerRecordedEventAttributes != null);
  };
  await vi.waitUntil(isHeard, { timeout: patienceMs, interval: 100 });
  await connection.close();
}

test('a no, or a review that is dismissed, calls back what no runner has taken yet (S17)', async () => {
  const open = (dir: string) => openOn(world, { dir, body: good });
  const [rejected, dismissed] = [await open('rejected'), await open('dismissed')];
  await untilComment(dismissed, 'Waiting for 1 approval');
  const review = dismissed.review('hubot', 'APPROVE');
  await approve(rejected);
  await untilComment(dismissed, 'Ready');
  expect(await roles.runner.stop()).toBe(0);
  for (const each of [rejected, dismissed]) await order(each, 'mona', '/hatchet apply');
  await untilApplyWaits(rejected, 'rejected');
  await untilApplyWaits(dismissed, 'dismissed');
  await claimToBeRunner('rejected');
  await ask(rejected, 'mona', '/hatchet status');
  expect(rejected.check('hatchet/apply').title).toBe('Waiting for a runner: rejected');
  await order(rejected, 'hubot', '/hatchet reject');
  dismissed.dismissReview(review, 'mona');
  await untilCheck(rejected, 'hatchet/apply', 'Rejected by @hubot');
  await untilCheck(dismissed, 'hatchet/apply', '1 approval missing: dismissed');
  // Before the half minute is over after which it would have been checked again.
  expect(replies(rejected).slice(1)).toEqual([
    expect.stringContaining('@hubot rejected the plan of `rejected`'),
  ]);
  await roles.runner.start();
  const later = await open('later');
  await approve(later);
  await order(later, 'mona', '/hatchet apply');
  await untilCheck(later, 'hatchet/apply', 'Applied');
  for (const [{ number }, dir] of [
    [rejected, 'rejected'],
    [dismissed, 'dismissed'],
  ] as const) {
    expect(await appliesOf(world, dir)).toEqual([{ number, state: 'refused' }]);
    expect(existsSync(stateFile(world, dir))).toBe(false);
  }
});

test('a no that comes when a runner has it is told that it is too late, and a dismissed review, too', async () => {
  const gate = stateFile(world, 'late-gate');
  const pullRequest = await openOn(world, { dir: 'late', body: gated(gate) });
  await untilComment(pullRequest, 'Waiting for 1 approval');
  const review = pullRequest.review('hubot', 'APPROVE');
  await untilComment(pullRequest, 'Ready');
  await order(pullRequest, 'mona', '/hatchet apply');
  await vi.waitUntil(() => existsSync(`${gate}.reached`), { timeout: patienceMs, interval: 50 });
  const words =
    '`late` is being applied already: a runner has it, and Terraform is at work. Comment `/hatchet cancel` twice to stop that; what is done by then stays done.';
  pullRequest.dismissReview(review, 'mona');
  await vi.waitUntil(() => replies(pullRequest).length === 1, { timeout: patienceMs });
  expect(replies(pullRequest)[0]).toBe(`@hubot your review comes too late: ${words}`);
  expect(await ask(pullRequest, 'hubot', '/hatchet reject')).toEqual({
    reaction: 'confused',
    reply: `@hubot \`/hatchet reject\` was refused: ${words}`,
  });
  await writeFile(gate, '');
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
});

test('nobody but its runner can say that an apply was cancelled before it began, and its word reaches a new life of the workflow (S5)', async () => {
  const { pullRequest } = await beginApply('forged', withoutLock(unlocked));
  const sql = postgres(world.databaseUrl, { max: 1 });
  const [{ run_id: runId } = {}] = await sql`select run_id from apply where project = 'forged'`;
  await sql.end();
  // It does not hear that it is to stop.
  process.kill(roles.runner.pid, 'SIGSTOP');
  await ask(pullRequest, 'hubot', '/hatchet cancel');
  await ask(pullRequest, 'hubot', '/hatchet cancel');
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const workflowId = `project/${world.repository.id}/forged/default`;
  const forge = () =>
    connection.workflowService
      .respondActivityTaskCanceledById({
        namespace: world.namespace,
        workflowId,
        activityId: runnerActivityId('default', parseRunId(String(runId))),
      })
      .then(
        () => true,
        () => false,
      );
  // Temporal takes it once somebody wants it cancelled.
  await vi.waitUntil(forge, { timeout: patienceMs, interval: 200 });
  await untilCheck(pullRequest, 'hatchet/apply', 'Outcome unknown: forged');
  expect(await appliesOf(world, 'forged')).toEqual([{ number: pullRequest.number, state: 'unknown' }]);
  // Nobody else can look there: nothing but that word could say that it is over.
  const told = await untilComment(pullRequest, 'Terraform may still be at work there');
  expect(told.body).not.toContain('Apply the rest');
  expect(faces([pullRequest.check('hatchet/apply')])).toEqual([
    'hatchet/apply: failure, Outcome unknown: forged [Unlock]',
  ]);
  const client = new Client({ connection, namespace: world.namespace });
  await client.workflow.getHandle(workflowId).terminate('an operator wanted it so');
  await connection.close();
  // Temporal wants nothing of it any more: it stops Terraform, and says so with its log, which nobody waits for.
  process.kill(roles.runner.pid, 'SIGCONT');
  // Not why it has to wait, but how it is done.
  const { body } = await untilComment(pullRequest, '**Apply the rest** (or `/hatchet apply`)');
  expect(body).not.toContain('Terraform may still be at work on');
});

test('of a runner that is lost, the rest waits until it says that Terraform is over, and its state is told of at once (S5)', async () => {
  const { pullRequest, openGate } = await beginApply('lost', withoutLock(refusing));
  await roles.runner.kill();
  await roles.runner.start();
  const until = (words: string) =>
    pullRequest.waitForComment(({ body }) => body.includes(words), { what: words, timeoutMs: lostMs });
  await until('Terraform may still be at work on `lost`');
  const shown = await untilCheck(pullRequest, 'hatchet/apply', 'Outcome unknown: lost');
  expect(faces([shown])).toEqual(['hatchet/apply: failure, Outcome unknown: lost [Accept as it is, Unlock]']);
  const { reaction, reply } = await ask(pullRequest, 'hubot', '/hatchet apply');
  expect(reaction).toBe('confused');
  expect(reply).toContain('Terraform may still be at work there');
  refusing.refuseWrites();
  await openGate();
  // Nobody has asked for another look.
  const { body } = await until('**Hatchet keeps it, encrypted.**');
  expect(body).not.toContain('Apply the rest');
  expect((await ask(pullRequest, 'hubot', '/hatchet apply')).reaction).toBe('confused');
  expect(await appliesOf(world, 'lost')).toEqual([{ number: pullRequest.number, state: 'unknown' }]);
});

test('an apply that Temporal gave to a process that is gone, before a runner had it, is given to a runner (S5)', async () => {
  const pullRequest = await openOn(world, { dir: 'dropped', body: good });
  await approve(pullRequest);
  expect(await roles.runner.stop()).toBe(0);
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const given = connection.withDeadline(Date.now() + patienceMs, () =>
    connection.workflowService.pollActivityTaskQueue({
      namespace: world.namespace,
      taskQueue: { name: runnerQueue('default') },
      identity: 'gone',
    }),
  );
  await order(pullRequest, 'mona', '/hatchet apply');
  expect((await given).activityType?.name).toBe('applyPlan');
  await connection.close();
  await roles.runner.start();
  await pullRequest.waitForCheck('hatchet/apply', {
    matching: (run) => run.title === 'Applied',
    timeoutMs: lostMs,
  });
  expect(await appliesOf(world, 'dropped')).toEqual([{ number: pullRequest.number, state: 'applied' }]);
});

test('no check is left open (S14)', () => untilNoneOpen(world));
