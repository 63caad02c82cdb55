// Is exactly the reviewed plan applied when a pull request is merged, whatever happened to the base meanwhile?
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import { faces } from './normalize.ts';
import {
  appliesOf,
  ask,
  click,
  countPlans,
  database,
  headline,
  mainComment,
  openOn,
  order,
  patienceMs,
  replies,
  seedDatabase,
  stateFile,
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
  world = await createWorld({ people: ['lee'] });
});
afterAll(() => world.close());

const approved = 'Approved, applies on merge';
const another = 'resource "terraform_data" "another" {}\n';

describe.concurrent('on merge', () => {
  test.for(['merge', 'squash', 'rebase'] as const)(
    'the stored plan is applied (%s)',
    async (method, { expect }) => {
      const dir = `by-${method}`;
      const pullRequest = await openOn(world, { dir, body: database('1') });
      await untilCheck(pullRequest, 'hatchet/apply', approved);
      await world.repository.commit('main', { files: { [`elsewhere-${method}.txt`]: 'the base moves\n' } });
      const merge = await pullRequest.merge({ by: 'hubot', method });
      await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
      expect(faces(await untilWritten(pullRequest, [dir], merge))).toEqual([
        'hatchet/apply: success, Applied',
        `hatchet/plan: ${dir}: success, 1 to add [Re-plan]`,
        'hatchet/plan: success, 1 project: 1 to add [Re-plan]',
        'hatchet/policy: success, All policies passed',
      ]);
      expect(headline(pullRequest)).toBe('**Applied.** 1 project, 1 added, in DURATION.');
      expect(await countPlans(world, dir)).toBe(1);
      expect(await appliesOf(world, dir)).toEqual([{ number: pullRequest.number, state: 'applied' }]);
    },
  );

  test('what was applied before the merge is not applied again (S6)', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'early', body: database('1') });
    const ready = await untilCheck(pullRequest, 'hatchet/apply', approved);
    click(pullRequest, ready, 'Apply now', 'hubot');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
    const state = await readFile(stateFile(world, 'early'), 'utf8');
    expect(await ask(pullRequest, 'hubot', '/hatchet apply')).toEqual({
      reaction: 'eyes',
      reply: '@hubot there is nothing to apply.',
    });
    const merge = await pullRequest.merge({ by: 'hubot' });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
    expect(await readFile(stateFile(world, 'early'), 'utf8')).toBe(state);
    expect(await appliesOf(world, 'early')).toEqual([{ number: pullRequest.number, state: 'applied' }]);
    expect(headline(pullRequest)).toBe('**Applied.** 1 project, 1 added, in DURATION.');
  });

  test('a base that moved in the same project is planned again and asks on the merge commit (S1)', async ({
    expect,
  }) => {
    const pullRequest = await openOn(world, { dir: 'moved', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await world.repository.commit('main', { files: { 'moved/another.tf': another } });
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: moved', merge);
    expect(faces(await untilWritten(pullRequest, ['moved'], merge))).toMatchInlineSnapshot(`
      [
        "hatchet/apply: action_required, 1 approval missing: moved [Approve]",
        "hatchet/plan: moved: success, 2 to add [Re-plan]",
        "hatchet/plan: success, 1 project: 2 to add [Re-plan]",
        "hatchet/policy: success, All policies passed",
      ]
    `);
    expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **Waiting for 1 approval: \`moved\`.**
      Anyone with write: **Approve** on the [hatchet/apply](https://github.test/octo-org/infra/commit/SHA/checks) check, or comment \`/hatchet approve\`. The last yes starts the apply.

      | Project | Add | Change | Destroy | Replace | Policy | Status |
      | :-- | --: | --: | --: | --: | :-- | :-- |
      | [moved](https://github.test/octo-org/infra/commit/SHA/checks) | 2 | | | | needs 1 approval | waiting |

      - \`moved\` needs 1 approval by anyone with write: the merge changed this plan

      <details><summary><b>moved</b>: 2 to add</summary>

      \`\`\`diff
      + terraform_data.another
      +     known after apply: id

      + terraform_data.database
      +     triggers_replace   "1"
      +     known after apply: id
      \`\`\`

      </details>

      <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`main\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · Terraform 1.11.4 · [hatchet/plan](https://github.test/octo-org/infra/commit/SHA/checks) · [hatchet/policy](https://github.test/octo-org/infra/commit/SHA/checks) · [hatchet/apply](https://github.test/octo-org/infra/commit/SHA/checks)</sub>"
    `);
    expect(await appliesOf(world, 'moved')).toEqual([]);
    await untilSecondAfter(await untilComment(pullRequest, 'Waiting for 1 approval'));
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
    expect(headline(pullRequest)).toBe('**Applied.** 1 project, 2 added, in DURATION.');
    expect(await appliesOf(world, 'moved')).toHaveLength(1);
  });

  test('a base that moved without changing the plan does not ask anew', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'noted', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await world.repository.commit('main', { files: { 'noted/notes.tf': '# nothing new\n' } });
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
    expect(await countPlans(world, 'noted')).toBe(2);
    expect(await appliesOf(world, 'noted')).toHaveLength(1);
  });

  test('what lacks an approval waits for it on the merge commit, and the click there starts it (S14)', async ({
    expect,
  }) => {
    await seedDatabase(world, 'unapproved', '1');
    const pullRequest = await openOn(world, { dir: 'unapproved', body: database('2') });
    await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: unapproved');
    const merge = await pullRequest.merge({ by: 'mona' });
    const waiting = await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: unapproved', merge);
    expect(waiting.conclusion).toBe('action_required');
    await untilComment(pullRequest, 'The last yes starts the apply.');
    click(pullRequest, waiting, 'Approve', 'hubot');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
    expect(await appliesOf(world, 'unapproved')).toHaveLength(1);
  });

  test('a push between plan and merge is planned before anything is applied (S1)', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'pushed', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await pullRequest.push({ 'pushed/another.tf': another });
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: pushed', merge);
    expect(await appliesOf(world, 'pushed')).toEqual([]);
    await untilSecondAfter(await untilComment(pullRequest, 'Waiting for 1 approval'));
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
  });

  test('a failed apply is explained where it happened and can be tried again after a new plan', async ({
    expect,
  }) => {
    const gate = join(dirname(stateFile(world, 'failing')), 'failing.opened');
    const body = `resource "terraform_data" "good" {}
resource "terraform_data" "bad" {
  depends_on = [terraform_data.good]
  provisioner "local-exec" {
    command = "test -e '${gate}' || { echo the gate is closed >&2; exit 3; }"
  }
}`;
    const pullRequest = await openOn(world, { dir: 'failing', body });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await order(pullRequest, 'hubot', '/hatchet apply');
    const failed = await pullRequest.waitForCheck('hatchet/apply', {
      conclusion: 'failure',
      timeoutMs: patienceMs,
    });
    expect(faces([failed])).toMatchInlineSnapshot(`
      [
        "hatchet/apply: failure, failing failed, 1 of 2 done: local-exec provisioner error [Re-plan]",
      ]
    `);
    await untilComment(pullRequest, 'half applied');
    expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **\`failing\` is half applied: 1 of 2 changes is done.**
      To go on: remove the cause below, then **Re-plan** on the [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) check or comment \`/hatchet plan\` (a new plan, a new approval).

      | Project | Add | Change | Destroy | Replace | Policy | Status |
      | :-- | --: | --: | --: | --: | :-- | :-- |
      | [failing](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | 2 | | | | passed | half applied, 1 of 2 |

      \`failing/main.tf:10\` **local-exec provisioner error**: Error running command 'test -e '/WORLD/state/failing.opened' \\|\\| { echo the gate is closed &gt;&amp;2; exit 3; }': exit status 3. Output: the gate is closed

      <details><summary><b>failing</b>: 2 to add</summary>

      \`\`\`diff
      + terraform_data.bad
      + terraform_data.good
      +     known after apply: id
      \`\`\`

      </details>

      <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`main\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · Terraform 1.11.4 · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
    `);
    expect((await ask(pullRequest, 'hubot', '/hatchet apply')).reaction).toBe('confused');
    await writeFile(gate, '');
    click(pullRequest, failed, 'Re-plan', 'mona');
    const again = await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: failing');
    click(pullRequest, again, 'Approve', 'hubot');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await untilSecondAfter(await untilComment(pullRequest, 'Ready'));
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
    expect((await appliesOf(world, 'failing')).map(({ state }) => state)).toEqual(['failed', 'applied']);
  });

  test('an apply that fails after the merge says so on the merge commit (S14)', async ({ expect }) => {
    const body = `resource "terraform_data" "bad" {
  provisioner "local-exec" {
    command = "exit 3"
  }
}`;
    const pullRequest = await openOn(world, { dir: 'fails-late', body });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    const merge = await pullRequest.merge({ by: 'mona' });
    const failed = await pullRequest.waitForCheck('hatchet/apply', {
      sha: merge,
      conclusion: 'failure',
      timeoutMs: patienceMs,
    });
    expect(faces([failed])).toMatchInlineSnapshot(`
      [
        "hatchet/apply: failure, fails-late failed, 0 of 1 done: local-exec provisioner error [Re-plan]",
      ]
    `);
    expect(headline(pullRequest)).toMatchInlineSnapshot(
      `"**\`fails-late\` could not be applied: none of its changes is done.**"`,
    );
  });

  test('two pull requests on one project: the second waits for the first and is applied after it (S3)', async ({
    expect,
  }) => {
    await world.repository.commit('main', { files: { 'shared/backend.tf': world.project('shared', '') } });
    const open = (name: string, code: string) =>
      world.repository.openPullRequest({
        title: `Add ${name}`,
        author: 'mona',
        head: `shared-${name}`,
        files: { [`shared/${name}.tf`]: code },
      });
    const first = await open('database', database('1'));
    await untilCheck(first, 'hatchet/apply', approved);
    await order(first, 'hubot', '/hatchet apply');
    await untilCheck(first, 'hatchet/apply', 'Applied');
    const second = await open('another', another);
    // It would destroy what the first has made and not merged: somebody has to look.
    const asks = await untilCheck(second, 'hatchet/apply', '1 approval missing: shared');
    click(second, asks, 'Approve', 'hubot');
    await untilCheck(second, 'hatchet/apply', approved);
    await order(second, 'hubot', '/hatchet apply');
    const queued = await second.waitForCheck('hatchet/apply', {
      matching: (run) => run.title === `Waiting for #${first.number} to apply shared (1st in line)`,
      timeoutMs: patienceMs,
    });
    expect(queued.status).toBe('in_progress');
    await untilComment(second, `#${first.number}`);
    expect(await appliesOf(world, 'shared')).toHaveLength(1);
    const merge = await first.merge({ by: 'mona' });
    await untilCheck(first, 'hatchet/apply', 'Applied', merge);
    // The base has moved under it: the queued plan is out of date, and the new one is another.
    await untilCheck(second, 'hatchet/apply', approved);
    await untilCheck(second, 'hatchet/plan', '1 project: 1 to add');
    await untilSecondAfter(await untilComment(second, 'Ready'));
    const secondMerge = await second.merge({ by: 'mona' });
    await untilCheck(second, 'hatchet/apply', 'Applied', secondMerge);
    expect(await appliesOf(world, 'shared')).toEqual([
      { number: first.number, state: 'applied' },
      { number: second.number, state: 'applied' },
    ]);
  });

  test('an apply in line goes on over a push that changes nothing of its project (S3)', async ({
    expect,
  }) => {
    const open = (version: string) =>
      openOn(world, { dir: 'over-push', body: database(version), head: `over-push-${version}` });
    const first = await open('1');
    await untilCheck(first, 'hatchet/apply', approved);
    await order(first, 'hubot', '/hatchet apply');
    await untilCheck(first, 'hatchet/apply', 'Applied');
    const second = await open('2');
    click(
      second,
      await untilCheck(second, 'hatchet/apply', '1 approval missing: over-push'),
      'Approve',
      'hubot',
    );
    await untilCheck(second, 'hatchet/apply', approved);
    await untilSecondAfter(await untilComment(second, 'Ready'));
    await order(second, 'hubot', '/hatchet apply');
    const untilInLine = (sha: string) =>
      second.waitForCheck('hatchet/apply', {
        sha,
        matching: ({ title }) => title === `Waiting for #${first.number} to apply over-push (1st in line)`,
        timeoutMs: patienceMs,
      });
    await untilInLine(second.headSha);
    const pushed = await second.push({ 'notes/over-push.md': 'Nothing of the project.\n' });
    await untilInLine(pushed);
    await untilCheck(second, 'hatchet/plan', '1 project: 1 to replace', pushed);
    first.close('mona');
    await untilCheck(second, 'hatchet/apply', 'Applied', pushed);
    expect((await appliesOf(world, 'over-push')).map(({ state }) => state)).toEqual(['applied', 'applied']);
  });

  test('an apply in line that a push or a word leaves without its approval or its plan ends at once (S4, S17)', async ({
    expect,
  }) => {
    const dir = 'out-of-line';
    const open = (version: string) =>
      openOn(world, { dir, body: database(version), head: `${dir}-${version}` });
    const first = await open('1');
    await untilCheck(first, 'hatchet/apply', approved);
    await order(first, 'hubot', '/hatchet apply');
    await untilCheck(first, 'hatchet/apply', 'Applied');
    const second = await open('2');
    const approve = async (approver: string) => {
      const asks = await untilCheck(second, 'hatchet/apply', `1 approval missing: ${dir}`);
      click(second, asks, 'Approve', approver);
    };
    const untilInLine = async (sha?: string) => {
      await untilCheck(second, 'hatchet/apply', approved, sha);
      await untilSecondAfter(await untilComment(second, 'Ready'));
      await order(second, 'mona', '/hatchet apply');
      await second.waitForCheck('hatchet/apply', {
        matching: ({ title }) => title === `Waiting for #${first.number} to apply ${dir} (1st in line)`,
        timeoutMs: patienceMs,
      });
    };
    const untilTold = (count: number) =>
      vi.waitUntil(() => replies(second).length >= count, { timeout: patienceMs });

    await untilCheck(second, 'hatchet/apply', `1 approval missing: ${dir}`);
    await untilSecondAfter(await untilComment(second, 'Waiting for 1 approval'));
    const review = second.review('lee', 'APPROVE');
    await untilInLine();
    second.dismissReview(review, 'mona');
    await untilTold(1);
    second.review('lee', 'APPROVE');
    await untilInLine();
    second.review('lee', 'REQUEST_CHANGES', 'not this one');
    await untilTold(2);
    await approve('hubot');
    await untilInLine();
    await order(second, 'hubot', '/hatchet reject');
    await untilTold(3);
    await untilSecondAfter(await untilComment(second, 'Rejected by @hubot'));
    await order(second, 'hubot', '/hatchet approve');
    await untilInLine();
    await second.push({ 'notes/out-of-line.md': 'Nothing of the project.\n' }, 'hubot');
    await untilTold(4);
    await approve('lee');
    await untilInLine();
    const broken = await second.push({ [`${dir}/broken.tf`]: 'resource "terraform_data" {}\n' });
    await untilTold(5);
    await untilCheck(second, 'hatchet/apply', `The plan failed: ${dir}`, broken);
    await untilInLine(await second.push({}, 'mona', { delete: [`${dir}/broken.tf`] }));
    await second.push({ 'hatchet.yaml': 'version: none\n' });
    await untilTold(6);
    await untilInLine(await second.push({}, 'mona', { delete: ['hatchet.yaml'] }));
    // Whose code is taken out is refused when its turn comes, although its plan was the same until then.
    const without = await second.push({}, 'mona', { delete: [`${dir}/main.tf`] });
    await untilCheck(second, 'hatchet/plan', '1 project: 1 to replace', without);
    first.close('mona');
    await untilTold(7);
    expect(replies(second)).toMatchInlineSnapshot(`
      [
        "@mona \`/hatchet apply\` was refused: \`out-of-line\` needs 1 approval by someone other than the author. Anyone else with write can give it.",
        "@mona \`/hatchet apply\` was refused: \`out-of-line\` needs 1 approval by someone other than the author. Anyone else with write can give it.",
        "@mona \`/hatchet apply\` was refused: @hubot rejected the plan of \`out-of-line\`. It is blocked until @hubot approves or the plan changes.",
        "@mona \`/hatchet apply\` was refused: \`out-of-line\` needs 1 approval by someone other than the author. Anyone else with write can give it.",
        "@mona \`/hatchet apply\` was refused: \`out-of-line\` could not be planned. Fix the error on the hatchet/plan check and push.",
        "@mona \`/hatchet apply\` was refused: the plan of \`out-of-line\` is out of date: a newer push has come. Look at the new plan, then ask again.",
        "@mona \`/hatchet apply\` was refused: the plan of \`out-of-line\` is out of date: a newer push has come. Look at the new plan, then ask again.",
      ]
    `);
    expect((await appliesOf(world, dir)).map(({ number }) => number)).toEqual([first.number]);
  });

  test('unlock lets the next in line run, with a plan of what is there now (S3)', async ({ expect }) => {
    const open = (version: string) =>
      openOn(world, { dir: 'handed', body: database(version), head: `handed-${version}` });
    const [first, second] = await Promise.all([open('1'), open('2')]);
    await Promise.all([first, second].map((one) => untilCheck(one, 'hatchet/apply', approved)));
    await order(first, 'hubot', '/hatchet apply');
    await untilCheck(first, 'hatchet/apply', 'Applied');
    await order(second, 'hubot', '/hatchet apply');
    await second.waitForCheck('hatchet/apply', {
      matching: (run) => run.title?.startsWith(`Waiting for #${first.number} to apply handed`) === true,
      timeoutMs: patienceMs,
    });
    await order(first, 'hubot', '/hatchet unlock');
    const asks = await untilCheck(second, 'hatchet/apply', '1 approval missing: handed');
    // It is known without Terraform that the plan does not know of the other's apply.
    expect((await appliesOf(world, 'handed')).map(({ state }) => state)).toEqual(['applied']);
    click(second, asks, 'Approve', 'hubot');
    await untilCheck(second, 'hatchet/apply', approved);
    await untilSecondAfter(await untilComment(second, 'Ready'));
    await order(second, 'hubot', '/hatchet apply');
    await untilCheck(second, 'hatchet/apply', 'Applied');
    expect((await appliesOf(world, 'handed')).map(({ state }) => state)).toEqual(['applied', 'applied']);
  });
});

test('no check is left open (S14)', () => untilNoneOpen(world));
