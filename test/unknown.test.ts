// What do people see and decide when nobody knows how an apply ended?
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, inject, test, vi } from 'vitest';
import type { CheckRun } from '../fixtures/sandbox/model.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { faces } from './normalize.ts';
import { appliesIn } from './own-processes.ts';
import {
  appliesOf,
  ask,
  click,
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
  world = await createWorld({
    files: () => ({ 'hatchet.yaml': 'version: 1\napprovals: { count: 1 }\n' }),
  });
});
afterAll(() => world.close());

/** Says that it was begun, and goes on when the gate is there. */
const gated = (gate: string): string => `
  provisioner "local-exec" {
    command = "echo begun >> '${gate}.begun'; while [ ! -e '${gate}' ]; do sleep 0.1; done"
  }`;

/** Opens, approves and applies, and kills Terraform when it has come to the gate. */
async function loseApply(dir: string, body: (gate: string) => string): Promise<PullRequestHandle> {
  const pullRequest = await beginApply(dir, body);
  for (const pid of await appliesIn(dir)) process.kill(pid, 'SIGKILL');
  return pullRequest;
}

async function beginApply(dir: string, body: (gate: string) => string): Promise<PullRequestHandle> {
  const gate = stateFile(world, `${dir}-gate`);
  const pullRequest = await openOn(world, { dir, body: body(gate) });
  await untilComment(pullRequest, 'Waiting for 1 approval');
  await order(pullRequest, 'hubot', '/hatchet approve');
  await untilComment(pullRequest, 'Ready');
  await order(pullRequest, 'hubot', '/hatchet apply');
  await vi.waitUntil(() => existsSync(`${gate}.begun`), { timeout: patienceMs, interval: 50 });
  return pullRequest;
}

const begun = async (dir: string): Promise<string> =>
  readFile(`${stateFile(world, `${dir}-gate`)}.begun`, 'utf8');

const three = (gate: string): string => `resource "terraform_data" "first" {}

resource "terraform_data" "database" {
  depends_on       = [terraform_data.first]
  triggers_replace = "2"
${gated(gate)}
}

resource "terraform_data" "third" {
  depends_on = [terraform_data.database]
}`;

const one = (gate: string): string => `resource "terraform_data" "only" {
${gated(gate)}
}`;

