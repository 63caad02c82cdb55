// Does the merge queue merge exactly what was approved, and is it always answered?
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import type { CheckRun } from '../fixtures/sandbox/model.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import type { GatedStates } from './gated-states.ts';
import { startGatedStates } from './gated-states.ts';
import { faces, normalize } from './normalize.ts';
import {
  appliesOf,
  branchOff,
  countPlans,
  database,
  everyBranch,
  openOn,
  openReady,
  order,
  patienceMs,
  seedDatabase,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilReady,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;
let states: GatedStates;

beforeAll(async () => {
  [world, states] = await Promise.all([
    createWorld({ environment: { HATCHET_REFRESH_WAIT: '20ms' }, files: () => everyBranch }),
    startGatedStates(),
  ]);
});
afterAll(async () => {
  await states.close();
  await world.close();
});

const names = ['hatchet/plan', 'hatchet/policy', 'hatchet/apply'];
const approved = 'Approved, applies on merge';

/** Puts them into the queue together. */
const enqueue = (...pullRequests: readonly PullRequestHandle[]) =>
  world.repository.createMergeGroup(pullRequests, 'hubot');

/** Waits until the three checks of a group's commit are completed. */
async function untilAnswered(headSha: string): Promise<readonly CheckRun[]> {
  const done = (): boolean => {
    const runs = world.repository.checks(headSha);
    return names.every((name) => runs.some((run) => run.name === name && run.status === 'completed'));
  };
  await vi.waitUntil(done, { timeout: patienceMs, interval: 20 });
  return world.repository.checks(headSha);
}

const said = (runs: readonly CheckRun[], name: string): string =>
  normalize(runs.find((run) => run.name === name)?.summary ?? '');

const resource = (name: string): string => `resource "terraform_data" "${name}" {}\n`;

/** A pull request that adds one file to a project that is there, once its plan is on show. */
async function openFile(opening: {
  readonly path: string;
  readonly body: string;
  readonly base: string;
}): Promise<PullRequestHandle> {
  const { path, body, base } = opening;
  const head = path.replaceAll(/\W/g, '-');
  const pullRequest = await world.repository.openPullRequest({
    title: `Add ${path}`,
    author: 'mona',
    head,
    base,
    files: { [path]: body },
  });
  await untilReady(pullRequest);
  return pullRequest;
}

describe.concurrent('a merge group', () => {
  test('with the approved plan passes, is merged, and the stored plan is applied', async ({ expect }) => {
    const base = await branchOff(world, 'queue-same');
    await seedDatabase(world, 'same', '1');
    const pullRequest = await openOn(world, { dir: 'same', body: database('2'), base });
    await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: same');
    await untilComment(pullRequest, 'Waiting for 1 approval');
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    world.repository.protect(base, { requiredChecks: names });
    const group = await enqueue(pullRequest);
    const runs = await untilAnswered(group.headSha);
    expect(faces(runs)).toEqual([
      'hatchet/apply: success, Approved, applies on merge',
      'hatchet/plan: success, 1 project: 1 to replace',
      'hatchet/policy: success, All policies answered',
    ]);
    expect(said(runs, 'hatchet/apply')).toMatchInlineSnapshot(`
      "**What merging this group would do, compared with what was approved.**

      - \`same\`: 1 to replace; the plan on #1, with all approvals."
    `);
    await group.destroy('merged');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', group.headSha);
    expect(pullRequest.mergeCommit).toBe(group.headSha);
    expect(await appliesOf(world, 'same')).toEqual([{ number: pullRequest.number, state: 'applied' }]);
    // Once on the pull request, once for the group; the merge took the first.
    expect(await countPlans(world, 'same')).toBe(2);
  });

  test('of several is merged as one, and each applies its own', async ({ expect }) => {
    const base = await branchOff(world, 'queue-several');
    const [first, second] = await Promise.all([
      openReady(world, { dir: 'left', body: database('1'), base }),
      openReady(world, { dir: 'right', body: database('1'), base }),
    ]);
    const group = await enqueue(first, second);
    expect(faces(await untilAnswered(group.headSha))).toEqual([
      'hatchet/apply: success, Approved, applies on merge',
      'hatchet/plan: success, 2 projects: 2 to add',
      'hatchet/policy: success, All policies answered',
    ]);
    await group.destroy('merged');
    await untilCheck(first, 'hatchet/apply', 'Applied', first.mergeCommit ?? '');
    await untilCheck(second, 'hatchet/apply', 'Applied', second.mergeCommit ?? '');
    expect(await appliesOf(world, 'left')).toEqual([{ number: first.number, state: 'applied' }]);
    expect(await appliesOf(world, 'right')).toEqual([{ number: second.number, state: 'applied' }]);
  });

  test('in which another pull request changes the same project fails and names it', async ({ expect }) => {
    const base = await branchOff(world, 'queue-shared', {
      'shared/main.tf': world.project('shared', database('1')),
    });
    const [first, second] = await Promise.all([
      openFile({ path: 'shared/one.tf', body: resource('one'), base }),
      openFile({ path: 'shared/two.tf', body: resource('two'), base }),
    ]);
    const group = await enqueue(first, second);
    const runs = await untilAnswered(group.headSha);
    const both = `#${first.number}, #${second.number}`;
    expect(faces(runs)).toEqual([
      `hatchet/apply: failure, shared: the plan is not the one on ${both}`,
      'hatchet/plan: success, 1 project: 3 to add',
      'hatchet/policy: success, All policies answered',
    ]);
    expect(said(runs, 'hatchet/apply')).toMatchInlineSnapshot(`
      "**What merging this group would do, compared with what was approved.**

      - \`shared\`: 3 to add; not the plan on #4 and #5: what is merged before it changes it. Wait until that is applied and the plan there is made again, then put it into the queue again."
    `);
    await group.destroy('dequeued');
  });

  test('that lacks an approval fails and says whose', async ({ expect }) => {
    const base = await branchOff(world, 'queue-unapproved');
    await seedDatabase(world, 'unapproved', '1');
    const pullRequest = await openOn(world, { dir: 'unapproved', body: database('2'), base });
    await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: unapproved');
    await untilComment(pullRequest, 'Waiting for 1 approval');
    const group = await enqueue(pullRequest);
    const runs = await untilAnswered(group.headSha);
    expect(faces(runs)).toEqual([
      `hatchet/apply: failure, unapproved: 1 approval missing on #${pullRequest.number}`,
      'hatchet/plan: success, 1 project: 1 to replace',
      'hatchet/policy: success, All policies answered',
    ]);
    expect(said(runs, 'hatchet/apply').replaceAll(/#\d+/g, '#N')).toMatchInlineSnapshot(`
      "**What merging this group would do, compared with what was approved.**

      - \`unapproved\`: 1 to replace; needs 1 approval by anyone with write except @mona (replaces terraform_data.database) on #N, then put it into the queue again."
    `);
    await group.destroy('dequeued');
  });

  test('that cannot be planned fails, though each of its pull requests can', async ({ expect }) => {
    const base = await branchOff(world, 'queue-clash', {
      'clash/main.tf': world.project('clash', database('1')),
    });
    const [first, second] = await Promise.all([
      openFile({ path: 'clash/one.tf', body: resource('twice'), base }),
      openFile({ path: 'clash/two.tf', body: resource('twice'), base }),
    ]);
    const group = await enqueue(first, second);
    const runs = await untilAnswered(group.headSha);
    expect(faces(runs)).toEqual([
      'hatchet/apply: failure, clash: the plan failed',
      'hatchet/plan: failure, clash could not be planned',
      'hatchet/policy: neutral, Nothing to judge',
    ]);
    const [annotation] = runs.find(({ name }) => name === 'hatchet/plan')?.annotations ?? [];
    expect(annotation).toMatchObject({ path: 'clash/two.tf', startLine: 1 });
    await group.destroy('dequeued');
  });

  test('in which somebody has lost their rights, or said no meanwhile, fails and says so, and its merge applies nothing (S10)', async ({
    expect,
  }) => {
    const base = await branchOff(world, 'queue-rights');
    for (const login of ['approver', 'queuer']) {
      world.sandbox.createUser(login);
      world.repository.collaborator(login, 'write');
    }
    await seedDatabase(world, 'demoted', '1');
    const [demoted, refused] = await Promise.all([
      openOn(world, { dir: 'demoted', body: database('2'), base }),
      openReady(world, { dir: 'refused', body: database('1'), base }),
    ]);
    await untilComment(demoted, 'Waiting for 1 approval');
    await order(demoted, 'approver', '/hatchet approve');
    await untilCheck(demoted, 'hatchet/apply', approved);
    world.repository.collaborator('approver', 'read');
    const without = await world.repository.createMergeGroup([demoted], 'hubot');
    expect(faces(await untilAnswered(without.headSha))).toContain(
      `hatchet/apply: failure, demoted: 1 approval missing on #${demoted.number}`,
    );
    await without.destroy('dequeued');

    // A no after the group had passed: the merge asks again, and so does the next group.
    const passed = await world.repository.createMergeGroup([refused], 'queuer');
    expect(faces(await untilAnswered(passed.headSha))).toContain(`hatchet/apply: success, ${approved}`);
    await order(refused, 'hubot', '/hatchet reject');
    await untilCheck(refused, 'hatchet/apply', 'Rejected by @hubot');
    const again = await world.repository.createMergeGroup([refused, demoted], 'queuer');
    expect(said(await untilAnswered(again.headSha), 'hatchet/apply')).toContain('rejected by @hubot');
    await again.destroy('dequeued');
    world.repository.collaborator('queuer', 'read');
    await passed.destroy('merged');
    await untilCheck(refused, 'hatchet/apply', 'Rejected by @hubot', passed.headSha);
    expect([...(await appliesOf(world, 'demoted')), ...(await appliesOf(world, 'refused'))]).toEqual([]);
  });

  test('that GitHub asks for twice, and again when it is over, is answered once (S13)', async ({
    expect,
  }) => {
    const base = await branchOff(world, 'queue-twice');
    const pullRequest = await openReady(world, { dir: 'twice', body: database('1'), base });
    const group = await enqueue(pullRequest);
    await untilAnswered(group.headSha);
    const requests = world.sandbox.deliveries
      .list()
      .filter(({ event, action }) => event === 'merge_group' && action === 'checks_requested');
    for (const { id } of requests) {
      expect((await world.sandbox.deliveries.redeliver(id))?.status_code).toBe(200);
    }
    await group.destroy('merged');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', group.headSha);
    const answers = world.repository.allChecks(group.headSha).filter(({ name }) => name === 'hatchet/policy');
    expect(answers.map(({ externalId }) => externalId?.split(':')[0])).toEqual([
      'group',
      `${pullRequest.number}`,
    ]);
    expect(await countPlans(world, 'twice')).toBe(2);
  });

  test('whose plan takes longer than the queue waits is answered before', async ({ expect }) => {
    const base = await branchOff(world, 'queue-overdue');
    world.repository.limitQueue(base, 1);
    const backend = states.backend('overdue');
    const pullRequest = await openReady(world, { dir: 'overdue', body: database('1'), base, backend });
    states.hold('overdue');
    const { headSha } = await enqueue(pullRequest);
    await vi.waitUntil(() => states.waiting('overdue') > 0, { timeout: patienceMs });
    const done = (): boolean =>
      world.repository.checks(headSha).every(({ status }) => status === 'completed');
    await vi.waitUntil(done, { timeout: 2 * patienceMs, interval: 100 });
    expect(faces(world.repository.checks(headSha))).toEqual([
      'hatchet/apply: failure, Nothing could be compared in time',
      'hatchet/plan: failure, The plans were not there in time',
      'hatchet/policy: failure, The policies did not answer in time',
    ]);
    await vi.waitUntil(() => states.waiting('overdue') === 0, { timeout: patienceMs });
    states.release('overdue');
  });

  test('that is taken apart while it is planned leaves no check open and no plan running', async ({
    expect,
  }) => {
    const base = await branchOff(world, 'queue-gone');
    const backend = states.backend('gone');
    const pullRequest = await openReady(world, { dir: 'gone', body: database('1'), base, backend });
    states.hold('gone');
    const group = await enqueue(pullRequest);
    await vi.waitUntil(() => states.waiting('gone') > 0, { timeout: patienceMs });
    await group.destroy('invalidated');
    expect(faces(await untilAnswered(group.headSha))).toEqual([
      'hatchet/apply: cancelled, The merge group is gone',
      'hatchet/plan: cancelled, The merge group is gone',
      'hatchet/policy: cancelled, The merge group is gone',
    ]);
    // Terraform was interrupted: nobody waits for the state any more.
    await vi.waitUntil(() => states.waiting('gone') === 0, { timeout: patienceMs });
    expect(await countPlans(world, 'gone')).toBe(1);
    states.release('gone');
  });
});

test('at the end no check is left open', () => untilNoneOpen(world));
