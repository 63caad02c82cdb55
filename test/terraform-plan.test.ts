// What does planning real Terraform code come to?
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startHttpStateServer } from '../fixtures/drills/http-state-server.ts';
import type { PlanChanges, Value } from '../workflows/model/change.ts';
import type { Plan, PlanResult } from '../workflows/model/plan.ts';
import { describeCounts } from '../workflows/model/plan.ts';
import type { TerraformRunner } from './terraform-runner.ts';
import { bubblewrap, createTerraformRunner, planned, processesNaming, project } from './terraform-runner.ts';

let runner: TerraformRunner;
beforeEach(async () => {
  runner = await createTerraformRunner();
});
afterEach(() => runner.close());

/** The fixture `start` exists: what every other fixture is compared with. */
async function startFromState(started: TerraformRunner): Promise<void> {
  expect(await started.apply(planned(await started.plan('start')))).toMatchObject({ kind: 'applied' });
}

async function told({ store }: TerraformRunner, result: PlanResult): Promise<string> {
  const plan = planned(result);
  const changes = await store.readPlanChanges(plan.id);
  const summary = describeCounts(plan.counts, plan.outputChanges);
  return ['', `${summary} (${plan.hasChanges})`, ...tellRisky(plan), ...tellChanges(changes), ''].join('\n');
}

const tellRisky = ({ risky }: Plan) => risky.map(({ address, action }) => `! ${action} ${address}`);

function tellChanges({ resources, outputs }: PlanChanges): readonly string[] {
  return [
    ...resources.flatMap(({ address, action, attributes, ...rest }) => [
      [action, address, ...Object.entries(rest).map(([key, value]) => `${key}=${value}`)].join(' '),
      ...attributes.map(
        ({ path, before, after, forcesReplacement }) =>
          `  ${path}: ${tellValue(before)} → ${tellValue(after)}${forcesReplacement ? ' !' : ''}`,
      ),
    ]),
    ...outputs.map(({ name, before, after }) => `output ${name}: ${tellValue(before)} → ${tellValue(after)}`),
  ];
}

/** Terraform's own random ids say nothing. */
const tellValue = (value: Value) =>
  value.kind === 'known' ? value.json.replace(/[0-9a-f]{8}(-[0-9a-f]{4,12}){4}/, 'ID') : `(${value.kind})`;

describe('what people may see of a plan', () => {
  test('the first plan creates', async () => {
    expect(await told(runner, await runner.plan('start'))).toMatchInlineSnapshot(`
      "
      2 to add (true)
      create terraform_data.database type=terraform_data
        id: (absent) → (unknown)
        input["name"]: (absent) → "orders"
        input["size"]: (absent) → 20
        output: (absent) → (unknown)
        triggers_replace: (absent) → ["v1"]
      create terraform_data.network type=terraform_data
        id: (absent) → (unknown)
        input["cidr"]: (absent) → "10.0.0.0/16"
        input["zones"]: (absent) → ["a","b"]
        output: (absent) → (unknown)
      output cidr: (absent) → "10.0.0.0/16"
      "
    `);
  });

  test('numbers that no double can hold keep every digit', async () => {
    expect(await told(runner, await runner.plan('exact-numbers'))).toMatchInlineSnapshot(`
      "
      1 to add (true)
      create terraform_data.account type=terraform_data
        id: (absent) → (unknown)
        input["id"]: (absent) → 9007199254740993
        input["share"]: (absent) → 0.30000000000000000001
        output: (absent) → (unknown)
      "
    `);
  });

  test('S7: sensitive values leave no trace, whichever way they are written', async () => {
    const result = await runner.plan('sensitive');
    expect(await told(runner, result)).toMatchInlineSnapshot(`
      "
      2 to add (true)
      create terraform_data.login type=terraform_data
        id: (absent) → (unknown)
        input["encoded"]: (absent) → "YWRtaW46***"
        input["nested"][0].key: (absent) → (sensitive)
        input["nested"][0].name: (absent) → "first"
        input["password"]: (absent) → (sensitive)
        input["plain"]: (absent) → "***"
        input["user"]: (absent) → "admin"
        output: (absent) → (unknown)
      create terraform_data.printer type=terraform_data
        id: (absent) → (unknown)
      output password: (absent) → (sensitive)
      "
    `);
    const outcome = await runner.apply(planned(result));
    expect(outcome).toMatchObject({ kind: 'applied' });
    const [saved] = runner.store.plans.values();
    const visible = JSON.stringify([result, saved?.bytes.changes, saved?.bytes.log.toString()]);
    const everything = visible + [...runner.store.logs.values()].join('');
    expect(everything).toContain('***');
    const secret = 'correct horse battery staple';
    for (const form of [secret, Buffer.from(secret).toString('base64'), 'bGluZS1vbmUtb2Yta2V5']) {
      expect(everything).not.toContain(form);
    }
  });
});

