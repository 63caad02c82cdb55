// What happens to a plan when the pull request changes: pushes, drafts, another base, a close, a re-run, a fork?
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { CheckRun } from '../fixtures/sandbox/model.ts';
import type { GatedStates } from './gated-states.ts';
import { startGatedStates } from './gated-states.ts';
import { holdTable } from './held-table.ts';
import { faces } from './normalize.ts';
import {
  appliesOf,
  ask,
  branchOff,
  click,
  countPlans,
  countVerdicts,
  database,
  everyBranch,
  headline,
  mainComment,
  openOn,
  order,
  patienceMs,
  replies,
  seedDatabase,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilReady,
  untilSecondAfter,
  untilWritten,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;
let states: GatedStates;

beforeAll(async () => {
  [world, states] = await Promise.all([createWorld({ files: () => everyBranch }), startGatedStates()]);
});
afterAll(async () => {
  await states.close();
  await world.close();
});

const approved = 'Approved, applies on merge';

describe.concurrent('rounds', () => {
  test('ten pushes in a row end in one finished plan, and no older commit keeps an open check (S14)', async ({
    expect,
  }) => {
    const pullRequest = await openOn(world, { dir: 'often', body: database('0') });
    const heads = [pullRequest.headSha];
    for (let version = 1; version <= 10; version++) {
      heads.push(
        await pullRequest.push({ 'often/main.tf': world.project('often', database(String(version))) }),
      );
    }
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    const comment = await untilComment(pullRequest, pullRequest.headSha.slice(0, 7));
    expect(comment.body).toContain('"10"');
    const older = heads.slice(0, -1).flatMap((sha) => world.repository.checks(sha));
    expect(older.filter((run) => run.status !== 'completed')).toEqual([]);
    expect(
      older.filter(
        (run) => run.name === 'hatchet/apply' && run.conclusion !== 'cancelled' && run.title !== approved,
      ),
    ).toEqual([]);
    expect(faces(await untilWritten(pullRequest, ['often']))).toEqual([
      `hatchet/apply: success, ${approved} [Apply now]`,
      'hatchet/plan: often: success, 1 to add [Re-plan]',
      'hatchet/plan: success, 1 project: 1 to add [Re-plan]',
      'hatchet/policy: success, All policies passed',
    ]);
  });

  test('a newer push cancels the plan that is under way (S1)', async ({ expect }) => {
    states.hold('overtaken');
    const backend = states.backend('overtaken');
    const pullRequest = await openOn(world, { dir: 'overtaken', body: database('1'), backend });
    await vi.waitUntil(() => states.waiting('overtaken') > 0, { timeout: patienceMs });
    const old = pullRequest.headSha;
    await pullRequest.waitForCheck('hatchet/plan', { status: 'in_progress', timeoutMs: patienceMs });
    await pullRequest.push({ 'overtaken/main.tf': world.project('overtaken', database('2')) });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await vi.waitUntil(() => states.waiting('overtaken') === 0, { timeout: patienceMs });
    // A check of the project is there, and cancelled as well, only where the plan went on for long enough.
    const aggregates = world.repository.checks(old).filter(({ name }) => !name.includes(':'));
    expect(faces(aggregates)).toMatchInlineSnapshot(`
      [
        "hatchet/apply: cancelled, Cancelled",
        "hatchet/plan: cancelled, Cancelled",
        "hatchet/policy: cancelled, Cancelled",
      ]
    `);
    expect(await countPlans(world, 'overtaken')).toBe(1);
    states.release('overtaken');
  });

  test('a click on a check of an older round is refused, Re-plan and Re-run plan again', async ({
    expect,
  }) => {
    const pullRequest = await openOn(world, { dir: 'again', body: database('1') });
    const old = await untilCheck(pullRequest, 'hatchet/apply', approved);
    const plan = pullRequest.check('hatchet/plan');
    await pullRequest.push({ 'again/main.tf': world.project('again', database('2')) });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    click(pullRequest, old, 'Apply now', 'hubot');
    click(pullRequest, plan, 'Re-plan', 'hubot');
    await vi.waitUntil(() => replies(pullRequest).length === 2, { timeout: patienceMs });
    expect([...replies(pullRequest)].sort()).toMatchInlineSnapshot(`
      [
        "@hubot \`/hatchet apply\` was refused: the plan of \`again\` changed after you wrote this, look again.",
        "@hubot \`/hatchet plan\` was refused: a newer push has come since, look again.",
      ]
    `);
    expect(await appliesOf(world, 'again')).toEqual([]);
    const planned = async (count: number): Promise<void> => {
      await vi.waitUntil(async () => (await countPlans(world, 'again')) === count, {
        timeout: patienceMs,
        interval: 200,
      });
      await untilCheck(pullRequest, 'hatchet/apply', approved);
    };
    await planned(2);
    click(pullRequest, pullRequest.check('hatchet/plan'), 'Re-plan', 'reader');
    await planned(3);
    pullRequest.rerunCheck(pullRequest.check('hatchet/policy'), 'reader');
    await planned(4);
    world.repository.rerunSuite(pullRequest.headSha, 'reader');
    await planned(5);
    expect(pullRequest.comments().filter((one) => one.body.startsWith('<!-- hatchet:pr -->'))).toHaveLength(
      1,
    );
  });

  test('a draft is planned when it is ready, and not applied when it becomes one again', async ({
    expect,
  }) => {
    const pullRequest = await openOn(world, { dir: 'draft', body: database('1'), draft: true });
    await untilCheck(pullRequest, 'hatchet/apply', 'A draft is not applied');
    await untilComment(pullRequest, 'draft');
    expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
      [
        "hatchet/apply: action_required, A draft is not applied",
        "hatchet/plan: neutral, A draft is not planned [Re-plan]",
        "hatchet/policy: neutral, Nothing to judge",
      ]
    `);
    expect(headline(pullRequest)).toMatchInlineSnapshot(
      `"**A draft is not planned.** It is planned when it is marked as ready for review."`,
    );
    expect(await countPlans(world, 'draft')).toBe(0);
    pullRequest.ready();
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    pullRequest.convertToDraft();
    await untilCheck(pullRequest, 'hatchet/apply', 'A draft is not applied');
    expect((await ask(pullRequest, 'hubot', '/hatchet apply')).reaction).toBe('confused');
    expect(await appliesOf(world, 'draft')).toEqual([]);
  });

  test('a draft is planned when somebody asks for it', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'draft-asked', body: database('1'), draft: true });
    const draft = await untilCheck(pullRequest, 'hatchet/plan', 'A draft is not planned');
    click(pullRequest, draft, 'Re-plan', 'mona');
    await untilCheck(pullRequest, 'hatchet/plan', '1 project: 1 to add');
    expect((await ask(pullRequest, 'hubot', '/hatchet apply')).reply).toMatchInlineSnapshot(
      `"@hubot \`/hatchet apply\` was refused: this is a draft. Mark it as ready for review first."`,
    );
    expect(faces(await untilWritten(pullRequest, ['draft-asked']))).toMatchInlineSnapshot(`
      [
        "hatchet/apply: success, Approved, applies on merge",
        "hatchet/plan: draft-asked: success, 1 to add [Re-plan]",
        "hatchet/plan: success, 1 project: 1 to add [Re-plan]",
        "hatchet/policy: success, All policies passed",
      ]
    `);
  });

  test('another base means another plan', async ({ expect }) => {
    await seedDatabase(world, 'retargeted', '1');
    await world.repository.commit('release', {
      files: { 'retargeted/another.tf': 'resource "terraform_data" "another" {}\n' },
    });
    const pullRequest = await openOn(world, { dir: 'retargeted', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', 'Nothing to apply');
    expect(faces(await untilWritten(pullRequest, ['retargeted']))).toMatchInlineSnapshot(`
      [
        "hatchet/apply: neutral, Nothing to apply",
        "hatchet/plan: retargeted: success, no changes [Re-plan]",
        "hatchet/plan: success, 1 project: no changes [Re-plan]",
        "hatchet/policy: success, All policies passed",
      ]
    `);
    await pullRequest.retarget('release');
    await untilCheck(pullRequest, 'hatchet/plan', '1 project: 1 to add');
    await untilComment(pullRequest, 'merged into `release`');
    expect(headline(pullRequest)).toMatchInlineSnapshot(
      `"**Ready: 1 project, 1 to add.** Merging applies it."`,
    );
  });

  test('two with one head show the worse of both, a click is about the one it was shown for (S14)', async ({
    expect,
  }) => {
    await world.repository.commit('crooked', { files: { 'shared/more.tf': 'resource "none" {\n' } });
    const pullRequest = await openOn(world, { dir: 'shared', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    const { number, headSha } = pullRequest;
    const head = pullRequest.data.head.ref;
    const other = await world.repository.openPullRequest({
      title: 'The same elsewhere',
      author: 'mona',
      head,
      base: 'crooked',
    });
    expect(other.headSha).toBe(headSha);
    const both = `#${number}: ${approved}; #${other.number}: The plan failed: shared`;
    const failed = await untilCheck(other, 'hatchet/apply', both);
    expect(failed.conclusion).toBe('failure');
    // Written once more by the one that would be green by itself.
    const planned = (count: number) =>
      vi.waitUntil(async () => (await countPlans(world, 'shared')) === count, {
        timeout: patienceMs,
        interval: 200,
      });
    await order(pullRequest, 'mona', '/hatchet plan');
    await planned(2);
    const shownFor = (one: typeof pullRequest) => (): boolean =>
      one.check('hatchet/apply').title === both &&
      one.check('hatchet/apply').externalId.startsWith(`${one.number}:`);
    await vi.waitUntil(shownFor(pullRequest), { timeout: patienceMs });
    expect(pullRequest.check('hatchet/apply')).toMatchObject({ conclusion: 'failure', id: failed.id });
    const { actions } = pullRequest.check('hatchet/apply');
    await order(other, 'mona', '/hatchet plan');
    await vi.waitUntil(shownFor(other), { timeout: patienceMs });
    click(pullRequest, { ...other.check('hatchet/apply'), actions }, 'Apply now', 'hubot');
    await vi.waitUntil(() => replies(pullRequest).length === 1, { timeout: patienceMs });
    expect(replies(pullRequest)).toMatchInlineSnapshot(`
      [
        "@hubot \`/hatchet apply\` was refused: the plan of \`shared\` changed after you wrote this, look again.",
      ]
    `);
    expect([await appliesOf(world, 'shared'), replies(other)]).toEqual([[], []]);
    // It is both's, whoever wrote it last. What fails is no plan: only those of the first one are counted.
    pullRequest.rerunCheck(other.check('hatchet/apply'), 'mona');
    await planned(3);
    other.close();
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    expect(faces(await untilWritten(pullRequest, ['shared']))).toMatchInlineSnapshot(`
      [
        "hatchet/apply: success, Approved, applies on merge [Apply now]",
        "hatchet/plan: shared: success, 1 to add [Re-plan]",
        "hatchet/plan: success, 1 project: 1 to add [Re-plan]",
        "hatchet/policy: success, All policies passed",
      ]
    `);
    expect(world.repository.checks(headSha).filter((run) => run.status !== 'completed')).toEqual([]);
    expect(pullRequest.check('hatchet/apply').conclusion).toBe('success');
  });

  test('a plan that takes long has a check of its own, beside those that are finished', async ({
    expect,
  }) => {
    const base = await branchOff(world, 'long-base');
    states.hold('slow');
    const files = { 'quick/main.tf': world.project('quick', database('1')) };
    const backend = states.backend('slow');
    const pullRequest = await openOn(world, { dir: 'slow', body: database('1'), backend, base, files });
    const slow = await pullRequest.waitForCheck('hatchet/plan: slow', {
      status: 'in_progress',
      timeoutMs: patienceMs,
    });
    expect(slow.title).toMatch(/^Planning since \d\d:\d\d UTC$/);
    await untilCheck(pullRequest, 'hatchet/plan: quick', '1 to add');
    await pullRequest.waitForCheck('hatchet/plan', {
      matching: ({ title }) => title === 'Planning 2 projects: 1 done',
      timeoutMs: patienceMs,
    });
    states.release('slow');
    await untilReady(pullRequest);
    await untilCheck(pullRequest, 'hatchet/plan: slow', '1 to add');
    const runs = pullRequest.allChecks().filter(({ name }) => name === 'hatchet/plan: slow');
    expect(runs).toHaveLength(1);
  });

  test('a closed pull request says so, and a reopened one is planned again', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'reopened', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    pullRequest.close();
    await untilCheck(pullRequest, 'hatchet/apply', 'The pull request was closed');
    await untilComment(pullRequest, 'Closed');
    expect(headline(pullRequest)).toBe(
      '**Closed without a merge.** Nothing more is planned or applied here.',
    );
    await pullRequest.reopen();
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await untilComment(pullRequest, 'Ready');
    expect(pullRequest.comments()).toHaveLength(1);
  });

  test('closing stops the plan that is under way and leaves no check open (S14)', async ({ expect }) => {
    states.hold('closed');
    const pullRequest = await openOn(world, {
      dir: 'closed',
      body: database('1'),
      backend: states.backend('closed'),
    });
    await vi.waitUntil(() => states.waiting('closed') > 0, { timeout: patienceMs });
    pullRequest.close();
    await untilCheck(pullRequest, 'hatchet/apply', 'The pull request was closed');
    await vi.waitUntil(() => states.waiting('closed') === 0, { timeout: patienceMs });
    states.release('closed');
    expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
      [
        "hatchet/apply: cancelled, The pull request was closed",
        "hatchet/plan: cancelled, Cancelled",
        "hatchet/policy: cancelled, Cancelled",
      ]
    `);
  });

  test('a failed plan does not hold up other projects', async ({ expect }) => {
    const broken = 'resource "terraform_data" "database" {\n  inptu = "1"\n}\n';
    const pullRequest = await openOn(world, {
      dir: 'works',
      body: database('1'),
      files: { 'fails/main.tf': world.project('fails', broken) },
    });
    await untilCheck(pullRequest, 'hatchet/apply', 'The plan failed: fails');
    await untilComment(pullRequest, 'could not be planned');
    expect(faces(await untilWritten(pullRequest, ['fails', 'works']))).toMatchInlineSnapshot(`
      [
        "hatchet/apply: failure, The plan failed: fails",
        "hatchet/plan: fails: failure, Unsupported argument (fails/main.tf:8) [Re-plan]",
        "hatchet/plan: failure, fails: Unsupported argument (fails/main.tf:8) [Re-plan]",
        "hatchet/plan: works: success, 1 to add [Re-plan]",
        "hatchet/policy: success, All policies passed",
      ]
    `);
    expect(pullRequest.check('hatchet/plan: fails').annotations).toMatchInlineSnapshot(`
      [
        {
          "endColumn": 8,
          "endLine": 8,
          "level": "failure",
          "message": "An argument named "inptu" is not expected here. Did you mean "input"?",
          "path": "fails/main.tf",
          "rawDetails": null,
          "startColumn": 3,
          "startLine": 8,
          "title": "Unsupported argument",
        },
      ]
    `);
    expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **\`fails\` could not be planned.** Fix the error below and push; other projects are not held up.

      | Project | Add | Change | Destroy | Replace | Policy | Status |
      | :-- | --: | --: | --: | --: | :-- | :-- |
      | [fails](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | | | | | | failed |
      | [works](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | 1 | | | | passed | ready, applies on merge |

      \`fails/main.tf:8\` **Unsupported argument**: An argument named "inptu" is not expected here. Did you mean "input"?

      <details><summary><b>works</b>: 1 to add</summary>

      \`\`\`diff
      + terraform_data.database
      +     triggers_replace   "1"
      +     known after apply: id
      \`\`\`

      </details>

      <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`main\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · Terraform 1.11.4 · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
    `);
    await order(pullRequest, 'hubot', '/hatchet apply works');
    await vi.waitUntil(async () => (await appliesOf(world, 'works'))[0]?.state === 'applied', {
      timeout: patienceMs,
      interval: 200,
    });
    await untilComment(pullRequest, 'by @hubot');
    expect(headline(pullRequest)).toMatchInlineSnapshot(
      `"**\`fails\` could not be planned.** Fix the error below and push; other projects are not held up."`,
    );
    expect(faces(pullRequest.checks())).toContain('hatchet/apply: failure, The plan failed: fails');
  });

  test('a fork is planned only when a writer allows exactly this commit (S8)', async ({ expect }) => {
    const fork = await world.repository.fork('stranger');
    const pullRequest = await openOn(world, {
      dir: 'forked',
      body: database('1'),
      author: 'stranger',
      fromFork: fork,
    });
    const waiting = await untilCheck(
      pullRequest,
      'hatchet/plan',
      'A fork is planned when a writer allows this commit',
    );
    await untilComment(pullRequest, 'fork');
    expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
      [
        "hatchet/apply: action_required, A fork waits for a writer",
        "hatchet/plan: action_required, A fork is planned when a writer allows this commit [Allow plan]",
        "hatchet/policy: neutral, Nothing to judge",
      ]
    `);
    expect(mainComment(pullRequest).replaceAll(/plan [0-9a-f]{7}/g, 'plan SHA')).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **Not planned: this comes from a fork, and planning runs its code.**
      Anyone with write, after a look at the code: **Allow plan** on the [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) check, or comment \`/hatchet plan SHA\`.

      <sub>Head [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
    `);
    const allow = `/hatchet plan ${pullRequest.headSha.slice(0, 7)}`;
    expect((await ask(pullRequest, 'stranger', allow)).reply).toContain('it takes write access');
    expect((await ask(pullRequest, 'reader', allow)).reply).toContain('it takes write access');
    expect((await ask(pullRequest, 'hubot', '/hatchet plan')).reply).toContain(allow);
    expect((await ask(pullRequest, 'hubot', '/hatchet plan 0123456')).reaction).toBe('confused');
    click(pullRequest, waiting, 'Allow plan', 'reader');
    await vi.waitUntil(() => replies(pullRequest).length === 5, { timeout: patienceMs });
    expect(await countPlans(world, 'forked')).toBe(0);
    click(pullRequest, waiting, 'Allow plan', 'hubot');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await pullRequest.push({ 'forked/main.tf': world.project('forked', database('2')) });
    await untilCheck(pullRequest, 'hatchet/apply', 'A fork waits for a writer');
    click(pullRequest, waiting, 'Allow plan', 'hubot');
    await vi.waitUntil(() => replies(pullRequest).length === 6, { timeout: patienceMs });
    expect((await ask(pullRequest, 'hubot', allow)).reaction).toBe('confused');
    expect(await countPlans(world, 'forked')).toBe(1);
    await order(pullRequest, 'hubot', `/hatchet plan ${pullRequest.headSha.slice(0, 10)}`);
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await untilSecondAfter(await untilComment(pullRequest, 'Ready'));
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
  });
});

