// Do pull requests of the sandbox GitHub open, move, block and merge as GitHub's do?
import { afterEach, beforeEach, expect, test } from 'vitest';
import { git } from '../fixtures/sandbox/git-command.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import type { RepositoryHandle } from '../fixtures/sandbox/repository-handle.ts';
import { createSandbox, type Sandbox } from '../fixtures/sandbox/sandbox.ts';
import { type Caller, caller, graphql, installationToken } from './sandbox-caller.ts';

let sandbox: Sandbox;
let infra: RepositoryHandle;
let call: Caller;
let token: string;

beforeEach(async () => {
  sandbox = await createSandbox();
  sandbox.createOrganization('acme');
  for (const login of ['ada', 'bob', 'eve']) sandbox.createUser(login);
  infra = await sandbox.createRepository({
    owner: 'acme',
    name: 'infra',
    private: false,
    files: { 'main.tf': 'one\ntwo\nthree\n', 'modules/latest': { symlink: '../main.tf' } },
  });
  infra.collaborator('ada', 'write');
  infra.collaborator('bob', 'maintain');
  token = await installationToken(sandbox, 'acme');
  call = caller(sandbox, token);
});
afterEach(async () => {
  const { violations } = sandbox;
  await sandbox.close();
  expect(violations).toEqual([]);
});

const open = (more: object = {}): Promise<PullRequestHandle> =>
  infra.openPullRequest({
    title: 'Add four',
    author: 'ada',
    head: 'four',
    files: { 'main.tf': 'one\ntwo\nthree\nfour\n' },
    ...more,
  });
const inGit = (...args: string[]) => git(infra.data.gitDir, args);
const refused = (message: string) => ({ status: 405, message });

test('one GraphQL read tells all about a pull request', async () => {
  const pullRequest = await open({ draft: true });
  pullRequest.label('network', 'ada');
  pullRequest.review('bob', 'APPROVE', 'good');
  pullRequest.comment('eve', 'what is this?');
  const query = `query ($owner: String!, $name: String!, $number: Int!, $app: Int!) {
    repository(owner: $owner, name: $name) { id databaseId url isPrivate defaultBranchRef { name target { oid } }
      pullRequest(number: $number) { id number title state merged isDraft isCrossRepository headRefOid headRefName
        baseRefName baseRefOid baseRef { target { oid } } author { login __typename } mergedBy { login }
        mergeCommit { oid tree { oid } } mergeable mergeStateStatus reviewDecision
        labels(first: 10) { nodes { name } }
        reviews(last: 10) { nodes { state author { login } commit { oid } } }
        comments(last: 10) { nodes { id databaseId body author { login } isMinimized createdAt } }
        commits(last: 1) { nodes { commit { oid statusCheckRollup { state } checkSuites(first: 1, filterBy: { appId: $app }) {
          nodes { checkRuns(first: 10) { nodes { name } } } } } } }
        files(first: 10) { nodes { path changeType additions } } } }
    viewer { login } }`;
  const { data, errors } = await graphql(sandbox, token, query, {
    owner: 'acme',
    name: 'infra',
    number: pullRequest.number,
    app: sandbox.app.id,
  });
  expect(errors).toBeUndefined();
  const base = await infra.tip('main');
  expect(data.viewer).toEqual({ login: 'hatchet[bot]' });
  expect(data.repository).toMatchObject({
    databaseId: infra.id,
    url: `${sandbox.url}/acme/infra`,
    defaultBranchRef: { name: 'main', target: { oid: base } },
    pullRequest: {
      number: 1,
      state: 'OPEN',
      merged: false,
      isDraft: true,
      isCrossRepository: false,
      headRefOid: pullRequest.headSha,
      baseRefOid: base,
      author: { login: 'ada', __typename: 'User' },
      mergeCommit: null,
      mergeable: 'MERGEABLE',
      mergeStateStatus: 'DRAFT',
      reviewDecision: null,
      labels: { nodes: [{ name: 'network' }] },
      reviews: {
        nodes: [{ state: 'APPROVED', author: { login: 'bob' }, commit: { oid: pullRequest.headSha } }],
      },
      comments: { nodes: [{ body: 'what is this?', author: { login: 'eve' } }] },
      files: { nodes: [{ path: 'main.tf', changeType: 'MODIFIED', additions: 1 }] },
    },
  });
});

