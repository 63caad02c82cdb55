// Which Terraform or OpenTofu does a project get, and what is said when there is none?
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  writeFile,
} from 'node:fs/promises';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cachedFile } from '../app/tools/cache.ts';
import type { Engines } from '../app/tools/engines.ts';
import { createEngines } from '../app/tools/engines.ts';
import { platformName } from '../app/tools/platform.ts';
import { engineRelease } from '../app/tools/versions.ts';
import type { Engine } from '../workflows/model/project.ts';
import { createTerraformRunner, planned, project } from './terraform-runner.ts';
import { findTestTools } from './tools.ts';
import { zipped } from './zip.ts';

let folder: string;
let server: Server;
let base: string;
let files: Map<string, Buffer>;
let requests: string[];
let nowMs: number;
let engines: Engines;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'hatchet-engines-')));
  files = new Map();
  requests = [];
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    const body = files.get(request.url ?? '');
    response.writeHead(body === undefined ? 404 : 200, { 'content-length': body?.length ?? 0 }).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  nowMs = 0;
  engines = createEngines(
    {
      path: join(folder, 'bin'),
      dataDir: folder,
      mirrors: { terraform: base, tofu: base },
      environment: {},
      progress: () => undefined,
      log: () => undefined,
    },
    () => nowMs,
  );
});

afterEach(async () => {
  await new Promise((closed) => server.close(closed));
  await rm(folder, { recursive: true, force: true });
});

const asks = (constraint: string) => ({ constraint, source: 'hatchet.yaml' });
const found = (path: string, version: string) => ({ kind: 'found', path, version });

test('the newest match that is at hand wins, and nobody is asked for more', async () => {
  const onPath = await installed(join(folder, 'bin/terraform'), '1.9.1');
  const cached = await installed(cachedFile(folder, engineRelease('terraform', '1.9.5')), '1.9.5');
  await installed(cachedFile(folder, engineRelease('terraform', '1.10.2')), '1.10.2');
  expect(await engines('terraform', null)).toEqual(found(onPath, '1.9.1'));
  expect(await engines('terraform', asks('~> 1.9.0'))).toEqual(found(cached, '1.9.5'));
  expect(await engines('terraform', asks('1.9.1'))).toEqual(found(onPath, '1.9.1'));
  expect(await engines('terraform', asks('~> 1.9'))).toMatchObject({ version: '1.10.2' });
  expect(requests).toEqual([]);
});

test('a program is asked for its version once, and again when another takes its place', async () => {
  const path = await installed(join(folder, 'bin/terraform'), '1.9.1');
  for (let count = 0; count < 3; count += 1) await engines('terraform', null);
  expect(await timesRun(path)).toBe(1);
  await installed(path, '1.10.0 ');
  expect(await engines('terraform', null)).toEqual(found(path, '1.10.0'));
});

