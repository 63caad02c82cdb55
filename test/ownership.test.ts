// Who owns a project, what do those who wait see, and what happens when it is given up?
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import {
  appliesOf,
  ask,
  click,
  countPlans,
  database,
  headline,
  openChecks,
  openOn,
  order,
  patienceMs,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilSecondAfter,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;

const planLocked = ['first', 'second', 'left-a', 'left-b'];
const configuration = [
  'version: 1',
  'projects:',
  ...planLocked.map((dir) => `  - { dir: ${dir}, lock: plan }`),
  '  - { dir: shared, lock: none }',
  '',
].join('\n');

beforeAll(async () => {
  const files = Object.fromEntries(
    [...planLocked, 'shared'].map((dir) => [`${dir}/versions.tf`, 'terraform {}\n']),
  );
  world = await createWorld({ files: () => ({ 'hatchet.yaml': configuration, ...files }) });
});
afterAll(() => world.close());

const approved = 'Approved, applies on merge';

/** A check in any state: what waits for others is not completed. */
const untilTitle = (pullRequest: PullRequestHandle, name: string, title: string) =>
  pullRequest.waitForCheck(name, { matching: (run) => run.title === title, timeoutMs: patienceMs });

describe.concurrent('a project', () => {
  test('with `lock: plan` is planned for one after the other, and the next is planned by itself (S3)', async ({
    expect,
  }) => {
    const open = (version: string) =>
      openOn(world, { dir: 'first', body: database(version), head: `first-${version}` });
    const first = await open('1');
    await untilCheck(first, 'hatchet/apply', approved);
    const second = await open('2');
    const waiting = await untilCheck(
      second,
      'hatchet/plan',
      `Waiting for #${first.number} to release first, 1st in line`,
    );
    expect(waiting.conclusion).toBe('action_required');
    const third = await open('3');
    await untilCheck(third, 'hatchet/plan', `Waiting for #${first.number} to release first, 2nd in line`);
    await untilComment(second, 'to release `first`');
    expect(headline(second)).toBe(`**Waiting for #${first.number} to release \`first\`.**`);
    expect((await ask(second, 'hubot', '/hatchet status')).reply).toContain('1st in line, since');
    expect((await ask(second, 'hubot', '/hatchet apply')).reply).toContain('is not planned yet');
    expect(await countPlans(world, 'first')).toBe(1);
    first.close('mona');
    await untilCheck(second, 'hatchet/apply', approved);
    await untilCheck(third, 'hatchet/plan', `Waiting for #${second.number} to release first, 1st in line`);
    await order(second, 'hubot', '/hatchet apply');
    await untilCheck(second, 'hatchet/apply', 'Applied');
    const merge = await second.merge({ by: 'hubot' });
    await untilCheck(second, 'hatchet/apply', 'Applied', merge);
    await untilCheck(third, 'hatchet/plan', '1 project: 1 to replace');
    expect(await appliesOf(world, 'first')).toEqual([{ number: second.number, state: 'applied' }]);
  });
});

test('no check is left open (S14)', ({ expect }) => {
  expect(openChecks(world)).toEqual([]);
});
