// What do people see of a hatchet.yaml that is wrong, and of policies of their own?
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Files } from '../fixtures/sandbox/git-repository.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { faces } from './normalize.ts';
import {
  ask,
  branchOff,
  headline,
  mainComment,
  openReady,
  patienceMs,
  storyTimeoutMs,
  untilComment,
  untilNoneOpen,
  untilWritten,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;

const network = 'resource "terraform_data" "network" {\n  input = 1\n}';
const bucket = 'resource "terraform_data" "bucket" {\n  input = "public"\n}';
const configuration = `version: 1
projects:
  - { dir: network, name: network }
  - { dir: app, name: app, depends_on: [network] }
policies:
  - { path: policies, level: mandatory }
`;
const naming = `package hatchet.naming
deny contains {"msg": sprintf("%s is open to everybody", [change.address]), "address": change.address} if {
  some change in input.plan.resource_changes
  change.change.after.input == "public"
}`;

beforeAll(async () => {
  world = await createWorld({
    files: (project) => ({
      'hatchet.yaml': configuration,
      'network/main.tf': project('network', network),
      'app/main.tf': project('app', network),
      'policies/naming.rego': naming,
    }),
  });
});
afterAll(() => world.close());

async function open(
  head: string,
  files: Files,
  options: { readonly base?: string; readonly delete?: readonly string[] } = {},
): Promise<PullRequestHandle> {
  return world.repository.openPullRequest({
    title: `Change ${head}`,
    author: 'mona',
    head,
    files,
    ...options,
  });
}

async function untilBroken(pullRequest: PullRequestHandle): Promise<readonly string[]> {
  for (const name of ['hatchet/plan', 'hatchet/apply'])
    await pullRequest.waitForCheck(name, { conclusion: 'failure', timeoutMs: patienceMs });
  await untilComment(pullRequest, 'is broken');
  return pullRequest
    .check('hatchet/plan')
    .annotations.map(({ path, startLine, title }) => `${path}:${startLine} ${title}`);
}

test('every mistake of an edited hatchet.yaml stands on its line', async () => {
  const text = `version: 1
projects:
  - { dir: network, name: network, depends_on: [app] }
  - { dir: app, name: app, depends_on: [network] }
  - { dir: ap, name: other }
  - { dir: app, workspace: eu, depends_on: [netwrok] }
aprovals: { count: 2 }
policies:
  - { path: polices, level: mandatory }
  - { path: policies, level: strict }
`;
  const pullRequest = await open('mistakes', { 'hatchet.yaml': text });
  expect(await untilBroken(pullRequest)).toMatchInlineSnapshot(`
    [
      "hatchet.yaml:3 \`projects.0.depends_on.0\`: a circle: \`network\` → \`app\` → \`network\`",
      "hatchet.yaml:5 \`projects.2.dir\`: there is no directory \`ap\`: did you mean \`app\`?",
      "hatchet.yaml:6 \`projects.3.depends_on.0\`: there is no project \`netwrok\`: did you mean \`network\`?",
      "hatchet.yaml:7 unknown key \`aprovals\`: did you mean \`approvals\`?",
      "hatchet.yaml:9 \`policies.0.path\`: \`polices\` is not there",
      "hatchet.yaml:10 \`policies.1.level\`: expected \`mandatory\` or \`advisory\`",
    ]
  `);
  expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
    [
      "hatchet/apply: failure, hatchet.yaml is broken",
      "hatchet/plan: failure, hatchet.yaml is broken",
      "hatchet/policy: neutral, Nothing to judge",
    ]
  `);
  expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
    "<!-- hatchet:pr -->
    **\`hatchet.yaml\` is broken in this pull request.** Merging it would stop every pull request. Mend it and push.

    \`hatchet.yaml:3\` **\`projects.0.depends_on.0\`: a circle: \`network\` → \`app\` → \`network\`**

    \`hatchet.yaml:5\` **\`projects.2.dir\`: there is no directory \`ap\`: did you mean \`app\`?**

    \`hatchet.yaml:6\` **\`projects.3.depends_on.0\`: there is no project \`netwrok\`: did you mean \`network\`?**

    \`hatchet.yaml:7\` **unknown key \`aprovals\`: did you mean \`approvals\`?**

    \`hatchet.yaml:9\` **\`policies.0.path\`: \`polices\` is not there**

    \`hatchet.yaml:10\` **\`policies.1.level\`: expected \`mandatory\` or \`advisory\`**

    <sub>Head [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
  `);
});

