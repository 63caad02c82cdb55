// Where does a tool come from, and what is refused on the way?
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as tar from 'tar';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cachedFile } from '../app/tools/cache.ts';
import type { ToolProgress } from '../app/tools/progress.ts';
import { createProgress } from '../app/tools/progress.ts';
import type { ReleaseOptions } from '../app/tools/resolve.ts';
import { resolveRelease, resolveTool } from '../app/tools/resolve.ts';
import { publishedSum } from '../app/tools/sums.ts';
import { ToolUnavailable } from '../app/tools/unavailable.ts';
import type { Tool } from '../app/tools/versions.ts';
import { tools } from '../app/tools/versions.ts';
import { zipped } from './zip.ts';

let folder: string;
let server: Server;
let base: string;
let files: Map<string, Buffer>;
let requests: { readonly path: string; readonly authorization: string | undefined }[];
let progress: ToolProgress[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hatchet-tools-'));
  await mkdir(join(folder, 'bin'));
  files = new Map();
  requests = [];
  progress = [];
  server = createServer((request, response) => {
    requests.push({ path: request.url ?? '', authorization: request.headers.authorization });
    const body = files.get(request.url ?? '');
    response.writeHead(body === undefined ? 404 : 200, { 'content-length': body?.length ?? 0 }).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  await new Promise((closed) => server.close(closed));
  await rm(folder, { recursive: true, force: true });
});

test('a good binary on PATH is taken, and a too old one in front of it is passed over', async () => {
  await executable(join(folder, 'old', 'terraform'), script('Terraform v1.3.9'));
  await executable(join(folder, 'bin', 'terraform'), script('{ "terraform_version": "1.9.0" }'));
  const path = `.:relative:${join(folder, 'old')}:${join(folder, 'bin')}`;
  expect(await resolveTool('terraform', { ...options(), path, mirrors: {} })).toEqual({
    path: join(folder, 'bin', 'terraform'),
    version: '1.9.0',
    source: 'path',
  });
});

test('the order is PATH, cache, download', async () => {
  const tool = chisel('plain');
  publish(tool, script('chisel 2.0.1'));
  await executable(join(folder, 'bin', 'chisel'), script('chisel 2.4.0'));
  expect(await source(tool)).toBe('path');
  await rm(join(folder, 'bin', 'chisel'));
  expect(await source(tool)).toBe('download');
  expect(requests.map(({ path }) => path)).toEqual(['/v2.0.1/SUMS', '/v2.0.1/chisel']);
  expect(await source(tool)).toBe('cache');
  expect(requests).toHaveLength(2);
  expect(await keptFiles(tool)).toEqual(['chisel']);
});

test('a binary in the cache that does not run is fetched again', async () => {
  const tool = chisel('plain');
  publish(tool, script('chisel 2.0.1'));
  await executable(cachedFile(folder, tool), '#!/bin/sh\nexit 7\n');
  expect(await source(tool)).toBe('download');
});

test('the binary is taken out of a zip', async () => {
  const tool = chisel('zip');
  publish(
    tool,
    zipped([
      ['README', 'read me'],
      ['chisel', script('chisel 2.0.1')],
    ]),
  );
  expect(await source(tool)).toBe('download');
  expect(await readFile(cachedFile(folder, tool), 'utf8')).toBe(script('chisel 2.0.1'));
});

test('the binary is taken out of a tar.gz', async () => {
  const tool = chisel('tar.gz');
  publish(tool, await tarred(script('chisel 2.0.1')));
  expect(await source(tool)).toBe('download');
  expect(await readFile(cachedFile(folder, tool), 'utf8')).toBe(script('chisel 2.0.1'));
});

test('an archive without the binary, or with a way out of its folder, is refused', async () => {
  const [zip, tarGz] = [chisel('zip'), { ...chisel('tar.gz'), name: 'gouge' }];
  publish(zip, zipped([['README', 'read me']]));
  expect(await refusal(zip)).toBe('the archive holds no chisel');
  publish(zip, zipped([['../chisel', 'x']]));
  expect(await refusal(zip)).toBe('invalid relative path: ../chisel');
  publish(tarGz, await tarred('x'));
  expect(await refusal(tarGz)).toBe('the archive holds no gouge');
  expect([await keptFiles(zip), await keptFiles(tarGz)]).toEqual([[], []]);
});

test('a download with another sum than the published one is refused and leaves nothing behind', async () => {
  const tool = chisel('plain');
  publish(tool, script('chisel 2.0.1'));
  files.set('/v2.0.1/chisel', Buffer.from(script('chisel 2.0.1 # changed')));
  expect(await refusal(tool)).toMatch(
    /^v2\.0\.1\/chisel has SHA-256 [0-9a-f]{64}, published is [0-9a-f]{64}$/,
  );
  expect(await keptFiles(tool)).toEqual([]);
});

test('a published sum that is not the pinned one is refused before anything is downloaded', async () => {
  const pinned = '0'.repeat(64);
  const tool = chisel('plain', {
    linux_amd64: pinned,
    linux_arm64: pinned,
    darwin_amd64: pinned,
    darwin_arm64: pinned,
  });
  publish(tool, script('chisel 2.0.1'));
  expect(await refusal(tool)).toMatch(
    /^the SHA-256 published for v2\.0\.1\/chisel is [0-9a-f]{64}, pinned is 0{64}$/,
  );
  expect(requests.map(({ path }) => path)).toEqual(['/v2.0.1/SUMS']);
  expect(await keptFiles(tool)).toEqual([]);
});

test('a download of another version than the one asked for is refused', async () => {
  const tool = chisel('plain');
  publish(tool, script('chisel 2.9.9'));
  expect(await refusal(tool)).toContain('is version 2.9.9, needed is 2.0.1');
  expect(await keptFiles(tool)).toEqual([]);
});

test('several starts at once all get a whole binary', async () => {
  const tool = chisel('plain');
  publish(tool, `${script('chisel 2.0.1')}${'#'.repeat(3_000_000)}\n`);
  const found = await Promise.all(Array.from({ length: 5 }, () => resolveRelease(tool, options())));
  expect(found.map((one) => one.path)).toEqual(Array(5).fill(cachedFile(folder, tool)));
  expect((await readFile(cachedFile(folder, tool))).length).toBeGreaterThan(3_000_000);
  expect(await keptFiles(tool)).toEqual(['chisel']);
});

test("a mirror's credentials travel as a header and stay out of the error", async () => {
  const mirror = base.replace('http://', 'http://me:s3cret@');
  const error = await failure(chisel('plain'), { mirror });
  expect(error.message).toContain(`download: ${base}/v2.0.1/SUMS: answered 404`);
  expect(error.message).not.toContain('s3cret');
  expect(requests[0]?.authorization).toBe(`Basic ${Buffer.from('me:s3cret').toString('base64')}`);
});

test('the error names the tool, everything that was tried, and how to provide it', async () => {
  await executable(join(folder, 'bin', 'chisel'), script('chisel 1.8.0'));
  const error = await failure(chisel('plain'));
  expect(error.name).toBe('OperatorError');
  expect(error.message.replaceAll(folder, 'FOLDER').replaceAll(base, 'http://mirror')).toMatchInlineSnapshot(`
    "chisel 2.0.1 is needed and cannot be had. Tried:
      path: FOLDER/bin/chisel is version 1.8.0, needed is >=2.0.0 <3.0.0
      cache: no executable at FOLDER/tools/chisel-2.0.1/chisel
      download: http://mirror/v2.0.1/SUMS: answered 404
      registry: no package registry has chisel
    Provide it in one of these ways:
      put chisel (>=2.0.0 <3.0.0) on PATH
      put the executable of version 2.0.1 at FOLDER/tools/chisel-2.0.1/chisel
      set HATCHET_CHISEL_MIRROR to an address that serves the files of https://chisel.invalid"
  `);
});

test('where the official address cannot be reached it says so at once and falls on to the next source', async () => {
  const closed = { ...chisel('plain'), release: { ...chisel('plain').release, base: 'http://127.0.0.1:1' } };
  const error = await failure(closed, { mirror: undefined });
  expect(error.attempts.map(({ source: from }) => from)).toEqual(['path', 'cache', 'download', 'registry']);
  expect(error.attempts[2]?.reason).toMatch(/^http:\/\/127\.0\.0\.1:1\/v2\.0\.1\/SUMS: /);
});

test('a registry client brings the tool when nothing else does, and sees none of our secrets', async () => {
  const seen = join(folder, 'seen');
  await executable(
    join(folder, 'bin', 'go'),
    `#!/bin/sh\n/usr/bin/env > ${seen}\nprintf '%s' '${script('chisel 2.0.1')}' > "$GOBIN/chisel"\n`,
  );
  const tool: Tool = {
    ...chisel('plain'),
    registry: { kind: 'go-install', package: 'example.org/chisel@v2.0.1' },
  };
  const environment = {
    PATH: join(folder, 'bin'),
    GOPROXY: 'off',
    PRIVATE_KEY: 'pem',
    WEBHOOK_SECRET: 'hush',
  };
  const lines: string[] = [];
  const found = await resolveRelease(tool, { ...options(), environment, log: (line) => lines.push(line) });
  expect(lines[2]).toBe(`chisel not from download: ${base}/v2.0.1/SUMS: answered 404`);
  expect(found).toEqual({ path: cachedFile(folder, tool), version: '2.0.1', source: 'registry' });
  const environmentSeen = await readFile(seen, 'utf8');
  expect(environmentSeen).toContain('GOPROXY=off');
  expect(environmentSeen).not.toMatch(/pem|hush/);
});

test('sums are read as sha256sum writes them', () => {
  const [a, b] = ['a'.repeat(64), 'B'.repeat(64)];
  expect(publishedSum(`${a}  one.zip\n${b} *two.zip\n`, 'v1/two.zip')).toBe('b'.repeat(64));
  expect(publishedSum(`${a}  one.zip\n`, 'v1/two.zip')).toBeNull();
  expect(publishedSum(`${a}\n`, 'v1/opa')).toBe(a);
  expect(publishedSum('<html>not found</html>', 'v1/opa')).toBeNull();
});

test('progress is one line that is drawn over on a terminal, and plain lines elsewhere', async () => {
  const tool = chisel('plain');
  publish(tool, script('chisel 2.0.1'));
  await resolveRelease(tool, options());
  expect(shown(true)).toBe(
    [
      '\r\u001b[2Kchisel: asking the mirror for 2.0.1',
      '\r\u001b[2Kchisel: downloading 2.0.1 0.0 of 0.0 MB (100 %)',
      '\r\u001b[2K',
    ].join(''),
  );
  expect(shown(false)).toBe('chisel: asking the mirror for 2.0.1\nchisel: downloading 2.0.1\n');
});

test('every tool has an official address for every platform', () => {
  const addresses = Object.values(tools).flatMap(({ release }) =>
    (['linux_amd64', 'darwin_arm64'] as const).flatMap((platform) => [
      `${release.base}/${release.path(platform)}`,
      `${release.base}/${release.sumsPath(platform)}`,
    ]),
  );
  expect(addresses).toMatchInlineSnapshot(`
    [
      "https://releases.hashicorp.com/terraform/1.11.4/terraform_1.11.4_linux_amd64.zip",
      "https://releases.hashicorp.com/terraform/1.11.4/terraform_1.11.4_SHA256SUMS",
      "https://releases.hashicorp.com/terraform/1.11.4/terraform_1.11.4_darwin_arm64.zip",
      "https://releases.hashicorp.com/terraform/1.11.4/terraform_1.11.4_SHA256SUMS",
      "https://github.com/opentofu/opentofu/releases/download/v1.12.6/tofu_1.12.6_linux_amd64.zip",
      "https://github.com/opentofu/opentofu/releases/download/v1.12.6/tofu_1.12.6_SHA256SUMS",
      "https://github.com/opentofu/opentofu/releases/download/v1.12.6/tofu_1.12.6_darwin_arm64.zip",
      "https://github.com/opentofu/opentofu/releases/download/v1.12.6/tofu_1.12.6_SHA256SUMS",
      "https://openpolicyagent.org/downloads/v1.9.0/opa_linux_amd64_static",
      "https://openpolicyagent.org/downloads/v1.9.0/opa_linux_amd64_static.sha256",
      "https://openpolicyagent.org/downloads/v1.9.0/opa_darwin_arm64_static",
      "https://openpolicyagent.org/downloads/v1.9.0/opa_darwin_arm64_static.sha256",
      "https://github.com/temporalio/cli/releases/download/v1.9.1/temporal_cli_1.9.1_linux_amd64.tar.gz",
      "https://github.com/temporalio/cli/releases/download/v1.9.1/checksums.txt",
      "https://github.com/temporalio/cli/releases/download/v1.9.1/temporal_cli_1.9.1_darwin_arm64.tar.gz",
      "https://github.com/temporalio/cli/releases/download/v1.9.1/checksums.txt",
    ]
  `);
});

/** A tool that nobody makes. */
function chisel(packing: Tool['release']['packing'], pinnedSums: Tool['release']['pinnedSums'] = {}): Tool {
  return {
    name: 'chisel',
    version: '2.0.1',
    accepts: '>=2.0.0 <3.0.0',
    versionArguments: ['version'],
    release: {
      base: 'https://chisel.invalid',
      mirrorVariable: 'HATCHET_CHISEL_MIRROR',
      path: () => 'v2.0.1/chisel',
      sumsPath: () => 'v2.0.1/SUMS',
      indexPath: null,
      packing,
      pinnedSums,
    },
    registry: { kind: 'none' },
  };
}

function publish(tool: Tool, content: string | Buffer): void {
  const body = Buffer.from(content);
  const path = tool.release.path('linux_amd64');
  files.set(`/${path}`, body);
  const sum = createHash('sha256').update(body).digest('hex');
  files.set(`/${tool.release.sumsPath('linux_amd64')}`, Buffer.from(`${sum}  chisel\n`));
}

function options(): ReleaseOptions {
  return {
    path: join(folder, 'bin'),
    dataDir: folder,
    mirror: base,
    environment: {},
    progress: (step) => progress.push(step),
    log: () => undefined,
  };
}

async function source(tool: Tool): Promise<string> {
  return (await resolveRelease(tool, options())).source;
}

async function failure(tool: Tool, changes: Partial<ReleaseOptions> = {}): Promise<ToolUnavailable> {
  const error = await resolveRelease(tool, { ...options(), ...changes }).catch((thrown: unknown) => thrown);
  if (!(error instanceof ToolUnavailable)) throw new Error(`expected ToolUnavailable, got ${String(error)}`);
  return error;
}

async function refusal(tool: Tool): Promise<string | undefined> {
  return (await failure(tool)).attempts.find(({ source: from }) => from === 'download')?.reason;
}

async function keptFiles(tool: Tool): Promise<readonly string[]> {
  return readdir(dirname(cachedFile(folder, tool)));
}

async function executable(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  await chmod(file, 0o755);
}

function script(says: string): string {
  return `#!/bin/sh\necho "${says.replaceAll('"', '\\"')}"\n`;
}

async function tarred(content: string): Promise<Buffer> {
  const directory = join(folder, 'archive');
  await executable(join(directory, 'chisel'), content);
  await writeFile(join(directory, 'LICENSE'), 'free');
  const file = join(folder, 'archive.tar.gz');
  await tar.create({ gzip: true, cwd: directory, file }, ['LICENSE', 'chisel']);
  return readFile(file);
}

function shown(isTTY: boolean): string {
  let text = '';
  let nowMs = 0;
  const show = createProgress({ isTTY, write: (more) => (text += more) }, () => (nowMs += 1000));
  for (const step of progress) show(step);
  return text;
}
