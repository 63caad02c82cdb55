// S8: what can a pull request's code reach when it is planned and applied?
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cliConfig } from '../activities/terraform/cli-config.ts';
import { startHttpStateServer } from '../fixtures/drills/http-state-server.ts';
import type { PlanResult } from '../workflows/model/plan.ts';
import type { TerraformRunner } from './terraform-runner.ts';
import { bubblewrap, createTerraformRunner, planned, project } from './terraform-runner.ts';

const secret = 'the-key-of-the-app-9b1c';
process.env.HATCHET_ATTACKED_SECRET = secret;
// Other files run in the same process.
afterAll(() => {
  delete process.env.HATCHET_ATTACKED_SECRET;
});

let runner: TerraformRunner;
let marker: string;
beforeEach(async () => {
  runner = await createTerraformRunner({ environment: { TF_VAR_allowed: 'yes' } });
  marker = join(runner.stateDir, 'executed');
});
afterEach(() => runner.close());

const inSandbox = describe.skipIf(bubblewrap === null);

/** Stands where Terraform looks for providers, and tells when it is run. */
const provider = () => `#!/bin/sh\ntouch ${marker}\n`;
const path = 'example.com/evil/evil/1.0.0/linux_amd64/terraform-provider-evil_v1.0.0';
const requirement =
  'terraform {\n  required_providers {\n    evil = { source = "example.com/evil/evil" }\n  }\n}\nprovider "evil" {}\n';

function summaries(result: PlanResult): readonly string[] {
  return result.kind === 'failed' ? result.diagnostics.map(({ summary }) => summary) : expect.fail();
}

describe('providers and settings that the pull request brings along (S8)', () => {
  test('a provider in terraform.d is refused and not run', async () => {
    runner.files.set('envs/prod/evil.tf', requirement);
    runner.files.set(`envs/prod/terraform.d/plugins/${path}`, provider());
    const result = await runner.plan('start');
    expect(result).toMatchObject({
      kind: 'failed',
      diagnostics: [
        {
          summary: 'envs/prod/terraform.d must not be committed',
          path: 'envs/prod/terraform.d',
          detail: expect.stringContaining('git rm -r --cached envs/prod/terraform.d'),
        },
      ],
    });
    await expect(access(marker)).rejects.toThrow();
  });

  test('a committed .terraform with a lock file that fits is refused and not run', async () => {
    runner.files.set('envs/prod/evil.tf', requirement);
    runner.files.set(`envs/prod/.terraform/providers/${path}`, provider());
    runner.files.set(
      'envs/prod/.terraform.lock.hcl',
      'provider "example.com/evil/evil" {\n  version = "1.0.0"\n}\n',
    );
    expect(summaries(await runner.plan('start'))).toEqual(['envs/prod/.terraform must not be committed']);
    await expect(access(marker)).rejects.toThrow();
  });

  test('the settings that init runs with leave such a provider alone', async () => {
    await mkdir(join(runner.root, 'bait/terraform.d/plugins', dirname(path)), { recursive: true });
    await writeFile(join(runner.root, 'bait/main.tf'), requirement);
    await writeFile(join(runner.root, 'bait/terraform.d/plugins', path), provider(), { mode: 0o755 });
    const config = join(runner.root, 'cli.tfrc');
    const init = (text: string) =>
      writeFile(config, text).then(
        () =>
          spawnSync('terraform', ['init', '-input=false'], {
            cwd: join(runner.root, 'bait'),
            env: { PATH: process.env.PATH, TF_CLI_CONFIG_FILE: config, CHECKPOINT_DISABLE: '1' },
          }).status,
      );
    expect(await init('')).toBe(0);
    await rm(join(runner.root, 'bait/.terraform'), { recursive: true });
    await mkdir(join(runner.root, 'cache'));
    const sources = { cacheDir: join(runner.root, 'cache'), mirrored: [], direct: [] };
    expect(await init(cliConfig(sources))).toBe(1);
  });

  test.for(['.terraformrc', 'envs/terraform.rc', 'envs/prod/.tofurc', '.terraform/modules/modules.json'])(
    '%s is refused',
    async (name) => {
      runner.files.set(name, 'disable_checkpoint = true\n');
      const refused = name.replace('/modules/modules.json', '');
      expect(summaries(await runner.plan('start'))).toEqual([`${refused} must not be committed`]);
    },
  );

  test('the settings of another project are not this one’s business', async () => {
    runner.files.set('envs/other/.terraform/x', '');
    expect(await runner.plan('start')).toMatchObject({ kind: 'planned' });
  });
});

/** Code that runs these one after the other when it is applied, whatever becomes of each. */
const executed = (commands: readonly string[]): string =>
  `resource "terraform_data" "x" {\n  provisioner "local-exec" {\n    command = ${JSON.stringify(`${commands.join('; ')}; true`)}\n  }\n}\n`;

