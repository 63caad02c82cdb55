// Which plans survive a push, and which are made again?
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { faces } from './normalize.ts';
import {
  appliesOf,
  countPlans,
  database,
  mainComment,
  openOn,
  order,
  seedDatabase,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilSecondAfter,
  untilWritten,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;

beforeAll(async () => {
  world = await createWorld({});
});
afterAll(() => world.close());

const approved = 'Approved, applies on merge';
const code = (dir: string, version: string): Record<string, string> => ({
  [`${dir}/main.tf`]: world.project(dir, database(version)),
});

describe.concurrent('kept plans', () => {
  test('a push plans again only what it can have changed; the rest keeps its plan and its approval', async ({
    expect,
  }) => {
    await seedDatabase(world, 'calm', '1');
    const pullRequest = await openOn(world, {
      dir: 'calm',
      body: database('2'),
      files: code('busy', '1'),
    });
    await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: calm');
    await untilSecondAfter(await untilComment(pullRequest, 'Waiting for 1 approval'));
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await pullRequest.push(code('busy', '2'));
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    const shown = await untilComment(pullRequest, pullRequest.headSha.slice(0, 7));
    expect(faces(await untilWritten(pullRequest, ['busy', 'calm']))).toMatchInlineSnapshot(`
      [
        "hatchet/apply: success, Approved, applies on merge [Apply now]",
        "hatchet/plan: busy: success, 1 to add [Re-plan]",
        "hatchet/plan: calm: success, 1 to replace [Re-plan]",
        "hatchet/plan: success, 2 projects: 1 to add, 1 to replace [Re-plan]",
        "hatchet/policy: success, destroy: 1 approval needed",
      ]
    `);
    expect(await countPlans(world, 'calm')).toBe(1);
    expect(await countPlans(world, 'busy')).toBe(2);
    await untilSecondAfter(shown);
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
    expect(await appliesOf(world, 'calm')).toEqual([{ number: pullRequest.number, state: 'applied' }]);
    expect(await countPlans(world, 'calm')).toBe(1);
  });

  test('ten pushes end in one finished plan of each project, and no check is left open (S14)', async ({
    expect,
  }) => {
    const dirs = ['ten-a', 'ten-b', 'ten-c'];
    const all = (version: number): Record<string, string> =>
      Object.assign({}, ...dirs.map((dir) => code(dir, String(version))));
    const pullRequest = await openOn(world, { dir: 'ten-a', body: database('0'), files: all(0) });
    const heads = [pullRequest.headSha];
    for (let version = 1; version <= 10; version++) {
      await pushedAndSeen(pullRequest, all(version));
      heads.push(pullRequest.headSha);
    }
    await untilCheck(pullRequest, 'hatchet/plan', '3 projects: 3 to add');
    await untilComment(pullRequest, pullRequest.headSha.slice(0, 7));
    expect(faces(await untilWritten(pullRequest, dirs))).toHaveLength(6);
    await untilNoneOpen(world);
    expect(mainComment(pullRequest)).not.toContain('"9"');
    const plans = await Promise.all(dirs.map((dir) => countPlans(world, dir)));
    expect(plans.every((count) => count < heads.length)).toBe(true);
  });
});

/** The next push comes when the last one was noticed, at the latest after a second, as people push. */
async function pushedAndSeen(pullRequest: PullRequestHandle, files: Record<string, string>): Promise<void> {
  const head = await pullRequest.push(files);
  await vi
    .waitUntil(() => world.repository.checks(head).length > 0, { timeout: 1_000, interval: 20 })
    .catch(() => undefined);
}

test('no check is left open (S14)', () => untilNoneOpen(world));
