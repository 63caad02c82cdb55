// What do the rules of single projects change, when a pull request touches several of them?
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { faces } from './normalize.ts';
import {
  appliesOf,
  ask,
  countPlans,
  database,
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

vi.setConfig({ testTimeout: storyTimeoutMs });
const configuration = `version: 1
projects:
  - { dir: by-hand, apply: { on: comment } }
  - { dir: by-merge }
  - { dir: left-open, apply: { on: comment } }
  - { dir: eager, plan: { drafts: true } }
  - { dir: patient }
  - { dir: judged, policies: [{ path: rules, level: mandatory }] }
  - { dir: unjudged, policies: [{ path: silent, level: mandatory }] }
  - { dir: labelled, policies: [{ path: labels, level: mandatory }] }
  - { dir: windowed, policies: [{ path: window, level: mandatory }] }
  - { dir: zz-last, policies: [{ path: watched, level: mandatory }] }
`;
const dirs = [
  'by-hand',
  'by-merge',
  'left-open',
  'eager',
  'patient',
  'judged',
  'unjudged',
  'labelled',
  'windowed',
  'zz-last',
] as const;
const denies = 'package hatchet.friday\n\ndeny contains "not on a Friday" if true\n';
/** Says nothing at all when there is nothing to forbid, as a mistake would. */
const silent = 'package hatchet.silent\n\ndeny := {"never"} if input.plan.no_such_key\n';
const labels = 'package hatchet.labels\n\ndeny contains "no prod-ok" if not "prod-ok" in input.pr.labels\n';
/** The test cannot set the clock that the policy reads, so it moves the window. */
const window = `package hatchet.window

deny contains sprintf("frozen from %s to %s", [from, to]) if {
  some label in input.pr.labels
  [from, to] := split(label, "..")
  today := substring(input.run.time, 0, 10)
  from <= today
  today < to
}
`;
const watched = `package hatchet.watched

deny contains sprintf("%d files, the last is %s", [count(files), files[count(files) - 1]]) if files[_] == "zz-secret/key.txt"
files := input.pr.changed_files
`;
let world: World;

beforeAll(async () => {
  world = await createWorld({
    files: () => ({
      'hatchet.yaml': configuration,
      'rules/friday.rego': denies,
      'silent/silent.rego': silent,
      'labels/labels.rego': labels,
      'window/window.rego': window,
      'watched/watched.rego': watched,
      ...Object.fromEntries(dirs.map((dir) => [`${dir}/main.tf`, 'terraform {}\n'])),
    }),
  });
});
afterAll(() => world.close());

const open = (
  dirs: readonly string[],
  draft = false,
  files: Readonly<Record<string, string>> = {},
): Promise<PullRequestHandle> =>
  world.repository.openPullRequest({
    title: `Change ${dirs.join(' and ')}`,
    author: 'mona',
    head: dirs.join('-and-'),
    draft,
    files: {
      ...Object.fromEntries(dirs.map((dir) => [`${dir}/main.tf`, world.project(dir, database('1'))])),
      ...files,
    },
  });

describe.concurrent('rules of single projects', () => {
  test('what is applied by comment holds the gate until it is, beside what is applied on merge (S2)', async ({
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

  test('what is applied by comment is not applied by merging (S2)', async ({ expect }) => {
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

/** No apply by any way in; whoever asked was told why. */
async function expectBlocked(pullRequest: PullRequestHandle, dir: string): Promise<void> {
  const { reaction } = await ask(pullRequest, 'hubot', `/hatchet apply ${dir}`);
  expect(reaction).toBe('confused');
  const merge = await pullRequest.merge({ by: 'mona' });
  const gate = await untilCheck(pullRequest, 'hatchet/apply', `A policy denies ${dir}`, merge);
  expect(gate.conclusion).toBe('failure');
  expect(await appliesOf(world, dir)).toEqual([]);
}

test('a pull request that takes away the rule that denies it is denied (S11)', async () => {
  const pullRequest = await open(['judged'], false, {
    'rules/friday.rego': 'package hatchet.friday\n\ndeny contains "never" if false\n',
    'rules/late.rego': 'package hatchet.late\n\ndeny contains x if {',
    'hatchet.yaml': configuration.replace(', policies: [{ path: rules, level: mandatory }]', ''),
  });
  await untilCheck(pullRequest, 'hatchet/apply', 'A policy denies judged');
  await untilComment(pullRequest, 'not on a Friday');
  // What it would be, were it merged, is said where it is written.
  await untilComment(pullRequest, 'Merged as it is here, it could not judge. `rules/late.rego:3`');
  const [annotation, ...others] = pullRequest.check('hatchet/policy').annotations;
  expect(others).toEqual([]);
  expect(annotation).toMatchObject({ path: 'rules/late.rego', startLine: 3, level: 'failure' });
  const { reaction } = await ask(pullRequest, 'hubot', '/hatchet apply judged');
  expect(reaction).toBe('confused');
  expect(await appliesOf(world, 'judged')).toEqual([]);
});

test('a policy that gives no verdict blocks, and says so (S12)', async () => {
  const pullRequest = await open(['unjudged']);
  await untilCheck(pullRequest, 'hatchet/apply', 'A policy denies unjudged');
  await untilComment(pullRequest, 'undefined');
  await expectBlocked(pullRequest, 'unjudged');
});

test('policies are asked again when a label changes and right before an apply, with the same plan (S12)', async () => {
  const pullRequest = await open(['labelled']);
  await untilCheck(pullRequest, 'hatchet/apply', 'A policy denies labelled');
  pullRequest.label('prod-ok', 'hubot');
  await untilCheck(pullRequest, 'hatchet/apply', 'Approved, applies on merge');
  await untilComment(pullRequest, 'Ready');
  const { number } = pullRequest;
  world.sandbox.faults.dropNext({ event: 'pull_request', action: 'unlabeled', number });
  pullRequest.unlabel('prod-ok', 'hubot');
  await order(pullRequest, 'hubot', '/hatchet apply labelled');
  await untilCheck(pullRequest, 'hatchet/apply', 'A policy denies labelled');
  await vi.waitUntil(() => replies(pullRequest).some((reply) => reply.includes('`labels` denies')), {
    timeout: patienceMs,
  });
  expect(await appliesOf(world, 'labelled')).toEqual([]);

  pullRequest.label('prod-ok', 'hubot');
  await untilCheck(pullRequest, 'hatchet/apply', 'Approved, applies on merge');
  await order(pullRequest, 'hubot', '/hatchet apply labelled');
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
  expect(await countPlans(world, 'labelled')).toBe(1);
});

test('what was planned before a freeze is not applied in it, and is after it, with the same plan (S12)', async () => {
  const pullRequest = await open(['windowed']);
  const { number } = pullRequest;
  const { faults } = world.sandbox;
  pullRequest.label('2100-01-01..2100-02-01', 'hubot');
  await untilCheck(pullRequest, 'hatchet/apply', 'Approved, applies on merge');
  await untilComment(pullRequest, 'Ready');
  // As if the time had come: only the look right before the apply sees it.
  for (const action of ['unlabeled', 'labeled']) faults.dropNext({ event: 'pull_request', action, number });
  pullRequest.unlabel('2100-01-01..2100-02-01', 'hubot');
  pullRequest.label('2000-01-01..2100-02-01', 'hubot');
  const merge = await pullRequest.merge({ by: 'mona' });
  const frozen = await untilCheck(pullRequest, 'hatchet/apply', 'A policy denies windowed', merge);
  expect(frozen.conclusion).toBe('failure');
  const { body } = await untilComment(pullRequest, 'frozen from 2000-01-01 to 2100-02-01');
  expect(body).toContain('Where it looks at the time, comment `/hatchet plan` when that has come');
  expect(await appliesOf(world, 'windowed')).toEqual([]);

  for (const action of ['unlabeled', 'labeled']) faults.dropNext({ event: 'pull_request', action, number });
  pullRequest.unlabel('2000-01-01..2100-02-01', 'hubot');
  pullRequest.label('2000-01-01..2000-02-01', 'hubot');
  await order(pullRequest, 'mona', '/hatchet plan');
  await untilCheck(pullRequest, 'hatchet/apply', 'Not applied yet', merge);
  await untilSecondAfter(await untilComment(pullRequest, 'Not applied yet'));
  await order(pullRequest, 'mona', '/hatchet apply');
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
  expect(await appliesOf(world, 'windowed')).toHaveLength(1);
});

test('of 3,500 changed files the last is seen, by policies, too (S15)', async () => {
  const pages = Array.from({ length: 3_500 }, (_, index) => [`docs/page-${index}.md`, `${index}`]);
  const files = { ...Object.fromEntries(pages), 'zz-secret/key.txt': 'none' };
  const pullRequest = await open(['zz-last'], false, files);
  await untilCheck(pullRequest, 'hatchet/plan', '1 project: 1 to add');
  await untilCheck(pullRequest, 'hatchet/apply', 'A policy denies zz-last');
  await untilComment(pullRequest, '3502 files, the last is zz-secret/key.txt');
});

/** Fifty Terraforms, beside all other tests. */
const fiftyMs = 240_000;

test('fifty projects are planned and shown as one: three checks, one comment, what is dangerous before what is folded', {
  timeout: fiftyMs + storyTimeoutMs,
}, async () => {
  const calm = Array.from({ length: 49 }, (_, index) => `fleet-${String(index).padStart(2, '0')}`);
  await seedDatabase(world, 'fleet-database', '1');
  const pullRequest = await world.repository.openPullRequest({
    title: 'Fifty at once',
    author: 'mona',
    head: 'fifty',
    files: {
      'fleet-database/main.tf': world.project('fleet-database', database('2')),
      ...Object.fromEntries(
        calm.map((dir) => [`${dir}/main.tf`, world.project(dir, 'output "one" {\n  value = 1\n}')]),
      ),
    },
  });
  await pullRequest.waitForCheck('hatchet/plan', {
    matching: ({ status, title }) => status === 'completed' && title === '50 projects: 1 to replace',
    timeoutMs: fiftyMs,
  });
  await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: fleet-database');
  const { body } = await untilComment(pullRequest, 'Waiting for 1 approval');
  const names = pullRequest.allChecks().map(({ name }) => name);
  expect(names.toSorted()).toEqual(['hatchet/apply', 'hatchet/plan', 'hatchet/policy']);
  const [shown = '', folded = ''] = body.split('<summary>49 more projects');
  expect(shown).toMatch(/\| \[?fleet-database/);
  expect(shown).not.toContain('fleet-00');
  for (const dir of calm) expect(folded).toContain(dir);
  expect(body).toContain('-/+ terraform_data.database');
  expect(Buffer.byteLength(body)).toBeLessThan(65_536);
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

test('no check is left open (S14)', () => untilNoneOpen(world));