async function outputOf(expression: string): Promise<string> {
  runner.files.set('envs/prod/attack.tf', `output "loot" {\n  value = nonsensitive(${expression})\n}\n`);
  const plan = planned(await runner.plan('start'));
  const document = JSON.parse((await runner.store.readPlanJson(plan.id)).toString());
  return String(document.output_changes.loot.after);
}

test('S8: the environment holds what the operator allows and nothing else', async () => {
  const environ = Buffer.from(await outputOf('filebase64("/proc/self/environ")'), 'base64').toString();
  const names = environ.split('\0').map((line) => line.split('=')[0]);
  expect(environ).not.toContain(secret);
  expect(names.filter((name) => name !== '' && name !== 'PWD').sort()).toEqual([
    'CHECKPOINT_DISABLE',
    'GIT_TERMINAL_PROMPT',
    'HOME',
    'PATH',
    'TF_CLI_CONFIG_FILE',
    'TF_DATA_DIR',
    'TF_INPUT',
    'TF_IN_AUTOMATION',
    'TF_VAR_allowed',
    'TMPDIR',
  ]);
});

inSandbox('S8: behind the walls (needs bubblewrap)', () => {
  test('no other process can be seen, not even the one that started it', async () => {
    const names = await outputOf(
      `join(",", [for f in fileset("/proc", "[0-9]*/comm") : trimspace(file("/proc/$\{f}"))])`,
    );
    expect(new Set(names.split(','))).toEqual(new Set(['terraform']));
  });

  test.for(['/etc/shadow', '/home', '/proc/1/root/etc/shadow'])('%s is not there', async (name) => {
    expect(await outputOf(`fileexists(${JSON.stringify(name)}) ? "there" : "not there"`)).toBe('not there');
  });

  test('of the machine it sees its own run, the listed paths and the cached providers, and nothing else', async () => {
    const planted = {
      mirror: join(runner.root, 'mirrors/2.git/config'),
      otherRun: join(runner.settings.workDir, 'another-run/tree/secrets.tf'),
      keptInits: join(runner.root, 'inits/kept/terraform.tfstate'),
      encryptionKey: join(runner.root, 'encryption-keys.json'),
      databasePassword: join(runner.root, 'postgres/password'),
      databaseSocket: join(runner.root, 'postgres/.s.PGSQL.5432'),
      providerHash: join(runner.settings.pluginCacheDir, 'hashes/example.com/acme/fake'),
    };
    for (const file of Object.values(planted)) {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, secret);
    }
    runner.links.set('envs/prod/leak', planted.otherRun);
    const seen = await outputOf(`jsonencode(fileset(${JSON.stringify(runner.root)}, "**"))`);
    const folders = (JSON.parse(seen) as string[]).map((name) => name.split('/').slice(0, 2).join('/'));
    expect([...new Set(folders)]).toEqual([expect.stringMatching(/^work\/[0-9a-f-]{36}-\w+$/)]);
    const reads = [...Object.values(planted), `$\{path.module}/leak`];
    const read = reads.map((file) => `try(file("${file}"), "not there")`).join(', ');
    expect(JSON.parse(await outputOf(`jsonencode([${read}])`))).toEqual(reads.map(() => 'not there'));
  });

  test('neither the home of the one who runs Hatchet nor its sources', async () => {
    const places = [homedir(), join(import.meta.dirname, '../package.json'), process.execPath];
    const hidden = places.filter((place) => !place.startsWith('/usr/'));
    const there = hidden.map((place) => `fileexists(${JSON.stringify(place)})`).join(', ');
    expect(JSON.parse(await outputOf(`jsonencode([${there}])`))).toEqual(hidden.map(() => false));
    expect(await outputOf(`join(",", fileset(${JSON.stringify(homedir())}, "**"))`)).toBe('');
  });

  test('no environment but its own, whichever process is asked', async () => {
    const environments = await outputOf(
      `join(",", [for f in fileset("/proc", "{[0-9]*,self,thread-self}/environ") : filebase64("/proc/$\{f}")])`,
    );
    const found = environments.split(',').map((each) => Buffer.from(each, 'base64').toString());
    expect(found.length).toBeGreaterThan(0);
    for (const each of found) {
      expect(each).toContain('TF_IN_AUTOMATION=1');
      expect(each).not.toContain(secret);
    }
  });

  test('what is applied can neither read nor end what runs beside it', async () => {
    const other = spawn('sleep', ['300'], { env: { HATCHET_ATTACKED_SECRET: secret } });
    await once(other, 'spawn');
    const loot = join(runner.stateDir, 'loot');
    const attacks = [
      `cat /proc/*/environ /proc/${other.pid}/environ /proc/$PPID/environ >> ${loot}`,
      `kill -9 ${other.pid} ${process.pid}`,
      `ls -A ${runner.root} ${tmpdir()} >> ${loot}`,
      `mount --bind / /tmp && cat /tmp/proc/${other.pid}/environ >> ${loot}`,
      `cat /proc/1/root${join(runner.root, 'planted-beside')} >> ${loot}`,
    ];
    await writeFile(join(runner.root, 'planted-beside'), secret);
    runner.files.set('envs/prod/attack.tf', executed(attacks));
    expect(await runner.apply(planned(await runner.plan('start')))).toMatchObject({ kind: 'applied' });
    const found = await readFile(loot, 'utf8');
    expect(found).toContain('TF_IN_AUTOMATION');
    expect(found).not.toContain(secret);
    expect(found).not.toContain('planted-beside');
    expect([other.exitCode, other.signalCode]).toEqual([null, null]);
    other.kill();
  });

  test('a network that is switched off reaches nobody', async () => {
    const server = await startHttpStateServer();
    runner.files.set('envs/prod/backend.tf', server.backend);
    expect(await runner.plan('start')).toMatchObject({ kind: 'failed' });
    await server.close();
  });

  test('what is applied can neither change its plan and settings nor write what Hatchet reads of it', async () => {
    const loot = join(runner.stateDir, 'loot');
    const root = '"$TF_DATA_DIR/.."';
    runner.files.set(
      'envs/prod/attack.tf',
      executed([
        `ls -A ${root} >> ${loot}`,
        `echo 'plugin_cache_dir = "/"' >> "$TF_CLI_CONFIG_FILE" && echo changed-settings >> ${loot}`,
        `rm ${root}/plan/plan.tfplan && echo removed-plan >> ${loot}`,
        `echo forged-line >> ${root}/apply.out`,
        `rm -f ${root}/apply.out ${root}/apply.err`,
      ]),
    );
    const plan = planned(await runner.plan('start'));
    const outcome = await runner.apply(plan);
    expect(outcome).toMatchObject({ kind: 'applied' });
    const seen = (await readFile(loot, 'utf8')).trim().split('\n');
    expect(seen.sort()).toEqual(['cli.tfrc', 'data', 'home', 'plan', 'tmp', 'tree']);
    const log = [...runner.store.logs.values()].join('\n');
    expect(log).toContain('Apply complete!');
    expect(log).not.toContain('forged-line\n');
  });

  test('what is applied can write nowhere else, and not into the provider cache', async () => {
    const places = [join(runner.root, 'outside'), join(runner.settings.pluginCacheDir, 'packages/planted')];
    const commands = [...places, marker].map((place) => `touch ${place}`);
    runner.files.set('envs/prod/attack.tf', executed(commands));
    expect(await runner.apply(planned(await runner.plan('start')))).toMatchObject({ kind: 'applied' });
    await access(marker);
    expect((await readdir(runner.root)).sort()).toEqual(['inits', 'plugins', 'state', 'work']);
    expect(await readdir(join(runner.settings.pluginCacheDir, 'packages'))).toEqual([]);
  });
});

