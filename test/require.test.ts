// What must be true of a pull request before an apply, who may set a policy aside, and whose code waits for a writer?
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import { faces } from './normalize.ts';
import { inDatabase } from './postgres.ts';
import {
  appliesOf,
  ask,
  database,
  headline,
  mainComment,
  openOn,
  order,
  patienceMs,
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
let world: World;
let permissions: ReturnType<World['sandbox']['installation']>['permissions'];

/** Each is a branch of its own, so that its rules hold for the pull requests against it alone. */
const configurations = {
  gated: 'version: 1\napply: { on: comment, require: [approved, mergeable], auto_merge: squash }\n',
  stuck: 'version: 1\napply: { on: comment, auto_merge: squash }\n',
  fresh: 'version: 1\napply: { on: comment, require: [up_to_date] }\n',
  listed: 'version: 1\napply: { on: comment }\n',
  kept: "version: 1\nprotect: [terraform_data.database]\noverrides: { by: ['@octo-org/oncall'] }\n",
  guarded:
    "version: 1\nprotect: [terraform_data.database]\noverrides: { by: ['@octo-org/oncall'] }\napply: { on: comment }\n",
};

/** On `main`, which alone says from which branches may be applied. */
const mainRules = (branches: readonly string[]): string =>
  `version: 1\nbranches: [${branches.join(', ')}]\napprovals: { count: 1 }\n`;

beforeAll(async () => {
  const branches = ['main', ...Object.keys(configurations)];
  world = await createWorld({ files: () => ({ 'hatchet.yaml': mainRules(branches) }), people: ['ann'] });
  const { sandbox, repository } = world;
  const installation = sandbox.installation('octo-org');
  permissions = installation.permissions;
  allow({ ...permissions, contents: 'write' });
  sandbox.createBot('reviewer[bot]');
  repository.collaborator('reviewer[bot]', 'write');
  sandbox.createTeam('octo-org', 'oncall', ['ann']);
  for (const [branch, text] of Object.entries(configurations)) {
    await repository.commit(branch, { files: { 'hatchet.yaml': text } });
  }
});
afterAll(async () => {
  allow(permissions);
  await world.close();
});

/** Other files may share the app: it gets tokens of these permissions from now on. */
function allow(granted: typeof permissions): void {
  world.sandbox.installation('octo-org').permissions = granted;
  world.sandbox.expireInstallationTokens();
}

describe.concurrent('apply.require', () => {
  test('our own check alone keeps nobody waiting, a bot speaks for nobody, and what is applied is merged (S10, S16)', async ({
    expect,
  }) => {
    world.repository.protect('gated', { requiredChecks: ['hatchet/apply', 'ci'], requiredApprovals: 1 });
    const pullRequest = await openOn(world, { dir: 'gate', base: 'gated', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', 'Not approved and not mergeable: gate');
    await untilComment(pullRequest, 'Not approved by a review and not mergeable');
    expect(
      mainComment(pullRequest)
        .split('\n')
        .filter((line) => line.startsWith('- ')),
    ).toMatchInlineSnapshot(`
      [
        "- ✗ not approved: GitHub asks for more approving reviews than there are; anyone with write can give one",
        "- ✗ not mergeable: the required check \`ci\` is missing and GitHub asks for more approving reviews",
      ]
    `);
    expect((await ask(pullRequest, 'hubot', '/hatchet apply')).reply).toContain(
      'the required check `ci` is missing',
    );
    // GitHub counts the review of an App that may write; a person has not looked by that.
    pullRequest.review('reviewer[bot]', 'APPROVE');
    await untilComment(pullRequest, 'an approving review of the newest commit is missing');
    expect((await ask(pullRequest, 'hubot', '/hatchet apply')).reply).toContain(
      'an approving review of the newest commit is missing',
    );
    pullRequest.review('hubot', 'APPROVE');
    await untilCheck(pullRequest, 'hatchet/apply', 'Not mergeable: gate');
    world.repository.setStatus(pullRequest.headSha, 'ci', 'success');
    await order(pullRequest, 'hubot', '/hatchet apply');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
    await vi.waitUntil(() => pullRequest.mergeCommit !== null, { timeout: patienceMs });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', pullRequest.mergeCommit ?? '');
    expect(await appliesOf(world, 'gate')).toHaveLength(1);
  });

  test('what is applied and GitHub does not merge says so, and no more once somebody has merged it', async ({
    expect,
  }) => {
    world.repository.protect('stuck', { requiredChecks: ['hatchet/apply', 'ci'] });
    const pullRequest = await openOn(world, { dir: 'unmerged', base: 'stuck', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', 'Not applied yet');
    await untilComment(pullRequest, 'Ready');
    await order(pullRequest, 'hubot', '/hatchet apply');
    await untilComment(pullRequest, 'merge it by hand');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
    expect(
      mainComment(pullRequest)
        .split('\n')
        .filter((line) => line.startsWith('**') || line.includes('to merge this')),
    ).toMatchInlineSnapshot(`
      [
        "**Applied.** 1 project, 1 added, in DURATION.",
        "Hatchet was to merge this and could not: Required status check "ci" is expected. It is not tried again: merge it by hand.",
      ]
    `);
    expect(pullRequest.mergeCommit).toBeNull();
    const recorded = () =>
      inDatabase(
        world.databaseUrl,
        (sql) =>
          sql`select actor, allowed, reason from event where action = 'merge'
            and repository_id = ${world.repository.id} and number = ${pullRequest.number}`,
      );
    await vi.waitUntil(async () => (await recorded()).length > 0, { timeout: patienceMs });
    expect([...(await recorded())]).toMatchInlineSnapshot(`
      [
        {
          "actor": "hatchet",
          "allowed": false,
          "reason": "Required status check "ci" is expected.",
        },
      ]
    `);
    world.repository.setStatus(pullRequest.headSha, 'ci', 'success');
    const merge = await pullRequest.merge({ by: 'hubot' });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
    await vi.waitUntil(() => !mainComment(pullRequest).includes('by hand'), { timeout: patienceMs });
    expect(await appliesOf(world, 'unmerged')).toHaveLength(1);
  });

  test('a base that moved on right before the apply is seen, and the check says so', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'behind', base: 'fresh', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', 'Not applied yet');
    await untilComment(pullRequest, 'Ready');
    await world.repository.commit('fresh', { files: { 'notes.md': 'of somebody else' } });
    pullRequest.comment('hubot', '/hatchet apply');
    await untilCheck(pullRequest, 'hatchet/apply', 'Not up to date: behind');
    await untilComment(pullRequest, '`fresh` has commits that this branch lacks');
    expect(await appliesOf(world, 'behind')).toEqual([]);
  });
});

test.concurrent('a denial is lifted only by whom hatchet.yaml names, with a reason, for this plan (S10)', async ({
  expect,
}) => {
  await seedDatabase(world, 'vault', '1');
  const pullRequest = await openOn(world, { dir: 'vault', base: 'guarded', body: database('2') });
  await untilCheck(pullRequest, 'hatchet/apply', 'A policy denies vault');
  await untilComment(pullRequest, 'denied');
  const command = '/hatchet override vault --reason "the data is **copied**"';
  expect(await ask(pullRequest, 'hubot', command)).toMatchInlineSnapshot(`
    {
      "reaction": "confused",
      "reply": "@hubot \`/hatchet override\` was refused: hatchet.yaml does not name you. Ask @octo-org/oncall.",
    }
  `);
  await order(pullRequest, 'ann', command);
  await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: vault');
  await untilComment(pullRequest, 'is overridden by');
  expect(faces(pullRequest.checks())).toContain('hatchet/policy: success, protect: overridden by @ann');
  expect(
    mainComment(pullRequest)
      .split('\n')
      .filter((line) => line.includes('overridden')),
  ).toMatchInlineSnapshot(`
    [
      "- \`vault\`: \`protect\` is overridden by @ann: the data is \\*\\*copied\\*\\*",
      "\`protect\` denied this, overridden by @ann (the data is \\*\\*copied\\*\\*): replaces terraform_data.database, which is protected by terraform_data.database (\`terraform_data.database\`)",
    ]
  `);
  await order(pullRequest, 'hubot', '/hatchet approve');
  await order(pullRequest, 'hubot', '/hatchet apply');
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
  await pullRequest.push({ 'vault/main.tf': world.project('vault', database('3')) });
  await untilCheck(pullRequest, 'hatchet/apply', 'A policy denies vault');
});

test.concurrent('a denial is lifted on a merged pull request, too, and whoever then says no takes that back', async ({
  expect,
}) => {
  await seedDatabase(world, 'safe', '1');
  const pullRequest = await openOn(world, { dir: 'safe', base: 'kept', body: database('2') });
  await untilCheck(pullRequest, 'hatchet/apply', 'A policy denies safe');
  await untilComment(pullRequest, 'denied');
  const merge = await pullRequest.merge({ by: 'mona' });
  await untilCheck(pullRequest, 'hatchet/apply', 'A policy denies safe', merge);
  await untilSecondAfter(await untilComment(pullRequest, 'denied'));
  const command = '/hatchet override safe --reason "copied"';
  await order(pullRequest, 'ann', command);
  await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: safe', merge);
  await order(pullRequest, 'ann', '/hatchet reject');
  await untilCheck(pullRequest, 'hatchet/apply', 'A policy denies safe', merge);
  await untilSecondAfter(await untilComment(pullRequest, 'denies'));
  await order(pullRequest, 'ann', '/hatchet approve');
  await order(pullRequest, 'ann', command);
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
  expect(await appliesOf(world, 'safe')).toHaveLength(1);
});

describe.concurrent('a base branch that anybody made', () => {
  const barred = (branch: string): string => `${branch} is not a branch that may be applied from`;

  test('is planned, and applied neither by a word nor by a merge, whatever it says itself (S11)', async ({
    expect,
  }) => {
    const files = { 'hatchet.yaml': "version: 1\nbranches: ['**']\n" };
    await world.repository.commit('relaxed', { files, author: 'mona', from: 'main' });
    const pullRequest = await openOn(world, { dir: 'loose', base: 'relaxed', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', barred('relaxed'));
    await untilComment(pullRequest, 'is not a branch that may be applied from');
    expect(faces(pullRequest.checks())).toContain(`hatchet/apply: action_required, ${barred('relaxed')}`);
    expect(headline(pullRequest)).toMatchInlineSnapshot(
      `"**\`relaxed\` is not a branch that may be applied from.**"`,
    );
    const asked = await ask(pullRequest, 'mona', '/hatchet apply');
    expect(asked).toMatchObject({ reaction: 'confused' });
    expect(asked.reply).toContain('list `relaxed` under `branches` in hatchet.yaml on `main`');
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', barred('relaxed'), merge);
    expect(await appliesOf(world, 'loose')).toEqual([]);
  });

  test('is asked for again right before the apply (S11)', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'unlisted', base: 'listed', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', 'Not applied yet');
    await untilComment(pullRequest, 'Ready');
    const branches = ['main', ...Object.keys(configurations)].filter((branch) => branch !== 'listed');
    await world.repository.commit('main', { files: { 'hatchet.yaml': mainRules(branches) } });
    const { reply } = await ask(pullRequest, 'hubot', '/hatchet apply');
    expect(reply).toContain('`listed` is not a branch that may be applied from');
    await untilCheck(pullRequest, 'hatchet/apply', barred('listed'));
    expect(await appliesOf(world, 'unlisted')).toEqual([]);
  });
});

test.concurrent('what somebody without write asks for is planned when a writer allows the commit (S8)', async ({
  expect,
}) => {
  const files = { 'borrowed/main.tf': world.project('borrowed', database('1')) };
  await world.repository.commit('borrowed', { files, author: 'mona', from: 'main' });
  const options = { title: 'Not mine', author: 'reader', head: 'borrowed' };
  const pullRequest = await world.repository.openPullRequest(options);
  await untilCheck(
    pullRequest,
    'hatchet/plan',
    '@reader may not write here: planned when a writer allows this commit',
  );
  const refused = await ask(pullRequest, 'reader', `/hatchet plan ${pullRequest.headSha.slice(0, 7)}`);
  expect(refused.reply).toContain('it takes write access');
  await order(pullRequest, 'hubot', `/hatchet plan ${pullRequest.headSha.slice(0, 7)}`);
  await untilCheck(pullRequest, 'hatchet/plan', '1 project: 1 to add');
});

test('no check is left open (S14)', () => untilNoneOpen(world));
