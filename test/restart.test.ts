// Does `npm start` with nothing but the App's credentials bring everything back after a kill, or after it was told to stop?
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { HttpStateServer } from '../fixtures/drills/http-state-server.ts';
import { startHttpStateServer } from '../fixtures/drills/http-state-server.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import type { GatedStates } from './gated-states.ts';
import { startGatedStates } from './gated-states.ts';
import { programsOf } from './own-processes.ts';
import {
  database,
  expectNothingTwice,
  mainComment,
  openOn,
  openReady,
  order,
  patienceMs,
  seedDatabase,
  stateFile,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilReady,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs, hookTimeout: storyTimeoutMs });
let world: World;
let states: GatedStates;
/** State of the apply that is drained: it tells how many there ever were. */
let drained: HttpStateServer;

beforeAll(async () => {
  [states, drained] = await Promise.all([startGatedStates(), startHttpStateServer()]);
  // Neither servers nor keys: the app brings its own.
  world = await createWorld({
    reroute: async () => ({}),
    environment: { HATCHET_ENCRYPTION_KEY: '' },
  });
});
afterAll(async () => {
  await world.close();
  await Promise.all([states.close(), drained.close()]);
});

const good = 'resource "terraform_data" "one" {}';

/** An apply that waits until a file appears beside the states. */
const gatedApply = (gate: string): string => `resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch '${gate}.reached'; while [ ! -e '${gate}' ]; do sleep 0.1; done"
  }
}`;

/** Opens a pull request, and begins an apply that does not end before the gate is opened. */
async function beginApply(
  dir: string,
  gate: string,
  { backend }: HttpStateServer,
): Promise<PullRequestHandle> {
  const pullRequest = await openReady(world, { dir, body: gatedApply(gate), backend });
  await order(pullRequest, 'hubot', '/hatchet apply');
  await vi.waitUntil(() => existsSync(`${gate}.reached`), { timeout: patienceMs, interval: 50 });
  return pullRequest;
}

/** Begins a plan that does not end before its state is released. */
async function beginPlan(dir: string): Promise<PullRequestHandle> {
  states.hold(dir);
  const pullRequest = await openOn(world, { dir, body: good, backend: states.backend(dir) });
  await vi.waitUntil(() => states.waiting(dir) > 0, { timeout: patienceMs });
  return pullRequest;
}

async function restart(): Promise<void> {
  await world.app.start();
  world.sandbox.webhookUrl = `${world.app.url}/api/github/webhooks`;
}

const servers = async (): Promise<readonly string[]> =>
  (await programsOf(world.dataDir)).filter((name) => name === 'postgres' || name === 'temporal');

test('what waits and what runs survives a kill, and the servers that it left behind do not pile up', async () => {
  await seedDatabase(world, 'approved', '1');
  const approval = await openOn(world, { dir: 'approved', body: database('2') });
  await untilComment(approval, 'Waiting for 1 approval');
  const plan = await beginPlan('planned');
  expect(await servers()).toEqual(['postgres', 'temporal']);

  await world.app.kill();
  expect(await servers()).toEqual(['postgres', 'temporal']);
  await restart();
  expect(await servers()).toEqual(['postgres', 'temporal']);

  await order(approval, 'hubot', '/hatchet approve');
  await untilComment(approval, 'Ready');
  await approval.merge({ by: 'hubot' });
  await untilCheck(approval, 'hatchet/apply', 'Applied', approval.mergeCommit ?? '');
  mainComment(approval);

  states.release('planned');
  await untilReady(plan);
  expectNothingTwice(plan);
});

test('told to stop, it finishes the plan and the apply that run, leaves nobody behind, and the next start finds everything', async () => {
  const gate = stateFile(world, 'drain-gate');
  const applied = await beginApply('drained', gate, drained);
  const planned = await beginPlan('draining');
  const stopped = world.app.stop();
  const isStopping = (): boolean => world.app.lines.some((line) => line.includes('stopping: running work'));
  await vi.waitUntil(isStopping, { timeout: patienceMs });
  states.release('draining');
  await writeFile(gate, '');
  expect(await stopped).toBe(0);
  expect(await programsOf(world.dataDir)).toEqual([]);
  expect(existsSync(`${world.dataDir}/postgres/data/postmaster.pid`)).toBe(false);
  expect(drained.lock()).toBeNull();

  await restart();
  await untilCheck(applied, 'hatchet/apply', 'Applied');
  await untilComment(applied, '**Applied.**');
  await untilReady(planned);
  expect(drained.applies()).toBe(1);
  expectNothingTwice(planned);
  await order(planned, 'hubot', '/hatchet apply');
  await untilCheck(planned, 'hatchet/apply', 'Applied');
  mainComment(applied);
  mainComment(planned);
});

test('no check is left open (S14)', () => untilNoneOpen(world));
