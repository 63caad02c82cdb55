// What do people see when what they ask for cannot be done: broken code, conflicts, forks, words nobody knows?
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { faces } from './normalize.ts';
import {
  ask,
  headline,
  mainComment,
  openOn,
  patienceMs,
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
  world = await createWorld({});
});
afterAll(() => world.close());

const good = 'resource "terraform_data" "one" {\n  input = 1\n}';

/** Waits for the check that every pull request ends with, and for the comment that goes with it. */
async function untilConcluded(pullRequest: PullRequestHandle, conclusion: 'failure' | 'neutral') {
  for (const name of ['hatchet/plan', 'hatchet/policy', 'hatchet/apply'])
    await pullRequest.waitForCheck(name, { status: 'completed', timeoutMs: patienceMs });
  return pullRequest.waitForCheck('hatchet/plan', { conclusion, timeoutMs: patienceMs });
}

test('broken HCL fails the plan, on its own line', async () => {
  const pullRequest = await openOn(world, {
    dir: 'broken',
    body: 'resource "terraform_data" "a" {\n  input = \n}',
  });
  await untilConcluded(pullRequest, 'failure');
  await untilComment(pullRequest, 'failed');
  expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
    [
      "hatchet/apply: failure, The plan failed: broken",
      "hatchet/plan: broken: failure, Invalid expression (broken/main.tf:8) [Re-plan]",
      "hatchet/plan: failure, broken: Invalid expression (broken/main.tf:8) [Re-plan]",
      "hatchet/policy: neutral, Nothing to judge",
    ]
  `);
  const { annotations } = pullRequest.check('hatchet/plan: broken');
  expect(annotations.map(({ path, startLine }) => ({ path, startLine }))).toEqual([
    { path: 'broken/main.tf', startLine: 8 },
  ]);
  expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
    "<!-- hatchet:pr -->
    **\`broken\` could not be planned.** Fix the error below and push.

    | Project | Add | Change | Destroy | Replace | Policy | Status |
    | :-- | --: | --: | --: | --: | :-- | :-- |
    | [broken](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | | | | | | failed |

    \`broken/main.tf:8\` **Invalid expression**: Expected the start of an expression, but found an invalid expression token.

    <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`main\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
  `);
});

test('a variable without a value is named', async () => {
  const body = `variable "region" {\n  type = string\n}\n${good}`;
  const pullRequest = await openOn(world, { dir: 'variable', body });
  await untilConcluded(pullRequest, 'failure');
  await untilComment(pullRequest, 'failed');
  expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
    "<!-- hatchet:pr -->
    **\`variable\` could not be planned.** Fix the error below and push.

    | Project | Add | Change | Destroy | Replace | Policy | Status |
    | :-- | --: | --: | --: | --: | :-- | :-- |
    | [variable](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | | | | | | failed |

    \`variable/main.tf:7\` **No value for required variable**: The root module input variable "region" is not set, and has no default value. Use a -var or -var-file command line argument to provide a value for this variable.

    <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`main\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
  `);
});

test('a provider that cannot be had is named', async () => {
  const source = 'registry.nowhere.test/nobody/nothing';
  const body = `terraform {\n  required_providers {\n    nothing = { source = "${source}" }\n  }\n}\nresource "nothing_at_all" "a" {}`;
  const pullRequest = await openOn(world, { dir: 'provider', body });
  const check = await untilConcluded(pullRequest, 'failure');
  const comment = await untilComment(pullRequest, 'failed');
  expect(check.title).toBe('provider: Failed to query available provider packages');
  expect(comment.body).toContain(source);
  expect(headline(pullRequest)).toMatchInlineSnapshot(
    `"**\`provider\` could not be planned.** Fix the error below and push."`,
  );
});

test('a project without a backend is not planned, because its state would be lost', async () => {
  const files = { 'bare/main.tf': good, 'bare/terraform.tfvars': '' };
  const opening = { title: 'Bare', author: 'mona', head: 'bare', files };
  const pullRequest = await world.repository.openPullRequest(opening);
  await untilConcluded(pullRequest, 'failure');
  await untilComment(pullRequest, 'failed');
  expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
    [
      "hatchet/apply: failure, The plan failed: bare",
      "hatchet/plan: bare: failure, The state of this project would be lost [Re-plan]",
      "hatchet/plan: failure, bare: The state of this project would be lost [Re-plan]",
      "hatchet/policy: neutral, Nothing to judge",
    ]
  `);
  expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
    "<!-- hatchet:pr -->
    **\`bare\` could not be planned.** Fix the error below and push.

    | Project | Add | Change | Destroy | Replace | Policy | Status |
    | :-- | --: | --: | --: | --: | :-- | :-- |
    | [bare](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | | | | | | failed |

    \`bare\`: **The state of this project would be lost**: The configuration has no backend block. Configure a remote backend (s3, gcs, azurerm, http, cloud …), or a local one with a path in a directory that the operator lists in HATCHET_RUNNER_PATHS.

    <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`main\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
  `);
});

test('a merge conflict is a failed plan that names the file', async () => {
  await world.repository.commit('main', { files: { 'conflict/main.tf': '# base\n' }, author: 'mona' });
  await world.repository.commit('ours', {
    files: { 'conflict/main.tf': '# ours\n' },
    author: 'mona',
    from: 'main',
  });
  await world.repository.commit('main', { files: { 'conflict/main.tf': '# theirs\n' }, author: 'mona' });
  const pullRequest = await world.repository.openPullRequest({
    title: 'Conflict',
    author: 'mona',
    head: 'ours',
  });
  await untilConcluded(pullRequest, 'failure');
  await untilComment(pullRequest, 'conflict');
  expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
    [
      "hatchet/apply: failure, Merge conflict with main",
      "hatchet/plan: failure, Merge conflict with main",
      "hatchet/policy: neutral, Nothing to judge",
    ]
  `);
  expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
    "<!-- hatchet:pr -->
    **Conflict with \`main\` in \`conflict/main.tf\`.** Merge \`main\` into this branch or rebase it, then push.

    <sub>Head [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
  `);
});

