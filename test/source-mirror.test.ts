// Does the mirror fetch what is wished for, once, and without leaving the token anywhere?
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMirrors, fetchArgs, type Mirrors, type MirrorsOptions } from '../activities/source/mirror.ts';
import { parseSha } from '../workflows/model/identifiers.ts';
import { type Remote, remoteToken, repositoryId, startRemote } from './source-remote.ts';

let remote: Remote;
let directory: string;
const opened: Mirrors[] = [];

beforeEach(async () => {
  remote = await startRemote();
  directory = mkdtempSync(join(tmpdir(), 'hatchet-mirror-'));
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((mirrors) => mirrors.close()));
  await remote.close();
  rmSync(directory, { recursive: true });
});

function mirrorsWith(options: Partial<MirrorsOptions> = {}): Mirrors {
  const mirrors = createMirrors({ directory, ...options });
  opened.push(mirrors);
  return mirrors;
}

const origin = (token: string | null = remoteToken) => ({ repository: repositoryId, url: remote.url, token });
const wish = (branches: string[], pullRequests: number[] = []) => ({ branches, pullRequests, commits: [] });
/** Every `git fetch` asks for this once. */
const fetches = () => remote.requests.filter((request) => request.includes('/info/refs')).length;

describe('fetching', () => {
  test('brings base and pull request in one fetch', async () => {
    const base = remote.commit('refs/heads/main', { 'a.tf': '' });
    const head = remote.commit('refs/pull/7/head', { 'b.tf': '' }, { parents: [base] });
    const mirror = await mirrorsWith().fetch(origin(), wish(['main'], [7]));
    expect(await Promise.all([base, head].map(mirror.objects.has))).toEqual([true, true]);
    expect(fetches()).toBe(1);
  });

  test('names are full refs behind the end of the options', () => {
    const commit = parseSha('a'.repeat(40));
    const args = fetchArgs('/m.git', 'https://h/r.git', {
      branches: ['x'],
      pullRequests: [7],
      commits: [commit],
    });
    expect(args).toEqual([
      ...[
        '--git-dir',
        '/m.git',
        'fetch',
        '--quiet',
        '--no-tags',
        '--no-write-fetch-head',
        '--no-auto-maintenance',
      ],
      ...['--no-recurse-submodules', '--no-show-forced-updates', '--', 'https://h/r.git'],
      '+refs/heads/x:refs/hatchet/branches/2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
      '+refs/pull/7/head:refs/pull/7/head',
      `+${commit}:refs/hatchet/commits/${commit}`,
    ]);
  });

  test.each(['--upload-pack=touch x', '-x', '--upload-pack=/bin/false'])(
    'a branch named %s is a branch',
    async (name) => {
      if (name.includes(' ')) {
        await expect(mirrorsWith().fetch(origin(), wish([name]))).rejects.toMatchObject({
          type: 'OperatorError',
        });
        return;
      }
      const sha = remote.commit(`refs/heads/${name}`, { 'a.tf': '' });
      const mirror = await mirrorsWith().fetch(origin(), wish([name]));
      expect(await mirror.objects.has(sha)).toBe(true);
    },
  );

  test.each([
    '',
    'a..b',
    'a b',
    'x.lock',
    'a/.b',
    '/a',
    'a/',
    'a~1',
    'a:b',
    '@',
    'a\nb',
    'a\\b',
    'é'.repeat(200),
  ])('refuses %j as the name of a branch', async (name) => {
    await expect(mirrorsWith().fetch(origin(), wish([name]))).rejects.toMatchObject({
      type: 'OperatorError',
    });
    expect(remote.requests).toEqual([]);
  });

  test('a branch may become a folder of branches', async () => {
    remote.commit('refs/heads/team', { 'a.tf': '' });
    const mirrors = mirrorsWith();
    await mirrors.fetch(origin(), wish(['team']));
    remote.git('update-ref', '-d', 'refs/heads/team');
    const sha = remote.commit('refs/heads/team/network', { 'b.tf': '' });
    const mirror = await mirrors.fetch(origin(), wish(['team/network']));
    expect(await mirror.objects.has(sha)).toBe(true);
  });

  test('follows a branch that was rewritten', async () => {
    const mirrors = mirrorsWith();
    remote.commit('refs/heads/main', { 'a.tf': 'one' });
    await mirrors.fetch(origin(), wish(['main']));
    const rewritten = remote.commit('refs/heads/main', { 'a.tf': 'two' }, { parents: [] });
    const mirror = await mirrors.fetch(origin(), wish(['main']));
    expect(await mirror.objects.has(rewritten)).toBe(true);
  });

  test('wishes that come while a fetch runs are fetched together afterwards', async () => {
    remote.commit('refs/heads/main', { 'a.tf': '' });
    const heads = [1, 2, 3, 4].map((number) =>
      remote.commit(`refs/pull/${number}/head`, { [`${number}.tf`]: '' }),
    );
    const mirrors = mirrorsWith();
    const began = Promise.withResolvers<void>();
    remote.onRequest = () => {
      began.resolve();
      return null;
    };
    const first = mirrors.fetch(origin(), wish(['main']));
    await began.promise;
    const [mirror] = await Promise.all(
      [1, 2, 3, 4].map((number) => mirrors.fetch(origin(), wish([], [number]))),
    );
    await first;
    expect(await Promise.all(heads.map((head) => mirror?.objects.has(head)))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(fetches()).toBe(2);
  });

  test('one bad wish does not spoil the others that wait with it', async () => {
    const sha = remote.commit('refs/heads/main', { 'a.tf': '' });
    const mirrors = mirrorsWith();
    const [good, bad] = await Promise.allSettled([
      mirrors.fetch(origin(), wish(['main'])),
      mirrors.fetch(origin(), wish(['gone'])),
    ]);
    expect(bad.status).toBe('rejected');
    expect(good.status === 'fulfilled' && (await good.value.objects.has(sha))).toBe(true);
  });
});

describe('the token', () => {
  test('is in no argv while git runs, nor on disk afterwards', async () => {
    remote.commit('refs/heads/main', { 'a.tf': '' });
    const secrets = [remoteToken, Buffer.from(`x-access-token:${remoteToken}`).toString('base64')];
    const commandLines: string[] = [];
    remote.onRequest = () => {
      commandLines.push(...runningCommandLines());
      return null;
    };
    await mirrorsWith().fetch(origin(), wish(['main']));
    expect(commandLines.some((line) => line.includes('remote-http'))).toBe(true);
    for (const secret of secrets) {
      expect(commandLines.filter((line) => line.includes(secret))).toEqual([]);
      expect(filesBelow(directory).filter((file) => readFileSync(file).includes(secret))).toEqual([]);
    }
  });

  test('is not in what a failure says', async () => {
    remote.onRequest = () => 500;
    const failure = await mirrorsWith()
      .fetch(origin(), wish(['main']))
      .catch(String);
    expect(failure).toContain('HTTP 500');
    expect(failure).not.toContain(remoteToken);
  });

  test('is not sent to where a redirect leads', async () => {
    const elsewhere = await startRemote();
    remote.onRequest = () => `${elsewhere.url}/info/refs?service=git-upload-pack`;
    const fetching = mirrorsWith().fetch(origin(), wish(['main']));
    await expect(fetching).rejects.toThrow('git fetch');
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });
});

describe('failures', () => {
  test.each([401, 403, 404])('HTTP %i is for the operator', async (status) => {
    remote.onRequest = () => status;
    await expect(mirrorsWith().fetch(origin(), wish(['main']))).rejects.toMatchObject({
      type: 'OperatorError',
      nonRetryable: true,
    });
  });

  test('a wrong token is for the operator', async () => {
    await expect(mirrorsWith().fetch(origin('wrong'), wish(['main']))).rejects.toMatchObject({
      type: 'OperatorError',
    });
  });

  test('429 asks Temporal to wait', async () => {
    remote.onRequest = () => 429;
    await expect(mirrorsWith().fetch(origin(), wish(['main']))).rejects.toMatchObject({
      nextRetryDelay: 60_000,
    });
  });

  test('a server that is away, and a ref that is not there yet, are worth another try', async () => {
    const gone = { ...origin(), url: 'http://127.0.0.1:1/o/r.git' };
    const away = await mirrorsWith()
      .fetch(gone, wish(['main']))
      .catch((error: unknown) => error);
    const missing = await mirrorsWith()
      .fetch(origin(), wish(['main']))
      .catch((error: unknown) => error);
    expect([away, missing].map((error) => (error as Error).name)).toEqual(['Error', 'Error']);
  });

  test.each([
    'http://example.com/r.git',
    'file:///etc',
    'ext::sh -c true',
    '/etc',
    'https://user:pw@example.com/r.git',
  ])('refuses to fetch from %s', async (url) => {
    await expect(mirrorsWith().fetch({ ...origin(), url }, wish(['main']))).rejects.toMatchObject({
      type: 'OperatorError',
    });
  });

  test('a git that is too old is named', async () => {
    const old = executable('echo "git version 2.37.1"');
    await expect(mirrorsWith({ gitCommand: old }).open(repositoryId)).rejects.toThrow(
      'git 2.39 or newer is needed, found "git version 2.37.1"',
    );
  });

  test('no git at all is named', async () => {
    const opening = mirrorsWith({ gitCommand: join(directory, 'nothing') }).open(repositoryId);
    await expect(opening).rejects.toMatchObject({ type: 'OperatorError' });
  });
});

test('git sees nothing of our environment', async () => {
  remote.commit('refs/heads/main', { 'a.tf': '' });
  const seen = join(directory, 'environment');
  const spy = executable(`env >> ${seen}; exec git "$@"`);
  process.env.GIT_SSH_COMMAND = 'false';
  process.env.HATCHET_TEST_SECRET = 'visible';
  await mirrorsWith({ gitCommand: spy })
    .fetch(origin(null), wish(['main']))
    .catch(() => undefined);
  delete process.env.GIT_SSH_COMMAND;
  delete process.env.HATCHET_TEST_SECRET;
  const environment = readFileSync(seen, 'utf8');
  expect(environment).toContain('GIT_CONFIG_NOSYSTEM=1');
  expect(environment).not.toMatch(/HATCHET_TEST_SECRET|GIT_SSH_COMMAND/);
});

test('a reader that dies fails what was asked; the next question starts another', async () => {
  const sha = remote.commit('refs/heads/main', { 'a.tf': '' });
  const died = join(directory, 'died');
  const dying = executable(
    `case "$*" in *cat-file*) [ -e ${died} ] || { touch ${died}; exit 1; };; esac; exec git "$@"`,
  );
  const mirror = await mirrorsWith({ gitCommand: dying }).fetch(origin(), wish(['main']));
  await expect(mirror.objects.has(sha)).rejects.toThrow('git cat-file ended');
  expect(await mirror.objects.has(sha)).toBe(true);
});

test('a lock that a killed git left behind is removed, a fresh one is not', async () => {
  remote.commit('refs/heads/main', { 'a.tf': '' });
  const mirrors = mirrorsWith();
  await mirrors.fetch(origin(), wish(['main']));
  const lock =
    filesBelow(join(directory, `${repositoryId}.git`, 'refs')).map((ref) => `${ref}.lock`)[0] ?? '';
  remote.commit('refs/heads/main', { 'a.tf': 'new' });
  writeFileSync(lock, '');
  await expect(mirrors.fetch(origin(), wish(['main']))).rejects.toThrow('git fetch');
  await expect(mirrors.fetch(origin(), wish(['main']))).rejects.toThrow('git fetch');
  const twoMinutesAgo = new Date(Date.now() - 120_000);
  utimesSync(lock, twoMinutesAgo, twoMinutesAgo);
  await expect(mirrors.fetch(origin(), wish(['main']))).rejects.toThrow('git fetch');
  await mirrors.fetch(origin(), wish(['main']));
});

function executable(script: string): string {
  const path = join(directory, `script-${Math.random().toString(36).slice(2)}`);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

function runningCommandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'latin1')];
      } catch {
        // It has ended since.
        return [];
      }
    });
}

function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => join(root, name))
    .filter((path) => statSync(path).isFile());
}
