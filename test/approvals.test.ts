// Who has to say yes before something is destroyed, to what exactly, and what takes a yes back?
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import type { Team } from '../fixtures/sandbox/model.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { faces } from './normalize.ts';
import {
  appliesOf,
  ask,
  click,
  database,
  everyBranch,
  headline,
  mainComment,
  openOn,
  order,
  replies,
  seedDatabase,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilPushHeard,
  untilSecondAfter,
  untilWritten,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;

/** Each is a branch of its own, so that its rules hold for the pull requests against it alone. */
const configurations = {
  one: 'version: 1\napprovals:\n  count: 1\n',
  two: 'version: 1\napprovals:\n  count: 2\n',
  team: "version: 1\napprovals:\n  count: 1\n  by: ['@octo-org/platform']\n",
  self: 'version: 1\napprovals:\n  count: 1\n  author: true\n',
  protected: 'version: 1\nprotect: [terraform_data.database]\n',
  policy: 'version: 1\npolicies: [{ path: rules, level: mandatory }]\n',
  broken: 'version: 1\naprovals:\n  count: 2\n',
};

const twoOfGuild = `package hatchet.guild

approve contains {"count": 2, "by": ["@octo-org/guild"], "msg": "the guild looks at every database"} if {
  some resource in input.plan.resource_changes
  resource.type == "terraform_data"
}
`;
let guild: Team;

beforeAll(async () => {
  world = await createWorld({ files: () => everyBranch, people: ['lee', 'kim', 'sam'] });
  const { sandbox, repository } = world;
  sandbox.createTeam('octo-org', 'platform', ['lee']);
  guild = sandbox.createTeam('octo-org', 'guild', ['lee', 'kim', 'sam']);
  for (const [branch, text] of Object.entries(configurations)) {
    await repository.commit(branch, { files: { 'hatchet.yaml': text } });
  }
  await repository.commit('policy', { files: { 'rules/guild.rego': twoOfGuild } });
});
afterAll(() => world.close());

/** A pull request of @mona's that replaces a database that is there. */
async function openReplace(dir: string, base = 'main'): Promise<PullRequestHandle> {
  await seedDatabase(world, dir, '1');
  return openOn(world, { dir, base, body: database('2') });
}

const missing = (dir: string, count = 1): string =>
  `${count} approval${count === 1 ? '' : 's'} missing: ${dir}`;
const approved = 'Approved, applies on merge';

describe.concurrent('approvals', () => {
  test('the author and a reader are refused, a second yes changes nothing, and the apply waits for the first (S10)', async ({
    expect,
  }) => {
    const pullRequest = await openReplace('someone');
    const waiting = await untilCheck(pullRequest, 'hatchet/apply', missing('someone'));
    expect(await ask(pullRequest, 'mona', '/hatchet approve')).toMatchInlineSnapshot(`
      {
        "reaction": "confused",
        "reply": "@mona \`/hatchet approve\` was refused: your own pull request needs someone else's yes.",
      }
    `);
    expect(await ask(pullRequest, 'reader', '/hatchet approve')).toMatchInlineSnapshot(`
      {
        "reaction": "confused",
        "reply": "@reader \`/hatchet approve\` was refused: it takes write access to this repository. Ask someone who has it.",
      }
    `);
    expect(await ask(pullRequest, 'hubot', '/hatchet apply')).toMatchInlineSnapshot(`
      {
        "reaction": "confused",
        "reply": "@hubot \`/hatchet apply\` was refused: \`someone\` needs 1 approval by someone other than the author. Anyone else with write can give it.",
      }
    `);
    click(pullRequest, waiting, 'Approve', 'mona');
    await vi.waitUntil(() => replies(pullRequest).length === 4, { timeout: 60_000 });
    expect(replies(pullRequest).at(-1)).toMatchInlineSnapshot(`
      "@mona \`/hatchet approve\` was refused: your own pull request needs someone else's yes."
    `);
    expect(await appliesOf(world, 'someone')).toEqual([]);
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    expect(await ask(pullRequest, 'hubot', '/hatchet approve')).toMatchInlineSnapshot(`
      {
        "reaction": "confused",
        "reply": "@hubot \`/hatchet approve\` was refused: nothing here waits for an approval.",
      }
    `);
    expect(faces(pullRequest.checks())).toContain(`hatchet/apply: success, ${approved} [Apply now]`);
    expect(mainComment(pullRequest)).toContain('`someone` is approved by @hubot');
  });

  test('a push with another plan voids a yes and says so, one with the same plan keeps it (S1, S17)', async ({
    expect,
  }) => {
    const pullRequest = await openReplace('voided');
    const first = await untilCheck(pullRequest, 'hatchet/apply', missing('voided'));
    click(pullRequest, first, 'Approve', 'hubot');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await pullRequest.push({ 'voided/notes.tf': '# the same plan\n' });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    const kept = await untilComment(pullRequest, 'Ready');
    expect(kept.body).toContain(pullRequest.headSha.slice(0, 7));
    await pullRequest.push({ 'voided/main.tf': world.project('voided', database('3')) });
    await untilCheck(pullRequest, 'hatchet/apply', missing('voided'));
    expect(mainComment(pullRequest)).toContain(
      "`voided`: The approval of `@hubot` no longer counts: the project's files changed.",
    );
    // The plan that was approved comes back, the yes does not.
    await pullRequest.push({ 'voided/main.tf': world.project('voided', database('2')) });
    await untilComment(pullRequest, 'no longer counts: another plan has been on show since');
    await untilCheck(pullRequest, 'hatchet/apply', missing('voided'));
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/plan', '1 project: 1 to replace', merge);
    const asks = await pullRequest.waitForCheck('hatchet/apply', {
      sha: merge,
      conclusion: 'action_required',
    });
    expect(asks.title).toBe(missing('voided'));
    expect(await appliesOf(world, 'voided')).toEqual([]);
    click(pullRequest, asks, 'Approve', 'hubot');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
    expect(await appliesOf(world, 'voided')).toHaveLength(1);
  });

  test('a yes falls when only the text around an unknown value changes (S17)', async ({ expect }) => {
    const policy = (action: string): string => `resource "terraform_data" "new" {}
      resource "terraform_data" "policy" {
        input = jsonencode({ Action = "${action}", Resource = terraform_data.new.id })
      }`;
    const pullRequest = await openOn(world, { dir: 'around', base: 'one', body: policy('s3:GetObject') });
    await untilCheck(pullRequest, 'hatchet/apply', missing('around'));
    await untilComment(pullRequest, 'Waiting for 1 approval');
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    // What is no file of the project changes nothing.
    await pullRequest.push({ 'around.md': 'text' });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await pullRequest.push({ 'around/main.tf': world.project('around', policy('*')) });
    await untilCheck(pullRequest, 'hatchet/apply', missing('around'));
    expect((await ask(pullRequest, 'mona', '/hatchet apply')).reaction).toBe('confused');
    expect(await appliesOf(world, 'around')).toEqual([]);
  });

  test('a yes is for one apply, also where that failed and nothing was done (S6)', async ({ expect }) => {
    await seedDatabase(world, 'stubborn', '1');
    const refusing = `resource "terraform_data" "database" {
      triggers_replace = "2"
      provisioner "local-exec" {
        when    = destroy
        command = "exit 1"
      }
    }`;
    const pullRequest = await openOn(world, { dir: 'stubborn', body: refusing });
    await untilCheck(pullRequest, 'hatchet/apply', missing('stubborn'));
    await untilComment(pullRequest, 'Waiting for 1 approval');
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await order(pullRequest, 'mona', '/hatchet apply');
    const failed = await untilComment(
      pullRequest,
      'the approval of @hubot no longer counts: the apply that it was for was begun',
    );
    await untilSecondAfter(failed);
    await order(pullRequest, 'mona', '/hatchet plan');
    await untilCheck(pullRequest, 'hatchet/apply', missing('stubborn'));
    await untilSecondAfter(await untilComment(pullRequest, 'Waiting for 1 approval'));
    expect((await ask(pullRequest, 'mona', '/hatchet apply')).reply).toContain('needs 1 approval');
    expect(await appliesOf(world, 'stubborn')).toEqual([{ number: pullRequest.number, state: 'failed' }]);
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await order(pullRequest, 'mona', '/hatchet apply');
    await vi.waitUntil(async () => (await appliesOf(world, 'stubborn')).length === 2, { timeout: 60_000 });
  });

  test('a no blocks until the same person says yes', async ({ expect }) => {
    const pullRequest = await openReplace('rejected');
    await untilCheck(pullRequest, 'hatchet/apply', missing('rejected'));
    await order(pullRequest, 'hubot', '/hatchet reject');
    const blocked = await untilCheck(pullRequest, 'hatchet/apply', 'Rejected by @hubot');
    // Nobody knows whether this click was made before the no or after it.
    click(pullRequest, blocked, 'Approve', 'hubot');
    await vi.waitUntil(() => replies(pullRequest).length === 1, { timeout: 60_000 });
    expect(replies(pullRequest)).toMatchInlineSnapshot(`
      [
        "@hubot \`/hatchet approve\` was refused: your own no to \`rejected\` stands: only what GitHub tells to be later takes it back, and of a click it tells no time. Comment \`/hatchet approve\`.",
      ]
    `);
    await untilSecondAfter(await untilComment(pullRequest, 'Rejected by @hubot'));
    expect(headline(pullRequest)).toMatchInlineSnapshot(
      `"**Rejected by @hubot: \`rejected\`.** Blocked until @hubot approves or a push changes the plan."`,
    );
    await order(pullRequest, 'lee', '/hatchet approve');
    expect(await ask(pullRequest, 'lee', '/hatchet apply')).toMatchInlineSnapshot(`
      {
        "reaction": "confused",
        "reply": "@lee \`/hatchet apply\` was refused: @hubot rejected the plan of \`rejected\`. It is blocked until @hubot approves or the plan changes.",
      }
    `);
    expect(faces(pullRequest.checks())).toContain('hatchet/apply: failure, Rejected by @hubot [Approve]');
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await order(pullRequest, 'hubot', '/hatchet apply rejected');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
    expect(await appliesOf(world, 'rejected')).toHaveLength(1);
  });

  test('hatchet.yaml asks for two people, and one of them twice is one', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'two-people', base: 'two', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', missing('two-people', 2));
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', missing('two-people'));
    await order(pullRequest, 'hubot', '/hatchet approve');
    expect(faces(pullRequest.checks())).toContain(
      `hatchet/apply: action_required, ${missing('two-people')} [Approve]`,
    );
    expect(mainComment(pullRequest)).toContain('1 more of 2 approvals');
    await order(pullRequest, 'lee', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
  });

  test('hatchet.yaml names a team, and only its people count', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'of-a-team', base: 'team', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', missing('of-a-team'));
    expect(headline(pullRequest)).toMatchInlineSnapshot(`"**Waiting for 1 approval: \`of-a-team\`.**"`);
    expect(mainComment(pullRequest)).toContain('@octo-org/platform');
    const refused = await ask(pullRequest, 'hubot', '/hatchet approve');
    expect(refused.reaction).toBe('confused');
    expect(refused.reply).toContain('Ask @octo-org/platform');
    await order(pullRequest, 'lee', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
  });

  test('a policy names a team that nothing else names, and only those count who are in it as the apply begins (S10)', async ({
    expect,
  }) => {
    const pullRequest = await openOn(world, { dir: 'of-a-guild', base: 'policy', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', missing('of-a-guild', 2));
    expect((await ask(pullRequest, 'hubot', '/hatchet approve')).reply).toContain('Ask @octo-org/guild');
    await order(pullRequest, 'lee', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', missing('of-a-guild'));
    await order(pullRequest, 'kim', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    guild.members.delete('kim');
    // Until then everybody may get the answer that GitHub gave before.
    const sharedUntil = Date.now() + 1_000;
    await vi.waitUntil(() => Date.now() > sharedUntil, { timeout: 5_000 });
    await order(pullRequest, 'hubot', '/hatchet apply');
    await untilComment(pullRequest, 'the approval of @kim no longer counts: the right to give it is gone');
    await untilCheck(pullRequest, 'hatchet/apply', missing('of-a-guild'));
    expect(await appliesOf(world, 'of-a-guild')).toEqual([]);
    await order(pullRequest, 'sam', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await order(pullRequest, 'hubot', '/hatchet apply');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
  });

  test('hatchet.yaml may let the author approve, but not for what is destroyed', async ({ expect }) => {
    const own = await openOn(world, { dir: 'own', base: 'self', body: database('1') });
    await untilCheck(own, 'hatchet/apply', missing('own'));
    await order(own, 'mona', '/hatchet approve');
    await untilCheck(own, 'hatchet/apply', approved);
    const replaces = await openReplace('own-replace', 'self');
    await untilCheck(replaces, 'hatchet/apply', missing('own-replace'));
    await order(replaces, 'mona', '/hatchet approve');
    await untilComment(replaces, 'approved by @mona');
    expect(faces(replaces.checks())).toContain(
      `hatchet/apply: action_required, ${missing('own-replace')} [Approve]`,
    );
  });

  test('whoever pushed the head counts as an author, whoever made the commits and opened it (S10)', async ({
    expect,
  }) => {
    await seedDatabase(world, 'forged', '1');
    const files = { 'forged/main.tf': world.project('forged', database('2')) };
    const pushed = { files, author: 'hubot', madeBy: 'mona', from: 'main' };
    const head = await world.repository.commit('forged', pushed);
    await untilPushHeard(world, head);
    const pullRequest = await world.repository.openPullRequest({
      title: 'Innocent',
      author: 'mona',
      head: 'forged',
    });
    await untilCheck(pullRequest, 'hatchet/apply', missing('forged'));
    await untilComment(pullRequest, 'Waiting for 1 approval');
    const own = 'your own pull request needs someone else';
    expect((await ask(pullRequest, 'hubot', '/hatchet approve')).reply).toContain(own);
    // The same by a push to a pull request that is there.
    const more = { 'forged/main.tf': world.project('forged', database('3')) };
    await pullRequest.push(more, 'lee', { madeBy: 'mona' });
    await untilCheck(pullRequest, 'hatchet/plan: forged', '1 to replace');
    await untilSecondAfter(await untilComment(pullRequest, '"1" → "3"'));
    expect((await ask(pullRequest, 'lee', '/hatchet approve')).reply).toContain(own);
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
  });

  test('what is protected is denied, also when the pull request takes the protection away (S11)', async ({
    expect,
  }) => {
    await seedDatabase(world, 'vault', '1');
    const pullRequest = await openOn(world, {
      dir: 'vault',
      base: 'protected',
      body: database('2'),
      files: { 'hatchet.yaml': 'version: 1\nprotect: []\n' },
    });
    await untilCheck(pullRequest, 'hatchet/apply', 'A policy denies vault');
    expect(faces(await untilWritten(pullRequest, ['vault']))).toMatchInlineSnapshot(`
      [
        "hatchet/apply: failure, A policy denies vault",
        "hatchet/plan: success, 1 project: 1 to replace [Re-plan]",
        "hatchet/plan: vault: success, 1 to replace [Re-plan]",
        "hatchet/policy: failure, protect: replaces terraform_data.database, which is protected by terraform_data.database",
      ]
    `);
    expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **\`protect\` blocks \`vault\`.** No approval can change that: see the reason below, then push.

      \`hatchet.yaml\` is changed here: inactive until merged.

      | Project | Add | Change | Destroy | Replace | Policy | Status |
      | :-- | --: | --: | --: | --: | :-- | :-- |
      | [vault](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | | | | **1** | denied | denied |

      \`vault\`: \`protect\` denies this: replaces terraform_data.database, which is protected by terraform_data.database (\`terraform_data.database\`)

      <details open><summary><b>vault</b>: 1 to replace</summary>

      \`\`\`diff
      -/+ terraform_data.database                replaced: triggers_replace cannot be changed in place
      !     triggers_replace   "1" → "2"         forces replacement
      !     id                 "ID" → known after apply
      \`\`\`

      \`destroy\` needs approval: replaces terraform_data.database

      </details>

      <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`protected\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · Terraform 1.11.4 · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
    `);
    expect(await ask(pullRequest, 'hubot', '/hatchet apply')).toMatchInlineSnapshot(`
      {
        "reaction": "confused",
        "reply": "@hubot \`/hatchet apply\` was refused: \`protect\` denies \`vault\`. No approval can change that: see why on hatchet/policy, then push.",
      }
    `);
    const merge = await pullRequest.merge({ by: 'mona' });
    await pullRequest.waitForCheck('hatchet/apply', { sha: merge, status: 'completed', timeoutMs: 60_000 });
    expect(await appliesOf(world, 'vault')).toEqual([]);
  });

  test('a broken hatchet.yaml on the base stops the plan and says where it is broken', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'stopped', base: 'broken', body: database('1') });
    await untilCheck(pullRequest, 'hatchet/apply', 'hatchet.yaml is broken');
    await untilComment(pullRequest, 'is broken');
    expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
      [
        "hatchet/apply: failure, hatchet.yaml is broken",
        "hatchet/plan: failure, hatchet.yaml is broken on broken",
        "hatchet/policy: neutral, Nothing to judge",
      ]
    `);
    expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **\`hatchet.yaml\` on \`broken\` is broken.** Nothing is planned until it is mended on \`broken\`.

      \`hatchet.yaml:2\` **unknown key \`aprovals\`: did you mean \`approvals\`?**

      <sub>Head [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
    `);
  });

  test('a broken hatchet.yaml in the pull request is annotated on its lines', async ({ expect }) => {
    const files = { 'hatchet.yaml': 'version: 1\nprotect: [""]\naprovals: {}\n' };
    const pullRequest = await openOn(world, { dir: 'breaking', body: database('1'), files });
    const plan = await untilCheck(pullRequest, 'hatchet/plan', 'hatchet.yaml is broken');
    await untilComment(pullRequest, 'is broken');
    expect(plan.annotations).toMatchInlineSnapshot(`
      [
        {
          "endColumn": 13,
          "endLine": 2,
          "level": "failure",
          "message": "\`protect.0\`: expected at least 1 characters",
          "path": "hatchet.yaml",
          "rawDetails": null,
          "startColumn": 11,
          "startLine": 2,
          "title": "\`protect.0\`: expected at least 1 characters",
        },
        {
          "endColumn": 9,
          "endLine": 3,
          "level": "failure",
          "message": "unknown key \`aprovals\`: did you mean \`approvals\`?",
          "path": "hatchet.yaml",
          "rawDetails": null,
          "startColumn": 1,
          "startLine": 3,
          "title": "unknown key \`aprovals\`: did you mean \`approvals\`?",
        },
      ]
    `);
    expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
      [
        "hatchet/apply: failure, hatchet.yaml is broken",
        "hatchet/plan: failure, hatchet.yaml is broken",
        "hatchet/policy: neutral, Nothing to judge",
      ]
    `);
    expect(headline(pullRequest)).toMatchInlineSnapshot(
      `"**\`hatchet.yaml\` is broken in this pull request.** Merging it would stop every pull request. Mend it and push."`,
    );
    await pullRequest.push({}, 'mona', { delete: ['hatchet.yaml'] });
    await untilCheck(pullRequest, 'hatchet/apply', approved);
  });

  test('an approval of what a newer push replaced is refused (S1)', async ({ expect }) => {
    const pullRequest = await openReplace('too-late');
    const old = await untilCheck(pullRequest, 'hatchet/apply', missing('too-late'));
    await pullRequest.push({ 'too-late/main.tf': world.project('too-late', database('3')) });
    await untilCheck(pullRequest, 'hatchet/apply', missing('too-late'));
    click(pullRequest, old, 'Approve', 'hubot');
    await vi.waitUntil(() => replies(pullRequest).length === 1, { timeout: 60_000 });
    expect(replies(pullRequest)).toMatchInlineSnapshot(`
      [
        "@hubot \`/hatchet approve\` was refused: the plan of \`too-late\` changed after you wrote this, look again.",
      ]
    `);
    await untilSecondAfter(await untilComment(pullRequest, 'Waiting for 1 approval'));
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
  });
});

test('no check is left open (S14)', () => untilNoneOpen(world));
