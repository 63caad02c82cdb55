// What do people see of code that no person would commit, or that stands where it cannot be read?
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how Terraform writes its expressions
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Files } from '../fixtures/sandbox/git-repository.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { faces } from './normalize.ts';
import {
  mainComment,
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
/** Where versions are fetched from: nothing is published there. */
const mirror = createServer((_, response) => response.writeHead(404).end());

beforeAll(async () => {
  await new Promise<void>((listening) => mirror.listen(0, '127.0.0.1', listening));
  const { port } = mirror.address() as AddressInfo;
  world = await createWorld({ environment: { HATCHET_TERRAFORM_MIRROR: `http://127.0.0.1:${port}` } });
});
afterAll(async () => {
  await world.close();
  await new Promise((closed) => mirror.close(closed));
});

const good = 'resource "terraform_data" "one" {\n  input = 1\n}';
const module = (source: string): string => `module "m" {\n  source = ${source}\n}\n`;
const lfs = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 1234\n`;

async function open(head: string, files: Files): Promise<PullRequestHandle> {
  return world.repository.openPullRequest({ title: `Change ${head}`, author: 'mona', head, files });
}

test('what stands where it cannot be read is told project by project, at its place', async () => {
  const main = (name: string, body: string) => ({ [`${name}/main.tf`]: world.project(name, body) });
  const pullRequest = await open('unreadable', {
    ...main('computed', `variable "x" {\n  default = "./m"\n}\n${module('var.x')}`),
    ...main('lfs', `${good}\nlocals {\n  archive = filebase64("lambda.zip")\n}`),
    'lfs/lambda.zip': lfs,
    ...main('missing', module('"../nowhere"')),
    ...main('outside', module('"../../elsewhere"')),
    ...main('submodule', module('"../vendor/network"')),
    'vendor/network': { submodule: 'b'.repeat(40) },
    ...main('symlink', good),
    'symlink/more.tf': { symlink: '/etc/hosts.tf' },
    ...main('version', good),
    'version/.terraform-version': '1.99.0\n',
  });
  const names = ['computed', 'lfs', 'missing', 'outside', 'submodule', 'symlink', 'version'];
  await pullRequest.waitForCheck('hatchet/plan', { conclusion: 'failure', timeoutMs: patienceMs });
  await untilComment(pullRequest, 'could not be planned');
  await untilWritten(pullRequest, names);
  expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
    [
      "hatchet/apply: failure, The plan failed: computed, lfs, missing, outside, submodule, symlink, version",
      "hatchet/plan: computed: failure, Variables not allowed (computed/main.tf:11) [Re-plan]",
      "hatchet/plan: failure, 7 projects could not be planned [Re-plan]",
      "hatchet/plan: lfs: failure, A Git LFS pointer stands here instead of the file (lfs/lambda.zip) [Re-plan]",
      "hatchet/plan: missing: failure, Unreadable module directory [Re-plan]",
      "hatchet/plan: outside: failure, The module "m" is outside the repository [Re-plan]",
      "hatchet/plan: submodule: failure, A Git submodule is not read (vendor/network) [Re-plan]",
      "hatchet/plan: symlink: failure, A link leads out of the repository (symlink/more.tf) [Re-plan]",
      "hatchet/plan: version: failure, Terraform 1.99.0 is not to be had on this runner [Re-plan]",
      "hatchet/policy: neutral, Nothing to judge",
    ]
  `);
  const places = names.flatMap((name) =>
    pullRequest
      .check(`hatchet/plan: ${name}`)
      .annotations.map(({ path, startLine, title }) => `${name}: ${path}:${startLine} ${title}`),
  );
  expect(places).toMatchInlineSnapshot(`
    [
      "computed: computed/main.tf:11 Variables not allowed",
      "computed: computed/main.tf:11 Unsuitable value type",
      "lfs: lfs/lambda.zip:1 A Git LFS pointer stands here instead of the file",
      "submodule: vendor/network:1 A Git submodule is not read",
      "symlink: symlink/more.tf:1 A link leads out of the repository",
    ]
  `);
  expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
    "<!-- hatchet:pr -->
    **\`computed\`, \`lfs\`, \`missing\` and 4 more could not be planned.** Fix the errors below and push.

    | Project | Add | Change | Destroy | Replace | Policy | Status |
    | :-- | --: | --: | --: | --: | :-- | :-- |
    | [computed](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | | | | | | failed |
    | [lfs](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | | | | | | failed |
    | [missing](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | | | | | | failed |
    | [outside](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | | | | | | failed |
    | [submodule](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | | | | | | failed |
    | [symlink](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | | | | | | failed |
    | [version](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | | | | | | failed |

    \`computed/main.tf:11\` **Variables not allowed**: Variables may not be used here.

    \`computed/main.tf:11\` **Unsuitable value type**: Unsuitable value: value must be known

    \`lfs/lambda.zip\` **A Git LFS pointer stands here instead of the file**: Hatchet downloads nothing from Git LFS. Keep this file in git itself: \`git lfs untrack\` it and commit it again.

    \`missing\`: **Unreadable module directory**: Unable to evaluate directory symlink: lstat ../nowhere: no such file or directory

    \`missing\`: **Unreadable module directory**: The directory could not be read for module "m" at main.tf:7.

    \`outside\`: **The module "m" is outside the repository**: Its source "../../elsewhere" is called in outside, and leads out of the repository. Name the module by its git address and a commit, or copy its files into this repository.

    \`vendor/network\` **A Git submodule is not read**: Hatchet reads this repository only, so the directory is empty. Name the module by its git address and a commit, or copy its files into this repository.

    \`symlink/more.tf\` **A link leads out of the repository**: It leads to a place outside, or in a circle, and would be read as if it were not there. Link to a file of the repository, or copy it.

    \`version\`: **Terraform 1.99.0 is not to be had on this runner**

    \`\`\`
    version/.terraform-version asks for 1.99.0.
    Installed here: 1.11.4.
    Not fetched: https://github.test/1.99.0/terraform_1.99.0_SHA256SUMS: answered 404.
    To mend it, ask for another version in version/.terraform-version, or let the operator install that version or make its download reachable.
    \`\`\`

    <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`main\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
  `);
});

test('long lines, large files, odd names and odd bytes are planned, or told by their line', async () => {
  const block = 'resource "terraform_data" "x" {\n  input = { a = 1, b = "two" }\n}\n';
  const comment = `# ${'x'.repeat(97)}\n`;
  const latin = Buffer.from('output "x" {\n  value = "gr\xfc\xdfe"\n}\n', 'latin1');
  const pullRequest = await open('odd', {
    'large/main.tf': world.project('large', `${comment.repeat(52_000)}${block}`),
    'latin/main.tf': world.project('latin', good),
    'latin/more.tf': latin,
    'long/main.tf': world.project('long', `locals {\n  x = "${'y'.repeat(65_536)}"\n}\n${good}`),
    'shared/a "b" \'c\'/main.tf': good,
    'spaces/main.tf': world.project('spaces', module('"../shared/a \\"b\\" \'c\'"')),
  });
  await pullRequest.waitForCheck('hatchet/plan', { conclusion: 'failure', timeoutMs: patienceMs });
  await untilComment(pullRequest, 'could not be planned');
  await untilWritten(pullRequest, ['large', 'latin', 'long', 'spaces']);
  expect(faces(pullRequest.checks())).toMatchInlineSnapshot(`
    [
      "hatchet/apply: failure, The plan failed: latin",
      "hatchet/plan: failure, latin: Invalid character encoding (latin/more.tf:2) [Re-plan]",
      "hatchet/plan: large: success, 1 to add [Re-plan]",
      "hatchet/plan: latin: failure, Invalid character encoding (latin/more.tf:2) [Re-plan]",
      "hatchet/plan: long: success, 1 to add [Re-plan]",
      "hatchet/plan: spaces: success, 1 to add [Re-plan]",
      "hatchet/policy: success, All policies passed",
    ]
  `);
  expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
    "<!-- hatchet:pr -->
    **\`latin\` could not be planned.** Fix the errors below and push; other projects are not held up.

    | Project | Add | Change | Destroy | Replace | Policy | Status |
    | :-- | --: | --: | --: | --: | :-- | :-- |
    | [large](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | 1 | | | | passed | ready, applies on merge |
    | [latin](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | | | | | | failed |
    | [long](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | 1 | | | | passed | ready, applies on merge |
    | [spaces](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | 1 | | | | passed | ready, applies on merge |

    \`latin/more.tf:2\` **Invalid character encoding**: All input files must be UTF-8 encoded. Ensure that UTF-8 encoding is selected in your editor.

    \`latin/more.tf:2\` **Unterminated template string**: No closing marker was found for the string.

    <details><summary><b>large</b>: 1 to add</summary>

    \`\`\`diff
    + terraform_data.x
    +     input["a"]   1
    +     input["b"]   "two"
    +     known after apply: id, output
    \`\`\`

    </details>

    <details><summary><b>long</b>: 1 to add</summary>

    \`\`\`diff
    + terraform_data.one
    +     input   1
    +     known after apply: id, output
    \`\`\`

    </details>

    <details><summary><b>spaces</b>: 1 to add</summary>

    \`\`\`diff
    + module.m.terraform_data.one
    +     input   1
    +     known after apply: id, output
    \`\`\`

    </details>

    <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`main\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · Terraform 1.11.4 · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
  `);
});

test('no check is left open (S14)', () => untilNoneOpen(world));