test('S8: without walls all of that is open, which is why the start says so', async () => {
  const open = await createTerraformRunner({ bubblewrap: null });
  await writeFile(join(open.root, 'secret'), secret);
  const file = JSON.stringify(join(open.root, 'secret'));
  open.files.set('envs/prod/attack.tf', `output "loot" {\n  value = file(${file})\n}\n`);
  const plan = planned(await open.plan('start'));
  expect((await open.store.readPlanJson(plan.id)).toString()).toContain(secret);
  await open.close();
});

describe('names that look like options (S9)', () => {
  test('a directory and a var file are what they are called, and nothing is passed on', async () => {
    const dir = '-chdir=elsewhere';
    const state = JSON.stringify(join(runner.stateDir, 'odd.tfstate'));
    const backend = `terraform {\n  backend "local" {\n    path = ${state}\n  }\n}\n`;
    const code = 'variable "size" {}\n\noutput "size" {\n  value = var.size\n}\n';
    runner.files.set(`${dir}/main.tf`, backend + code);
    runner.files.set(`${dir}/-destroy`, 'size = "small"\n');
    const named = { ...project, dir, varFiles: ['-destroy'] };
    const plan = planned(await runner.plan('start', { project: named }));
    const { output_changes } = JSON.parse((await runner.store.readPlanJson(plan.id)).toString());
    expect(output_changes.size).toMatchObject({ actions: ['create'], after: 'small' });
  });
});

describe('links that leave the checkout (S8)', () => {
  test('a project’s directory that is one is refused', async () => {
    const elsewhere = await createTerraformRunner();
    runner.links.set('envs/linked', elsewhere.root);
    const result = await runner.plan('start', { project: { ...project, dir: 'envs/linked' } });
    expect(summaries(result)).toEqual(['envs/linked is no directory of this repository']);
    await elsewhere.close();
  });

  test('a lock file that is one is neither read nor written through', async () => {
    const target = join(runner.root, 'target');
    await writeFile(target, secret);
    runner.links.set('envs/prod/.terraform.lock.hcl', target);
    const result = await runner.plan('start');
    expect(JSON.stringify([result, [...runner.store.plans.values()]])).not.toContain(secret);
    expect(await readFile(target, 'utf8')).toBe(secret);
  });
});
