// S8: what can a pull request's code reach when it is planned and applied?
import { spawnSync } from 'node:child_process';
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cliConfig } from '../activities/terraform/cli-config.ts';
import type { PlanResult } from '../workflows/model/plan.ts';
import { startHttpStateServer } from './http-state-server.ts';
import type { TerraformRunner } from './terraform-runner.ts';
import { bubblewrap, createTerraformRunner, planned, project } from './terraform-runner.ts';

const secret = 'the-key-of-the-app-9b1c';
process.env.HATCHET_ATTACKED_SECRET = secret;

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

describe('S8: providers and settings that the pull request brings along', () => {
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

  test('files beside the run’s own directory are not there', async () => {
    await writeFile(join(runner.root, 'secret'), secret);
    const file = JSON.stringify(join(runner.root, 'secret'));
    expect(await outputOf(`fileexists(${file}) ? "there" : "not there"`)).toBe('not there');
  });

  test('a network that is switched off reaches nobody', async () => {
    const server = await startHttpStateServer();
    runner.files.set('envs/prod/backend.tf', server.backend);
    expect(await runner.plan('start')).toMatchObject({ kind: 'failed' });
    await server.close();
  });

  test('what is applied can write nowhere else, and not into the provider cache', async () => {
    const places = [join(runner.root, 'outside'), join(runner.settings.pluginCacheDir, 'packages/planted')];
    const commands = [...places, marker].map((place) => `touch ${place}`).join('; ');
    runner.files.set(
      'envs/prod/attack.tf',
      `resource "terraform_data" "x" {\n  provisioner "local-exec" {\n    command = "${commands}"\n  }\n}\n`,
    );
    expect(await runner.apply(planned(await runner.plan('start')))).toMatchObject({ kind: 'applied' });
    await access(marker);
    expect((await readdir(runner.root)).sort()).toEqual(['inits', 'plugins', 'state', 'work']);
    expect(await readdir(join(runner.settings.pluginCacheDir, 'packages'))).toEqual([]);
  });
});

describe('links that leave the checkout', () => {
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
