// What does each answer of GitHub mean to an activity: done, try again, wait, or the operator's to mend?
import { generateKeyPairSync } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import nock from 'nock';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { WriteBudget } from '../activities/github/budget.ts';
import { createGitHub } from '../activities/github/client.ts';
import { doWrites } from '../activities/github/mutation.ts';
import { parseInstallationId } from '../workflows/model/identifiers.ts';

const api = 'https://api.github.com';
const pauses: number[] = [];
/** Everything may be sent; what is kept of a limit is seen in `pauses`. */
const budget: WriteBudget = {
  take: async () => 0,
  pause: async (_, ms) => void pauses.push(ms),
};
const installation = parseInstallationId(5);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const route = 'GET /repos/{owner}/{repo}/collaborators/{username}/permission';
const parameters = { owner: 'octo-org', repo: 'infra', username: 'mona' };
const path = '/repos/octo-org/infra/collaborators/mona/permission';

beforeAll(() => nock.disableNetConnect());
afterEach(() => {
  expect(nock.pendingMocks()).toEqual([]);
  nock.cleanAll();
});
afterAll(() => nock.restore());

function giveToken(letter = 't'): void {
  nock(api)
    .post('/app/installations/5/access_tokens')
    .reply(201, {
      token: `ghs_5_${letter.repeat(40)}`,
      expires_at: '2099-01-01T00:00:00Z',
      permissions: {},
      repository_selection: 'all',
    });
}

function github() {
  giveToken();
  return createGitHub({ appId: 1, privateKey: pem, apiUrl: api, webUrl: 'https://github.com' }, budget);
}

async function failureOf(promise: Promise<unknown>): Promise<ApplicationFailure | Error> {
  const failure = await promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
  return failure as Error;
}

describe('a REST call', () => {
  test('asks with an installation token and gives back what GitHub says', async () => {
    const client = github();
    nock(api, { reqheaders: { authorization: /^token ghs_5_t+$/ } })
      .get(path)
      .reply(200, { permission: 'write' });
    expect(await client.rest(installation, route, parameters)).toEqual({ permission: 'write' });
  });

  test('404 is an answer', async () => {
    const client = github();
    nock(api).get(path).reply(404, { message: 'Not Found' });
    expect(await client.rest(installation, route, parameters)).toBeNull();
  });

  test.each([
    ['retry-after of a secondary limit', 403, { 'retry-after': '7' }, 8_000],
    ['429 without a word on how long', 429, {}, 60_000],
  ])('%s is waited for', async (_, status, headers, delay) => {
    const client = github();
    nock(api).get(path).reply(status, { message: 'You have exceeded a secondary rate limit.' }, headers);
    const failure = await failureOf(client.rest(installation, route, parameters));
    expect(failure).toMatchObject({ type: 'RetryLater', nonRetryable: false, nextRetryDelay: delay });
  });

  test.each([
    ['a missing permission', 403, 'Resource not accessible by integration'],
    ['an archived repository', 403, 'Repository was archived so is read-only.'],
    ['a locked conversation', 403, 'Unable to create comment because issue is locked.'],
    ['what was there once', 410, 'This issue was deleted'],
  ])('%s is for the operator, and is not tried again', async (_, status, message) => {
    const client = github();
    nock(api).get(path).reply(status, { message });
    const failure = await failureOf(client.rest(installation, route, parameters));
    expect(failure).toMatchObject({ type: 'OperatorError', nonRetryable: true });
    expect(failure.message).toContain(message);
  });

  test.each([
    ['is suspended', 403, 'This installation has been suspended'],
    ['is not installed any more', 404, 'Not Found'],
  ])(
    'where the App %s no call is tried again, and none is taken for an answer',
    async (_, status, message) => {
      nock(api).post('/app/installations/5/access_tokens').reply(status, { message });
      const client = createGitHub(
        { appId: 1, privateKey: pem, apiUrl: api, webUrl: 'https://github.com' },
        budget,
      );
      const failure = await failureOf(client.rest(installation, route, parameters));
      expect(failure).toMatchObject({ type: 'OperatorError', nonRetryable: true });
      expect(failure.message).toContain(message);
    },
  );

  test.each([500, 502, 401])('%d is tried again', async (status) => {
    const client = github();
    nock(api).get(path).reply(status, { message: 'no' });
    expect(await failureOf(client.rest(installation, route, parameters))).not.toBeInstanceOf(
      ApplicationFailure,
    );
  });
});

