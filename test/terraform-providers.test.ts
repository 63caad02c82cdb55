// Do runs share providers, without a network and without disturbing each other?
import { createHash } from 'node:crypto';
import { access, appendFile, copyFile, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keepProviders, offerProviders } from '../activities/terraform/provider-cache.ts';
import { executablesOnPath } from '../app/tools/search-path.ts';
import type { Plan } from '../workflows/model/plan.ts';
import { canServeProviders, startProviderRegistry } from './provider-registry.ts';
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
  await writeFile(binary, script(), { mode: 0o755 });
  await writeFile(join(dirname(binary), 'LICENSE'), 'none');
  return dataDir;
}

const script = () => `#!/bin/sh\ntouch ${marker}\n`;

/** Of what is installed, as Terraform writes it. Source: pkg.go.dev/golang.org/x/mod/sumdb/dirhash (Hash1). */
function ownHash(): string {
  const sum = (text: string) => createHash('sha256').update(text);
  const listing = `${sum('none').digest('hex')}  LICENSE\n${sum(script()).digest('hex')}  terraform-provider-fake_v1.2.3\n`;
  return `h1:${sum(listing).digest('base64')}`;
}

/** As after an init that was to keep to `given`; without one, nothing was pinned. */
async function keep(dataDir: string, given: string | null = null): Promise<void> {
  const left = given?.replace('hashes = [\n', `hashes = [\n    "${ownHash()}",\n`) ?? '';
  await keepProviders(cache, { dataDir, given: given ?? '', left });
}

const hashOf = () => readFile(join(cache, 'hashes', packageName), 'utf8');

function lockOf(hashes: readonly string[], source = address, version = '1.2.3'): string {
  const lines = hashes.map((hash) => `    "${hash}",\n`).join('');
  return `provider "${source}" {\n  version = "${version}"\n  hashes = [\n${lines}  ]\n}\n`;
}

function requireProvider(hash: string | null): void {
  runner.files.set(
    'envs/prod/provider.tf',
    `terraform {\n  required_providers {\n    fake = { source = "${address}" }\n  }\n}\n\nprovider "fake" {}\n`,
  );
  if (hash !== null) runner.files.set('envs/prod/.terraform.lock.hcl', lockOf([hash]));
}

test('a pinned provider comes from the cache, verified by Terraform, without any network', async () => {
  await keep(await installed('data'));
  requireProvider(await hashOf());
  const result = await runner.plan('start');
  // It is no real provider, so the plan fails; but it was found, verified and run.
  expect(result.kind).toBe('failed');
  expect(runner.stages).toContain('plan');
  await access(marker);
});

