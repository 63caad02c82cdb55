// Does anything get lost, done twice or shown untrue when a process is killed? Some of the drills; `npm run drills` has all.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { countTerraform } from '../fixtures/drills/counted-terraform.ts';
import type { Result, Skipped } from '../fixtures/drills/drill.ts';
import { drills, nameOf, run, skippedHere } from '../fixtures/drills/drill.ts';
import { promisedEndings } from '../fixtures/drills/promised.ts';
import { reportOf } from '../fixtures/drills/report.ts';
import type { Stage } from '../fixtures/drills/stage.ts';
import { setStage } from '../fixtures/drills/stage.ts';
import { patienceMs } from '../fixtures/drills/until.ts';

vi.setConfig({ testTimeout: 2 * patienceMs, hookTimeout: patienceMs });
let stage: Stage;

beforeAll(async () => {
  stage = await setStage('three processes');
});
afterAll(() => stage.close());

/** Each process once, and each at another step. */
const chosen = [
  'webhook received / web / SIGKILL',
  'planning / temporal / SIGKILL',
  'before the fence / database / SIGKILL',
  'before the fence / disk / full',
  'during Terraform / runner / SIGKILL',
  'after Terraform, before it was recorded / control / SIGKILL',
  'showing the outcome / control / SIGTERM',
];

test.for(chosen)('%s (S5, S6, S14)', async (name, context) => {
  const [drill] = drills.filter((one) => nameOf(one) === name);
  if (drill === undefined) throw new Error('there is no such drill');
  const missing = skippedHere(drill);
  if (missing !== null) return context.skip(missing.skipped);
  const result = await run(stage, drill, `drill-${chosen.indexOf(name)}`);
  expect(result.wrong).toEqual([]);
  expect(result).toMatchObject({ applies: drill.step.about === 'apply' ? 1 : 0, openChecks: 0 });
});

test('every step can be reached with every process killed', () => {
  const victims = new Set(drills.map(({ strike }) => strike.victim));
  expect([...victims].sort()).toEqual(
    [
      'app',
      'control',
      'database',
      'disk',
      "runner's network",
      'runner',
      'temporal',
      'terraform',
      'web',
    ].sort(),
  );
  expect(new Set(drills.map(nameOf)).size).toBe(drills.length);
});

test('nearly everywhere there is one ending, and none that is unknown before the fence (S5, S6)', () => {
  const promised = drills.map(({ step, strike: { victim, how } }) => ({
    name: `${step.name} / ${victim} / ${how}`,
    endings: promisedEndings({ step: step.name, about: step.about, victim, how }),
  }));
  const refused = promised.filter(({ name }) => name.startsWith('during Terraform, the state refused'));
  expect(new Set(refused.map(({ endings }) => endings.join()))).toEqual(new Set(['state to be put back']));
  const others = promised.filter(
    (one) => !refused.includes(one) && !['planned', 'applied'].includes(one.endings.join()),
  );
  expect(others.map(({ name, endings }) => `${name}: ${endings.join(', ')}`)).toMatchInlineSnapshot(`
    [
      "planning / terraform / SIGKILL: plan failed",
      "after the fence, before Terraform / app / SIGKILL: outcome unknown",
      "after the fence, before Terraform / runner / SIGKILL: outcome unknown",
      "after the fence, before Terraform / database / SIGKILL: applied, nothing applied",
      "after the fence, before Terraform / database / SIGINT: applied, nothing applied",
      "after the fence, before Terraform / runner's network / silent until given up: outcome unknown",
      "during Terraform / terraform / SIGKILL: outcome unknown",
      "during Terraform / runner's network / silent until given up: applied, outcome unknown",
    ]
  `);
});

test('each start of an apply is counted, by project, and the program is the real one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hatchet-counted-'));
  try {
    const counted = await countTerraform('/bin/echo', join(folder, 'program'));
    const cwd = join(folder, 'prod');
    await mkdir(cwd);
    const say = async (...argv: readonly string[]): Promise<string> =>
      (await promisify(execFile)(join(counted.folder, 'terraform'), argv, { cwd })).stdout;
    expect(await say('plan', '-json')).toBe('plan -json\n');
    expect(await say('apply', "it's $HOME")).toBe("apply it's $HOME\n");
    expect(await say('apply')).toBe('apply\n');
    expect([await counted.applies('prod'), await counted.applies('other')]).toEqual([2, 0]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the table says what was killed, what came of it, what was wrong, and what was skipped', () => {
  const good: Result = {
    step: 'before the fence',
    victim: 'control',
    how: 'SIGKILL',
    applies: 1,
    shown: 'applied',
    title: 'Applied',
    openChecks: 0,
    seconds: 7,
    wrong: [],
  };
  const bad: Result = { ...good, victim: 'web', applies: 2, shown: null, wrong: ['started 2 times'] };
  const skipped: Skipped = { step: 'planning', victim: 'disk', how: 'full', skipped: 'no disk' };
  expect(reportOf([good, bad], [skipped])).toMatchInlineSnapshot(`
    "| step             | killed  | how     | applies | shown   | open checks | seconds |                  |
    | ---------------- | ------- | ------- | ------- | ------- | ----------- | ------- | ---------------- |
    | before the fence | control | SIGKILL | 1       | applied | 0           | 7       | ok               |
    | before the fence | web     | SIGKILL | 2       | no end  | 0           | 7       | WRONG            |
    | planning         | disk    | full    |         |         |             |         | skipped: no disk |
    before the fence / web / SIGKILL:
      started 2 times
    3 drills, 1 good, 1 wrong, 1 skipped; at most 2 apply per approval, 0 checks open"
  `);
});
