// Do Terraform and OpenTofu work side by side on one pull request?
import { afterAll, beforeAll, expect, test } from 'vitest';
import { executablesOnPath } from '../app/tools/search-path.ts';
import { appliesOf, mainComment, openOn, order, storyTimeoutMs, untilComment, untilReady } from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

const hasTofu = (await executablesOnPath(process.env.PATH ?? '', 'tofu')).length > 0;
const why = hasTofu ? '' : ' (tofu is not on PATH)';

let world: World;
beforeAll(async () => {
  if (hasTofu) world = await createWorld({});
});
afterAll(() => (hasTofu ? world.close() : undefined));

test.skipIf(!hasTofu)(`one of each is planned and applied${why}`, { timeout: storyTimeoutMs }, async () => {
  const resource = (name: string): string => `resource "terraform_data" "${name}" {}`;
  const pullRequest = await openOn(world, {
    dir: 'terra',
    body: resource('one'),
    files: { 'open/main.tofu': world.project('open', resource('other')) },
  });
  await untilReady(pullRequest);
  expect(mainComment(pullRequest)).toMatch(/Terraform \S+, OpenTofu \S+|OpenTofu \S+, Terraform \S+/);
  await order(pullRequest, 'hubot', '/hatchet apply');
  await untilComment(pullRequest, '**Applied.**');
  expect(await appliesOf(world, 'open')).toEqual([{ number: pullRequest.number, state: 'applied' }]);
  expect(await appliesOf(world, 'terra')).toEqual([{ number: pullRequest.number, state: 'applied' }]);
});
