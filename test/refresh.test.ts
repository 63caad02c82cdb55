// Do open pull requests keep up with the world: with pushes to their base, and with what others apply?
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import {
  appliesOf,
  ask,
  branchOff,
  click,
  countPlans,
  database,
  everyBranch,
  mainComment,
  openOn,
  openReady,
  order,
  patienceMs,
  seedDatabase,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;

beforeAll(async () => {
  world = await createWorld({
    environment: { HATCHET_REFRESH_WAIT: '20ms' },
    files: () => everyBranch,
  });
});
afterAll(() => world.close());

const approved = 'Approved, applies on merge';
const calls = (path: string): string => `module "m" {\n  source = "${path}"\n}\n`;
const resource = (name: string): string => `resource "terraform_data" "${name}" {}\n`;

/** Waits until a project was planned so often. */
async function untilPlans(dir: string, count: number): Promise<void> {
  await vi.waitUntil(async () => (await countPlans(world, dir)) >= count, {
    timeout: patienceMs,
    interval: 100,
  });
}

describe.concurrent('open pull requests', () => {
  test('are planned again when a merge changes what they use, and only those', async ({ expect }) => {
    const base = await branchOff(world, 'with-module', { 'shared/net/main.tf': resource('net') });
    const [uses, alone] = await Promise.all([
      openReady(world, { dir: 'uses', body: calls('../shared/net'), base }),
      openReady(world, { dir: 'alone', body: database('1'), base }),
    ]);
    await untilComment(uses, '1 to add');
    const module = await world.repository.openPullRequest({
      title: 'A second one',
      author: 'mona',
      head: 'module',
      base,
      files: { 'shared/net/more.tf': resource('more') },
    });
    await untilCheck(module, 'hatchet/apply', 'Nothing to apply');
    await module.merge({ by: 'mona' });
    await untilCheck(uses, 'hatchet/plan', '1 project: 2 to add');
    await untilComment(uses, '2 to add');
    expect(await countPlans(world, 'uses')).toBe(2);
    // Each push concerns both, and both are looked at together: the second one is planned only where it matters.
    await world.repository.commit(base, { files: { 'shared/net/third.tf': resource('third') } });
    await untilCheck(uses, 'hatchet/plan', '1 project: 3 to add');
    expect(await countPlans(world, 'alone')).toBe(1);
    expect(mainComment(alone)).toContain('1 to add');
  });

  test('keep the approval of a plan that a push to the base leaves as it is', async ({ expect }) => {
    const base = await branchOff(world, 'steady-base', { 'shared/steady/main.tf': '' });
    await seedDatabase(world, 'steady', '1');
    const body = `${calls('../shared/steady')}${database('2')}`;
    const pullRequest = await openOn(world, { dir: 'steady', body, base });
    await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: steady');
    await untilComment(pullRequest, 'Waiting for 1 approval');
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await world.repository.commit(base, { files: { 'shared/steady/main.tf': '# a remark\n' } });
    await untilPlans('steady', 2);
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    expect(mainComment(pullRequest)).toContain('approved by @hubot');
  });

  test('are planned again when another one applies what theirs depend on', async ({ expect }) => {
    const yaml =
      'version: 1\nprojects:\n  - { dir: far/app, depends_on: [far/dns] }\n  - { dir: far/dns, depends_on: [far/net] }\n';
    const empty = 'terraform {}\n';
    const base = await branchOff(world, 'far', {
      ...{ 'hatchet.yaml': yaml, 'far/app/main.tf': empty, 'far/dns/main.tf': empty },
      'far/net/main.tf': world.project('far-net', ''),
    });
    const open = (name: string, body: string) =>
      world.repository.openPullRequest({
        ...{ title: `Change ${name}`, author: 'mona', head: `far-${name}`, base },
        files: { [`far/${name}/main.tf`]: world.project(`far-${name}`, body) },
      });
    const path = /path = ("[^"]*")/.exec(world.project('far-net', ''))?.[1] ?? '';
    const reads = `data "terraform_remote_state" "net" {\n  backend = "local"\n  config = { path = ${path} }\n}\nresource "terraform_data" "app" {\n  input = data.terraform_remote_state.net.outputs.id\n}`;
    const [app, net] = await Promise.all([
      open('app', reads),
      open('net', 'output "id" {\n  value = "net-1"\n}'),
    ]);
    await untilCheck(app, 'hatchet/apply', 'The plan failed: far/app');
    await untilCheck(net, 'hatchet/apply', approved);
    await order(net, 'hubot', '/hatchet apply');
    await untilCheck(app, 'hatchet/plan', '1 project: 1 to add');
    expect(await appliesOf(world, 'far/app')).toEqual([]);
  });

  test('are planned again when another one applies the same project', async ({ expect }) => {
    const base = await branchOff(world, 'applied', { 'both/main.tf': world.project('both', database('1')) });
    const open = async (name: string) => {
      const pullRequest = await world.repository.openPullRequest({
        title: `Add ${name}`,
        author: 'mona',
        head: `both-${name}`,
        base,
        files: { [`both/${name}.tf`]: resource(name) },
      });
      await untilCheck(pullRequest, 'hatchet/plan', '1 project: 2 to add');
      await untilComment(pullRequest, 'Ready');
      return pullRequest;
    };
    const [first, second] = [await open('one'), await open('two')];
    await order(first, 'hubot', '/hatchet apply');
    await untilCheck(first, 'hatchet/apply', 'Applied');
    // The database is there now, and what the first one added is not in the second one's code.
    await untilCheck(second, 'hatchet/plan', '1 project: 1 to add, 1 to destroy');
    await untilComment(second, 'Waiting for 1 approval');
    expect(await appliesOf(world, 'both')).toEqual([{ number: first.number, state: 'applied' }]);
    expect(await countPlans(world, 'both')).toBe(3);
  });

  test('that are many are all planned again, each once', async ({ expect }) => {
    const base = await branchOff(world, 'many', { 'shared/many/main.tf': resource('net') });
    const dirs = Array.from({ length: 6 }, (_, index) => `many-${index}`);
    const all = await Promise.all(
      dirs.map((dir) => openReady(world, { dir, body: calls('../shared/many'), base })),
    );
    await world.repository.commit(base, { files: { 'shared/many/more.tf': resource('more') } });
    for (const pullRequest of all) await untilCheck(pullRequest, 'hatchet/plan', '1 project: 2 to add');
    for (const pullRequest of all) await untilComment(pullRequest, '2 to add');
    expect(await Promise.all(dirs.map((dir) => countPlans(world, dir)))).toEqual(dirs.map(() => 2));
  });

  test('do not see a push to the base that changes nothing of them', async ({ expect }) => {
    const base = await branchOff(world, 'aside-base');
    const pullRequest = await openOn(world, { dir: 'aside', body: database('1'), base });
    const ready = await untilCheck(pullRequest, 'hatchet/apply', approved);
    await untilComment(pullRequest, 'Ready');
    const before = mainComment(pullRequest);
    await world.repository.commit(base, { files: { 'elsewhere/readme.md': 'nothing\n' } });
    await world.repository.commit(base, { files: { 'elsewhere/readme.md': 'nothing new\n' } });
    const second = await openOn(world, { dir: 'aside-later', body: database('1'), base });
    await untilCheck(second, 'hatchet/apply', approved);
    expect(await countPlans(world, 'aside')).toBe(1);
    expect(mainComment(pullRequest)).toBe(before);
    click(pullRequest, ready, 'Apply now', 'hubot');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
  });

  test('plan only the project again that a push to the base changes', async ({ expect }) => {
    const base = await branchOff(world, 'shared-base');
    const pullRequest = await openOn(world, {
      dir: 'shared',
      body: database('1'),
      base,
      files: { 'apart/main.tf': world.project('apart', database('1')) },
    });
    await untilCheck(pullRequest, 'hatchet/plan', '2 projects: 2 to add');
    await untilComment(pullRequest, 'Ready');
    const more = 'resource "terraform_data" "more" {}\n';
    await world.repository.commit(base, { files: { 'shared/more.tf': more } });
    await untilCheck(pullRequest, 'hatchet/plan', '2 projects: 3 to add');
    expect(await countPlans(world, 'shared')).toBe(2);
    expect(await countPlans(world, 'apart')).toBe(1);
  });

  test('can be applied while their base moves and nothing of them changes', async ({ expect }) => {
    const base = await branchOff(world, 'busy-base');
    const pullRequest = await openReady(world, { dir: 'moved', body: database('1'), base });
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

test('at the end no check is left open', () => untilNoneOpen(world));
