// Do web, control and runner do together what one process does, each with no more than it needs?
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openOn, order, storyTimeoutMs, untilCheck, untilReady } from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs, hookTimeout: storyTimeoutMs });
let world: World;

beforeAll(async () => {
  world = await createWorld({ split: true });
});
afterAll(() => world.close());

const good = 'resource "terraform_data" "one" {\n  input = 1\n}';

test('planned, approved and applied by three processes', async () => {
  const pullRequest = await openOn(world, { dir: 'prod', body: good });
  await untilReady(pullRequest);
  await order(pullRequest, 'hubot', '/hatchet apply');
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
  expect(pullRequest.check('hatchet/apply').conclusion).toBe('success');
});
