// Who owns a project, what do those who wait see, and what happens when it is given up?
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { inDatabase } from './postgres.ts';
import {
  appliesOf,
  ask,
  click,
  countPlans,
  database,
  headline,
  openOn,
  order,
  patienceMs,
  replies,
  seedDatabase,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilSecondAfter,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

/** One of the real app; thousands of the model (model-lock). Any other: `HATCHET_TEST_SEED`. */
const seeds = [Number(process.env.HATCHET_TEST_SEED ?? 1)];

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;

const planLocked = ['first', 'second', 'left-a', 'left-b', 'order-a', 'order-b', 'order-c'];
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
  world = await createWorld({
    files: (project) => ({
      'hatchet.yaml': configuration,
      'kept/main.tf': project('kept', database('1')),
      'unplanned/main.tf': project('unplanned', 'resource "terraform_data" "base" {}'),
      'closing-a/main.tf': project('closing-a', 'resource "terraform_data" "base" {}'),
      'closing-b/main.tf': project('closing-b', 'resource "terraform_data" "base" {}'),
      'circle-a/main.tf': project('circle-a', 'resource "terraform_data" "base" {}'),
      'circle-b/main.tf': project('circle-b', 'resource "terraform_data" "base" {}'),
      ...files,
      ...Object.fromEntries(
        seeds.flatMap((seed) =>
          ['a', 'b', 'c'].map((name) => [
            `mixed-${seed}-${name}/main.tf`,
            project(`mixed-${seed}-${name}`, 'resource "terraform_data" "base" {}'),
          ]),
        ),
      ),
    }),
  });
});
afterAll(() => world.close());

const approved = 'Approved, applies on merge';

/** A check in any state: what waits for others is not completed. */
const untilTitle = (pullRequest: PullRequestHandle, name: string, title: string) =>
  pullRequest.waitForCheck(name, { matching: (run) => run.title === title, timeoutMs: patienceMs });