describe.concurrent('an apply whose Terraform was killed (S5)', () => {
  test('shows what is done, not done and different, and can be accepted as it is', async ({ expect }) => {
    await seedDatabase(world, 'half', '1');
    const pullRequest = await loseApply('half', three);
    await untilComment(pullRequest, 'finds 1 of 3 changes done');
    const unknown = await untilCheck(pullRequest, 'hatchet/apply', 'Outcome unknown: half');
    expect(faces(await untilWritten(pullRequest, ['half']))).toContain(
      'hatchet/apply: failure, Outcome unknown: half [Accept as it is, Apply the rest, Unlock]',
    );
    expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **Outcome unknown: \`half\`.**
      Nobody heard how the apply ended. Hatchet starts nothing else on \`half\` until someone with write decides; where contact with a runner was lost, Terraform may still be at work there. See below what is done, then: **Accept as it is** on the [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) check keeps it so, **Apply the rest** (or \`/hatchet apply\`) plans what is left, \`/hatchet unlock\` gives the lock up.

      | Project | Add | Change | Destroy | Replace | Policy | Status |
      | :-- | --: | --: | --: | --: | :-- | :-- |
      | [half](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | 2 | | | **1** | asks for approval | outcome unknown |

      - \`half\`: the approval of @hubot no longer counts: the apply that it was for was begun

      \`half\`: Terraform was killed while it ran

      \`half\`: a new plan of the same code finds 1 of 3 changes done, as far as the state tells: something that was created and not written down there is not known.

      | Resource | Approved | Now | Outcome |
      | :-- | :-- | :-- | :-- |
      | \`terraform_data.database\` | replace | create | **different** |
      | \`terraform_data.third\` | create | create | not done |
      | \`terraform_data.first\` | create | | done |

      <details open><summary><b>half</b>: 1 to replace, 2 to add</summary>

      \`\`\`diff
      -/+ terraform_data.database                replaced: triggers_replace cannot be changed in place
      !     triggers_replace   "1" → "2"         forces replacement
      !     id                 "ID" → known after apply
      \`\`\`

      \`destroy\` needs approval: replaces terraform_data.database

      <details><summary>Also 2 to add</summary>

      \`\`\`diff
      + terraform_data.first
      + terraform_data.third
      +     known after apply: id
      \`\`\`

      </details>

      </details>

      <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`main\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · Terraform 1.11.4 · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
    `);
    click(pullRequest, unknown, 'Accept as it is', 'reader');
    await vi.waitUntil(() => replies(pullRequest).length > 0, { timeout: patienceMs });
    expect(replies(pullRequest)).toEqual([
      '@reader **Accept as it is** was refused: it takes write access to this repository. Ask someone who has it.',
    ]);
    click(pullRequest, unknown, 'Accept as it is', 'hubot');
    await untilComment(pullRequest, 'half applied: 1 of 3 changes');
    expect(headline(pullRequest)).toContain('`half` is half applied: 1 of 3 changes is done.');
    expect(await appliesOf(world, 'half')).toEqual([{ number: pullRequest.number, state: 'failed' }]);
  });

  test('is recorded as applied when a look finds nothing left to do', async ({ expect }) => {
    const pullRequest = await loseApply('mended', (gate) =>
      database('1').replace(/\}$/, `${gated(gate)}\n}`),
    );
    await untilComment(pullRequest, 'finds 0 of 1 change done');
    // What Terraform had made and not written down is written down by hand.
    await seedDatabase(world, 'mended', '1');
    await order(pullRequest, 'mona', '/hatchet plan');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
    expect(await appliesOf(world, 'mended')).toEqual([{ number: pullRequest.number, state: 'applied' }]);
  });

  test('the rest is applied by a new plan and a new approval only (S6)', async ({ expect }) => {
    const pullRequest = await loseApply('rest', one);
    await untilComment(pullRequest, 'finds 0 of 1 change done');
    await writeFile(stateFile(world, 'rest-gate'), '');
    const unknown = await untilCheck(pullRequest, 'hatchet/apply', 'Outcome unknown: rest');
    const before = { ...unknown };
    click(pullRequest, unknown, 'Apply the rest', 'hubot');
    await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: rest');
    await untilSecondAfter(await untilComment(pullRequest, 'Waiting for 1 approval'));
    expect(await begun('rest')).toBe('begun\n');
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilComment(pullRequest, 'Ready');
    await order(pullRequest, 'hubot', '/hatchet apply');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
    expect(await begun('rest')).toBe('begun\nbegun\n');
    click(pullRequest, before, 'Unlock', 'hubot');
    await vi.waitUntil(() => replies(pullRequest).length > 0, { timeout: patienceMs });
    expect(replies(pullRequest)).toEqual([
      '@hubot `/hatchet unlock` was refused: that button stood below an earlier state of things. Look at the newest checks, then decide there.',
    ]);
    expect(await appliesOf(world, 'rest')).toEqual([
      { number: pullRequest.number, state: 'failed' },
      { number: pullRequest.number, state: 'applied' },
    ]);
  });
});

test('an apply whose project lost its workflow is unknown from the next word on (S5)', async ({ expect }) => {
  const pullRequest = await beginApply('orphan', one);
  const applying = (run: CheckRun) => run.title === 'Applying orphan';
  await pullRequest.waitForCheck('hatchet/apply', { matching: applying, timeoutMs: patienceMs });
  await terminate('orphan');
  const { reaction } = await ask(pullRequest, 'hubot', '/hatchet unlock');
  expect(reaction).toBe('confused');
  await untilCheck(pullRequest, 'hatchet/apply', 'Outcome unknown: orphan');
  await untilComment(pullRequest, "the project's workflow was ended from outside while this was applied");
  expect(await appliesOf(world, 'orphan')).toEqual([{ number: pullRequest.number, state: 'unknown' }]);
  await order(pullRequest, 'hubot', '/hatchet unlock');
  await untilComment(pullRequest, 'Waiting for 1 approval');
});

/** Ends the workflow of a project from outside, as an operator can. */
async function terminate(dir: string): Promise<void> {
  const temporal = await Connection.connect({ address: inject('temporalAddress') });
  const client = new Client({ connection: temporal, namespace: world.namespace });
  const id = `project/${world.repository.id}/${dir}/default`;
  await client.workflow.getHandle(id).terminate('an operator wanted it so');
  await temporal.close();
}

test('a project whose workflow is ended while nobody knows its outcome stays frozen, for the same reason (S5)', async ({
  expect,
}) => {
  const lost = await loseApply('frozen', one);
  await untilComment(lost, 'finds 0 of 1 change done');
  await terminate('frozen');
  const other = await openOn(world, { dir: 'frozen', body: database('1'), head: 'frozen-too' });
  await untilComment(other, 'Waiting for 1 approval');
  await order(other, 'hubot', '/hatchet approve');
  await untilComment(other, 'Ready');
  other.comment('hubot', '/hatchet apply');
  await vi.waitUntil(() => replies(other).length > 0, { timeout: patienceMs });
  expect(replies(other)[0]).toContain('Terraform was killed while it ran');
  expect(await appliesOf(world, 'frozen')).toEqual([{ number: lost.number, state: 'unknown' }]);
  await order(lost, 'hubot', '/hatchet unlock');
  await untilComment(lost, 'Waiting for 1 approval');
  await order(other, 'hubot', '/hatchet apply');
  await untilCheck(other, 'hatchet/apply', 'Applied');
});

test('no check is left open (S14)', () => untilNoneOpen(world));
