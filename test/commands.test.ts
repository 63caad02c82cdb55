// What is answered to what people write, by whom and when they write it?
import { rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import type { GatedStates } from './gated-states.ts';
import { startGatedStates } from './gated-states.ts';
import { faces } from './normalize.ts';
import { replayAll } from './replays.ts';
import {
  appliesOf,
  ask,
  database,
  headline,
  openOn,
  order,
  patienceMs,
  replies,
  stateFile,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;
let states: GatedStates;

beforeAll(async () => {
  [world, states] = await Promise.all([createWorld({}), startGatedStates()]);
});
afterAll(async () => {
  await states.close();
  await world.close();
});

const approved = 'Approved, applies on merge';

describe.concurrent('commands', () => {
  test('what is mistyped is answered with the nearest that there is, and does nothing', async ({
    expect,
  }) => {
    const pullRequest = await openOn(world, { dir: 'typed', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    const said: unknown[] = [];
    for (const words of [
      'aply',
      'frobnicate',
      'apply tpyed',
      'apply -chdir=/etc',
      'plan --destroy',
      'approve',
      'cancel',
    ]) {
      const { reaction, reply } = await ask(pullRequest, 'hubot', `/hatchet ${words}`);
      said.push(`${words} → ${reaction}: ${reply}`);
    }
    expect(said).toMatchInlineSnapshot(`
      [
        "aply → confused: @hubot there is no command \`aply\`. Did you mean \`apply\`? Comment \`/hatchet help\` for all commands.",
        "frobnicate → confused: @hubot there is no command \`frobnicate\`. Comment \`/hatchet help\` for all commands.",
        "apply tpyed → confused: @hubot there is no project \`tpyed\`. Did you mean \`typed\`? Projects here: \`typed\`.",
        "apply -chdir=/etc → confused: @hubot \`-chdir=/etc\` is no flag of \`apply\`. Comment \`/hatchet help\` for all commands.",
        "plan --destroy → confused: @hubot \`--destroy\` takes the names of projects. Comment \`/hatchet help\` for all commands.",
        "approve → confused: @hubot \`/hatchet approve\` was refused: nothing here waits for an approval.",
        "cancel → eyes: @hubot there is nothing to cancel.",
      ]
    `);
    expect(await appliesOf(world, 'typed')).toEqual([]);
    expect(faces(pullRequest.checks())).toContain(`hatchet/apply: success, ${approved} [Apply now]`);
  });

  test('help and status are answered, and only the first command of a comment counts', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'asked', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    const help = await ask(pullRequest, 'reader', '/hatchet');
    expect(help).toMatchInlineSnapshot(`
      {
        "reaction": "eyes",
        "reply": "| Comment | To |
      | :-- | :-- |
      | \`/hatchet plan [project…] [--destroy]\` | plan again, or plan the end of projects |
      | \`/hatchet apply [project…]\` | apply what is planned and approved |
      | \`/hatchet approve [project…]\` | say yes to the plans shown |
      | \`/hatchet reject [project…]\` | take a yes back, or refuse |
      | \`/hatchet override project… --reason "…"\` | lift the denial of a policy, where hatchet.yaml names you |
      | \`/hatchet cancel\` | stop plans and what waits; a running apply if said twice |
      | \`/hatchet unlock [project…]\` | give up this pull request's locks |
      | \`/hatchet status\` | what is running, waiting and locked |
      | \`/hatchet help\` | this list |

      Without a project it means all of them; \`*\` matches within a path segment, \`**\` across them. The first line of a new comment counts.",
      }
    `);
    expect(await ask(pullRequest, 'reader', '\n\n/HATCHET Help')).toEqual(help);
    expect(await ask(pullRequest, 'reader', '/hatchet status\n/hatchet apply')).toMatchInlineSnapshot(`
      {
        "reaction": "eyes",
        "reply": "| Project | Status |
      | :-- | :-- |
      | asked | ready, applies on merge |",
      }
    `);
    expect(await appliesOf(world, 'asked')).toEqual([]);
  });

  test('a command in a quote, in code or in an edited comment is none (S9)', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'ignored', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    const ignored = [
      pullRequest.comment('hubot', '> /hatchet apply'),
      pullRequest.comment('hubot', '```\n/hatchet apply\n```'),
      pullRequest.comment('hubot', '    /hatchet apply'),
      pullRequest.comment('hubot', 'Please\n/hatchet apply'),
      pullRequest.comment('hubot', 'Nothing yet'),
    ];
    const edited = ignored.at(-1);
    if (edited !== undefined) pullRequest.editComment(edited, '/hatchet apply', 'hubot');
    await world.sandbox.settled();
    await ask(pullRequest, 'hubot', '/hatchet status');
    expect(ignored.flatMap((comment) => pullRequest.reactions(comment))).toEqual([]);
    expect(replies(pullRequest)).toHaveLength(1);
    expect(await appliesOf(world, 'ignored')).toEqual([]);
  });

  test('nothing is applied while the newest commit is being planned, and cancel stops that (S1)', async ({
    expect,
  }) => {
    const backend = states.backend('planning');
    states.hold('planning');
    const pullRequest = await openOn(world, { dir: 'planning', body: database('1'), backend });
    await vi.waitUntil(() => states.waiting('planning') > 0, { timeout: patienceMs });
    expect(await ask(pullRequest, 'hubot', '/hatchet apply')).toMatchInlineSnapshot(`
      {
        "reaction": "confused",
        "reply": "@hubot \`/hatchet apply\` was refused: the newest commit is still being planned. Look at the result, then ask again.",
      }
    `);
    expect(await ask(pullRequest, 'hubot', '/hatchet approve')).toMatchInlineSnapshot(`
      {
        "reaction": "confused",
        "reply": "@hubot \`/hatchet approve\` was refused: the newest commit is still being planned. Look at the result, then ask again.",
      }
    `);
    expect((await ask(pullRequest, 'hubot', '/hatchet status')).reply).toMatchInlineSnapshot(`
      "| Project | Status |
      | :-- | :-- |
      | planning | planning since TIME UTC (DURATION) |"
    `);
    await order(pullRequest, 'mona', '/hatchet cancel');
    await untilCheck(pullRequest, 'hatchet/apply', 'Cancelled');
    // A plan that took seconds has a check of its own by then.
    const aggregates = pullRequest.checks().filter(({ name }) => !name.includes(': '));
    expect(faces(aggregates)).toMatchInlineSnapshot(`
      [
        "hatchet/apply: cancelled, Cancelled",
        "hatchet/plan: cancelled, Cancelled [Re-plan]",
        "hatchet/policy: cancelled, Cancelled",
      ]
    `);
    await vi.waitUntil(() => states.waiting('planning') === 0, { timeout: patienceMs });
    states.release('planning');
    await order(pullRequest, 'mona', '/hatchet plan');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await untilComment(pullRequest, 'Ready');
    expect(await appliesOf(world, 'planning')).toEqual([]);
  });

  test('an unlock while it applies is refused (S3)', async ({ expect }) => {
    const gate = join(dirname(stateFile(world, 'applying')), 'applying.gate');
    await writeFile(gate, '');
    const command = `touch '${gate}.reached'; while [ -e '${gate}' ]; do sleep 0.1; done`;
    const body = `resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n    command = ${JSON.stringify(command)}\n  }\n}`;
    const pullRequest = await openOn(world, { dir: 'applying', body });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await order(pullRequest, 'hubot', '/hatchet apply');
    const exists = (path: string) =>
      stat(path).then(
        () => true,
        () => false,
      );
    await vi.waitUntil(() => exists(`${gate}.reached`), { timeout: patienceMs });
    await pullRequest.waitForCheck('hatchet/apply', {
      matching: (run) => run.title === 'Applying applying',
      timeoutMs: patienceMs,
    });
    const said: unknown[] = [];
    for (const verb of ['unlock', 'cancel', 'plan', 'apply', 'reject']) {
      const { reaction, reply } = await ask(pullRequest, 'hubot', `/hatchet ${verb}`);
      said.push(`${verb} → ${reaction}: ${reply}`);
    }
    expect(said).toMatchInlineSnapshot(`
      [
        "unlock → confused: @hubot \`/hatchet unlock\` was refused: an apply is running. Ask again when it is done.",
        "cancel → eyes: @hubot stopping an apply leaves its project half-changed. Comment \`/hatchet cancel\` again within 10 minutes to stop it.",
        "plan → confused: @hubot \`/hatchet plan\` was refused: an apply is running. Ask again when it is done.",
        "apply → confused: @hubot \`/hatchet apply\` was refused: an apply is running. Ask again when it is done.",
        "reject → confused: @hubot \`/hatchet reject\` was refused: \`applying\` is being applied already: a runner has it, and Terraform is at work. Comment \`/hatchet cancel\` twice to stop that; what is done by then stays done.",
      ]
    `);
    await rm(gate);
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
    expect(await appliesOf(world, 'applying')).toEqual([{ number: pullRequest.number, state: 'applied' }]);
    await order(pullRequest, 'hubot', '/hatchet unlock');
  });

  test('a closed pull request answers questions and takes no orders', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'closed', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    pullRequest.close();
    await untilComment(pullRequest, 'Closed without a merge');
    expect(await ask(pullRequest, 'hubot', '/hatchet apply')).toMatchInlineSnapshot(`
      {
        "reaction": "confused",
        "reply": "@hubot \`/hatchet apply\` was refused: the pull request is closed, so nothing more is planned or applied here.",
      }
    `);
    // Each comes while the workflow of the one before is ending.
    for (let count = 0; count < 8; count += 1)
      expect((await ask(pullRequest, 'hubot', '/hatchet help')).reaction).toBe('eyes');
    expect((await ask(pullRequest, 'hubot', '/hatchet plan')).reply).toContain('the pull request is closed');
    expect(await appliesOf(world, 'closed')).toEqual([]);
  });

  test('a merged pull request answers too', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'done', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
    expect((await ask(pullRequest, 'hubot', '/hatchet help')).reaction).toBe('eyes');
    expect(await ask(pullRequest, 'hubot', '/hatchet apply')).toMatchInlineSnapshot(`
      {
        "reaction": "eyes",
        "reply": "@hubot there is nothing to apply.",
      }
    `);
    await world.sandbox.settled();
    expect(faces(pullRequest.checks(merge))).toContain('hatchet/apply: success, Applied');
    expect(headline(pullRequest)).toBe('**Applied.** 1 project, 1 added, in DURATION.');
    expect(await appliesOf(world, 'done')).toHaveLength(1);
  });
});

test('no check is left open (S14)', () => untilNoneOpen(world));

// Last: it looks at everything that the others did.
test('whoever takes over understands all that has happened', async ({ expect }) => {
  const { replayed, differences } = await replayAll(world);
  expect(differences).toEqual([]);
  expect(replayed).toBeGreaterThan(8);
});