describe('what people may see of a plan, when something exists already', () => {
  let started: TerraformRunner;
  beforeAll(async () => {
    started = await createTerraformRunner();
    await startFromState(started);
  });
  afterAll(() => started.close());

  test('create', async () => {
    expect(await told(started, await started.plan('create'))).toMatchInlineSnapshot(`
      "
      2 to add (true)
      create terraform_data.cache["eu"] type=terraform_data
        id: (absent) → (unknown)
        input["name"]: (absent) → "cache-eu"
        input["network"]: (absent) → "ID"
        input["rules"][0].from: (absent) → "10.0.0.0/8"
        input["rules"][0].port: (absent) → 6379
        input["rules"][1].from: (absent) → "10.1.0.0/16"
        input["rules"][1].port: (absent) → 6380
        output: (absent) → (unknown)
      create terraform_data.cache["us \\"east\\""] type=terraform_data
        id: (absent) → (unknown)
        input["name"]: (absent) → "cache-us \\"east\\""
        input["network"]: (absent) → "ID"
        input["rules"][0].from: (absent) → "10.0.0.0/8"
        input["rules"][0].port: (absent) → 6379
        input["rules"][1].from: (absent) → "10.1.0.0/16"
        input["rules"][1].port: (absent) → 6380
        output: (absent) → (unknown)
      "
    `);
  });

  test('no change', async () => {
    expect(await told(started, await started.plan('start'))).toMatchInlineSnapshot(`
      "
      no changes (false)
      "
    `);
  });

  test('update', async () => {
    expect(await told(started, await started.plan('update'))).toMatchInlineSnapshot(`
      "
      1 to change (true)
      update terraform_data.network type=terraform_data
        input["zones"]: ["a","b"] → ["a","b","c"]
        output: {"cidr":"10.0.0.0/16","zones":["a","b"]} → (unknown)
      "
    `);
  });

  test('replace', async () => {
    expect(await told(started, await started.plan('replace'))).toMatchInlineSnapshot(`
      "
      1 to replace (true)
      ! replace terraform_data.database
      replace terraform_data.database type=terraform_data reason=replace_because_cannot_update
        id: "ID" → (unknown)
        output: {"name":"orders","size":20} → (unknown)
        triggers_replace: ["v1"] → ["v2"] !
      "
    `);
  });

  test('delete', async () => {
    expect(await told(started, await started.plan('delete'))).toMatchInlineSnapshot(`
      "
      1 to destroy (true)
      ! destroy terraform_data.database
      delete terraform_data.database type=terraform_data reason=delete_because_no_resource_config
        id: "ID" → (absent)
        input["name"]: "orders" → (absent)
        input["size"]: 20 → (absent)
        output["name"]: "orders" → (absent)
        output["size"]: 20 → (absent)
        triggers_replace: ["v1"] → (absent)
      "
    `);
  });

  test('move', async () => {
    expect(await told(started, await started.plan('move'))).toMatchInlineSnapshot(`
      "
      1 to move (true)
      move terraform_data.orders type=terraform_data previousAddress=terraform_data.database
      "
    `);
  });

  test('import', async () => {
    expect(await told(started, await started.plan('import'))).toMatchInlineSnapshot(`
      "
      1 to import (true)
      import terraform_data.legacy type=terraform_data importId=legacy-1
      "
    `);
  });

  test('forget', async () => {
    const result = await started.plan('forget');
    expect(await told(started, result)).toMatchInlineSnapshot(`
      "
      1 to forget (true)
      ! forget terraform_data.database
      forget terraform_data.database type=terraform_data reason=delete_because_no_resource_config
      "
    `);
    expect(planned(result).warnings).toMatchObject([
      { severity: 'warning', summary: 'Some objects will no longer be managed by Terraform' },
    ]);
  });

  test('only outputs', async () => {
    expect(await told(started, await started.plan('output-only'))).toMatchInlineSnapshot(`
      "
      only outputs change (true)
      output zones: (absent) → ["a","b"]
      "
    `);
  });
});

