// Does the main loop work from end to end, and what do people see at each step of it?
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { faces } from './normalize.ts';
import {
  appliesOf,
  click,
  mainComment,
  openOn,
  order,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilWritten,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;

beforeAll(async () => {
  world = await createWorld({});
});
afterAll(() => world.close());

const body = (version: string): string => `resource "terraform_data" "web" {
  input = { version = "${version}" }
}
resource "terraform_data" "database" {
  triggers_replace = "${version}"
}`;

test('a plan that only creates is applied when a writer asks for it, before the merge', async () => {
  const pullRequest = await openOn(world, { dir: 'prod', body: body('14.7') });
  await untilCheck(pullRequest, 'hatchet/apply', 'Approved, applies on merge');
  await untilComment(pullRequest, 'Ready');
  expect(faces(await untilWritten(pullRequest, ['prod']))).toMatchInlineSnapshot(`
    [
      "hatchet/apply: success, Approved, applies on merge [Apply now]",
      "hatchet/plan: prod: success, 2 to add [Re-plan]",
      "hatchet/plan: success, 1 project: 2 to add [Re-plan]",
      "hatchet/policy: success, All policies passed",
    ]
  `);
  expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
    "<!-- hatchet:pr -->
    **Ready: 1 project, 2 to add.** Merging applies it.

    | Project | Add | Change | Destroy | Replace | Policy | Status |
    | :-- | --: | --: | --: | --: | :-- | :-- |
    | [prod](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | 2 | | | | passed | ready, applies on merge |

    <details><summary><b>prod</b>: 2 to add</summary>

    \`\`\`diff
    + terraform_data.database
    +     triggers_replace   "14.7"
    +     known after apply: id

    + terraform_data.web
    +     input["version"]   "14.7"
    +     known after apply: id, output
    \`\`\`

    </details>

    <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`main\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · Terraform 1.11.4 · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
  `);
  await order(pullRequest, 'hubot', '/hatchet apply');
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
  await untilComment(pullRequest, '**Applied.**');
  expect(faces(await untilWritten(pullRequest, ['prod']))).toMatchInlineSnapshot(`
    [
      "hatchet/apply: success, Applied",
      "hatchet/plan: prod: success, 2 to add [Re-plan]",
      "hatchet/plan: success, 1 project: 2 to add [Re-plan]",
      "hatchet/policy: success, All policies passed",
    ]
  `);
  expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
    "<!-- hatchet:pr -->
    **Applied.** 1 project, 2 added, in DURATION.

    | Project | Add | Change | Destroy | Replace | Applied |
    | :-- | --: | --: | --: | --: | :-- |
    | [prod](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | 2 | | | | TIME UTC by @hubot |

    <details><summary><b>prod</b>: 2 added</summary>

    \`\`\`diff
    + terraform_data.database
    +     triggers_replace   "14.7"
    +     known after apply: id

    + terraform_data.web
    +     input["version"]   "14.7"
    +     known after apply: id, output
    \`\`\`

    </details>

    <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`main\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · Terraform 1.11.4 · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
  `);
  await pullRequest.merge({ by: 'hubot' });
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied', pullRequest.mergeCommit ?? '');
  expect(await appliesOf(world, 'prod')).toEqual([{ number: pullRequest.number, state: 'applied' }]);
});

test('a plan that replaces waits for a yes by someone else and is applied when it is merged', async () => {
  const pullRequest = await openOn(world, { dir: 'prod', body: body('16.3'), head: 'upgrade' });
  const waiting = await untilCheck(pullRequest, 'hatchet/apply', '1 approval missing: prod');
  await untilComment(pullRequest, 'Waiting for 1 approval');
  expect(faces(await untilWritten(pullRequest, ['prod']))).toMatchInlineSnapshot(`
    [
      "hatchet/apply: action_required, 1 approval missing: prod [Approve]",
      "hatchet/plan: prod: success, 1 to change, 1 to replace [Re-plan]",
      "hatchet/plan: success, 1 project: 1 to change, 1 to replace [Re-plan]",
      "hatchet/policy: success, destroy: 1 approval needed",
    ]
  `);
  expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
    "<!-- hatchet:pr -->
    **Waiting for 1 approval: \`prod\` replaces \`terraform_data.database\`.**
    Anyone with write except @mona: **Approve** on the [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) check, or comment \`/hatchet approve\`. Then merging applies it.

    | Project | Add | Change | Destroy | Replace | Policy | Status |
    | :-- | --: | --: | --: | --: | :-- | :-- |
    | [prod](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) | | 1 | | **1** | needs 1 approval | waiting |

    <details open><summary><b>prod</b>: 1 to replace, 1 to change</summary>

    \`\`\`diff
    -/+ terraform_data.database                replaced: triggers_replace cannot be changed in place
    !     triggers_replace   "14.7" → "16.3"   forces replacement
    !     id                 "ID" → known after apply
    \`\`\`

    \`destroy\` needs approval: replaces terraform_data.database

    <details><summary>Also 1 to change</summary>

    \`\`\`diff
    ~ terraform_data.web
    !     input["version"]   "14.7" → "16.3"
    !     output             { "version": "14.7" } → known after apply
    \`\`\`

    </details>

    </details>

    <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`main\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · Terraform 1.11.4 · [hatchet/plan](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/policy](https://github.test/octo-org/infra/pull/N/checks?sha=SHA) · [hatchet/apply](https://github.test/octo-org/infra/pull/N/checks?sha=SHA)</sub>"
  `);
  click(pullRequest, waiting, 'Approve', 'hubot');
  await untilCheck(pullRequest, 'hatchet/apply', 'Approved, applies on merge');
  await untilComment(pullRequest, 'Ready');
  const merge = await pullRequest.merge({ by: 'mona', method: 'squash' });
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
  await untilComment(pullRequest, '**Applied.**');
  expect(faces(await untilWritten(pullRequest, ['prod'], merge))).toMatchInlineSnapshot(`
    [
      "hatchet/apply: success, Applied",
      "hatchet/plan: prod: success, 1 to change, 1 to replace [Re-plan]",
      "hatchet/plan: success, 1 project: 1 to change, 1 to replace [Re-plan]",
      "hatchet/policy: success, destroy: 1 approval needed",
    ]
  `);
  expect(faces(await untilWritten(pullRequest, ['prod']))).toMatchInlineSnapshot(`
    [
      "hatchet/apply: success, Approved, applies on merge [Apply now]",
      "hatchet/plan: prod: success, 1 to change, 1 to replace [Re-plan]",
      "hatchet/plan: success, 1 project: 1 to change, 1 to replace [Re-plan]",
      "hatchet/policy: success, destroy: 1 approval needed",
    ]
  `);
  expect(mainComment(pullRequest)).toMatchInlineSnapshot(`
    "<!-- hatchet:pr -->
    **Applied.** 1 project, 1 changed, 1 replaced, in DURATION.

    | Project | Add | Change | Destroy | Replace | Applied |
    | :-- | --: | --: | --: | --: | :-- |
    | [prod](https://github.test/octo-org/infra/commit/SHA/checks) | | 1 | | 1 | TIME UTC on merge |

    - \`prod\` is approved by @hubot

    <details><summary><b>prod</b>: 1 changed, 1 replaced</summary>

    \`\`\`diff
    -/+ terraform_data.database                replaced: triggers_replace cannot be changed in place
    !     triggers_replace   "14.7" → "16.3"   forces replacement
    !     id                 "ID" → known after apply
    \`\`\`

    <details><summary>Also 1 changed</summary>

    \`\`\`diff
    ~ terraform_data.web
    !     input["version"]   "14.7" → "16.3"
    !     output             { "version": "14.7" } → known after apply
    \`\`\`

    </details>

    </details>

    <sub>Planned [\`SHA\`](https://github.test/octo-org/infra/commit/SHA) merged into \`main\` at [\`SHA\`](https://github.test/octo-org/infra/commit/SHA), DATE TIME UTC · Terraform 1.11.4 · [hatchet/plan](https://github.test/octo-org/infra/commit/SHA/checks) · [hatchet/policy](https://github.test/octo-org/infra/commit/SHA/checks) · [hatchet/apply](https://github.test/octo-org/infra/commit/SHA/checks)</sub>"
  `);
  expect(await appliesOf(world, 'prod')).toHaveLength(2);
});

test('no check is left open (S14)', () => untilNoneOpen(world));