test('a pull request without Terraform has three neutral checks (S2)', async () => {
  const files = { 'docs/guide.md': 'Read me.\n' };
  const pullRequest = await world.repository.openPullRequest({
    title: 'Docs',
    author: 'mona',
    head: 'docs',
    files,
  });
  await untilConcluded(pullRequest, 'neutral');
  expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
    [
      "hatchet/apply: neutral, Nothing to apply",
      "hatchet/plan: neutral, No Terraform project is affected",
      "hatchet/policy: neutral, Nothing to judge",
    ]
  `);
});

test('an empty pull request has three neutral checks', async () => {
  await world.repository.commit('empty', { author: 'mona', from: 'main', message: 'Nothing yet' });
  const pullRequest = await world.repository.openPullRequest({
    title: 'Empty',
    author: 'mona',
    head: 'empty',
  });
  await untilConcluded(pullRequest, 'neutral');
  expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
    [
      "hatchet/apply: neutral, Nothing to apply",
      "hatchet/plan: neutral, No Terraform project is affected",
      "hatchet/policy: neutral, Nothing to judge",
    ]
  `);
});

test('nothing of a fork is planned until a writer allows exactly that commit (S8)', async () => {
  const fork = await world.repository.fork('stranger');
  const pullRequest = await openOn(world, { dir: 'forked', body: good, author: 'stranger', fromFork: fork });
  await pullRequest.waitForCheck('hatchet/plan', { conclusion: 'action_required', timeoutMs: patienceMs });
  await untilComment(pullRequest, 'fork');
  expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
    [
      "hatchet/apply: action_required, A fork waits for a writer",
      "hatchet/plan: action_required, A fork is planned when a writer allows this commit [Allow plan]",
      "hatchet/policy: neutral, Nothing to judge",
    ]
  `);
  expect(headline(pullRequest)).toMatchInlineSnapshot(
    `"**Not planned: this comes from a fork, and planning runs its code.**"`,
  );
  const refused = await ask(pullRequest, 'stranger', `/hatchet plan ${pullRequest.headSha}`);
  expect(refused.reply).toMatchInlineSnapshot(
    `"@stranger \`/hatchet plan\` was refused: it takes write access to this repository. Ask someone who has it."`,
  );
});

test('an unknown command and a command by a reader are refused with the reason', async () => {
  const pullRequest = await openOn(world, { dir: 'words', body: good });
  await untilComment(pullRequest, 'Ready');
  expect(await ask(pullRequest, 'hubot', '/hatchet aply')).toMatchInlineSnapshot(`
    {
      "reaction": "confused",
      "reply": "@hubot there is no command \`aply\`. Did you mean \`apply\`? Comment \`/hatchet help\` for all commands.",
    }
  `);
  expect(await ask(pullRequest, 'reader', '/hatchet apply')).toMatchInlineSnapshot(`
    {
      "reaction": "confused",
      "reply": "@reader \`/hatchet apply\` was refused: it takes write access to this repository. Ask someone who has it.",
    }
  `);
});

test('a directory whose name has blanks and quotes is a project like any other', async () => {
  const dir = `it's "odd" & new`;
  const path = JSON.stringify(`${world.project('x', '').match(/path = "(.*)x\.tfstate"/)?.[1]}odd.tfstate`);
  const backend = `terraform {\n  backend "local" {\n    path = ${path}\n  }\n}`;
  const pullRequest = await openOn(world, { dir, backend, body: good, head: 'odd' });
  await untilCheck(pullRequest, 'hatchet/apply', 'Approved, applies on merge');
  await untilComment(pullRequest, 'Ready');
  expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
    [
      "hatchet/apply: success, Approved, applies on merge [Apply now]",
      "hatchet/plan: it's "odd" & new: success, 1 to add [Re-plan]",
      "hatchet/plan: success, 1 project: 1 to add [Re-plan]",
      "hatchet/policy: success, All policies passed",
    ]
  `);
  await pullRequest.merge({ by: 'hubot' });
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied', pullRequest.mergeCommit ?? '');
});

test.for([
  ['.terraform', 'dotted/.terraform/environment', 'other'],
  [
    'terraform.d',
    'plugged/terraform.d/plugins/example.test/a/b/1.0.0/linux_amd64/terraform-provider-b',
    '#!/bin/sh',
  ],
])('a committed %s is refused (S8)', async ([name = '', path = '', content = '']) => {
  const dir = path.split('/')[0] ?? '';
  const pullRequest = await openOn(world, { dir, body: good, files: { [path]: content } });
  await untilConcluded(pullRequest, 'failure');
  const comment = await untilComment(pullRequest, 'failed');
  expect(comment.body).toContain(name);
});

test('no check is left open (S14)', () => untilNoneOpen(world));
