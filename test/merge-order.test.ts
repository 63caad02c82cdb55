// Is an older merge ever applied over a newer one, when one of them fails on the way?
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  appliesOf,
  ask,
  click,
  mainComment,
  order,
  patienceMs,
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

beforeAll(async () => {
  world = await createWorld({ files: (project) => ({ 'line/backend.tf': project('line', '') }) });
});
afterAll(() => world.close());

const approved = 'Approved, applies on merge';

test('of three merges the middle one fails: the last is applied after it is given up, and the middle one never over it (S4)', async () => {
  const gate = join(dirname(stateFile(world, 'line')), 'line.gate');
  await writeFile(gate, '');
  const gated = `provisioner "local-exec" {\n    command = "test ! -e '${gate}'"\n  }`;
  const open = (name: string, body: string) =>
    world.repository.openPullRequest({
      title: `Add ${name}`,
      author: 'mona',
      head: name,
      files: { [`line/${name}.tf`]: `resource "terraform_data" "${name}" {\n  ${body}\n}\n` },
    });
  const first = await open('first', 'input = "1"');
  const second = await open('second', gated);
  const third = await open('third', 'input = "3"');
  for (const each of [first, second, third]) await untilCheck(each, 'hatchet/apply', approved);

  await untilCheck(first, 'hatchet/apply', 'Applied', await first.merge({ by: 'mona' }));
  const secondMerge = await second.merge({ by: 'mona' });
  const asksSecond = await untilCheck(second, 'hatchet/apply', '1 approval missing: line', secondMerge);
  click(second, asksSecond, 'Approve', 'hubot');
  await second.waitForCheck('hatchet/apply', {
    sha: secondMerge,
    conclusion: 'failure',
    timeoutMs: patienceMs,
  });
  const thirdMerge = await third.merge({ by: 'mona' });
  const asksThird = await untilCheck(third, 'hatchet/apply', '1 approval missing: line', thirdMerge);
  click(third, asksThird, 'Approve', 'hubot');
  const waiting = await third.waitForCheck('hatchet/apply', {
    sha: thirdMerge,
    matching: (run) => run.title === `Waiting for #${second.number} to apply line (1st in line)`,
    timeoutMs: patienceMs,
  });
  expect(waiting.status).toBe('in_progress');

  await rm(gate);
  await ask(second, 'hubot', '/hatchet unlock');
  await untilCheck(third, 'hatchet/apply', 'Applied', thirdMerge);
  const state = await readFile(stateFile(world, 'line'), 'utf8');
  expect(state).toContain('"third"');

  await order(second, 'hubot', '/hatchet plan');
  const asksAgain = await untilCheck(second, 'hatchet/apply', '1 approval missing: line', secondMerge);
  click(second, asksAgain, 'Approve', 'hubot');
  const over = await untilCheck(
    second,
    'hatchet/apply',
    `A newer merge of #${third.number} was applied`,
    secondMerge,
  );
  expect(over.conclusion).toBe('neutral');
  await untilComment(second, 'A newer merge was applied to `line`.');
  expect(mainComment(second)).toContain(`a newer merge of #${third.number} was applied`);
  expect(await readFile(stateFile(world, 'line'), 'utf8')).toBe(state);
  expect(await appliesOf(world, 'line')).toEqual([
    { number: first.number, state: 'applied' },
    { number: second.number, state: 'failed' },
    { number: third.number, state: 'applied' },
  ]);
});

test('no check is left open (S14)', () => untilNoneOpen(world));
