// Do runs share providers, without a network and without disturbing each other?
import { access, copyFile, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepProviders, providerSources } from '../activities/terraform/provider-cache.ts';
import { executablesOnPath } from '../app/tools/search-path.ts';
import type { TerraformRunner } from './terraform-runner.ts';
import { createTerraformRunner, planned } from './terraform-runner.ts';

const address = 'example.com/acme/fake';
const platform = `${process.platform}_${arch() === 'x64' ? 'amd64' : arch()}`;
const packageName = join(address, '1.2.3', platform);

let runner: TerraformRunner;
let cache: string;
let marker: string;
beforeEach(async () => {
  runner = await createTerraformRunner();
  cache = runner.settings.pluginCacheDir;
  marker = join(runner.stateDir, 'executed');
});
afterEach(() => runner.close());

/** As init leaves it: a provider that only tells that it was run. */
async function installed(name: string): Promise<string> {
  const dataDir = join(runner.root, name);
  const binary = join(dataDir, 'providers', packageName, 'terraform-provider-fake_v1.2.3');
  await mkdir(dirname(binary), { recursive: true });
  await writeFile(binary, `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 });
  await writeFile(join(dirname(binary), 'LICENSE'), 'none');
  return dataDir;
}

const hashOf = () => readFile(join(cache, 'hashes', packageName), 'utf8');

function requireProvider(hash: string | null): void {
  runner.files.set(
    'envs/prod/provider.tf',
    `terraform {\n  required_providers {\n    fake = { source = "${address}" }\n  }\n}\n\nprovider "fake" {}\n`,
  );
  if (hash === null) return;
  const lock = `provider "${address}" {\n  version = "1.2.3"\n  hashes = [\n    "${hash}",\n  ]\n}\n`;
  runner.files.set('envs/prod/.terraform.lock.hcl', lock);
}

test('a pinned provider comes from the cache, verified by Terraform, without any network', async () => {
  await keepProviders(await installed('data'), cache);
  requireProvider(await hashOf());
  const result = await runner.plan('start');
  // It is no real provider, so the plan fails; but it was found, verified and run.
  expect(result.kind).toBe('failed');
  expect(runner.stages).toContain('plan');
  await access(marker);
});

test('eight runs side by side start the provider while others bring it, and none finds it busy', async () => {
  await keepProviders(await installed('data'), cache);
  requireProvider(await hashOf());
  const others = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => keepProviders(await installed(`other-${index}`), cache)),
  );
  const results = await Promise.all(others.map(() => runner.plan('start')));
  const told = results.map((result) => (result.kind === 'failed' ? result.diagnostics : expect.fail()));
  // All fail alike, since it is no real provider: had one found it busy or half written, it would say something else.
  expect(new Set(told.map((diagnostics) => diagnostics[0]?.summary)).size).toBe(1);
  expect([...runner.store.logs.values()].join('')).not.toContain('text file busy');
  await access(marker);
});

const [timeBinary] = await executablesOnPath(process.env.PATH ?? '', 'terraform-provider-time');
/** Its name says why it is left out. */
const testWithProvider = (name: string, run: (binary: string) => Promise<void>) =>
  timeBinary === undefined
    ? test.skip(`${name} (terraform-provider-time is not on PATH)`, () => undefined)
    : test(name, () => run(timeBinary));

testWithProvider(
  'with a provider that does something, eight plans side by side are all made while others bring it, and one is applied',
  async (binary) => {
    const [source, version] = ['registry.terraform.io/hashicorp/time', '0.14.2'];
    const place = join('providers', source, version, platform);
    const bring = async (name: string): Promise<void> => {
      const directory = join(runner.root, name, place);
      await mkdir(directory, { recursive: true });
      await copyFile(binary, join(directory, `terraform-provider-time_v${version}`));
      await keepProviders(join(runner.root, name), cache);
    };
    await bring('first');
    const hash = await readFile(join(cache, 'hashes', source, version, platform), 'utf8');
    runner.files.set(
      'envs/prod/.terraform.lock.hcl',
      `provider "${source}" {\n  version = "${version}"\n  hashes = [\n    "${hash}",\n  ]\n}\n`,
    );
    runner.files.set('envs/prod/time.tf', 'resource "time_static" "built" {}\n');
    const [plans] = await Promise.all([
      Promise.all(Array.from({ length: 8 }, async () => planned(await runner.plan('start')))),
      ...Array.from({ length: 4 }, (_, index) => bring(`later-${index}`)),
    ]);
    expect(plans.map(({ counts }) => counts.add)).toEqual(plans.map(() => 3));
    expect(new Set(plans.map(({ digest }) => digest)).size).toBe(1);
    const [first] = plans;
    expect(first && (await runner.apply(first))).toMatchObject({ kind: 'applied' });
    expect(await readFile(join(runner.stateDir, 'prod.tfstate'), 'utf8')).toContain('"type": "time_static"');
  },
);

test('a package that the lock file does not vouch for is not taken from the cache', async () => {
  await keepProviders(await installed('data'), cache);
  requireProvider('h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=');
  expect((await runner.plan('start')).kind).toBe('failed');
  expect(runner.stages).not.toContain('plan');
  await expect(access(marker)).rejects.toThrow();
});

test('each provider is asked for where it can be verified', async () => {
  await keepProviders(await installed('data'), cache);
  const provider = { address, version: '1.2.3' };
  const other = { address: 'example.com/acme/other', version: '1.0.0', hashes: ['zh:x'] };
  const sources = await providerSources(cache, [{ ...provider, hashes: ['zh:x', await hashOf()] }, other]);
  expect(sources).toEqual({
    cacheDir: join(cache, 'packages'),
    mirrored: [address],
    direct: ['example.com/acme/other'],
  });
});

test('two runs that bring the same provider leave one, and both have it', async () => {
  const directories = await Promise.all([installed('one'), installed('two')]);
  await Promise.all(directories.map((directory) => keepProviders(directory, cache)));
  expect(await readdir(join(cache, 'packages', packageName))).toHaveLength(2);
  expect((await readdir(cache)).sort()).toEqual(['hashes', 'packages']);
  for (const directory of directories) {
    const binary = join(directory, 'providers', packageName, 'terraform-provider-fake_v1.2.3');
    expect(await readFile(binary, 'utf8')).toContain('touch');
  }
  const links = await Promise.all(directories.map((name) => lstat(join(name, 'providers', packageName))));
  expect(links.some((status) => status.isSymbolicLink())).toBe(true);
});