test('required checks and reviews block the merge until they are there', async () => {
  infra.protect('main', { requiredChecks: ['hatchet/plan', 'hatchet/apply'], requiredApprovals: 1 });
  const pullRequest = await open();
  const state = async () => (await call('GET', '/repos/acme/infra/pulls/1')).body.mergeable_state;
  const check = (name: string, more: object) =>
    call('POST', '/repos/acme/infra/check-runs', { name, head_sha: pullRequest.headSha, ...more });

  await expect(pullRequest.merge({ by: 'bob' })).rejects.toMatchObject(
    refused('At least 1 approving review is required by reviewers with write access.'),
  );
  pullRequest.review('eve', 'APPROVE');
  expect(await state()).toBe('blocked');
  pullRequest.review('bob', 'APPROVE');
  await expect(pullRequest.merge({ by: 'bob' })).rejects.toMatchObject(
    refused('2 of 2 required status checks have not succeeded.'),
  );
  await check('hatchet/plan', { conclusion: 'neutral' });
  await expect(pullRequest.merge({ by: 'bob' })).rejects.toMatchObject(
    refused('Required status check "hatchet/apply" is expected.'),
  );
  await check('hatchet/apply', { conclusion: 'action_required' });
  await expect(pullRequest.merge({ by: 'bob' })).rejects.toMatchObject(
    refused('Required status check "hatchet/apply" is failing.'),
  );
  await check('hatchet/apply', { conclusion: 'success' });
  expect(await state()).toBe('clean');
  await pullRequest.push({ extra: '1' });
  expect(await state()).toBe('blocked');
});

test('a strict base must be contained in the head, and a conflict cannot be merged', async () => {
  infra.protect('main', { strict: true });
  const pullRequest = await open();
  await infra.commit('main', { files: { other: '1' } });
  await expect(pullRequest.merge({ by: 'bob' })).rejects.toMatchObject(
    refused('Head branch is out of date with the base branch.'),
  );
  await infra.commit('main', { files: { 'main.tf': 'something else\n' } });
  expect((await call('GET', '/repos/acme/infra/pulls/1')).body).toMatchObject({
    mergeable: false,
    mergeable_state: 'dirty',
  });
  await expect(pullRequest.merge({ by: 'bob' })).rejects.toMatchObject(
    refused('Pull Request is not mergeable'),
  );
});

test.each([
  [
    'merge',
    ['Initial commit', 'Apart', 'Add four', 'Change five', 'Merge pull request #1 from acme/four'],
    2,
  ],
  ['squash', ['Initial commit', 'Apart', 'Add four (#1)'], 1],
  ['rebase', ['Initial commit', 'Apart', 'Add four', 'Change five'], 1],
] as const)('%s writes the commits that GitHub would write', async (method, subjects, parents) => {
  const pullRequest = await open();
  await pullRequest.push({ five: '5' });
  await infra.commit('main', { files: { apart: '1' }, message: 'Apart' });
  const sha = await pullRequest.merge({ by: 'bob', method });
  expect(await infra.tip('main')).toBe(sha);
  expect(pullRequest.mergeCommit).toBe(sha);
  expect((await inGit('log', '--topo-order', '--reverse', '--format=%s', sha)).split('\n').sort()).toEqual(
    [...subjects].sort(),
  );
  expect((await inGit('rev-parse', `${sha}^@`)).split('\n')).toHaveLength(parents);
  expect(await inGit('show', `${sha}:main.tf`)).toBe('one\ntwo\nthree\nfour');
  expect(await inGit('log', '-1', '--format=%cn', sha)).toBe('GitHub');
  const { body } = await call('GET', '/repos/acme/infra/pulls/1');
  expect(body).toMatchObject({ merged: true, merged_by: { login: 'bob' }, merge_commit_sha: sha });
  expect(body.base.sha).not.toBe(sha);
});

test('the merge API guards the head that the caller saw', async () => {
  const pullRequest = await open();
  sandbox.setPermissions('acme', { ...sandbox.app.permissions, contents: 'write' });
  const asApp = caller(sandbox, await installationToken(sandbox, 'acme'));
  const stale = await asApp('PUT', '/repos/acme/infra/pulls/1/merge', { sha: pullRequest.baseSha });
  expect(stale.status).toBe(409);
  const merged = await asApp('PUT', '/repos/acme/infra/pulls/1/merge', {
    sha: pullRequest.headSha,
    merge_method: 'squash',
  });
  expect(merged.body).toMatchObject({ merged: true, sha: await infra.tip('main') });
  expect(pullRequest.data.mergedBy?.login).toBe('hatchet[bot]');
});

test('a fork’s head is in the base repository, and the fork itself is out of reach', async () => {
  const fork = await infra.fork('eve');
  const pullRequest = await open({ author: 'eve', fromFork: fork });
  expect(await inGit('rev-parse', 'refs/pull/1/head')).toBe(pullRequest.headSha);
  await pullRequest.push({ more: '1' });
  expect(await inGit('rev-parse', 'refs/pull/1/head')).toBe(pullRequest.headSha);
  expect(await fork.tip('four')).toBe(pullRequest.headSha);
  const query =
    '{ repository(owner: "acme", name: "infra") { pullRequest(number: 1) { isCrossRepository } } }';
  expect((await graphql(sandbox, token, query)).data.repository.pullRequest.isCrossRepository).toBe(true);
  const check = await call('POST', '/repos/acme/infra/check-runs', {
    name: 'x',
    head_sha: pullRequest.headSha,
  });
  expect(check).toMatchObject({ status: 201, body: { pull_requests: [] } });
  await expect(infra.commit('x', { files: {}, author: 'eve' })).rejects.toThrow(
    'eve may not push to acme/infra',
  );
});

