// Which runners plan a project, and what is said when there are none?
import { cpus } from 'node:os';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { slotsPerPool } from '../app/runner-slots.ts';
import type { GatedStates } from './gated-states.ts';
import { startGatedStates } from './gated-states.ts';
import { faces } from './normalize.ts';
import {
  ask,
  database,
  mainComment,
  openOn,
  order,
  patienceMs,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilWritten,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
const configuration = `version: 1
projects:
  - { dir: served, pool: big }
  - { dir: nobody, pool: gpu }
`;
/** On a machine with many cores nobody waits for as many Terraforms, and each project is to have a check of its own. */
const mostSlots = 8;
const pools = ['default', 'big'];
while (slotsPerPool(cpus().length, pools.length) > mostSlots) pools.push(`spare-${pools.length}`);
let world: World;
let states: GatedStates;

beforeAll(async () => {
  const files = () => ({
    'hatchet.yaml': configuration,
    'served/main.tf': 'terraform {}\n',
    'nobody/main.tf': 'terraform {}\n',
  });
  const environment = { HATCHET_POOLS: pools.join(','), HATCHET_POOL_WAIT: '3s' };
  [world, states] = await Promise.all([createWorld({ files, environment }), startGatedStates()]);
});
afterAll(async () => {
  await states.close();
  await world.close();
});

describe.concurrent('pools', () => {
  test('a project is planned and applied by the runners of its pool', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'served', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', 'Approved, applies on merge');
    await order(pullRequest, 'hubot', '/hatchet apply');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
    expect(faces(pullRequest.checks())).toContain('hatchet/apply: success, Applied');
  });

  test('a pool without runners is named, and other projects are not held up', async ({ expect }) => {
    const pullRequest = await openOn(world, {
      dir: 'nobody',
      body: database('1'),
      files: { 'beside/main.tf': world.project('beside', database('1')) },
    });
    await untilCheck(pullRequest, 'hatchet/plan', 'nobody: No runner of the pool `gpu` answered.');
    await untilComment(pullRequest, 'HATCHET_POOLS');
    expect(faces(await untilWritten(pullRequest, ['beside', 'nobody']))).toMatchInlineSnapshot(`
      [
        "hatchet/apply: failure, The plan failed: nobody",
        "hatchet/plan: beside: success, 1 to add [Re-plan]",
        "hatchet/plan: failure, nobody: No runner of the pool \`gpu\` answered. [Re-plan]",
        "hatchet/plan: nobody: failure, No runner of the pool \`gpu\` answered. [Re-plan]",
        "hatchet/policy: success, All policies passed",
      ]
    `);
    expect(mainComment(pullRequest)).toContain('HATCHET_POOLS=gpu');
  });
});

test.each([
  [1, 2, 1],
  [2, 1, 4],
  [2, 2, 2],
  [2, 3, 1],
  [1, 5, 1],
  [8, 1, 16],
])('with %d cores and %d pools, each pool has %d slots', (cores, served, slots) => {
  expect(slotsPerPool(cores, served)).toBe(slots);
});

test('as many projects as there are slots are planned side by side, no more and no fewer, and status says which wait', async () => {
  const slots = slotsPerPool(cpus().length, pools.length);
  const dirs = Array.from({ length: slots + 1 }, (_, index) => `side-${index}`);
  for (const dir of dirs) states.hold(dir);
  const code = (dir: string): string => `${states.backend(dir)}\n${database('1')}\n`;
  const pullRequest = await world.repository.openPullRequest({
    title: 'Side by side',
    author: 'mona',
    head: 'side',
    files: Object.fromEntries(dirs.map((dir) => [`${dir}/main.tf`, code(dir)])),
  });
  const held = (): readonly string[] => dirs.filter((dir) => states.waiting(dir) > 0);
  await vi.waitUntil(() => held().length === slots, { timeout: patienceMs });
  const { reply } = await ask(pullRequest, 'reader', '/hatchet status');
  const said = (words: RegExp): number => reply?.match(words)?.length ?? 0;
  expect(said(/\| planning since TIME UTC \(DURATION\)/g)).toBe(slots);
  expect(said(/\| waiting for a runner since TIME UTC \(DURATION\)/g)).toBe(1);
  const [late] = dirs.filter((dir) => !held().includes(dir));
  await untilComment(pullRequest, '| waiting for a runner since');
  await pullRequest.waitForCheck(`hatchet/plan: ${late}`, {
    matching: ({ title }) => /^Waiting for a runner since \d\d:\d\d UTC$/.test(title ?? ''),
    timeoutMs: patienceMs,
  });

  const [first = ''] = held();
  states.release(first);
  await vi.waitUntil(() => states.waiting(late ?? '') > 0, { timeout: patienceMs });
  for (const dir of dirs) states.release(dir);
  await untilCheck(pullRequest, 'hatchet/plan', `${dirs.length} projects: ${dirs.length} to add`);
});

test('no check is left open (S14)', () => untilNoneOpen(world));
