// Are projects applied in the order that hatchet.yaml asks for, and what becomes of those that wait?
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { faces } from './normalize.ts';
import {
  appliesOf,
  ask,
  countPlans,
  order,
  patienceMs,
  replies,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilSecondAfter,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });

/** Each story has a network and an app that comes after it. */
const stories = ['later', 'same', 'other', 'broken', 'wrong'] as const;
type Story = (typeof stories)[number];

const configuration = [
  'version: 1',
  'projects:',
  ...stories.flatMap((story) => [
    `  - dir: ${story}/network`,
    `    name: ${story}-network`,
    `  - dir: ${story}/app`,
    `    name: ${story}-app`,
    `    depends_on: [${story}-network]`,
  ]),
  '',
].join('\n');

const network = (version: string): string =>
  `resource "terraform_data" "network" {\n  input = "${version}"\n}\noutput "id" {\n  value = "net-${version}"\n}`;
const independent = (version: string): string =>
  `resource "terraform_data" "app" {\n  input = "${version}"\n}`;

let world: World;
const path = (name: string): string =>
  JSON.parse(/path = ("[^"]*")/.exec(world.project(name, ''))?.[1] ?? 'null') as string;
/** Reads what the network has put out: there is nothing to read before that is applied. */
const dependent = (story: Story): string =>
  `data "terraform_remote_state" "network" {\n  backend = "local"\n  config = {\n    path = ${JSON.stringify(path(`${story}-network`))}\n  }\n}\nresource "terraform_data" "app" {\n  input = data.terraform_remote_state.network.outputs.id\n}`;

beforeAll(async () => {
  world = await createWorld({ files: () => ({ 'hatchet.yaml': configuration, ...placeholders }) });
});
afterAll(() => world.close());

const placeholders = Object.fromEntries(
  stories.flatMap((story) =>
    ['network', 'app'].map((name) => [`${story}/${name}/main.tf`, 'terraform {}\n']),
  ),
);

function open(
  story: Story,
  code: { readonly network: string; readonly app: string },
): Promise<PullRequestHandle> {
  return world.repository.openPullRequest({
    title: `Change ${story}`,
    author: 'mona',
    head: story,
    files: {
      [`${story}/network/main.tf`]: world.project(`${story}-network`, code.network),
      [`${story}/app/main.tf`]: world.project(`${story}-app`, code.app),
    },
  });
}

const approved = 'Approved, applies on merge';

describe.concurrent('depends_on', () => {
  test('what cannot be planned yet is shown after its dependency, and planned when that is applied', async ({
    expect,
  }) => {
    const pullRequest = await open('later', { network: network('1'), app: dependent('later') });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await untilCheck(pullRequest, 'hatchet/plan', '2 projects: 1 to add; later-app after later-network');
    await untilCheck(pullRequest, 'hatchet/plan: later-app', 'After later-network');
    await untilComment(pullRequest, '`later-app` could not be planned yet:');
    expect((await ask(pullRequest, 'hubot', '/hatchet apply later-app')).reply).toContain(
      'depends on `later-network`, which has to be applied first',
    );
    await order(pullRequest, 'hubot', '/hatchet apply');
    await untilCheck(pullRequest, 'hatchet/plan', '2 projects: 2 to add');
    await untilCheck(pullRequest, 'hatchet/apply', 'later-network applied; the rest applies on merge');
    expect(await appliesOf(world, 'later/app')).toEqual([]);
    await untilSecondAfter(await untilComment(pullRequest, 'net-1'));
    await order(pullRequest, 'hubot', '/hatchet apply later-app');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
    expect(await countPlans(world, 'later/network')).toBe(1);
  });

  test('what could not be planned whatever is applied has failed, also where its dependency is open', async ({
    expect,
  }) => {
    const app = 'resource "terraform_data" "app" {\n  input = local.nowhere\n}';
    const pullRequest = await open('wrong', { network: network('1'), app });
    await untilCheck(pullRequest, 'hatchet/apply', 'The plan failed: wrong-app');
    expect(faces(pullRequest.checks())).toContain(
      'hatchet/plan: failure, wrong-app: Reference to undeclared local value (wrong/app/main.tf:8) [Re-plan]',
    );
    expect((await ask(pullRequest, 'hubot', '/hatchet apply wrong-app')).reply).toContain(
      '`wrong-app` could not be planned. Fix the error',
    );
  });

  test('on merge the dependency comes first, and an equal plan goes on by itself', async ({ expect }) => {
    const pullRequest = await open('same', { network: network('1'), app: independent('1') });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    expect(faces(pullRequest.checks())).toContain('hatchet/plan: success, 2 projects: 2 to add [Re-plan]');
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
    const applied = { number: pullRequest.number, state: 'applied' };
    expect(await appliesOf(world, 'same/network')).toEqual([applied]);
    expect(await appliesOf(world, 'same/app')).toEqual([applied]);
    expect(await countPlans(world, 'same/network')).toBe(1);
    expect(await countPlans(world, 'same/app')).toBe(2);
  });

  test('another plan after the dependency asks for a yes where the apply happens (S17)', async ({
    expect,
  }) => {
    const first = await open('other', { network: network('1'), app: 'terraform {}' });
    await untilCheck(first, 'hatchet/apply', approved);
    await untilCheck(first, 'hatchet/apply', 'Applied', await first.merge({ by: 'mona' }));
    const second = await world.repository.openPullRequest({
      title: 'Change both',
      author: 'mona',
      head: 'other-second',
      files: {
        'other/network/main.tf': world.project('other-network', network('2')),
        'other/app/main.tf': world.project('other-app', dependent('other')),
      },
    });
    await untilCheck(second, 'hatchet/apply', approved);
    await untilComment(second, 'net-1');
    const merge = await second.merge({ by: 'mona' });
    await untilCheck(second, 'hatchet/apply', '1 approval missing: other-app', merge);
    expect(await appliesOf(world, 'other/app')).toEqual([]);
    await untilSecondAfter(await untilComment(second, 'Waiting for 1 approval'));
    await order(second, 'hubot', '/hatchet approve');
    await untilCheck(second, 'hatchet/apply', 'Applied', merge);
    expect(await appliesOf(world, 'other/app')).toHaveLength(1);
  });

  test('a dependency that fails stops what comes after it; after its repair only what is missing is applied', async ({
    expect,
  }) => {
    const gate = join(dirname(path('broken-network')), 'broken.gate');
    await writeFile(gate, '');
    const command = `test ! -e '${gate}'`;
    const body = `resource "terraform_data" "network" {\n  provisioner "local-exec" {\n    command = ${JSON.stringify(command)}\n  }\n}`;
    const pullRequest = await open('broken', { network: body, app: independent('1') });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await order(pullRequest, 'hubot', '/hatchet apply');
    await pullRequest.waitForCheck('hatchet/apply', {
      conclusion: 'failure',
      matching: (run) => run.title?.startsWith('broken-network failed') === true,
      timeoutMs: patienceMs,
    });
    expect((await ask(pullRequest, 'hubot', '/hatchet status')).reply).toContain(
      'not applied, because `broken-network` was not',
    );
    expect(replies(pullRequest).some((reply) => reply.includes('because `broken-network` was not'))).toBe(
      true,
    );
    expect(await appliesOf(world, 'broken/app')).toEqual([]);
    await rm(gate);
    await order(pullRequest, 'hubot', '/hatchet plan broken-network');
    await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: broken-network');
    await untilSecondAfter(await untilComment(pullRequest, 'Waiting for 1 approval'));
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await order(pullRequest, 'hubot', '/hatchet apply broken-network');
    await untilCheck(pullRequest, 'hatchet/apply', 'broken-network applied; the rest applies on merge');
    // What depends on it is planned once more first; until then the wish is refused.
    const wish = () =>
      order(pullRequest, 'hubot', '/hatchet apply').then(
        () => true,
        () => false,
      );
    await vi.waitUntil(wish, { timeout: patienceMs, interval: 500 });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
    expect((await appliesOf(world, 'broken/network')).map(({ state }) => state)).toEqual([
      'failed',
      'applied',
    ]);
    expect(await appliesOf(world, 'broken/app')).toHaveLength(1);
  });
});

test('no check is left open (S14)', () => untilNoneOpen(world));
