// Does a checkout hold exactly what was committed, and nothing that leads out of it?
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkout } from '../activities/source/checkout.ts';
import { createMirrors, type Mirrors } from '../activities/source/mirror.ts';
import { parseSha, type Sha } from '../workflows/model/identifiers.ts';
import { type FileChange, type Remote, remoteToken, repositoryId, startRemote } from './source-remote.ts';

const oddPath = `a b/'c' "d"\nf`;
let remote: Remote;
let directory: string;
let into: string;
let mirrors: Mirrors;

beforeEach(async () => {
  remote = await startRemote();
  directory = mkdtempSync(join(tmpdir(), 'hatchet-checkout-'));
  into = join(directory, 'run', 'tree');
  mirrors = createMirrors({ directory: join(directory, 'mirrors') });
});

afterEach(async () => {
  await mirrors.close();
  await remote.close();
  rmSync(directory, { recursive: true });
});

async function checkOut(files: Readonly<Record<string, FileChange>>): Promise<readonly string[]> {
  return checkOutCommit(remote.commit('refs/heads/main', files));
}

async function checkOutCommit(commit: Sha): Promise<readonly string[]> {
  const origin = { repository: repositoryId, url: remote.url, token: remoteToken };
  const mirror = await mirrors.fetch(origin, { branches: ['main'], pullRequests: [], commits: [] });
  const tree = parseSha(remote.git('rev-parse', `${commit}^{tree}`));
  return (await checkout({ mirror, tree, into })).omitted;
}

test('files, modes, links, empty directories of submodules', async () => {
  const files = {
    'main.tf': 'a\n',
    'bin/run.sh': { mode: '100755', content: '#!/bin/sh\n' },
    'deep/er/x.tf': 'x',
    link: { mode: '120000', content: 'deep/er' },
    dangling: { mode: '120000', content: 'not/there' },
    vendor: { mode: '160000', content: 'b'.repeat(40) },
    [oddPath]: 'odd',
  };
  expect(await checkOut(files)).toEqual([]);
  expect(readdirSync(into).sort()).toEqual(['a b', 'bin', 'dangling', 'deep', 'link', 'main.tf', 'vendor']);
  expect(readFileSync(join(into, 'link/x.tf'), 'utf8')).toBe('x');
  expect(readlinkSync(join(into, 'dangling'))).toBe('not/there');
  expect(statSync(join(into, 'bin/run.sh')).mode & 0o111).not.toBe(0);
  expect(statSync(join(into, 'main.tf')).mode & 0o111).toBe(0);
  expect(readdirSync(join(into, 'vendor'))).toEqual([]);
  expect(readFileSync(join(into, oddPath), 'utf8')).toBe('odd');
});

test('bytes as committed, whatever .gitattributes asks for', async () => {
  const content = 'one\r\ntwo\n$Id$\n\u0000\n';
  await checkOut({
    '.gitattributes': '* text eol=crlf ident filter=lfs working-tree-encoding=UTF-16\n',
    'a.tf': content,
  });
  expect(readFileSync(join(into, 'a.tf'), 'utf8')).toBe(content);
});

test('names that are no UTF-8', async () => {
  await checkOut({ '\\xff\\xfe/\\xfd.tf': 'bytes' });
  const [name] = readdirSync(Buffer.from(into), { encoding: 'buffer' });
  expect(name).toEqual(Buffer.from([0xff, 0xfe]));
});

test('links that lead out of the repository are left out and named', async () => {
  const link = (content: string) => ({ mode: '120000', content });
  const files = {
    'a/absolute': link('/etc/passwd'),
    'a/up': link('../../x'),
    'a/inside': link('../b'),
    'a/twice': link('up/y'),
    'a/circle': link('circle'),
    'b/through': link('../a/inside/../../..'),
    'b/file': '',
  };
  const omitted = await checkOut(files);
  expect([...omitted].sort()).toEqual(['a/absolute', 'a/circle', 'a/twice', 'a/up', 'b/through']);
  expect(lstatSync(join(into, 'a/inside')).isSymbolicLink()).toBe(true);
  expect(readdirSync(join(into, 'a'))).toEqual(['inside']);
});

test.each(['.git', '.GIT', '..'])('a tree with an entry named %s is refused', async (name) => {
  const base = remote.commit('refs/heads/main', { 'x/hooks': '' });
  const tree = remote.tree([name], remote.git('rev-parse', 'main:x'));
  remote.git('update-ref', 'refs/heads/main', remote.commitTree(tree, base));
  const commit = parseSha(remote.git('rev-parse', 'main'));
  await expect(checkOutCommit(commit)).rejects.toMatchObject({ type: 'UserError' });
});

test('a directory that is not empty is not touched', async () => {
  mkdirSync(into, { recursive: true });
  writeFileSync(join(into, 'mine'), '');
  await expect(checkOut({ 'a.tf': '' })).rejects.toMatchObject({ type: 'OperatorError' });
  expect(readdirSync(into)).toEqual(['mine']);
});

test('2,000 files', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, index) => [`d${index % 50}/f${index}.tf`, `${index}`]),
  );
  await checkOut(files);
  const written = readdirSync(into, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.tf'),
  );
  expect(written).toHaveLength(2_000);
  expect(readFileSync(join(into, 'd49/f1999.tf'), 'utf8')).toBe('1999');
});