/** What happened last to the ownership of a project. */
async function heldBy(dir: string): Promise<string | undefined> {
  const events = await inDatabase(
    world.databaseUrl,
    (sql) => sql<{ kind: string }[]>`select kind from lock_event
      where repository_id = ${world.repository.id} and dir = ${dir} order by id`,
  );
  return events.at(-1)?.kind;
}

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
    expect((await ask(first, 'hubot', '/hatchet status')).reply).toContain('; locked by this pull request |');
    expect((await ask(second, 'hubot', '/hatchet apply')).reply).toContain('is not planned yet');
    expect(await countPlans(world, 'first')).toBe(1);
    first.close('mona');
    await untilCheck(second, 'hatchet/apply', approved);
    await untilCheck(third, 'hatchet/plan', `Waiting for #${second.number} to release first, 1st in line`);
    await order(second, 'hubot', '/hatchet apply');
    await untilCheck(second, 'hatchet/apply', 'Applied');
    await ask(second, 'hubot', '/hatchet unlock');
    await untilCheck(third, 'hatchet/plan', '1 project: 1 to replace');
    expect(await appliesOf(world, 'first')).toEqual([{ number: second.number, state: 'applied' }]);
  });

  test("with `lock: none` is nobody's once an apply is over, and only then (S3)", async ({ expect }) => {
    const open = (version: string) =>
      openOn(world, { dir: 'shared', body: database(version), head: `shared-${version}` });
    const [first, second] = await Promise.all([open('1'), open('2')]);
    await Promise.all([first, second].map((one) => untilCheck(one, 'hatchet/apply', approved)));
    await order(first, 'hubot', '/hatchet apply');
    await untilCheck(first, 'hatchet/apply', 'Applied');
    await order(second, 'hubot', '/hatchet apply');
    // It was planned before the other was applied; nobody is waited for all the same.
    await untilCheck(second, 'hatchet/apply', '1 approval missing: shared');
    expect(replies(second).at(-1)).toContain('another pull request has applied something since');
    expect(await appliesOf(world, 'shared')).toEqual([{ number: first.number, state: 'applied' }]);
  });

  test('is not waited for by whoever has applied one that comes later: two could wait for each other (S3)', async ({
    expect,
  }) => {
    const open = async (name: string) => {
      const added = `resource "terraform_data" "${name}" {}\n`;
      const one = await world.repository.openPullRequest({
        title: `Circle ${name}`,
        author: 'mona',
        head: `circle-${name}`,
        files: { [`circle-a/${name}.tf`]: added, [`circle-b/${name}.tf`]: added },
      });
      await untilCheck(one, 'hatchet/apply', approved);
      return one;
    };
    const [left, right] = await Promise.all([open('left'), open('right')]);
    const applied = async (of: PullRequestHandle, dir: string) => {
      await order(of, 'hubot', `/hatchet apply ${dir}`);
      const isDone = (one: { readonly number: number; readonly state: string }) =>
        one.number === of.number && one.state === 'applied';
      await vi.waitUntil(async () => (await appliesOf(world, dir)).some(isDone), { timeout: patienceMs });
    };
    await applied(left, 'circle-b');
    await applied(right, 'circle-a');
    expect((await ask(left, 'hubot', '/hatchet apply circle-a')).reply).toMatch(
      new RegExp(`\`circle-a\` belongs to #${right.number}, and this pull request holds \`circle-b\``),
    );
    await order(right, 'hubot', '/hatchet apply circle-b');
    await untilTitle(right, 'hatchet/apply', `Waiting for #${left.number} to apply circle-b (1st in line)`);
    await ask(left, 'hubot', '/hatchet unlock');
    // Its turn came, and its plan knew nothing of what the other had applied.
    await untilCheck(right, 'hatchet/apply', '1 approval missing: circle-b');
    for (const one of [left, right]) one.close('mona');
  });

  test('that is held by a pull request that is closed while it waits for another is given up (S3, S14)', async ({
    expect,
  }) => {
    const files =
      (...dirs: readonly string[]) =>
      (name: string) =>
        world.repository.openPullRequest({
          ...{ title: name, author: 'mona', head: `closing-${name}` },
          files: Object.fromEntries(
            dirs.map((dir) => [`${dir}/${name}.tf`, `resource "terraform_data" "${name}" {}\n`]),
          ),
        });
    const [owner, waiter] = [
      await files('closing-b')('owner'),
      await files('closing-a', 'closing-b')('waiter'),
    ];
    for (const one of [owner, waiter]) await untilCheck(one, 'hatchet/apply', approved);
    await order(owner, 'hubot', '/hatchet apply');
    await untilCheck(owner, 'hatchet/apply', 'Applied');
    await untilCheck(waiter, 'hatchet/apply', approved);
    await order(waiter, 'hubot', '/hatchet apply closing-a');
    const isApplied = async () =>
      (await appliesOf(world, 'closing-a')).some(({ state }) => state === 'applied');
    await vi.waitUntil(isApplied, { timeout: patienceMs });
    await order(waiter, 'hubot', '/hatchet apply closing-b');
    await untilTitle(
      waiter,
      'hatchet/apply',
      `Waiting for #${owner.number} to apply closing-b (1st in line)`,
    );
    waiter.close('mona');
    await vi.waitUntil(async () => (await heldBy('closing-a')) === 'released', { timeout: patienceMs });
    expect(waiter.check('hatchet/apply').status).toBe('completed');
    owner.close('mona');
  });

  test('with `lock: plan` that comes before what its pull request holds is refused with a word, not waited for (S3)', async ({
    expect,
  }) => {
    const first = await openOn(world, { dir: 'order-a', body: database('1'), head: 'order-first' });
    await untilCheck(first, 'hatchet/apply', approved);
    const second = await openOn(world, { dir: 'order-c', body: database('1'), head: 'order-second' });
    await untilCheck(second, 'hatchet/apply', approved);
    await order(second, 'hubot', '/hatchet apply');
    await untilCheck(second, 'hatchet/apply', 'Applied');
    // One that is the other's, and one that is nobody's.
    await second.push({
      'order-a/main.tf': world.project('order-a', database('2')),
      'order-b/main.tf': world.project('order-b', database('2')),
    });
    await untilCheck(second, 'hatchet/plan', `order-a: It belongs to #${first.number}`);
    await untilCheck(second, 'hatchet/plan: order-b', '1 to add');
    const told = await untilComment(
      second,
      'To wait for it while this pull request holds order-c could be for ever',
    );
    first.close('mona');
    await vi.waitUntil(async () => (await heldBy('order-a')) === 'released', { timeout: patienceMs });
    await untilSecondAfter(told);
    await order(second, 'hubot', '/hatchet plan');
    await untilCheck(second, 'hatchet/apply', approved);
    expect((await ask(second, 'hubot', '/hatchet status')).reply).toContain('order-a');
    second.close('mona');
  });

  test("that was merged and not applied stays its pull request's, until that gives it up (S3)", async ({
    expect,
  }) => {
    await seedDatabase(world, 'kept', '1');
    const first = await openOn(world, { dir: 'kept', body: database('2') });
    await untilCheck(first, 'hatchet/apply', '1 approval missing: kept');
    const add = (name: string) =>
      world.repository.openPullRequest({
        title: `Add ${name}`,
        author: 'mona',
        head: `kept-${name}`,
        files: { [`kept/${name}.tf`]: `resource "terraform_data" "${name}" {}\n` },
      });
    const second = await add('second');
    await untilCheck(second, 'hatchet/apply', approved);
    const merge = await first.merge({ by: 'mona' });
    const missing = await untilCheck(first, 'hatchet/apply', '1 approval missing: kept', merge);
    expect(missing.text).toContain("`kept` stays this pull request's until that is applied");
    await order(second, 'hubot', '/hatchet apply');
    await untilTitle(second, 'hatchet/apply', `Waiting for #${first.number} to apply kept (1st in line)`);
    await untilComment(second, `waiting for #${first.number}, 1st in line, since`);
    await ask(first, 'hubot', '/hatchet unlock');
    // Its turn came, and its plan knew nothing of the merge.
    const asks = await untilCheck(second, 'hatchet/apply', '1 approval missing: kept');
    expect(replies(second).at(-1)).toContain('the base branch has moved');
    click(second, asks, 'Approve', 'hubot');
    const ready = await untilCheck(second, 'hatchet/apply', approved);
    click(second, ready, 'Apply now', 'hubot');
    await untilCheck(second, 'hatchet/apply', 'Applied');
    expect(await appliesOf(world, 'kept')).toEqual([{ number: second.number, state: 'applied' }]);
    second.close('mona');
    const third = await add('third');
    await untilCheck(third, 'hatchet/apply', '1 approval missing: kept');
    await untilComment(third, `**\`kept\` was applied by #${second.number}, not merged.**`);
    expect(third.check('hatchet/plan: kept').summary).toContain(
      `was applied by #${second.number}, not merged`,
    );
  });

  test("that was merged with a plan that fails stays its pull request's, too (S3, S4)", async ({
    expect,
  }) => {
    const change = (name: string, files: Readonly<Record<string, string>>, gone: readonly string[] = []) =>
      world.repository.openPullRequest({
        title: name,
        author: 'mona',
        head: `unplanned-${name}`,
        files,
        delete: gone,
      });
    const broken = 'resource "terraform_data" "bad" {\n  input = file("missing")\n}\n';
    const first = await change('first', { 'unplanned/bad.tf': broken });
    await untilCheck(first, 'hatchet/apply', 'The plan failed: unplanned');
    const merge = await first.merge({ by: 'mona' });
    const failed = await untilCheck(first, 'hatchet/apply', 'The plan failed: unplanned', merge);
    expect(failed.text).toContain("`unplanned` stays this pull request's until that is applied");
    const added = 'resource "terraform_data" "added" {}\n';
    const second = await change('second', { 'unplanned/added.tf': added }, ['unplanned/bad.tf']);
    await untilCheck(second, 'hatchet/apply', approved);
    await order(second, 'hubot', '/hatchet apply');
    await untilTitle(
      second,
      'hatchet/apply',
      `Waiting for #${first.number} to apply unplanned (1st in line)`,
    );
    await ask(first, 'hubot', '/hatchet unlock');
    await untilCheck(second, 'hatchet/apply', 'Applied');
    expect(await appliesOf(world, 'unplanned')).toEqual([{ number: second.number, state: 'applied' }]);
  });
});

