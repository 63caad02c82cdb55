// How do plans of real Terraform read, kind by kind?
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderCheck } from '../activities/render/checks.ts';
import type { PlanResult } from '../workflows/model/plan.ts';
import type { ProjectView } from '../workflows/model/view.ts';
import { noLinks, project, view } from './render-example.ts';
import type { TerraformRunner } from './terraform-runner.ts';
import { createTerraformRunner, planned } from './terraform-runner.ts';

let runner: TerraformRunner;
beforeAll(async () => {
  runner = await createTerraformRunner();
  expect(await runner.apply(planned(await runner.plan('start')))).toMatchObject({ kind: 'applied' });
});
afterAll(() => runner.close());

/** The project's check for a plan of one fixture against the applied `start`. */
async function read(fixture: string): Promise<string> {
  const result = await runner.plan(fixture);
  const row = rowOf(result);
  const changes = row.plan === null ? null : await runner.store.readPlanChanges(row.plan.id);
  const { summary, text } = renderCheck(
    {
      name: 'hatchet/plan: prod',
      state: { status: 'completed', conclusion: 'success' },
      title: 'prod',
      buttons: [],
      annotations: row.status.kind === 'failed' ? row.status.diagnostics : [],
      project: 'prod',
    },
    view({ kind: 'ready', applies: 'merge' }, [row]),
    new Map(row.plan === null || changes === null ? [] : [[row.plan.id, changes]]),
    noLinks,
  );
  return [summary, ...(text === null ? [] : [text])]
    .join('\n\n')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4,12}){4}/g, 'ID');
}

function rowOf(result: PlanResult): ProjectView {
  if (result.kind === 'failed') return project('prod', { ...result, kind: 'failed' });
  const status = result.plan.hasChanges ? 'ready' : 'no-changes';
  return project('prod', { kind: status }, { plan: result.plan });
}

test('no change', async () => {
  expect(await read('start')).toMatchInlineSnapshot(`"\`prod\`: no changes."`);
});
test('create', async () => {
  expect(await read('create')).toMatchInlineSnapshot(`
    "\`prod\`: 2 to add; ready, applies on merge.

    \`\`\`diff
    + terraform_data.cache["eu"]
    +     input["name"]            "cache-eu"
    +     input["network"]         "ID"
    +     input["rules"][0].from   "10.0.0.0/8"
    +     input["rules"][0].port   6379
    +     input["rules"][1].from   "10.1.0.0/16"
    +     input["rules"][1].port   6380
    +     known after apply: id, output

    + terraform_data.cache["us \\"east\\""]
    +     input["name"]            "cache-us \\"east\\""
    +     input["network"]         "ID"
    +     input["rules"][0].from   "10.0.0.0/8"
    +     input["rules"][0].port   6379
    +     input["rules"][1].from   "10.1.0.0/16"
    +     input["rules"][1].port   6380
    +     known after apply: id, output
    \`\`\`"
  `);
});
test('update in place', async () => {
  expect(await read('update')).toMatchInlineSnapshot(`
    "\`prod\`: 1 to change; ready, applies on merge.

    \`\`\`diff
    ~ terraform_data.network
    !     input["zones"]   ["a", "b"] → ["a", "b", "c"]
    !     output           { "cidr": "10.0.0.0/16", "zones": ["a", "b"] } → known after apply
    \`\`\`"
  `);
});
test('replace', async () => {
  expect(await read('replace')).toMatchInlineSnapshot(`
    "\`prod\`: 1 to replace; ready, applies on merge.

    \`\`\`diff
    -/+ terraform_data.database                replaced: triggers_replace cannot be changed in place
    !     triggers_replace   ["v1"] → ["v2"]   forces replacement
    !     id                 "ID" → known after apply
    !     output             { "name": "orders", "size": 20 } → known after apply
    \`\`\`"
  `);
});
test('delete', async () => {
  expect(await read('delete')).toMatchInlineSnapshot(`
    "\`prod\`: 1 to destroy; ready, applies on merge.

    \`\`\`diff
    - terraform_data.database                  destroyed: no longer in the configuration
    -     id                 "ID"
    -     input["name"]      "orders"
    -     input["size"]      20
    -     output["name"]     "orders"
    -     output["size"]     20
    -     triggers_replace   ["v1"]
    \`\`\`"
  `);
});
test('move', async () => {
  expect(await read('move')).toMatchInlineSnapshot(`
    "\`prod\`: 1 to move; ready, applies on merge.

    \`\`\`diff
    → terraform_data.orders                    moved from terraform_data.database
    \`\`\`"
  `);
});
test('import', async () => {
  expect(await read('import')).toMatchInlineSnapshot(`
    "\`prod\`: 1 to import; ready, applies on merge.

    \`\`\`diff
    ← terraform_data.legacy                    imported: legacy-1
    \`\`\`"
  `);
});
test('forget', async () => {
  expect(await read('forget')).toMatchInlineSnapshot(`
    "\`prod\`: 1 to forget; ready, applies on merge.

    \`\`\`diff
    ! terraform_data.database                  forgotten: leaves the state, the real object stays
    \`\`\`

    Warning: **Some objects will no longer be managed by Terraform**

    \`\`\`
    If you apply this plan, Terraform will discard its tracking information for the following objects, but it will not delete them:
     - terraform_data.database

    After applying this plan, Terraform will no longer manage these objects. You will need to import them into Terraform to manage them again.
    \`\`\`"
  `);
});
test('only outputs', async () => {
  expect(await read('output-only')).toMatchInlineSnapshot(`
    "\`prod\`: only outputs change; ready, applies on merge.

    \`\`\`diff
    ~ outputs
    +     zones   ["a", "b"]
    \`\`\`"
  `);
});
test('sensitive values', async () => {
  expect(await read('sensitive')).toMatchInlineSnapshot(`
    "\`prod\`: 2 to destroy, 2 to add; ready, applies on merge.

    \`\`\`diff
    - terraform_data.database                  destroyed: no longer in the configuration
    -     id                 "ID"
    -     input["name"]      "orders"
    -     input["size"]      20
    -     output["name"]     "orders"
    -     output["size"]     20
    -     triggers_replace   ["v1"]

    - terraform_data.network                   destroyed: no longer in the configuration
    -     id                "ID"
    -     input["cidr"]     "10.0.0.0/16"
    -     input["zones"]    ["a", "b"]
    -     output["cidr"]    "10.0.0.0/16"
    -     output["zones"]   ["a", "b"]

    + terraform_data.login
    +     input["encoded"]          "YWRtaW46***"
    +     input["nested"][0].key    (sensitive)
    +     input["nested"][0].name   "first"
    +     input["password"]         (sensitive)
    +     input["plain"]            "***"
    +     input["user"]             "admin"
    +     known after apply: id, output

    + terraform_data.printer
    +     known after apply: id

    ~ outputs
    -     cidr       "10.0.0.0/16"
    +     password   (sensitive)
    \`\`\`"
  `);
});
test('an error', async () => {
  expect(await read('error')).toMatchInlineSnapshot(`
    "\`prod\` could not be planned.

    \`envs/prod/main.tf:14\` **Resource precondition failed**: The database needs the private network."
  `);
});
test('code that does not parse', async () => {
  expect(await read('broken')).toMatchInlineSnapshot(`
    "\`prod\` could not be planned.

    \`envs/prod/main.tf:1\` **Unclosed configuration block**: There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file."
  `);
});
