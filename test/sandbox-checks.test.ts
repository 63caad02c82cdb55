// Does the sandbox GitHub hold checks and comments to GitHub's limits?
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import type { RepositoryHandle } from '../fixtures/sandbox/repository-handle.ts';
import { createSandbox, type Sandbox } from '../fixtures/sandbox/sandbox.ts';
import { type Caller, caller, graphql, installationToken } from './sandbox-caller.ts';

let sandbox: Sandbox;
let infra: RepositoryHandle;
let pullRequest: PullRequestHandle;
let token: string;
let call: Caller;

beforeEach(async () => {
  sandbox = await createSandbox();
  sandbox.createOrganization('acme');
  sandbox.createUser('ada');
  infra = await sandbox.createRepository({ owner: 'acme', name: 'infra', files: { 'main.tf': '# empty\n' } });
  infra.collaborator('ada', 'write');
  pullRequest = await infra.openPullRequest({ title: 'x', author: 'ada', head: 'x', files: { b: '1' } });
  token = await installationToken(sandbox, 'acme');
  call = caller(sandbox, token);
});
afterEach(() => sandbox.close());

const runs = '/repos/acme/infra/check-runs';
const output = (more: object = {}) => ({ title: 'Plan', summary: 'fine', ...more });
const action = (more: object = {}) => ({
  label: 'Apply',
  description: 'Do it',
  identifier: 'apply',
  ...more,
});
const annotation = (more: object = {}) => ({
  path: 'main.tf',
  start_line: 1,
  end_line: 1,
  annotation_level: 'failure',
  message: 'no',
  ...more,
});
/** 21,846 three-byte characters: few enough characters, one byte too many. */
const tooManyBytes = '─'.repeat(21_846);

test.each([
  ['four buttons', { actions: Array.from({ length: 4 }, () => action()) }, 'Only 3 items'],
  ['a long label', { actions: [action({ label: 'x'.repeat(21) })] }, 'Only 20 characters'],
  ['a long description', { actions: [action({ description: 'x'.repeat(41) })] }, 'Only 40 characters'],
  ['a long identifier', { actions: [action({ identifier: 'x'.repeat(21) })] }, 'Only 20 characters'],
  [
    '51 annotations',
    { output: output({ annotations: Array.from({ length: 51 }, () => annotation()) }) },
    'Only 50',
  ],
  ['no title', { output: { summary: 'x' } }, '"title" wasn\'t supplied'],
  ['no summary', { output: { title: 'x' } }, '"summary" wasn\'t supplied'],
  ['too many bytes', { output: output({ text: tooManyBytes }) }, 'Validation Failed'],
  ['no conclusion', { status: 'completed' }, '"conclusion" wasn\'t supplied'],
  ['a status of Actions', { status: 'waiting' }, 'waiting is not a member'],
  [
    'columns over two lines',
    { output: output({ annotations: [annotation({ end_line: 2, start_column: 1 })] }) },
    'Validation Failed',
  ],
  ['an unknown commit', { head_sha: '0'.repeat(40) }, 'No commit found for SHA'],
])('REST refuses %s', async (_name, request, message) => {
  const answer = await call('POST', runs, {
    name: 'hatchet/plan',
    head_sha: pullRequest.headSha,
    ...request,
  });
  expect(answer).toMatchObject({ status: 422, body: { message: expect.stringContaining(message) } });
  expect(pullRequest.allChecks()).toEqual([]);
});

test('GraphQL refuses the same, per alias, and answers the others', async () => {
  const create = `mutation ($repo: ID!, $sha: GitObjectID!, $pr: ID!, $long: String!) {
    good: createCheckRun(input: { repositoryId: $repo, headSha: $sha, name: "hatchet/plan", status: IN_PROGRESS,
      output: { title: "Planning", summary: "one project" } }) { checkRun { id databaseId status } }
    bad: createCheckRun(input: { repositoryId: $repo, headSha: $sha, name: "hatchet/policy", status: COMPLETED,
      conclusion: SUCCESS, output: { title: "Policy", summary: $long } }) { checkRun { id } }
    comment: addComment(input: { subjectId: $pr, body: "planned" }) { commentEdge { node { id databaseId createdAt } } }
  }`;
  const answer = await graphql(sandbox, token, create, {
    repo: infra.data.nodeId,
    sha: pullRequest.headSha,
    pr: pullRequest.data.nodeId,
    long: tooManyBytes,
  });
  expect(answer.data).toMatchObject({
    good: { checkRun: { status: 'IN_PROGRESS' } },
    bad: null,
    comment: { commentEdge: { node: { databaseId: pullRequest.comments()[0]?.id } } },
  });
  expect(answer.errors).toMatchObject([
    { type: 'UNPROCESSABLE', path: ['bad'], message: 'summary exceeds a maximum bytesize of 65535' },
  ]);
  expect(pullRequest.checks().map((run) => run.name)).toEqual(['hatchet/plan']);
  expect(sandbox.violations).toEqual([]);
});

