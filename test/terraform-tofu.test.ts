// Is OpenTofu planned and applied like Terraform?
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepProviders } from '../activities/terraform/provider-cache.ts';
import { executablesOnPath } from '../app/tools/search-path.ts';
import { startHttpStateServer } from '../fixtures/drills/http-state-server.ts';
import type { TerraformRunner } from './terraform-runner.ts';
import { createTerraformRunner, planned, project } from './terraform-runner.ts';

const hasTofu = (await executablesOnPath(process.env.PATH ?? '', 'tofu')).length > 0;
/** Its name says why it is left out. */
const testWithTofu = (name: string, run: () => Promise<void>) =>
  hasTofu ? test(name, run) : test.skip(`${name} (tofu is not on PATH)`, run);

const tofu = { ...project, engine: 'tofu' } as const;

let runner: TerraformRunner;
beforeEach(async () => {
  runner = await createTerraformRunner();
});
afterEach(() => runner.close());

const state = async () => JSON.parse(await readFile(join(runner.stateDir, 'prod.tfstate'), 'utf8'));

testWithTofu('plan, apply, and nothing left to do', async () => {
  const plan = planned(await runner.plan('start', { project: tofu }));
  expect(plan).toMatchObject({ counts: { add: 2 }, project: { engine: 'tofu' } });
  expect(plan.engineVersion).toMatch(/^1\.\d+\.\d+/);
  expect(await runner.apply(plan)).toMatchObject({ kind: 'applied' });
  expect((await state()).resources).toHaveLength(2);
  const again = planned(await runner.plan('start', { project: tofu }));
  expect(again.hasChanges).toBe(false);
});

testWithTofu('the same plan by another engine is another plan', async () => {
  const [one, other] = [await runner.plan('start', { project: tofu }), await runner.plan('start')].map(
    planned,
  );
  expect(one?.counts).toEqual(other?.counts);
  expect(one?.digest).not.toBe(other?.digest);
  expect(planned(await runner.plan('start', { project: tofu })).digest).toBe(one?.digest);
});

testWithTofu('*.tofu takes the place of *.tf', async () => {
  runner.files.set('envs/prod/main.tofu', 'resource "terraform_data" "only_tofu" {}\n');
  const plan = planned(await runner.plan('start', { project: tofu }));
  const { resources } = await runner.store.readPlanChanges(plan.id);
  expect(resources.map(({ address }) => address)).toEqual(['terraform_data.only_tofu']);
  expect(planned(await runner.plan('start')).counts.add).toBe(2);
});

testWithTofu(
  'variables in a module source and in the backend, from var files, also when it is applied',
  async () => {
    runner.files.set('envs/prod/prod.tfvars', `which = "two"\nstate = "${runner.stateDir}/early.tfstate"\n`);
    runner.files.set(
      'envs/prod/early.tofu',
      'variable "which" {}\nvariable "state" {}\nterraform {\n  backend "local" {\n    path = var.state\n  }\n}\nmodule "m" {\n  source = join("", ["./", var.which])\n}\n',
    );
    runner.files.set('envs/prod/two/main.tf', 'resource "terraform_data" "two" {}\n');
    const early = { ...tofu, varFiles: ['prod.tfvars'] };
    const result = await runner.plan('start', { project: early, withoutBackend: true });
    expect(result).toMatchObject({ kind: 'planned', moduleDirs: ['envs/prod/two'] });
    expect(await runner.apply(planned(result))).toMatchObject({ kind: 'applied' });
    expect(planned(await runner.plan('start', { project: early, withoutBackend: true })).hasChanges).toBe(
      false,
    );
  },
);

testWithTofu('a workspace is created when it is first planned', async () => {
  const line = `workspace_dir = ${JSON.stringify(join(runner.stateDir, 'spaces'))}`;
  runner.files.set('envs/prod/backend.tf', `terraform {\n  backend "local" {\n    ${line}\n  }\n}\n`);
  const blue = { ...tofu, workspace: 'blue' };
  const plan = planned(await runner.plan('start', { project: blue }));
  expect(await runner.apply(plan)).toMatchObject({ kind: 'applied' });
  expect(planned(await runner.plan('start', { project: blue })).hasChanges).toBe(false);
});

testWithTofu('a state that changed in between refuses the apply', async () => {
  const server = await startHttpStateServer();
  const host = await createTerraformRunner({ network: 'host' });
  try {
    host.files.set('envs/prod/backend.tf', server.backend);
    const [first, second] = [
      planned(await host.plan('start', { project: tofu })),
      planned(await host.plan('start', { project: tofu })),
    ];
    expect(await host.apply(first)).toMatchObject({ kind: 'applied' });
    expect(await host.apply(second)).toMatchObject({
      kind: 'refused',
      refusal: { kind: 'stale', reason: 'state changed' },
    });
  } finally {
    await server.close();
    await host.close();
  }
});

testWithTofu('its version is chosen like Terraform’s', async () => {
  const version = (constraint: string) => ({ ...tofu, version: { constraint, source: '.opentofu-version' } });
  const plan = planned(await runner.plan('start', { project: version('~> 1.6') }));
  expect(plan.engineVersion).toMatch(/^1\./);
  expect(await runner.plan('start', { project: version('1.6.99') })).toMatchObject({
    kind: 'failed',
    diagnostics: [{ summary: 'OpenTofu 1.6.99 is not to be had on this runner' }],
  });
});

testWithTofu('an init that brought providers is kept', async () => {
  const [source, platform] = ['example.com/acme/fake', `linux_${arch() === 'x64' ? 'amd64' : arch()}`];
  const dataDir = join(runner.root, 'data');
  const installed = join(dataDir, 'providers', source, '1.2.3', platform);
  await mkdir(installed, { recursive: true });
  await writeFile(join(installed, 'terraform-provider-fake_v1.2.3'), '#!/bin/sh\n', { mode: 0o755 });
  const { pluginCacheDir } = runner.settings;
  await keepProviders(pluginCacheDir, { dataDir, given: '', left: '' });
  const hash = await readFile(join(pluginCacheDir, 'hashes', source, '1.2.3', platform), 'utf8');
  runner.files.set(
    'envs/prod/fake.tf',
    `terraform {\n  required_providers {\n    fake = { source = "${source}" }\n  }\n}\nprovider "fake" {}\n`,
  );
  runner.files.set(
    'envs/prod/.terraform.lock.hcl',
    `provider "${source}" {\n  version = "1.2.3"\n  hashes = [\n    "${hash}",\n  ]\n}\n`,
  );
  // It is no real provider, so the plan fails; what init did is kept before.
  expect((await runner.plan('start', { project: tofu })).kind).toBe('failed');
  expect(runner.stages).toContain('plan');
  expect(await readdir(join(runner.root, 'inits'))).toHaveLength(1);
});