test('a pull request is drafted, readied, retargeted, closed and reopened', async () => {
  await infra.commit('release', { files: { release: '1' } });
  const pullRequest = await open({ draft: true });
  await expect(pullRequest.merge({ by: 'bob' })).rejects.toMatchObject(
    refused('Pull Request is still a draft'),
  );
  pullRequest.ready();
  await pullRequest.retarget('release');
  expect(pullRequest.data.base).toMatchObject({ ref: 'release', sha: await infra.tip('release') });
  pullRequest.close('bob');
  expect((await call('GET', '/repos/acme/infra/pulls?state=closed')).body).toHaveLength(1);
  await pullRequest.reopen();
  expect((await call('GET', '/repos/acme/infra/pulls?base=release')).body).toMatchObject([
    { number: 1, state: 'open' },
  ]);
  const again = { title: 'Again', author: 'ada', head: 'four', base: 'release' };
  await expect(infra.openPullRequest(again)).rejects.toThrow('Validation Failed');
});

test('a merge group holds what its pull requests would make together', async () => {
  infra.protect('main', { requiredChecks: ['hatchet/plan'] });
  const first = await open();
  const second = await infra.openPullRequest({
    title: 'Add more',
    author: 'ada',
    head: 'more',
    files: { more: '1' },
  });
  const group = await infra.createMergeGroup([first, second], 'bob');
  expect(group.data.headRef).toBe(`refs/heads/gh-readonly-queue/main/pr-2-${group.data.baseSha}`);
  expect(await inGit('show', `${group.headSha}:more`)).toBe('1');
  await expect(group.destroy('merged')).rejects.toThrow('Required status check "hatchet/plan" is expected.');
  const passed = { name: 'hatchet/plan', head_sha: group.headSha, conclusion: 'success' };
  expect((await call('POST', '/repos/acme/infra/check-runs', passed)).status).toBe(201);
  await group.destroy('merged');
  expect(await infra.tip('main')).toBe(group.headSha);
  expect([first.data.mergedAt, second.data.mergedAt]).not.toContain(null);
  expect([first.mergeCommit, second.mergeCommit]).toEqual([
    await inGit('rev-parse', `${group.headSha}^1`),
    group.headSha,
  ]);
});

test('waiting resolves at the change and says what there is when time runs out', async () => {
  const pullRequest = await open();
  const passed = pullRequest.waitForCheck('hatchet/plan', { conclusion: 'success' });
  await call('POST', '/repos/acme/infra/check-runs', {
    name: 'hatchet/plan',
    head_sha: pullRequest.headSha,
    conclusion: 'success',
  });
  expect((await passed).name).toBe('hatchet/plan');
  await expect(
    pullRequest.waitForCheck('hatchet/apply', { conclusion: 'success', timeoutMs: 20 }),
  ).rejects.toThrow(
    /waited 20 ms for the check hatchet\/apply to be success\n.*#1 open.*\n.*check hatchet\/plan/,
  );
});

test('REST tells about files, branches, rules, refs and contents', async () => {
  infra.protect('main', { requiredChecks: ['hatchet/plan'], requiredApprovals: 1, strict: true });
  await open();
  expect((await call('GET', '/repos/acme/infra/pulls/1/files')).body).toMatchObject([
    { filename: 'main.tf', status: 'modified', additions: 1, deletions: 0 },
  ]);
  expect((await call('GET', '/repos/acme/infra/branches/main')).body).toMatchObject({ protected: true });
  expect((await call('GET', '/repos/acme/infra/rules/branches/main')).body).toHaveLength(2);
  const tip = await infra.tip('main');
  expect((await call('GET', '/repos/acme/infra/git/ref/heads%2Fmain')).body.object.sha).toBe(tip);
  expect((await call('GET', '/repos/acme/infra/git/ref/heads/main')).body.object.sha).toBe(tip);
  expect((await call('GET', '/repos/acme/infra/commits/main')).body.sha).toBe(tip);
  const { body: file } = await call('GET', '/repos/acme/infra/contents/main.tf?ref=main');
  expect(Buffer.from(file.content, 'base64').toString()).toBe('one\ntwo\nthree\n');
  const { body: folder } = await call('GET', '/repos/acme/infra/contents/modules');
  expect(folder).toMatchObject([{ name: 'latest', type: 'symlink' }]);
  expect((await call('GET', '/repos/acme/infra/contents/nothing')).status).toBe(404);
});
