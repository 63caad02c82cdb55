// What do the rules of single projects change, when a pull request touches several of them?
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { faces } from './normalize.ts';
import {
  appliesOf,
  countPlans,
  database,
  openChecks,
  order,
  patienceMs,
  storyTimeoutMs,
  untilCheck,
  untilComment,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
const configuration = `version: 1
projects:
  - { dir: by-hand, apply: { on: comment } }
  - { dir: by-merge }
  - { dir: left-open, apply: { on: comment } }
  - { dir: eager, plan: { drafts: true } }
  - { dir: patient }
`;
const dirs = ['by-hand', 'by-merge', 'left-open', 'eager', 'patient'] as const;
let world: World;

beforeAll(async () => {
  world = await createWorld({
    files: () => ({
      'hatchet.yaml': configuration,
      ...Object.fromEntries(dirs.map((dir) => [`${dir}/main.tf`, 'terraform {}\n'])),
    }),
  });
});
afterAll(() => world.close());

const open = (dirs: readonly string[], draft = false): Promise<PullRequestHandle> =>
  world.repository.openPullRequest({
    title: `Change ${dirs.join(' and ')}`,
    author: 'mona',
    head: dirs.join('-and-'),
    draft,
    files: Object.fromEntries(dirs.map((dir) => [`${dir}/main.tf`, world.project(dir, database('1'))])),
  });

describe.concurrent('rules of single projects', () => {
  test('what is applied by comment holds the gate until it is, beside what is applied on merge', async ({
    expect,
  }) => {
    const pullRequest = await open(['by-hand', 'by-merge']);
    await untilCheck(pullRequest, 'hatchet/apply', 'Not applied yet');
    await untilComment(pullRequest, 'Ready');
    expect(faces(pullRequest.checks())).toContain(
      'hatchet/apply: action_required, Not applied yet [Apply now]',
    );
    await order(pullRequest, 'hubot', '/hatchet apply by-hand');
    await untilCheck(pullRequest, 'hatchet/apply', 'by-hand applied; the rest applies on merge');
    expect(await appliesOf(world, 'by-merge')).toEqual([]);
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
    expect(await appliesOf(world, 'by-hand')).toHaveLength(1);
    expect(await appliesOf(world, 'by-merge')).toHaveLength(1);
  });

  test('what is applied by comment is not applied by merging', async ({ expect }) => {
    const pullRequest = await open(['left-open']);
    await untilCheck(pullRequest, 'hatchet/apply', 'Not applied yet');
    await untilComment(pullRequest, 'Ready');
    const merge = await pullRequest.merge({ by: 'mona' });
    const waiting = await untilCheck(pullRequest, 'hatchet/apply', 'Not applied yet', merge);
    expect(waiting.conclusion).toBe('action_required');
    expect(await appliesOf(world, 'left-open')).toEqual([]);
    await order(pullRequest, 'hubot', '/hatchet apply');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
  });

  test('of a draft only those are planned whose rules say so, and all when it is ready', async ({
    expect,
  }) => {
    const pullRequest = await open(['eager', 'patient'], true);
    await untilCheck(pullRequest, 'hatchet/plan', '1 project: 1 to add');
    expect(await countPlans(world, 'patient')).toBe(0);
    pullRequest.ready();
    await untilCheck(pullRequest, 'hatchet/plan', '2 projects: 2 to add');
    expect(await countPlans(world, 'eager')).toBe(1);
  });
});

test('a fork is planned again when its checks are to run again and a writer had allowed the commit (S8)', async () => {
  const fork = await world.repository.fork('stranger');
  const pullRequest = await world.repository.openPullRequest({
    title: 'From outside',
    author: 'stranger',
    head: 'outside',
    fromFork: fork,
    files: { 'forked/main.tf': world.project('forked', database('1')) },
  });
  await untilCheck(pullRequest, 'hatchet/apply', 'A fork waits for a writer');
  await order(pullRequest, 'hubot', `/hatchet plan ${pullRequest.headSha.slice(0, 7)}`);
  await untilCheck(pullRequest, 'hatchet/apply', 'Approved, applies on merge');
  world.repository.rerunSuite(pullRequest.headSha, 'hubot');
  await vi.waitUntil(async () => (await countPlans(world, 'forked')) === 2, {
    timeout: patienceMs,
    interval: 200,
  });
  await untilCheck(pullRequest, 'hatchet/apply', 'Approved, applies on merge');
});

test('no check is left open (S14)', () => {
  expect(openChecks(world)).toEqual([]);
});
