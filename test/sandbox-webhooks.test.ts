// Does the App hear of what people do in the sandbox GitHub, and does the API fail on demand?
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RepositoryHandle } from '../fixtures/sandbox/repository-handle.ts';
import { createSandbox, type Sandbox } from '../fixtures/sandbox/sandbox.ts';
import { appJwt, type Caller, caller, graphql, installationToken } from './sandbox-caller.ts';

// biome-ignore lint/suspicious/noExplicitAny: payloads of many kinds, read field by field
type Heard = { readonly name: string; readonly payload: any };

let sandbox: Sandbox;
let infra: RepositoryHandle;
let receiver: Server;
let heard: Heard[];
/** How many of them a test has looked at. */
let seen: number;
let call: Caller;

beforeEach(async () => {
  heard = [];
  seen = 0;
  receiver = createServer(async (request, response) => {
    // biome-ignore lint/suspicious/noExplicitAny: see Heard
    const payload = (await json(request)) as any;
    const event = request.headers['x-github-event'];
    heard.push({ name: payload.action === undefined ? `${event}` : `${event}.${payload.action}`, payload });
    response.end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  sandbox = await createSandbox();
  sandbox.webhookUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  sandbox.createOrganization('acme');
  for (const login of ['ada', 'bob', 'eve']) sandbox.createUser(login);
  infra = await sandbox.createRepository({ owner: 'acme', name: 'infra', files: { 'main.tf': 'one\n' } });
  infra.collaborator('ada', 'write');
  infra.collaborator('bob', 'admin');
  call = caller(sandbox, await installationToken(sandbox, 'acme'));
  await newlyHeard();
});
afterEach(async () => {
  const { violations } = sandbox;
  await sandbox.close();
  await new Promise((resolve) => receiver.close(resolve));
  expect(violations).toEqual([]);
});

/** Names of what arrived since the last look, sorted: GitHub promises no order. */
async function newlyHeard(): Promise<readonly string[]> {
  await sandbox.settled();
  const names = heard.slice(seen).map(({ name }) => name);
  seen = heard.length;
  return names.sort();
}
const payloadOf = (name: string) => heard.findLast((one) => one.name === name)?.payload;

const open = (more: object = {}) =>
  infra.openPullRequest({ title: 'Two', author: 'ada', head: 'two', files: { 'main.tf': 'two\n' }, ...more });

test('the life of a pull request is heard from opening to merge', async () => {
  const pullRequest = await open({ draft: true });
  expect(await newlyHeard()).toEqual(['check_suite.requested', 'pull_request.opened', 'push']);
  expect(payloadOf('pull_request.opened')).toMatchObject({
    number: 1,
    installation: { id: sandbox.installation('acme').id },
    sender: { login: 'ada' },
    pull_request: { draft: true, mergeable: null, head: { sha: pullRequest.headSha } },
    repository: { id: infra.id, clone_url: `${sandbox.url}/acme/infra.git` },
  });
  const before = pullRequest.headSha;
  await pullRequest.push({ three: '3' });
  expect(await newlyHeard()).toEqual(['check_suite.requested', 'pull_request.synchronize', 'push']);
  expect(payloadOf('pull_request.synchronize')).toMatchObject({ before, after: pullRequest.headSha });
  expect(payloadOf('push')).toMatchObject({
    ref: 'refs/heads/two',
    commits: [{ added: ['three'] }],
    forced: false,
  });
  pullRequest.ready();
  pullRequest.convertToDraft();
  pullRequest.ready();
  pullRequest.label('network');
  pullRequest.unlabel('network');
  await infra.commit('release', { files: { release: '1' } });
  await newlyHeard();
  await pullRequest.retarget('release', 'bob');
  expect(payloadOf('pull_request.ready_for_review')).toMatchObject({ pull_request: { draft: false } });
  expect(await newlyHeard()).toEqual(['pull_request.edited']);
  expect(payloadOf('pull_request.edited')).toMatchObject({ changes: { base: { ref: { from: 'main' } } } });
  pullRequest.close();
  await pullRequest.reopen();
  expect(await newlyHeard()).toEqual(['pull_request.closed', 'pull_request.reopened']);
  await pullRequest.merge({ by: 'bob', method: 'squash' });
  await infra.deleteBranch('two', 'bob');
  expect(await newlyHeard()).toEqual(['check_suite.requested', 'pull_request.closed', 'push', 'push']);
  expect(payloadOf('pull_request.closed')).toMatchObject({
    pull_request: { merged: true, merged_by: { login: 'bob' }, merge_commit_sha: pullRequest.mergeCommit },
  });
});

test('comments, reviews, clicks and re-runs are heard', async () => {
  const pullRequest = await open();
  await newlyHeard();
  const comment = pullRequest.comment('eve', '/hatchet help');
  pullRequest.editComment(comment, '/hatchet apply', 'eve');
  const review = pullRequest.review('bob', 'APPROVE');
  pullRequest.dismissReview(review, 'bob');
  expect(await newlyHeard()).toEqual([
    'issue_comment.created',
    'issue_comment.edited',
    'pull_request_review.dismissed',
    'pull_request_review.submitted',
  ]);
  expect(payloadOf('issue_comment.created')).toMatchObject({
    comment: { id: comment.id, body: '/hatchet help', user: { login: 'eve' } },
    issue: { number: 1, pull_request: {} },
  });
  await call('POST', '/repos/acme/infra/check-runs', {
    name: 'hatchet/apply',
    head_sha: pullRequest.headSha,
    conclusion: 'action_required',
    actions: [{ label: 'Approve', description: 'Say yes', identifier: 'approve' }],
  });
  expect(await newlyHeard()).toEqual(['check_run.completed', 'check_run.created', 'check_suite.completed']);
  const check = pullRequest.check('hatchet/apply');
  pullRequest.clickButton(check, 'approve', 'eve');
  pullRequest.rerunCheck(check, 'ada');
  infra.rerunSuite(pullRequest.headSha, 'ada');
  expect(await newlyHeard()).toEqual(
    ['check_run.requested_action', 'check_run.rerequested', 'check_suite.rerequested'].sort(),
  );
  expect(payloadOf('check_run.requested_action')).toMatchObject({
    requested_action: { identifier: 'approve' },
    sender: { login: 'eve' },
    check_run: { id: check.id, conclusion: 'action_required' },
  });
});

test('the merge queue is heard, and who commits to a fork is not', async () => {
  const fork = await infra.fork('eve');
  const foreign = await open({ author: 'eve', fromFork: fork });
  expect(await newlyHeard()).toEqual(['pull_request.opened']);
  const group = await infra.createMergeGroup([foreign], 'bob');
  expect(payloadOf('pull_request.opened').pull_request.head.repo.full_name).toBe('eve/infra');
  await group.destroy('invalidated');
  expect(await newlyHeard()).toEqual(
    [
      'check_suite.requested',
      'merge_group.checks_requested',
      'merge_group.destroyed',
      'pull_request.dequeued',
      'pull_request.enqueued',
      'push',
      'push',
    ].sort(),
  );
  expect(payloadOf('merge_group.checks_requested')).toMatchObject({
    merge_group: { head_sha: group.headSha, base_ref: 'refs/heads/main' },
  });
});

test('an installation hears only what it is allowed and subscribed to', async () => {
  sandbox.setPermissions('acme', { contents: 'read', pull_requests: 'read' });
  await open();
  expect(await newlyHeard()).toEqual([
    'installation.new_permissions_accepted',
    'pull_request.opened',
    'push',
  ]);
  sandbox.suspend('acme');
  infra.pullRequest(1).comment('eve', 'hello');
  await infra.commit('main', { files: { a: '1' } });
  expect(await newlyHeard()).toEqual(['installation.suspend']);
  sandbox.unsuspend('acme');
  sandbox.setRepositories('acme', []);
  expect(await newlyHeard()).toEqual(['installation.unsuspend', 'installation_repositories.removed']);
  sandbox.uninstallApp('acme');
  await infra.commit('main', { files: { a: '2' } });
  expect(await newlyHeard()).toEqual(['installation.deleted']);
});

test('a lost webhook is in the log, and is sent again under its own GUID', async () => {
  const asApp = caller(sandbox, await appJwt(sandbox));
  const address = sandbox.webhookUrl;
  sandbox.webhookUrl = 'http://127.0.0.1:9/';
  await open();
  await sandbox.settled();
  sandbox.webhookUrl = address;
  const { body: deliveries } = await asApp('GET', '/app/hook/deliveries?per_page=3');
  const lost = deliveries.find((one: { event: string }) => one.event === 'pull_request');
  expect(lost).toMatchObject({ action: 'opened', status_code: 502, redelivery: false });
  expect((await asApp('POST', `/app/hook/deliveries/${lost.id}/attempts`)).status).toBe(202);
  expect(await newlyHeard()).toEqual(['pull_request.opened']);
  const [again] = (await asApp('GET', '/app/hook/deliveries')).body;
  expect(again).toMatchObject({ guid: lost.guid, redelivery: true, status: 'OK' });
});

test('calls fail on demand, before or after the work was done, and are counted', async () => {
  const pullRequest = await open();
  sandbox.calls.reset();
  sandbox.faults.failNext({
    operation: 'addComment',
    failure: { kind: 'server-error', status: 502 },
    when: 'after',
  });
  const token = await installationToken(sandbox, 'acme');
  const mutation = `mutation ($id: ID!) { one: addComment(input: { subjectId: $id, body: "a" }) { clientMutationId } }`;
  const answered = await graphql(sandbox, token, mutation, { id: pullRequest.data.nodeId });
  expect(answered).toEqual({ message: 'Server Error' });
  expect(pullRequest.comments().map(({ body }) => body)).toEqual(['a']);
  const limit = { kind: 'secondary-rate-limit', status: 403, retryAfterSeconds: 7 } as const;
  sandbox.faults.failNext({ method: 'GET', route: '/repos/{owner}/{repo}', failure: limit });
  const limited = await call('GET', '/repos/acme/infra');
  expect([limited.status, limited.headers.get('retry-after')]).toEqual([403, '7']);
  sandbox.faults.failNext({ failure: { kind: 'reset' } });
  await expect(call('GET', '/repos/acme/infra')).rejects.toThrow();
  expect(sandbox.faults.unused()).toEqual([]);
  expect(sandbox.calls.countsByRoute('api')).toEqual({
    'POST /graphql': 1,
    'GET /repos/{owner}/{repo}': 2,
  });
});

test('an unchanged answer is 304 for whoever names its ETag', async () => {
  const first = await call('GET', '/repos/acme/infra');
  const etag = first.headers.get('etag') ?? '';
  expect((await call('GET', '/repos/acme/infra', undefined, { 'if-none-match': etag })).status).toBe(304);
  await infra.commit('main', { files: { a: '1' } });
  await open();
  expect((await call('GET', '/repos/acme/infra', undefined, { 'if-none-match': etag })).status).toBe(200);
});
