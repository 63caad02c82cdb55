// Does `npm start` with nothing but the App's credentials bring everything back after a kill?
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { GatedStates } from './gated-states.ts';
import { startGatedStates } from './gated-states.ts';
import { programsOf } from './own-processes.ts';
import {
  database,
  expectNothingTwice,
  mainComment,
  openOn,
  order,
  patienceMs,
  seedDatabase,
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

beforeAll(async () => {
  states = await startGatedStates();
  // Neither servers nor keys: the app brings its own.
  world = await createWorld({
    reroute: async () => ({}),
    environment: { HATCHET_ENCRYPTION_KEY: '' },
  });
});
afterAll(async () => {
  await world.close();
  await states.close();
});

const servers = async (): Promise<readonly string[]> =>
  (await programsOf(world.dataDir)).filter((name) => name === 'postgres' || name === 'temporal');

test('what waits and what runs survives a kill, and the servers that it left behind do not pile up', async () => {
  await seedDatabase(world, 'approved', '1');
  const approval = await openOn(world, { dir: 'approved', body: database('2') });
  await untilComment(approval, 'Waiting for 1 approval');
  states.hold('planned');
  const body = 'resource "terraform_data" "one" {}';
  const plan = await openOn(world, { dir: 'planned', body, backend: states.backend('planned') });
  await vi.waitUntil(() => states.waiting('planned') > 0, { timeout: patienceMs });
  expect(await servers()).toEqual(['postgres', 'temporal']);

  await world.app.kill();
  expect(await servers()).toEqual(['postgres', 'temporal']);
  await world.app.start();
  world.sandbox.webhookUrl = `${world.app.url}/api/github/webhooks`;
  expect(await servers()).toEqual(['postgres', 'temporal']);

  await order(approval, 'hubot', '/hatchet approve');
  await untilComment(approval, 'Ready');
  await approval.merge({ by: 'hubot' });
  await untilCheck(approval, 'hatchet/apply', 'Applied', approval.mergeCommit ?? '');
  mainComment(approval);

  states.release('planned');
  await untilReady(plan);
  expectNothingTwice(plan);
  await untilNoneOpen(world);
});

test('told to stop, it stops its servers too, and the next start finds everything', async () => {
  expect(await world.app.stop()).toBe(0);
  expect(await programsOf(world.dataDir)).toEqual([]);
  expect(existsSync(`${world.dataDir}/postgres/data/postmaster.pid`)).toBe(false);
  await world.app.start();
  world.sandbox.webhookUrl = `${world.app.url}/api/github/webhooks`;
  const known = world.repository.pullRequest(2);
  await order(known, 'hubot', '/hatchet apply');
  await untilCheck(known, 'hatchet/apply', 'Applied');
  mainComment(known);
});