test('an exact version that is not there is fetched, checked by its published sum, and kept', async () => {
  publish('terraform', '1.9.8');
  const path = cachedFile(folder, engineRelease('terraform', '1.9.8'));
  const both = await Promise.all([
    engines('terraform', asks('1.9.8')),
    engines('terraform', asks('= 1.9.8')),
  ]);
  expect(both).toEqual([found(path, '1.9.8'), found(path, '1.9.8')]);
  expect(await engines('terraform', asks('1.9.8'))).toEqual(found(path, '1.9.8'));
  expect(requests).toHaveLength(2);
  expect((await readdir(dirname(path))).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('a prerelease is fetched where it is named', async () => {
  publish('tofu', '1.12.0-beta1');
  const path = cachedFile(folder, engineRelease('tofu', '1.12.0-beta1'));
  expect(await engines('tofu', asks('1.12.0-beta1'))).toEqual(found(path, '1.12.0-beta1'));
  expect(await engines('tofu', asks('1.12.0-beta1'))).toEqual(found(path, '1.12.0-beta1'));
  expect(await engines('tofu', asks('>= 1.11'))).toMatchObject({ kind: 'unavailable' });
});

test('a range that nothing at hand meets takes the newest release that the maker lists', async () => {
  await installed(join(folder, 'bin/terraform'), '1.11.4');
  list('1.9.0', '1.9.7', '1.10.0-rc1', '1.10.0', 'nonsense');
  publish('terraform', '1.9.7');
  expect(await engines('terraform', asks('~> 1.9.0'))).toMatchObject({ kind: 'found', version: '1.9.7' });
  list('1.9.0', '1.9.7', '1.9.8', '1.8.5');
  publish('terraform', '1.8.5');
  expect(await engines('terraform', asks('~> 1.8.0'))).toMatchObject({
    reasons: ['no release of terraform meets it'],
  });
  nowMs += 60 * 60_000;
  expect(await engines('terraform', asks('~> 1.8.0'))).toMatchObject({ kind: 'found', version: '1.8.5' });
});

test('without a list, the default version is what can be fetched', async () => {
  publish('tofu', '1.12.6');
  expect(await engines('tofu', asks('~> 1.11.0'))).toMatchObject({
    reasons: ['no release of tofu meets it'],
  });
  expect(requests).toEqual([]);
  // It is not the pinned one: only the maker's own bytes pass for the default.
  expect(await engines('tofu', asks('~> 1.12'))).toMatchObject({
    reasons: [expect.stringMatching(/^the SHA-256 published for .* is .*, pinned is /)],
  });
});

test('what is refused is told with what is at hand', async () => {
  await installed(join(folder, 'bin/terraform'), '1.11.4');
  await installed(cachedFile(folder, engineRelease('terraform', '1.9.5')), '1.9.5');
  files.set('/index.json', Buffer.from('<html>'));
  const answers = ['1.2.3', '99.0.0', '1.8.1', 'latest', '< 1.9'].map((text) =>
    engines('terraform', asks(text)),
  );
  expect(
    JSON.stringify(await Promise.all(answers), null, 1).replaceAll(base, 'MIRROR'),
  ).toMatchInlineSnapshot(`
    "[
     {
      "kind": "unavailable",
      "installed": [
       "1.11.4",
       "1.9.5"
      ],
      "reasons": [
       "Hatchet needs terraform >=1.5.0 <2.0.0"
      ]
     },
     {
      "kind": "unavailable",
      "installed": [
       "1.11.4",
       "1.9.5"
      ],
      "reasons": [
       "Hatchet needs terraform >=1.5.0 <2.0.0"
      ]
     },
     {
      "kind": "unavailable",
      "installed": [
       "1.11.4",
       "1.9.5"
      ],
      "reasons": [
       "MIRROR/1.8.1/terraform_1.8.1_SHA256SUMS: answered 404"
      ]
     },
     {
      "kind": "unavailable",
      "installed": [
       "1.11.4",
       "1.9.5"
      ],
      "reasons": [
       "this is no version constraint"
      ]
     },
     {
      "kind": "unavailable",
      "installed": [
       "1.11.4",
       "1.9.5"
      ],
      "reasons": [
       "Unexpected token '<', \\"<html>\\" is not valid JSON"
      ]
     }
    ]"
  `);
});

test('a download with other bytes than published is refused', async () => {
  publish('terraform', '1.9.8');
  const path = engineRelease('terraform', '1.9.8').release.path(platform);
  files.set(`/${path}`, zipped([['terraform', script('1.9.8 # changed')]]));
  expect(await engines('terraform', asks('1.9.8'))).toMatchObject({
    kind: 'unavailable',
    reasons: [expect.stringContaining('has SHA-256')],
  });
});

test('the real Terraform plans, and the apply uses that very version', async () => {
  const { terraform } = await findTestTools();
  const said = execFileSync(terraform, ['version', '-json'], { env: { CHECKPOINT_DISABLE: '1' } });
  const version: string = JSON.parse(said.toString()).terraform_version;
  const cached = cachedFile(folder, engineRelease('terraform', version));
  await mkdir(dirname(cached), { recursive: true });
  await copyFile(terraform, cached);
  await installed(join(folder, 'bin/terraform'), '1.10.0');
  const runner = await createTerraformRunner({}, null, engines);
  try {
    const plan = planned(
      await runner.plan('start', { project: { ...project, version: asks('> 1.10, < 2.0') } }),
    );
    expect(plan.engineVersion).toBe(version);
    await installed(join(folder, 'bin/terraform'), '1.12.0');
    expect(await runner.apply(plan)).toMatchObject({ kind: 'applied' });
    // Once it is gone, and what a mirror has is not its maker's, nothing else takes its place.
    const again = planned(await runner.plan('start', { project: { ...project, version: asks(version) } }));
    await rm(join(folder, 'tools'), { recursive: true });
    publish('terraform', version);
    expect(await runner.apply(again)).toMatchObject({
      kind: 'failed',
      done: 0,
      diagnostics: [{ summary: `Terraform = ${version} is not to be had on this runner` }],
    });
  } finally {
    await runner.close();
  }
});

test('a version that cannot be had fails the plan by name, with what is there and what to do', async () => {
  await installed(join(folder, 'bin/terraform'), '1.11.4');
  const runner = await createTerraformRunner({}, null, engines);
  try {
    const version = { constraint: '1.4.2', source: 'envs/prod/.terraform-version' };
    const result = await runner.plan('start', { project: { ...project, version } });
    expect(result.kind === 'failed' && result.diagnostics).toMatchInlineSnapshot(`
      [
        {
          "detail": "envs/prod/.terraform-version asks for 1.4.2.
      Installed here: 1.11.4.
      Not fetched: Hatchet needs terraform >=1.5.0 <2.0.0.
      To mend it, ask for another version in envs/prod/.terraform-version, or let the operator install that version or make its download reachable.",
          "severity": "error",
          "summary": "Terraform 1.4.2 is not to be had on this runner",
        },
      ]
    `);
    expect([...runner.store.logs.values()].join('')).toContain('1.4.2');
  } finally {
    await runner.close();
  }
});

const platform = platformName(process.platform, process.arch) ?? expect.fail('no platform');

/** Tells its version, and remembers that it was asked. */
const script = (version: string) =>
  `#!/bin/sh\necho . >> "$0.asked"\necho '{"terraform_version": "${version}"}'\n`;

async function installed(file: string, version: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, script(version));
  await chmod(file, 0o755);
  return file;
}

const timesRun = async (file: string) => (await readFile(`${file}.asked`, 'utf8')).trim().split('\n').length;

function publish(engine: Engine, version: string, binary: string | Buffer = script(version)): void {
  const { release } = engineRelease(engine, version);
  const archive = zipped([
    ['LICENSE.txt', 'free'],
    [engine, binary],
  ]);
  files.set(`/${release.path(platform)}`, archive);
  const sum = createHash('sha256').update(archive).digest('hex');
  files.set(
    `/${release.sumsPath(platform)}`,
    Buffer.from(`${sum}  ${release.path(platform).split('/')[1]}\n`),
  );
}

function list(...versions: readonly string[]): void {
  const document = {
    name: 'terraform',
    versions: Object.fromEntries(versions.map((version) => [version, {}])),
  };
  files.set('/index.json', Buffer.from(JSON.stringify(document)));
}
