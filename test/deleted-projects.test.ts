// What becomes of a project that a pull request deletes, or takes out of hatchet.yaml?
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { faces } from './normalize.ts';
import {
  appliesOf,
  ask,
  database,
  order,
  seedDatabase,
  stateFile,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilSecondAfter,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
const dirs = ['left', 'ended', 'beside', 'listed', 'before'] as const;
const notFound = 'version: 1\nautodiscover: { exclude: [listed] }\n';
let world: World;

beforeAll(async () => {
  world = await createWorld({
    files: (project) =>
      Object.fromEntries([
        ['hatchet.yaml', `${notFound}projects:\n  - { dir: listed, name: prod }\n`],
        ...dirs.map((dir) => [`${dir}/main.tf`, project(dir, database('1'))]),
      ]),
  });
  for (const dir of dirs) await seedDatabase(world, dir, '1');
});
afterAll(() => world.close());

const without = (dir: string, files: Readonly<Record<string, string>> = {}): Promise<PullRequestHandle> =>
  world.repository.openPullRequest({
    title: `Delete ${dir}`,
    author: 'mona',
    head: `without-${dir}`,
    files: { [`notes/${dir}.md`]: 'Gone.\n', ...files },
    delete: [`${dir}/main.tf`],
  });

const hasDatabase = async (dir: string): Promise<boolean> =>
  (await readFile(stateFile(world, dir), 'utf8')).includes('"database"');

describe.concurrent('a deleted project', () => {
  test('is named with what would stay, and merging leaves that as it is', async ({ expect }) => {
    const pullRequest = await without('left');
    await untilCheck(pullRequest, 'hatchet/plan', 'left is deleted: 1 resource would stay');
    await untilCheck(pullRequest, 'hatchet/apply', 'Nothing to apply');
    await untilComment(pullRequest, 'left');
    expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
      [
        "hatchet/apply: neutral, Nothing to apply",
        "hatchet/plan: neutral, left is deleted: 1 resource would stay",
        "hatchet/policy: neutral, Nothing to judge",
      ]
    `);
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/plan', 'left is deleted: 1 resource would stay', merge);
    await untilCheck(pullRequest, 'hatchet/apply', 'Nothing to apply', merge);
    expect(await appliesOf(world, 'left')).toEqual([]);
    expect(await hasDatabase('left')).toBe(true);
  });

  test('is taken down when a writer asks for it and another one approves', async ({ expect }) => {
    const pullRequest = await without('ended');
    await untilCheck(pullRequest, 'hatchet/apply', 'Nothing to apply');
    expect((await ask(pullRequest, 'mona', '/hatchet plan ended')).reply).toContain('--destroy');
    expect((await ask(pullRequest, 'reader', '/hatchet plan ended --destroy')).reply).toContain(
      'it takes write access',
    );
    await order(pullRequest, 'mona', '/hatchet plan ended --destroy');
    await untilCheck(pullRequest, 'hatchet/plan', '1 project: 1 to destroy');
    await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: ended');
    const shown = await untilComment(pullRequest, 'Waiting for 1 approval');
    expect((await ask(pullRequest, 'mona', '/hatchet apply ended')).reaction).toBe('confused');
    await untilSecondAfter(shown);
    await order(pullRequest, 'hubot', '/hatchet approve');
    await order(pullRequest, 'hubot', '/hatchet apply ended');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
    expect(await hasDatabase('ended')).toBe(false);
  });

  test('is named, and taken down when somebody asks, where only its entry is removed', async ({ expect }) => {
    const pullRequest = await world.repository.openPullRequest({
      title: 'Hatchet no longer looks after prod',
      author: 'mona',
      head: 'without-entry',
      files: { 'hatchet.yaml': notFound },
    });
    await untilCheck(pullRequest, 'hatchet/plan', "prod leaves Hatchet's care: 1 resource would stay");
    await untilComment(pullRequest, 'merging alone lets go of them');
    expect((await ask(pullRequest, 'mona', '/hatchet plan prod')).reply).toContain('--destroy');
    await order(pullRequest, 'mona', '/hatchet plan prod --destroy');
    await untilCheck(pullRequest, 'hatchet/plan', '1 project: 1 to destroy');
    await untilSecondAfter(await untilComment(pullRequest, 'Waiting for 1 approval'));
    expect(await hasDatabase('listed')).toBe(true);
    await order(pullRequest, 'hubot', '/hatchet approve');
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
    expect(await hasDatabase('listed')).toBe(false);
  });

  test('is not taken down once another directory manages its state, nor is that offered (S3)', async ({
    expect,
  }) => {
    const pullRequest = await without('before');
    await untilCheck(pullRequest, 'hatchet/apply', 'Nothing to apply');
    await order(pullRequest, 'mona', '/hatchet plan before --destroy');
    await untilCheck(pullRequest, 'hatchet/plan', '1 project: 1 to destroy');
    await pullRequest.push({ 'after/main.tf': world.project('before', database('1')) });
    await untilCheck(pullRequest, 'hatchet/plan', '2 projects: 1 to destroy');
    await untilSecondAfter(await untilComment(pullRequest, 'after'));
    await order(pullRequest, 'hubot', '/hatchet approve');
    await order(pullRequest, 'hubot', '/hatchet apply before');
    await untilCheck(pullRequest, 'hatchet/plan', 'before: Its state is managed by after.');
    await order(pullRequest, 'mona', '/hatchet plan');
    await untilCheck(pullRequest, 'hatchet/plan', '1 project: no changes; before moved to after');
    const { body } = await untilComment(
      pullRequest,
      '`before` moved to `after`: its state is managed there.',
    );
    expect(body).not.toContain('--destroy');
    expect((await ask(pullRequest, 'mona', '/hatchet plan before --destroy')).reply).toContain(
      '`before` has moved to `after`: its state is managed there',
    );
    expect(await appliesOf(world, 'before')).toEqual([]);
    expect(await hasDatabase('before')).toBe(true);
  });

  test('is named beside the projects that are planned', async ({ expect }) => {
    const pullRequest = await without('beside', {
      'living/main.tf': world.project('living', database('1')),
    });
    await untilCheck(
      pullRequest,
      'hatchet/plan',
      '1 project: 1 to add; beside is deleted: 1 resource would stay',
    );
    await order(pullRequest, 'mona', '/hatchet plan beside --destroy');
    await untilCheck(pullRequest, 'hatchet/plan', '2 projects: 1 to add, 1 to destroy');
    await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: beside');
    await order(pullRequest, 'mona', '/hatchet plan');
    await untilCheck(
      pullRequest,
      'hatchet/plan',
      '1 project: 1 to add; beside is deleted: 1 resource would stay',
    );
    await untilCheck(pullRequest, 'hatchet/apply', 'Approved, applies on merge');
    expect(await hasDatabase('beside')).toBe(true);
  });
});

test('no check is left open (S14)', () => untilNoneOpen(world));