const isClosed = ({ status }: CheckRun): boolean => status === 'completed';

test('a newer push overtakes an older one whose policies are being asked: their late answer changes nothing (S1)', async () => {
  const [dir, backend] = ['judged', states.backend('judged')];
  const verdicts = await holdTable(world, 'verdict');
  const pullRequest = await openOn(world, { dir, body: database('older'), backend });
  const old = pullRequest.headSha;
  await verdicts.untilWaiting(1);
  states.hold(dir);
  await pullRequest.push({ [`${dir}/main.tf`]: `${backend}\n${database('newer')}\n` });
  await vi.waitUntil(() => states.waiting(dir) > 0, { timeout: patienceMs });
  await verdicts.release();
  await vi.waitUntil(async () => (await countVerdicts(world, dir)) === 1, {
    timeout: patienceMs,
    interval: 50,
  });
  await vi.waitUntil(() => world.repository.checks(old).every(isClosed), { timeout: patienceMs });
  const aggregates = world.repository.checks(old).filter(({ name }) => !name.includes(':'));
  expect(new Set(aggregates.map(({ conclusion }) => conclusion))).toEqual(new Set(['cancelled']));
  expect((await ask(pullRequest, 'reader', '/hatchet status')).reply).toContain('| planning since');
  expect(pullRequest.comments().filter(({ body }) => body.includes('older'))).toEqual([]);
  states.release(dir);
  await untilReady(pullRequest);
  expect(mainComment(pullRequest)).toContain('"newer"');
});

