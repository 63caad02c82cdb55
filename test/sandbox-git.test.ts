// Can git itself fetch from and push to the sandbox GitHub with a token?
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tryGit } from '../fixtures/sandbox/git-command.ts';
import type { RepositoryHandle } from '../fixtures/sandbox/repository-handle.ts';
import { createSandbox, type Sandbox } from '../fixtures/sandbox/sandbox.ts';
import { installationToken } from './sandbox-caller.ts';

let sandbox: Sandbox;
let infra: RepositoryHandle;
let folder: string;

beforeEach(async () => {
  sandbox = await createSandbox();
  sandbox.createOrganization('acme');
  for (const login of ['ada', 'eve']) sandbox.createUser(login);
  infra = await sandbox.createRepository({ owner: 'acme', name: 'infra', files: { 'main.tf': 'one\n' } });
  infra.collaborator('ada', 'write');
  folder = await mkdtemp(join(tmpdir(), 'sandbox-git-test-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
  await sandbox.close();
});

/** Runs git in the test's folder with a token as its password. */
function gitWith(token: string | null, ...args: string[]) {
  const credentials = Buffer.from(`x-access-token:${token}`).toString('base64');
  const header = token === null ? [] : ['-c', `http.extraHeader=Authorization: Basic ${credentials}`];
  const person = ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com'];
  return tryGit(folder, [...header, ...person, ...args]);
}
const address = () => `${sandbox.url}/acme/infra.git`;

test('an installation token fetches a pull request’s head, also shallow, partial and by commit', async () => {
  const pullRequest = await infra.openPullRequest({
    title: 'x',
    author: 'ada',
    head: 'x',
    files: { b: '1' },
  });
  const token = await installationToken(sandbox, 'acme', { permissions: { contents: 'read' } });
  await gitWith(null, 'init', '--quiet');
  const fetched = await gitWith(
    token,
    'fetch',
    '--filter=blob:none',
    address(),
    'refs/pull/1/head',
    'refs/heads/main',
  );
  expect(fetched.stderr).not.toContain('fatal');
  expect(fetched.code).toBe(0);
  const byCommit = await gitWith(token, 'fetch', '--depth=1', address(), pullRequest.headSha);
  expect(byCommit.code).toBe(0);
  expect((await gitWith(token, 'rev-parse', 'FETCH_HEAD')).stdout.toString().trim()).toBe(
    pullRequest.headSha,
  );
  expect(Object.keys(sandbox.calls.countsByRoute('git'))).toEqual(['git upload-pack']);
});

test('without a token, with a wrong one, or for somebody else there is nothing to fetch', async () => {
  await gitWith(null, 'init', '--quiet');
  const status = async (token: string | null, url = address()) =>
    (await gitWith(token, 'ls-remote', url)).stderr;
  expect(await status(null)).toContain('could not read Username');
  expect(await status('ghs_nonsense')).toContain('could not read Username');
  await sandbox.createRepository({ owner: 'eve', name: 'own', files: { a: '1' } });
  const token = await installationToken(sandbox, 'acme');
  expect(await status(token, `${sandbox.url}/eve/own.git`)).toContain('not found');
});

test('a push over HTTP moves the pull request and is refused without the permission to write', async () => {
  const pullRequest = await infra.openPullRequest({
    title: 'x',
    author: 'ada',
    head: 'x',
    files: { b: '1' },
  });
  const token = sandbox.tokenFor('ada');
  expect((await gitWith(token, 'clone', '--quiet', '--branch=x', address(), '.')).stderr).toBe('');
  await writeFile(join(folder, 'b'), '2');
  await gitWith(null, 'commit', '--quiet', '--all', '--message=Two');
  const readOnly = await installationToken(sandbox, 'acme');
  expect((await gitWith(readOnly, 'push', 'origin', 'x')).stderr).toContain('403');
  const before = pullRequest.headSha;
  expect((await gitWith(token, 'push', '--quiet', 'origin', 'x')).code).toBe(0);
  expect(pullRequest.headSha).not.toBe(before);
  expect(pullRequest.headSha).toBe(await infra.tip('x'));
  const intoPulls = await gitWith(token, 'push', 'origin', 'x:refs/pull/1/head');
  expect(intoPulls.stderr).toContain('deny updating a hidden ref');
  expect((await gitWith(token, 'push', '--quiet', 'origin', ':x')).code).toBe(0);
  expect(pullRequest.data.state).toBe('closed');
  expect(sandbox.violations).toEqual([]);
});