test('a pull request that takes away what hatchet.yaml names is told so', async () => {
  const pullRequest = await open('without', {}, { delete: ['policies/naming.rego'] });
  expect(await untilBroken(pullRequest)).toMatchInlineSnapshot(`
    [
      "hatchet.yaml:6 \`policies.0.path\`: \`policies\` is not there",
    ]
  `);
  expect(headline(pullRequest)).toMatchInlineSnapshot(
    `"**\`hatchet.yaml\` is broken in this pull request.** Merging it would stop every pull request. Mend it and push."`,
  );
});

test('a policy of the repository denies a plan, whatever the pull request makes of the policy', async () => {
  const files = {
    'app/main.tf': world.project('app', bucket),
    'policies/naming.rego': 'package hatchet.naming',
  };
  const pullRequest = await open('denied', files);
  await pullRequest.waitForCheck('hatchet/policy', { conclusion: 'failure', timeoutMs: patienceMs });
  await untilComment(pullRequest, 'blocks');
  await untilWritten(pullRequest, ['app']);
  expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
    [
      "hatchet/apply: failure, A policy denies app",
      "hatchet/plan: app: success, 1 to add [Re-plan]",
      "hatchet/plan: success, 1 project: 1 to add [Re-plan]",
      "hatchet/policy: failure, naming: terraform_data.bucket is open to everybody",
    ]
  `);
  expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
    "<!-- hatchet:pr -->
    **\`naming\` blocks \`app\`.**
    No approval can change that: see the reason below, then push, or change the label or the title that it looks at. Where it looks at the time, comment \`/hatchet plan\` when that has come.

    The policy \`policies/naming.rego\` is changed here: inactive until merged.

    Merged as it is here, it could not judge. \`policies/naming.rego\` **package hatchet.naming has no rule named deny, warn or approve: it would judge nothing**

    | Project | Add | Change | Destroy | Replace | Policy | Status |
    | :-- | --: | --: | --: | --: | :-- | :-- |
    | [app](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | 1 | | | | denied | denied |

    \`app\`: \`naming\` denies this: terraform_data.bucket is open to everybody (\`terraform_data.bucket\`)

    <details><summary><b>app</b>: 1 to add</summary>

    \`\`\`diff
    + terraform_data.bucket
    +     input   "public"
    +     known after apply: id, output
    \`\`\`

    </details>

    <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`main\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · Terraform 1.11.4 · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
  `);
  expect(await ask(pullRequest, 'hubot', '/hatchet apply')).toMatchInlineSnapshot(`
    {
      "reaction": "confused",
      "reply": "@hubot \`/hatchet apply\` was refused: \`naming\` denies \`app\`. No approval can change that: see why on hatchet/policy, then push, or change the label or the title that it looks at. Where it looks at the time, comment \`/hatchet plan\` when that has come.",
    }
  `);
});

test('a project that nobody knows is answered with the nearest', async () => {
  const pullRequest = await openReady(world, { dir: 'network', head: 'words', body: `${network}\n# more` });
  expect(await ask(pullRequest, 'hubot', '/hatchet approve netwrok')).toMatchInlineSnapshot(`
    {
      "reaction": "confused",
      "reply": "@hubot there is no project \`netwrok\`. Did you mean \`network\`? Projects here: \`network\`.",
    }
  `);
  expect(await ask(pullRequest, 'hubot', '/hatchet plan zebra')).toMatchInlineSnapshot(`
    {
      "reaction": "confused",
      "reply": "@hubot there is no project \`zebra\`. Projects here: \`network\`.",
    }
  `);
});

test('a broken hatchet.yaml on the base stops every plan, and says where it is to be mended', async () => {
  const base = await branchOff(world, 'broken-base', {
    'hatchet.yaml': 'version: 1\nprotects: [a]\nlock: [\n',
  });
  const pullRequest = await open('on-broken', { 'app/main.tf': world.project('app', bucket) }, { base });
  expect(await untilBroken(pullRequest)).toMatchInlineSnapshot(`
    [
      "hatchet.yaml:2 unknown key \`protects\`: did you mean \`protect\`?",
      "hatchet.yaml:3 Flow sequence in block collection must be sufficiently indented and end with a ]",
    ]
  `);
  expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
    [
      "hatchet/apply: failure, hatchet.yaml is broken",
      "hatchet/plan: failure, hatchet.yaml is broken on broken-base",
      "hatchet/policy: neutral, Nothing to judge",
    ]
  `);
  expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
    "<!-- hatchet:pr -->
    **\`hatchet.yaml\` on \`broken-base\` is broken.** Nothing is planned until it is mended on \`broken-base\`.

    \`hatchet.yaml:2\` **unknown key \`protects\`: did you mean \`protect\`?**

    \`hatchet.yaml:3\` **Flow sequence in block collection must be sufficiently indented and end with a \\]**

    <sub>Head [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
  `);
});

test('no check is left open (S14)', () => untilNoneOpen(world));