describe('what is kept', () => {
  test('the plan as it was made, with the state that it was made from', async () => {
    await startFromState(runner);
    const plan = planned(await runner.plan('update'));
    const { stored, bytes } = runner.store.plans.get(plan.id) ?? expect.fail();
    const state = JSON.parse(await readFile(join(runner.stateDir, 'prod.tfstate'), 'utf8'));
    expect(stored.state).toEqual({ lineage: state.lineage, serial: state.serial });
    expect(stored).toMatchObject({
      plan,
      number: 7,
      planFileSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(bytes.planFile.subarray(0, 2).toString()).toBe('PK');
    expect(JSON.parse(bytes.planJson.toString())).toMatchObject({ terraform_version: plan.engineVersion });
    expect(bytes.log.toString()).toContain('terraform_data.network: Plan to update');
    expect(bytes.lockFile).toBeNull();
  });

  test('no state yet', async () => {
    const plan = planned(await runner.plan('start'));
    expect(runner.store.plans.get(plan.id)?.stored.state).toBeNull();
  });

  test('nothing stays in the working directory, whatever came of it', async () => {
    await runner.plan('start');
    await runner.plan('broken');
    expect(await readdir(runner.settings.workDir)).toEqual([]);
  });

  test('a heartbeat tells each stage', async () => {
    await runner.plan('start');
    expect(runner.stages).toEqual(['checkout', 'init', 'plan', 'show', 'store']);
  });

  test('plans of one project run side by side', async () => {
    const results = await Promise.all([runner.plan('start'), runner.plan('start'), runner.plan('start')]);
    expect(new Set(results.map((result) => planned(result).digest)).size).toBe(1);
    expect(new Set(results.map((result) => planned(result).id)).size).toBe(3);
  });
});

describe('what is wrong with the code is a value', () => {
  const failure = (result: PlanResult) => {
    if (result.kind !== 'failed') throw new Error('it was planned');
    return result.diagnostics;
  };

  test('broken HCL', async () => {
    const result = await runner.plan('broken');
    expect(failure(result)).toMatchInlineSnapshot(`
      [
        {
          "detail": "There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.",
          "endColumn": 38,
          "endLine": 1,
          "path": "envs/prod/main.tf",
          "severity": "error",
          "startColumn": 37,
          "startLine": 1,
          "summary": "Unclosed configuration block",
        },
      ]
    `);
    expect(runner.store.logs.get(result.kind === 'failed' ? result.runId : '')).toContain(
      'Unclosed configuration',
    );
  });

  test('a missing variable', async () => {
    expect(failure(await runner.plan('missing-variable'))).toMatchInlineSnapshot(`
      [
        {
          "detail": "The root module input variable "region" is not set, and has no default value. Use a -var or -var-file command line argument to provide a value for this variable.",
          "endColumn": 18,
          "endLine": 1,
          "path": "envs/prod/main.tf",
          "severity": "error",
          "startColumn": 1,
          "startLine": 1,
          "summary": "No value for required variable",
        },
      ]
    `);
  });

  test('a precondition that does not hold, with a plan file that must not be used', async () => {
    expect(failure(await runner.plan('error'))).toMatchInlineSnapshot(`
      [
        {
          "detail": "The database needs the private network.",
          "endColumn": 76,
          "endLine": 14,
          "path": "envs/prod/main.tf",
          "severity": "error",
          "startColumn": 23,
          "startLine": 14,
          "summary": "Resource precondition failed",
        },
      ]
    `);
    expect(runner.store.plans.size).toBe(0);
  });

  test('an unknown provider', async () => {
    runner.files.set(
      'envs/prod/provider.tf',
      'terraform {\n  required_providers {\n    x = { source = "example.invalid/x/x" }\n  }\n}\n',
    );
    expect(failure(await runner.plan('start'))).toMatchObject([{ severity: 'error' }]);
  });

  test('no backend', async () => {
    expect(failure(await runner.plan('start', { withoutBackend: true }))).toMatchInlineSnapshot(`
      [
        {
          "detail": "The configuration has no backend block. Configure a remote backend (s3, gcs, azurerm, http, cloud …), or a local one with a path in a directory that the operator lists in HATCHET_RUNNER_PATHS.",
          "severity": "error",
          "summary": "The state of this project would be lost",
        },
      ]
    `);
  });

  test.for([
    ['a relative path', 'path = "terraform.tfstate"'],
    ['no path', ''],
    ['a path that the operator has not listed', 'path = "/var/tmp/elsewhere.tfstate"'],
  ])('a local backend with %s', async ([, line]) => {
    runner.files.set('envs/prod/backend.tf', `terraform {\n  backend "local" {\n    ${line}\n  }\n}\n`);
    const [first] = failure(await runner.plan('start'));
    expect(first?.summary).toBe('The state of this project would be lost');
  });

  test('a workspace whose states the local backend would keep in the run', async () => {
    const [first] = failure(await runner.plan('start', { project: { ...project, workspace: 'blue' } }));
    expect(first?.summary).toBe('The state of this project would be lost');
  });

  test('a directory that is not there', async () => {
    expect(
      failure(await runner.plan('start', { project: { ...project, dir: 'envs/none' } })),
    ).toMatchInlineSnapshot(`
      [
        {
          "detail": "It is missing, or a link leads out of it.",
          "severity": "error",
          "summary": "envs/none is no directory of this repository",
        },
      ]
    `);
  });

  test('a workspace that looks like an option', async () => {
    const result = await runner.plan('start', { project: { ...project, workspace: '-lock=false' } });
    expect(failure(result)).toMatchObject([{ summary: 'The workspace has no usable name' }]);
  });
});

describe('what depends on another project', () => {
  const dependent = { ...project, dependsOn: ['network'] };
  const backend =
    'terraform {\n  backend "http" {\n    address = "http://127.0.0.1:1/state"\n    retry_max = 0\n  }\n}\n';
  const reads = (attribute: string): string =>
    `data "terraform_remote_state" "network" {\n  backend = "local"\n  config = { path = "none.tfstate" }\n}\noutput "id" {\n  value = ${attribute}\n}\n`;
  const code = (result: PlanResult) =>
    result.kind === 'failed' ? [result.diagnostics[0]?.summary, result.validCode === true] : result.kind;

  test.each<[string, string, string, unknown[]]>([
    ['broken HCL', 'broken', '', ['Unclosed configuration block', false]],
    ['a missing variable', 'missing-variable', '', ['No value for required variable', false]],
    ['a name that is nowhere', 'start', reads('local.id'), ['Reference to undeclared local value', false]],
    [
      'what is not put out yet',
      'start',
      reads('data.terraform_remote_state.network.outputs.id'),
      ['Unable to find remote state', true],
    ],
  ])('has broken code, or not: %s', async (_, fixture, text, expected) => {
    runner.files.set('envs/prod/more.tf', text);
    expect(code(await runner.plan(fixture, { project: dependent }))).toEqual(expected);
  });

  test('has broken code, or not: its backend is not there yet', async () => {
    const plan = () => runner.plan('start', { project: dependent, withoutBackend: true });
    runner.files.set('envs/prod/backend.tf', backend);
    expect(code(await plan())).toEqual([expect.stringContaining('refused'), true]);
    runner.files.set('envs/prod/provider.tf', 'provider "nowhere" {}\n');
    expect(code(await plan())).toEqual([expect.anything(), false]);
  });

  test('nobody looks where nothing has to be applied before', async () => {
    runner.files.set('envs/prod/more.tf', reads('data.terraform_remote_state.network.outputs.id'));
    expect(code(await runner.plan('start'))).toEqual(['Unable to find remote state', false]);
  });
});

test('a workspace is created when it is first planned', async () => {
  const line = `workspace_dir = ${JSON.stringify(join(runner.stateDir, 'spaces'))}`;
  runner.files.set('envs/prod/backend.tf', `terraform {\n  backend "local" {\n    ${line}\n  }\n}\n`);
  const plan = planned(await runner.plan('start', { project: { ...project, workspace: 'blue' } }));
  expect(await runner.apply(plan)).toMatchObject({ kind: 'applied' });
  expect(await readdir(join(runner.stateDir, 'spaces/blue'))).toContain('terraform.tfstate');
});

test('a backend without workspaces says so at the project’s own code', async () => {
  const server = await startHttpStateServer();
  const host = await createTerraformRunner({ network: 'host' });
  try {
    host.files.set('envs/prod/backend.tf', server.backend);
    const result = await host.plan('start', { project: { ...project, workspace: 'blue' } });
    expect(result).toMatchObject({
      kind: 'failed',
      diagnostics: [{ severity: 'error', summary: expect.stringContaining('workspaces not supported') }],
    });
  } finally {
    await server.close();
    await host.close();
  }
});

describe('the end of everything', () => {
  test('is planned, approved apart from a plan that changes nothing, and applied', async () => {
    await startFromState(runner);
    const nothing = planned(await runner.plan('start'));
    const plan = planned(await runner.plan('start', { destroy: true }));
    expect(plan).toMatchObject({ destroy: true, counts: { add: 0, destroy: 2 } });
    expect(plan.digest).not.toBe(nothing.digest);
    expect(await runner.apply(plan)).toMatchObject({ kind: 'applied' });
    const state = JSON.parse(await readFile(join(runner.stateDir, 'prod.tfstate'), 'utf8'));
    expect(state.resources).toEqual([]);
  });

  test('of nothing is another thing than no change', async () => {
    const ended = planned(await runner.plan('start', { destroy: true }));
    runner.files.set('envs/prod/main.tf', '');
    const empty = planned(await runner.plan('start'));
    expect([ended.hasChanges, empty.hasChanges]).toEqual([false, false]);
    expect(ended.digest).not.toBe(empty.digest);
  });
});

describe('var files', () => {
  const withVarFiles = (...varFiles: readonly string[]) => ({ project: { ...project, varFiles } });
  beforeEach(() => {
    runner.files.set('common values.tfvars', 'region = "eu"\nsize = 1\n');
    runner.files.set('envs/prod/prod.tfvars', 'size = 2\n');
    runner.files.set(
      'envs/prod/variables.tf',
      'variable "region" {}\nvariable "size" {}\noutput "both" {\n  value = join(" ", [var.region, var.size])\n}\n',
    );
  });

  test('are taken in their order, and hold for the apply', async () => {
    const plan = planned(
      await runner.plan('start', withVarFiles('../../common values.tfvars', 'prod.tfvars')),
    );
    expect(await runner.apply(plan)).toMatchObject({ kind: 'applied' });
    const state = JSON.parse(await readFile(join(runner.stateDir, 'prod.tfstate'), 'utf8'));
    expect(state.outputs.both.value).toBe('eu 2');
  });

  test('outside the repository, or missing, are refused by name', async () => {
    runner.links.set('envs/prod/out.tfvars', '/etc/passwd');
    const paths = ['none.tfvars', '/etc/passwd', '../../../../etc/passwd', 'out.tfvars', 'a\0b', '.'];
    const result = await runner.plan('start', withVarFiles(...paths, 'prod.tfvars'));
    expect(result.kind === 'failed' && result.diagnostics.map(({ summary }) => summary)).toEqual(
      paths.map((path) => `The var file ${path} cannot be used`),
    );
  });
});

describe('modules', () => {
  const module = (source: string) => `module "m" {\n  source = "${source}"\n}\n`;

  test('that init found are told by where they really are', async () => {
    runner.files.set('envs/prod/modules.tf', module('../../modules/network'));
    runner.files.set('modules/network/main.tf', module('./subnet').replace('"m"', '"s"'));
    runner.files.set('modules/network/subnet/main.tf', module('../../shared/').replace('"m"', '"x"'));
    runner.files.set('libraries/shared/main.tf', 'output "x" {\n  value = 1\n}\n');
    runner.links.set('modules/shared', '../libraries/shared');
    const result = await runner.plan('start');
    const dirs = ['libraries/shared', 'modules/network', 'modules/network/subnet'];
    expect(result).toMatchObject({ kind: 'planned', moduleDirs: dirs });
    const [saved] = runner.store.plans.values();
    expect(saved?.stored.moduleDirs).toEqual(dirs);
    expect(saved?.bytes.log.toString()).toContain('Local modules: libraries/shared, modules/network,');
  });

  test('one that the code is not known to name is told at once', async () => {
    runner.files.set('envs/prod/modules.tf', module('../../modules/network'));
    runner.files.set('modules/network/main.tf', module('./subnet').replace('"m"', '"s"'));
    runner.files.set('modules/network/subnet/main.tf', '');
    const missedOf = async (modules: readonly string[]) => {
      const plan = planned(await runner.plan('start', { project: { ...project, modules } }));
      return runner.store.plans.get(plan.id)?.stored.missedModules;
    };
    expect(await missedOf(['modules/network', 'modules/network/subnet', 'more'])).toEqual([]);
    expect(runner.warnings).toEqual([]);
    expect(await missedOf(['modules/network'])).toEqual(['modules/network/subnet']);
    expect(runner.warnings).toEqual(['prod: Local modules that only init found: modules/network/subnet']);
  });

  test('none is an empty list', async () => {
    expect(await runner.plan('start')).toMatchObject({ moduleDirs: [] });
  });
});

test('a runner that cannot start Terraform is the operator’s to mend', async () => {
  const broken = await createTerraformRunner({ bubblewrap, paths: ['/nowhere'] });
  if (bubblewrap !== null) {
    await expect(broken.plan('start')).rejects.toMatchObject({ type: 'OperatorError' });
  }
  await broken.close();
});

test('a cancelled plan ends with the reason, and no process is left', async () => {
  const server = await startHttpStateServer();
  const host = await createTerraformRunner({ network: 'host' });
  try {
    host.files.set('envs/prod/backend.tf', server.backend);
    const read = server.holdReads();
    const controller = new AbortController();
    const reason = new Error('a newer push');
    const plan = host.plan('start', { signal: controller.signal });
    plan.catch(() => undefined);
    await read;
    controller.abort(reason);
    await expect(plan).rejects.toBe(reason);
    expect(await processesNaming(host.settings.workDir)).toEqual([]);
  } finally {
    await server.close();
    await host.close();
  }
});

test('secrets of the runner are taken out of diagnostics', async () => {
  const secret = `sk-${randomUUID()}`;
  const masked = await createTerraformRunner({ masks: [secret] });
  masked.files.set('envs/prod/secret.tf', `output "x" {\n  value = tonumber("${secret}")\n}\n`);
  const result = await masked.plan('start');
  expect(JSON.stringify(result)).toContain('***');
  expect(JSON.stringify([result, [...masked.store.logs.values()]])).not.toContain(secret);
  await masked.close();
});
