// When is init left out, and does that ever change what is planned?
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createInitCache, initKey } from '../activities/terraform/init-cache.ts';
import { startHttpStateServer } from '../fixtures/drills/http-state-server.ts';
import type { Plan, PlanResult } from '../workflows/model/plan.ts';
import type { TerraformRunner } from './terraform-runner.ts';
import { bubblewrap, createTerraformRunner, planned } from './terraform-runner.ts';

const spared = 'init need not run again';

let runner: TerraformRunner;
beforeEach(async () => {
  runner = await createTerraformRunner();
});
afterEach(() => runner.close());

function logOf({ id }: Plan): string {
  return runner.store.plans.get(id)?.bytes.log.toString() ?? '';
}

/** The plan, and whether it had an init of its own. */
async function plan(fixture = 'start'): Promise<{ readonly plan: Plan; readonly ownInit: boolean }> {
  const made = planned(await runner.plan(fixture));
  return { plan: made, ownInit: !logOf(made).includes(spared) };
}

const module = (source: string) => `module "m" {\n  source = "${source}"\n}\n`;
const output = (value: string) => `output "x" {\n  value = "${value}"\n}\n`;

test('the second plan of the same backend, modules and providers is made without, and is the same', async () => {
  runner.files.set('envs/prod/modules.tf', module('../../modules/m'));
  runner.files.set('modules/m/main.tf', output('one'));
  const first = await plan();
  const second = await plan();
  expect([first.ownInit, second.ownInit]).toEqual([true, false]);
  expect(second.plan.digest).toBe(first.plan.digest);
  // What init does not look at may change.
  runner.files.set('modules/m/main.tf', output('two'));
  runner.files.set('envs/prod/more.tf', 'resource "terraform_data" "more" {}\n');
  const third = await plan();
  expect(third).toMatchObject({ ownInit: false, plan: { counts: { add: 3 } } });
});

test('the apply of a plan takes what its plan was made with', async () => {
  const runId = randomUUID();
  const first = await plan();
  expect(await runner.apply(first.plan, { runId })).toMatchObject({ kind: 'applied' });
  expect(runner.store.logs.get(runId)).toContain(spared);
});

test('a new module is initialised', async () => {
  await plan();
  runner.files.set('envs/prod/modules.tf', module('./m'));
  runner.files.set('envs/prod/m/main.tf', output('one'));
  expect(await plan()).toMatchObject({ ownInit: true });
});

test('a module that a link leads to elsewhere now is never the old one', async () => {
  runner.files.set('envs/prod/modules.tf', `${module('../../modules/m')}\n${output('x')}`);
  runner.files.set('envs/prod/out.tf', 'output "from" {\n  value = module.m.x\n}\n');
  runner.files.set('modules/old/main.tf', output('old'));
  runner.files.set('modules/new/main.tf', output('new'));
  runner.links.set('modules/m', 'old');
  await plan();
  runner.links.set('modules/m', 'new');
  const moved = await plan();
  expect(moved.ownInit).toBe(true);
  const changes = await runner.store.readPlanChanges(moved.plan.id);
  expect(changes.outputs).toContainEqual({
    name: 'from',
    before: { kind: 'absent' },
    after: { kind: 'known', json: '"new"' },
  });
});

test('an init that Terraform finds wanting is made anew, in the same run', async () => {
  const backend = (name: string) =>
    // Indented like this, nobody sees from outside that it is another backend.
    `  terraform {\n    backend "local" {\n      path = "${join(runner.stateDir, name)}"\n    }\n  }\n`;
  runner.files.set('envs/prod/backend.tf', backend('one.tfstate'));
  await plan();
  runner.files.set('envs/prod/backend.tf', backend('two.tfstate'));
  const second = await plan();
  expect(second).toMatchObject({ ownInit: true, plan: { hasChanges: true } });
  expect(await runner.apply(second.plan)).toMatchObject({ kind: 'applied' });
  expect(await readdir(runner.stateDir)).toContain('two.tfstate');
  expect(await plan()).toMatchObject({ ownInit: false });
});

test('a project that cannot be planned says the same with a kept init as without', async () => {
  const told = (result: PlanResult) => (result.kind === 'failed' ? result.diagnostics : expect.fail());
  await plan();
  runner.files.set('envs/prod/bad.tf', 'output "bad" {\n  value = tonumber("x")\n}\n');
  const kept = told(await runner.plan('start'));
  const other = await createTerraformRunner();
  other.files.set('envs/prod/bad.tf', runner.files.get('envs/prod/bad.tf') ?? '');
  expect(kept).toEqual(told(await other.plan('start')));
  await other.close();
});