test('annotations are appended, buttons come back with the click, and only where they are shown', async () => {
  const { body: run } = await call('POST', runs, {
    name: 'hatchet/apply',
    head_sha: pullRequest.headSha,
    external_id: 'run-1',
    output: output({ annotations: [annotation()] }),
    actions: [action()],
  });
  const shown = () => pullRequest.check('hatchet/apply');
  expect(() => pullRequest.clickButton(shown(), 'apply', 'ada')).toThrow('shows no button apply');
  await call('PATCH', `${runs}/${run.id}`, {
    conclusion: 'action_required',
    output: output({ annotations: [annotation({ message: 'and no' })] }),
  });
  expect(shown()).toMatchObject({ status: 'completed', conclusion: 'action_required', externalId: 'run-1' });
  expect(shown().annotations.map((one) => one.message)).toEqual(['no', 'and no']);
  pullRequest.clickButton(shown(), 'apply', 'ada');
  expect(() => pullRequest.clickButton(shown(), 'unlock', 'ada')).toThrow('shows no button unlock');
  expect(sandbox.violations).toEqual([]);
});

test('a new run of a name takes the place of the older one, which can still be listed', async () => {
  for (const conclusion of ['failure', 'success']) {
    await call('POST', runs, { name: 'hatchet/plan', head_sha: pullRequest.headSha, conclusion });
  }
  expect(pullRequest.checks().map((run) => run.conclusion)).toEqual(['success']);
  expect(pullRequest.allChecks().map((run) => run.conclusion)).toEqual(['failure', 'success']);
  const list = `/repos/acme/infra/commits/${pullRequest.headSha}/check-runs?check_name=hatchet%2Fplan`;
  expect((await call('GET', `${list}&app_id=${sandbox.app.id}`)).body.total_count).toBe(1);
  expect((await call('GET', `${list}&filter=all`)).body.total_count).toBe(2);
  expect((await call('GET', `${list}&app_id=1`)).body.total_count).toBe(0);
  expect(sandbox.violations).toEqual([]);
});

test('a comment has at most 65536 characters, is edited in place, reacted to once, and hidden', async () => {
  const comments = `/repos/acme/infra/issues/${pullRequest.number}/comments`;
  const long = await call('POST', comments, { body: 'x'.repeat(65_537) });
  expect(long).toMatchObject({
    status: 422,
    body: { errors: [{ message: 'Body is too long (maximum is 65536 characters)' }] },
  });
  const { body: comment } = await call('POST', comments, { body: 'planning' });
  await call('PATCH', `/repos/acme/infra/issues/comments/${comment.id}`, { body: 'planned' });
  const react = () =>
    call('POST', `/repos/acme/infra/issues/comments/${comment.id}/reactions`, { content: 'eyes' });
  expect([(await react()).status, (await react()).status]).toEqual([201, 200]);
  const hide = `mutation ($id: ID!) { minimizeComment(input: { subjectId: $id, classifier: OUTDATED }) {
    minimizedComment { isMinimized minimizedReason } } }`;
  expect((await graphql(sandbox, token, hide, { id: comment.node_id })).data.minimizeComment).toEqual({
    minimizedComment: { isMinimized: true, minimizedReason: 'outdated' },
  });
  const [shown] = pullRequest.comments();
  expect(shown).toMatchObject({
    body: 'planned',
    minimizedReason: 'OUTDATED',
    author: { login: 'hatchet[bot]' },
  });
  expect(sandbox.violations).toEqual([]);
});

test('what somebody else wrote, the App may not edit', async () => {
  const comment = pullRequest.comment('ada', '/hatchet apply');
  const edited = await call('PATCH', `/repos/acme/infra/issues/comments/${comment.id}`, { body: 'mine' });
  expect(edited.status).toBe(403);
  expect(pullRequest.comments()[0]?.body).toBe('/hatchet apply');
});

test('GraphQL says what cannot be found, read or paged, and reports what does not fit the schema', async () => {
  const read = async (query: string, as = token) => (await graphql(sandbox, as, query)).errors;
  expect(await read('{ repository(owner: "acme", name: "none") { id } }')).toMatchObject([
    {
      type: 'NOT_FOUND',
      path: ['repository'],
      message: "Could not resolve to a Repository with the name 'acme/none'.",
    },
  ]);
  const comments =
    '{ repository(owner: "acme", name: "infra") { pullRequest(number: 1) { comments { totalCount } } } }';
  expect((await read(comments))[0].message).toContain('You must provide a `first` or `last` value');
  const weak = await installationToken(sandbox, 'acme', { permissions: { contents: 'read' } });
  const number = '{ repository(owner: "acme", name: "infra") { id pullRequest(number: 1) { number } } }';
  expect(await read(number, weak)).toMatchObject([
    { type: 'FORBIDDEN', path: ['repository', 'pullRequest'] },
  ]);
  expect((await read('{ repository(owner: "acme", name: "infra") { nmae } }'))[0].message).toContain('nmae');
  expect(sandbox.violations).toEqual([expect.stringContaining('Cannot query field "nmae"')]);
});