test('a newer push overtakes an older one whose plan is being written to GitHub: the newer one is what stays (S1)', async () => {
  const [dir, backend] = ['shown', states.backend('shown')];
  states.hold(dir);
  const pullRequest = await openOn(world, { dir, body: database('older'), backend });
  const old = pullRequest.headSha;
  await vi.waitUntil(() => states.waiting(dir) > 0, { timeout: patienceMs });
  await pullRequest.waitForCheck('hatchet/plan', { status: 'in_progress', timeoutMs: patienceMs });
  await world.sandbox.settled();
  const shown = await holdTable(world, 'shown');
  states.release(dir);
  await vi.waitUntil(async () => (await countVerdicts(world, dir)) === 1, {
    timeout: patienceMs,
    interval: 50,
  });
  await shown.untilWaiting(1);
  await pullRequest.push({ [`${dir}/main.tf`]: `${backend}\n${database('newer')}\n` });
  await vi.waitUntil(async () => (await countVerdicts(world, dir)) === 2, {
    timeout: patienceMs,
    interval: 50,
  });
  expect(pullRequest.checks()).toEqual([]);
  await shown.release();
  await untilReady(pullRequest);
  await untilComment(pullRequest, '"newer"');
  await world.sandbox.settled();
  expect(mainComment(pullRequest)).not.toContain('"older"');
  expect(headline(pullRequest)).toBe('**Ready: 1 project, 1 to add.** Merging applies it.');
  expect(world.repository.checks(old).every(isClosed)).toBe(true);
  const [mine, others] = [pullRequest.checks(), world.repository.checks(old)];
  expect(others.map(({ externalId }) => externalId)).not.toContain(mine[0]?.externalId);
});

test('no check is left open (S14)', () => untilNoneOpen(world));
