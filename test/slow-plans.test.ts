// What do people see of a plan that takes long, and what may they do while the base moves under one that is made?
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import type { GatedStates } from './gated-states.ts';
import { startGatedStates } from './gated-states.ts';
import {
  ask,
  branchOff,
  database,
  everyBranch,
  openOn,
  openReady,
  order,
  patienceMs,
  storyTimeoutMs,
  untilCheck,
  untilReady,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;
let states: GatedStates;

beforeAll(async () => {
  const environment = { HATCHET_REFRESH_WAIT: '20ms' };
  [world, states] = await Promise.all([
    createWorld({ environment, files: () => everyBranch }),
    startGatedStates(),
  ]);
});
afterAll(async () => {
  await states.close();
  await world.close();
});

describe.concurrent('a plan', () => {
  test('that takes long has a check of its own, beside those that are finished', async ({ expect }) => {
    const base = await branchOff(world, 'long-base');
    states.hold('slow');
    const files = { 'quick/main.tf': world.project('quick', database('1')) };
    const backend = states.backend('slow');
    const pullRequest = await openOn(world, { dir: 'slow', body: database('1'), backend, base, files });
    const slow = await pullRequest.waitForCheck('hatchet/plan: slow', {
      status: 'in_progress',
      timeoutMs: patienceMs,
    });
    expect(slow.title).toMatch(/^Planning since \d\d:\d\d UTC$/);
    await untilCheck(pullRequest, 'hatchet/plan: quick', '1 to add');
    await pullRequest.waitForCheck('hatchet/plan', {
      matching: ({ title }) => title === 'Planning 2 projects: 1 done',
      timeoutMs: patienceMs,
    });
    states.release('slow');
    await untilReady(pullRequest);
    await untilCheck(pullRequest, 'hatchet/plan: slow', '1 to add');
    const runs = pullRequest.allChecks().filter(({ name }) => name === 'hatchet/plan: slow');
    expect(runs).toHaveLength(1);
  });

  test('can be applied while the base moves and nothing of it changes', async ({ expect }) => {
    const base = await branchOff(world, 'busy-base');
    const pullRequest = await openReady(world, { dir: 'steady', body: database('1'), base });
    const move = (step: number) => world.repository.commit(base, { files: { 'notes.md': `${step}\n` } });
    await move(0);
    await order(pullRequest, 'hubot', '/hatchet apply');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
    // Each word meets another moment of looking again.
    for (let step = 1; step <= 8; step += 1) {
      await move(step);
      expect(await ask(pullRequest, 'hubot', '/hatchet apply')).toEqual({
        reaction: 'eyes',
        reply: '@hubot there is nothing to apply.',
      });
    }
  });
});