/** The same numbers for the same seed. Source: the constants are those of Numerical Recipes. */
function createDice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

type Held = { readonly dir: string; readonly number: number; readonly kind: string };
type Ran = { readonly dir: string; readonly begun: Date; readonly finished: Date | null };

const verbs = ['apply', 'apply', 'apply', 'unlock', 'approve', 'cancel', 'plan', 'push'];

describe.concurrent('three pull requests on three projects, in any order', () => {
  test.for(seeds)(
    'one owner and one apply at a time, and everybody ends (seed %i) (S3)',
    async (seed, { expect }) => {
      const dirs = ['a', 'b', 'c'].map((name) => `mixed-${seed}-${name}`);
      const open = (name: string) =>
        world.repository.openPullRequest({
          title: `Change ${name}`,
          author: 'mona',
          head: `mixed-${seed}-${name}`,
          files: Object.fromEntries(
            dirs.map((dir) => [`${dir}/${name}.tf`, `resource "terraform_data" "${name}" {}\n`]),
          ),
        });
      const all = [await open('x'), await open('y'), await open('z')];
      for (const one of all) await untilCheck(one, 'hatchet/apply', approved);
      const roll = createDice(seed);
      for (let step = 0; step < 12; step += 1) {
        const one = all[roll(all.length)] ?? expect.fail();
        const verb = verbs[roll(verbs.length)];
        const dir = roll(2) === 0 ? '' : ` ${dirs[roll(dirs.length)]}`;
        // Every third comes before the one before it is answered.
        if (step % 3 !== 0) await ask(one, 'hubot', '/hatchet status');
        if (verb === 'push') await one.push({ [`${dirs[roll(dirs.length)]}/step-${step}.tf`]: '' });
        else one.comment('hubot', `/hatchet ${verb}${dir}`);
      }
      for (const one of all) one.close('mona');
      const read = () =>
        inDatabase(world.databaseUrl, async (sql) => ({
          held: await sql<Held[]>`select dir, number, kind from lock_event
          where repository_id = ${world.repository.id} and dir in ${sql(dirs)} order by id`,
          ran: await sql<Ran[]>`select dir, begun_at as begun, finished_at as finished from apply
          where repository_id = ${world.repository.id} and dir in ${sql(dirs)} order by fence`,
        }));
      const ended = async (): Promise<boolean> => {
        const { held, ran } = await read();
        const owners = dirs.map((dir) => held.findLast((each) => each.dir === dir)?.kind ?? 'released');
        return ran.every(({ finished }) => finished !== null) && owners.every((kind) => kind !== 'taken');
      };
      await vi.waitUntil(ended, { timeout: patienceMs, interval: 200 });
      const { held, ran } = await read();
      expect(ran.length).toBeGreaterThan(0);
      for (const dir of dirs) {
        let owner: number | null = null;
        for (const { kind, number } of held.filter((each) => each.dir === dir)) {
          expect(owner).toBe(kind === 'taken' ? null : number);
          owner = kind === 'taken' ? number : null;
        }
        const mine = ran.filter((each) => each.dir === dir);
        for (const [index, { begun }] of mine.entries())
          expect(begun.getTime()).toBeGreaterThanOrEqual(mine[index - 1]?.finished?.getTime() ?? 0);
      }
    },
  );
});

test('no check is left open (S14)', () => untilNoneOpen(world));