test('eight runs side by side start the provider while others bring it, and none finds it busy', async () => {
  await keep(await installed('data'));
  requireProvider(await hashOf());
  const others = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => keep(await installed(`other-${index}`))),
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
      await keep(join(runner.root, name));
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

const servesProviders = await canServeProviders();
const testWithRegistry = (name: string, run: (binary: string) => Promise<void>) =>
  servesProviders
    ? testWithProvider(name, run)
    : test.skip(`${name} (openssl or gpg is not on PATH)`, () => undefined);

testWithRegistry(
  'what a lock file from another platform lets Terraform download is downloaded once, and shared from then on',
  async (binary) => {
    const directory = join(runner.stateDir, 'registry');
    const registry = await startProviderRegistry(binary, directory);
    const environment = { SSL_CERT_FILE: registry.certificate };
    const online = await createTerraformRunner({ environment, network: 'host' }, runner.root);
    const code = (name: string, text: string) => online.files.set(`envs/prod/${name}`, text);
    const mac = ['h1:bWFj', registry.checksum, registry.otherChecksum].sort();
    const lock = (hashes: readonly string[]) =>
      code('.terraform.lock.hcl', lockOf(hashes, registry.source, registry.version));
    const logOf = ({ id }: Plan) => online.store.plans.get(id)?.bytes.log.toString() ?? '';
    /** What init looks at differs, so that there is none to stand in. */
    const initialiseAgain = (name: string) => code('more.tf', `terraform {\n  # ${name}\n}\n`);
    try {
      code(
        'time.tf',
        `terraform {\n  required_providers {\n    time = { source = "${registry.source}" }\n  }\n}\n\nresource "time_static" "built" {}\n`,
      );
      lock(mac);
      const first = planned(await online.plan('start'));
      expect(registry.downloads()).toBe(1);
      const second = planned(await online.plan('start'));
      expect(logOf(second)).toContain('init need not run again');
      initialiseAgain('shared');
      const third = planned(await online.plan('start'));
      expect(logOf(third)).not.toContain('init need not run again');
      expect(registry.downloads()).toBe(1);
      expect(new Set([first, second, third].map(({ digest }) => digest)).size).toBe(1);
      const [locks] = [
        [first, third].map(({ id }) => online.store.plans.get(id)?.bytes.lockFile?.toString()),
      ];
      expect(locks[0]).toContain('h1:bWFj');
      // Whoever applies it gets the same lock file as after the download.
      expect(locks[1]?.match(/"(?:h1|zh):.*"/g)).toEqual(locks[0]?.match(/"(?:h1|zh):.*"/g));

      lock([registry.checksum, `zh:${'c'.repeat(64)}`]);
      planned(await online.plan('start'));
      expect(registry.downloads()).toBe(2);
      lock(['h1:bWFj', `zh:${'c'.repeat(64)}`]);
      expect(await online.plan('start')).toMatchObject({ kind: 'failed' });

      const kept = join(cache, 'packages', registry.source, registry.version, platform);
      const [name = ''] = await readdir(kept);
      await appendFile(join(kept, name), 'changed');
      lock(mac);
      initialiseAgain('changed');
      online.stages.length = 0;
      expect(await online.plan('start')).toMatchObject({ kind: 'failed' });
      expect(online.stages).not.toContain('plan');
    } finally {
      await registry.close();
    }
  },
);

test('a package that the lock file does not vouch for is not taken from the cache', async () => {
  await keep(await installed('data'));
  requireProvider('h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=');
  expect((await runner.plan('start')).kind).toBe('failed');
  expect(runner.stages).not.toContain('plan');
  await expect(access(marker)).rejects.toThrow();
});

test('each provider is asked for where it can be verified', async () => {
  await keep(await installed('data'));
  const other = lockOf(['zh:x'], 'example.com/acme/other');
  const lock = `${lockOf(['zh:x', await hashOf()])}\n${other}`;
  expect(await offerProviders(cache, lock)).toEqual({
    sources: {
      cacheDir: join(cache, 'packages'),
      mirrored: [address],
      direct: ['example.com/acme/other'],
    },
    lockFile: lock,
  });
});

describe('a lock file without a checksum for this platform', () => {
  const given = ['h1:bWFj', 'zh:aa', 'zh:bb'];
  const header = '# Terraform made this.\n\n';
  /** Whether the package is vouched for, and by which lock file. */
  const offered = async (lock: string) => {
    const { sources, lockFile } = await offerProviders(cache, lock);
    expect([...sources.mirrored, ...sources.direct]).toEqual([address]);
    return { shared: sources.mirrored.length === 1, lockFile };
  };
  const isShared = async (lock: string) => (await offered(lock)).shared;

  test('vouches for the package that Terraform took for the same checksums', async () => {
    await keep(await installed('data'), header + lockOf(given));
    expect(await offered(header + lockOf(given))).toEqual({
      shared: true,
      lockFile: header + lockOf([...given, await hashOf()].sort()),
    });
    expect(await isShared(lockOf([...given, 'zh:cc']))).toBe(true);
    const constrained = '"1.2.3"\n  constraints = "~> 1.2, >= 1.0.0, != 1.2.1"\n';
    expect(await isShared(lockOf(given).replace('"1.2.3"\n', constrained))).toBe(true);
  });

  test.each<[string, string]>([
    ['none', lockOf([])],
    ['other ones', lockOf(['h1:bWFj', 'zh:cc', 'zh:dd'])],
    ['one that is missing', lockOf(['h1:bWFj', 'zh:aa'])],
    ['only an h1 that is missing, by which the archive may have been accepted', lockOf(['zh:aa', 'zh:bb'])],
    ['another version', lockOf(given).replace('1.2.3', '1.2.4')],
    ['checksums in a comment of another form', lockOf(given).replace('hashes', '// hashes')],
  ])('but for no other: %s', async (_, lock) => {
    await keep(await installed('data'), lockOf(given));
    expect(await offered(lock)).toEqual({ shared: false, lockFile: lock });
  });

  test.each<[string, string]>([
    ['without checksums', lockOf([])],
    ['with an escaped one', lockOf(given).replace('"zh:bb"', '"\\u007ah:bb"')],
    ['inside a comment', `/*\n${lockOf(given)}*/\n`],
    ['twice', `${lockOf(given)}provider  "${address}" {\n  hashes = ["zh:cc"]\n}\n`],
    ['with a line that nobody expects', lockOf(given).replace('  hashes', '  more = 1\n  hashes')],
    ['with the end of a line that only some take for one', `# \r${lockOf(given)}`],
  ])('and what was accepted is remembered only where it is certain: %s', async (_, lock) => {
    await keep(await installed('data'), lock);
    expect([await isShared(lock), await isShared(lockOf(given))]).toEqual([false, false]);
  });

  test('nor is it where Terraform unpacked something else than what is kept', async () => {
    const left = lockOf([...given, 'h1:b3RoZXI=']);
    await keepProviders(cache, { dataDir: await installed('data'), given: lockOf(given), left });
    expect(await isShared(lockOf(given))).toBe(false);
  });

  test('and a list that was not written to its end, or of another package, counts for nothing', async () => {
    await keep(await installed('data'), lockOf(given));
    const lists = join(cache, 'accepted', packageName);
    const [name = ''] = await readdir(lists);
    const text = await readFile(join(lists, name), 'utf8');
    await writeFile(join(lists, name), text.slice(0, text.lastIndexOf('\n')));
    expect(await isShared(lockOf(given))).toBe(false);
    await writeFile(join(lists, name), text);
    expect(await isShared(lockOf(given))).toBe(true);
    await writeFile(join(cache, 'hashes', packageName), 'h1:b3RoZXI=');
    expect(await isShared(lockOf(given))).toBe(false);
  });

  test('each list under which the same package comes again is remembered', async () => {
    const others = ['h1:aW50ZWw=', 'zh:aa', 'zh:bb'];
    await keep(await installed('one'), lockOf(given));
    expect(await isShared(lockOf(others))).toBe(false);
    const again = await installed('two');
    await keep(again, lockOf(others));
    expect(await Promise.all([given, others].map((hashes) => isShared(lockOf(hashes))))).toEqual([
      true,
      true,
    ]);
    expect((await lstat(join(again, 'providers', packageName))).isSymbolicLink()).toBe(true);
  });

  test('another package of the same name stays outside', async () => {
    await keep(await installed('one'), lockOf(given));
    const [other, lock] = [await installed('two'), lockOf(['zh:cc'])];
    await writeFile(join(other, 'providers', packageName, 'LICENSE'), 'another');
    await keep(other, lock);
    expect((await lstat(join(other, 'providers', packageName))).isDirectory()).toBe(true);
    expect(await isShared(lock)).toBe(false);
  });
});

test('two runs that bring the same provider leave one, and both have it', async () => {
  const directories = await Promise.all([installed('one'), installed('two')]);
  await Promise.all(directories.map((directory) => keep(directory)));
  expect(await readdir(join(cache, 'packages', packageName))).toHaveLength(2);
  expect((await readdir(cache)).sort()).toEqual(['hashes', 'packages']);
  for (const directory of directories) {
    const binary = join(directory, 'providers', packageName, 'terraform-provider-fake_v1.2.3');
    expect(await readFile(binary, 'utf8')).toContain('touch');
  }
  const links = await Promise.all(directories.map((name) => lstat(join(name, 'providers', packageName))));
  expect(links.some((status) => status.isSymbolicLink())).toBe(true);
});