test('a state that would be lost is refused also where a kept init had a safe one', async () => {
  await plan();
  expect(await runner.plan('start', { withoutBackend: true })).toMatchObject({
    kind: 'failed',
    diagnostics: [{ summary: 'The state of this project would be lost' }],
  });
});

test('modules from elsewhere are kept for a while, under the run’s own paths', async () => {
  await mkdir(join(runner.stateDir, 'shared/nested'), { recursive: true });
  await writeFile(join(runner.stateDir, 'shared/main.tf'), `${module('./nested')}${output('far')}`);
  await writeFile(join(runner.stateDir, 'shared/nested/main.tf'), output('nested'));
  runner.files.set('envs/prod/modules.tf', module(join(runner.stateDir, 'shared')));
  runner.files.set('envs/prod/out.tf', 'output "from" {\n  value = module.m.x\n}\n');
  const first = await plan();
  const second = await plan();
  expect([first.ownInit, second.ownInit]).toEqual([true, false]);
  expect(second.plan.digest).toBe(first.plan.digest);
  expect(logOf(second.plan)).not.toContain('Local modules');
});

test('what the code of a run does to its own directory reaches no other run', async () => {
  runner.files.set(
    'envs/prod/attack.tf',
    'resource "terraform_data" "attack" {\n  provisioner "local-exec" {\n    command = "echo broken | tee $TF_DATA_DIR/terraform.tfstate $TF_DATA_DIR/modules/modules.json"\n  }\n}\n',
  );
  runner.files.set('envs/prod/modules.tf', module('./m'));
  runner.files.set('envs/prod/m/main.tf', output('one'));
  const first = await plan();
  expect(await runner.apply(first.plan)).toMatchObject({ kind: 'applied' });
  expect(await plan()).toMatchObject({ ownInit: false, plan: { hasChanges: false } });
});

test.skipIf(bubblewrap === null)('no code sees the kept ones (bubblewrap)', async () => {
  await plan();
  expect(await readdir(join(runner.root, 'inits'))).toHaveLength(1);
  runner.files.set(
    'envs/prod/look.tf',
    `output "seen" {\n  value = fileset("${runner.root}", "inits/**")\n}\n`,
  );
  const looked = await plan();
  const changes = await runner.store.readPlanChanges(looked.plan.id);
  expect(changes.outputs).toContainEqual(
    expect.objectContaining({ name: 'seen', after: { kind: 'known', json: '[]' } }),
  );
});

test('http backend: the record of one address never serves another', async () => {
  const host = await createTerraformRunner({ network: 'host' });
  const servers = await Promise.all([startHttpStateServer(), startHttpStateServer()]);
  try {
    for (const server of servers) {
      host.files.set('envs/prod/backend.tf', server.backend);
      const made = planned(await host.plan('start'));
      expect(await host.apply(made)).toMatchObject({ kind: 'applied' });
      expect(server.state()).not.toBeNull();
    }
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await host.close();
  }
});

test('what no lock file pins is kept for minutes, what is pinned for a day, and the rest forgotten', async () => {
  let nowMs = 0;
  const cache = createInitCache(join(runner.root, 'inits'), () => nowMs);
  const [dataDir, into, projectDir] = ['data', 'into', 'project'].map((name) => join(runner.root, name));
  if (dataDir === undefined || into === undefined || projectDir === undefined) return expect.fail();
  for (const path of [dataDir, into, projectDir]) await mkdir(path);
  const restores = async (key: string) => {
    const restored = await cache.restore(key, { dataDir: into, projectDir });
    for (const name of await readdir(into)) await rm(join(into, name), { recursive: true });
    return restored !== null;
  };
  await cache.keep('plain', { dataDir, lockFile: null, locked: false });
  await mkdir(join(dataDir, 'modules'));
  const Modules = [{ Key: 'm', Source: 'registry/x', Dir: join(dataDir, 'modules/m') }];
  await writeFile(join(dataDir, 'modules/modules.json'), JSON.stringify({ Modules }));
  await cache.keep('download', { dataDir, lockFile: null, locked: true });
  cache.keepAlso('download', 'proven');
  expect(await Promise.all(['plain', 'none'].map(restores))).toEqual([true, false]);
  nowMs = 16 * 60_000;
  expect([await restores('plain'), await restores('download'), await restores('proven')]).toEqual([
    true,
    false,
    true,
  ]);
  nowMs = 25 * 60 * 60_000;
  expect([await restores('plain'), await restores('proven')]).toEqual([false, false]);
});

test('keys tell apart what could be taken for each other', () => {
  expect(initKey(['a', 'b'])).not.toBe(initKey(['ab', '']));
  expect(initKey([null])).not.toBe(initKey(['']));
  expect(initKey([null])).not.toBe(initKey(['none']));
});
