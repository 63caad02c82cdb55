// Which runners plan a project, and what is said when there are none?
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import { faces } from './normalize.ts';
import {
  database,
  mainComment,
  openOn,
  order,
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
let world: World;

beforeAll(async () => {
  const files = () => ({
    'hatchet.yaml': configuration,
    'served/main.tf': 'terraform {}\n',
    'nobody/main.tf': 'terraform {}\n',
  });
  world = await createWorld({
    files,
    environment: { HATCHET_POOLS: 'default,big', HATCHET_POOL_WAIT: '3s' },
  });
});
afterAll(() => world.close());

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

test('no check is left open (S14)', () => untilNoneOpen(world));