const comment = (body: string) => ({ field: 'addComment', input: { subjectId: 'PR_1', body } }) as const;

describe('a token that was refused is not used again', () => {
  const refusal = 'Resource not accessible by integration';

  test.each([
    [401, 'Bad credentials'],
    [403, refusal],
  ])('after %d', async (status, message) => {
    const client = github();
    nock(api).get(path).reply(status, { message });
    await failureOf(client.rest(installation, route, parameters));
    giveToken('u');
    nock(api, { reqheaders: { authorization: /^token ghs_5_u+$/ } })
      .get(path)
      .reply(200, {});
    expect(await client.rest(installation, route, parameters)).toEqual({});
  });

  test('when only one of many writes was refused', async () => {
    const client = github();
    const errors = [{ type: 'FORBIDDEN', path: ['w0'], message: refusal }];
    nock(api)
      .post('/graphql')
      .reply(200, { data: { w0: null }, errors });
    expect(await doWrites(client, installation, [comment('one')])).toMatchObject([{ kind: 'failed' }]);
    giveToken('u');
    const data = { w0: { commentEdge: { node: { id: 'IC_1', updatedAt: '2026-11-21T22:04:00Z' } } } };
    nock(api, { reqheaders: { authorization: /^token ghs_5_u+$/ } })
      .post('/graphql')
      .reply(200, { data });
    expect(await doWrites(client, installation, [comment('one')])).toMatchObject([{ kind: 'done' }]);
  });
});

describe('a mutation', () => {
  test('does many writes in one request and tells which of them failed', async () => {
    const client = github();
    nock(api)
      .post('/graphql', ({ query }: { query: string }) => /w0: addComment.*w1: addComment/s.test(query))
      .reply(200, {
        data: { w0: { commentEdge: { node: { id: 'IC_1', updatedAt: '2026-11-21T22:04:00Z' } } }, w1: null },
        errors: [{ type: 'NOT_FOUND', path: ['w1'], message: 'Could not resolve to a node' }],
      });
    expect(await doWrites(client, installation, [comment('one'), comment('two')])).toMatchObject([
      { kind: 'done', nodeId: 'IC_1', at: '2026-11-21T22:04:00Z' },
      { kind: 'failed', error: { type: 'NOT_FOUND' } },
    ]);
  });

  test.each([
    ['more than ten', 11, 10],
    ['more than 256 KiB', 5, 60_000],
  ])('%s go as two requests', async (_, count, size) => {
    const client = github();
    nock(api)
      .post('/graphql')
      .twice()
      .reply(200, async (request: Request) => {
        const names = Object.keys(((await request.json()) as { variables: object }).variables);
        return {
          data: Object.fromEntries(names.map((name) => [name, { commentEdge: { node: { id: name } } }])),
        };
      });
    const results = await doWrites(
      client,
      installation,
      Array.from({ length: count }, () => comment('x'.repeat(size))),
    );
    expect(results.every(({ kind }) => kind === 'done')).toBe(true);
    expect(results).toHaveLength(count);
  });

  test('a rate limit told with status 200 is waited for', async () => {
    const client = github();
    nock(api)
      .post('/graphql')
      .reply(
        200,
        { data: null, errors: [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }] },
        { 'retry-after': '3' },
      );
    const failure = await failureOf(doWrites(client, installation, [comment('one')]));
    expect(failure).toMatchObject({ type: 'RetryLater', nextRetryDelay: 4_000 });
  });
});
