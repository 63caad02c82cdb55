// Do the log's lines tell what happened, and never a secret?
import { describe, expect, test } from 'vitest';
import type { LogLevel } from '../app/log.ts';
import { createLog, logAbout, probotLogger, temporalLogger } from '../app/log.ts';

const installationToken = `ghs_123456_${'eyJhbGciOi.x-Y_z'.repeat(30)}`;
const secret = 'webhook "secret" with \\ and é';
const pem =
  '-----BEGIN PRIVATE KEY-----\nMIIEvAIBADANBgkqhkiG9w0BAQEFAASC\nBKYwggSiAgEAAoIBAQDZ\n-----END PRIVATE KEY-----\n';

function createTestLog(level: LogLevel = 'trace') {
  const lines: string[] = [];
  const log = createLog({
    level,
    secrets: [secret, pem],
    destination: { write: (line) => lines.push(line) },
  });
  const parsed = (): unknown[] => lines.map((line) => JSON.parse(line));
  return { log, lines, parsed };
}

test('a line carries what it is about', () => {
  const { log, parsed } = createTestLog();
  logAbout(log, { delivery: 'd-1', repository: 'acme/infra', pullRequest: 7, sha: 'abc' }).info('planned');
  expect(parsed()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      delivery: 'd-1',
      repository: 'acme/infra',
      pullRequest: 7,
      sha: 'abc',
      msg: 'planned',
    },
  ]);
});

describe('a secret is blanked wherever it stands', () => {
  const places: readonly (readonly [string, (text: string) => unknown])[] = [
    ['the message', (text) => text],
    ['a field', (text) => ({ text })],
    ['deep inside', (text) => ({ a: { b: [{ c: { d: text } }] } })],
    ['an error and its cause', (text) => new Error(text, { cause: new Error(`again ${text}`) })],
    ['an error under another name', (text) => ({ error: new Error(text) })],
  ];
  const secrets: readonly (readonly [string, string, string])[] = [
    ['an installation token', installationToken, installationToken.slice(0, 40)],
    ['a classic token', `ghp_${'a1B2'.repeat(9)}`, 'a1B2a1B2'],
    ['a fine-grained token', `github_pat_${'a1B2_'.repeat(10)}`, 'a1B2_a1B2'],
    ['a JWT', 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiI0NzExIn0.c2lnbmF0dXJl', 'c2lnbmF0dXJl'],
    ['a bearer header', 'authorization: Bearer abcdefghijklmnop1234==', 'abcdefghijklmnop'],
    ['a password in a URL', 'postgres://hatchet:s3cr3t!pw@db:5432/x', 's3cr3t!pw'],
    ['a token in a URL', 'https://x-access-token:tok123456@github.com/a/b', 'tok123456'],
    ['a known secret', secret, 'with'],
    [
      'a known secret in base64',
      Buffer.from(secret).toString('base64'),
      Buffer.from(secret).toString('base64').slice(4, 20),
    ],
    ['a known secret in a URL', encodeURIComponent(secret), 'webhook%20'],
    ['a key', pem, 'MIIEvAIBADANBgkqhkiG9w0BAQEFAASC'],
    ['one line of a key', 'BKYwggSiAgEAAoIBAQDZ', 'BKYwggSi'],
    [
      'any private key',
      '-----BEGIN RSA PRIVATE KEY-----\nabcdefgh\n-----END RSA PRIVATE KEY-----',
      'abcdefgh',
    ],
  ];
  const cases = places.flatMap(([place, put]) =>
    secrets.map(([kind, text, part]) => ({ place, kind, value: put(`before ${text} after`), part })),
  );
  test.each(cases)('$kind in $place', ({ value, part }) => {
    const { log, lines, parsed } = createTestLog();
    if (typeof value === 'string') log.error(value);
    else log.error(value);
    expect(parsed()).toHaveLength(1);
    expect(lines[0]).not.toContain(part);
    expect(lines[0]).toContain('[redacted]');
    expect(lines[0]).toMatch(/before .*after/);
  });
});

test('ordinary text stays as it is', () => {
  const { log, parsed } = createTestLog();
  const text = 'basic authentication of acme/infra@v2 at http://localhost:3000/x?y=a@b for 7f3a9c0d1e2f';
  log.info(text);
  expect(parsed()).toMatchObject([{ msg: text }]);
});

test('bodies are left out: of webhooks, of requests, and those that hang on errors', () => {
  const { log, lines } = createTestLog();
  const body = 'contents of a pull request';
  const event = { id: 'd-1', name: 'push', payload: { body } };
  const requestError = Object.assign(new Error('Not Found'), {
    status: 404,
    request: { url: 'https://api.github.com/x', body },
    response: { data: body },
  });
  log.debug({ event }, 'Webhook received');
  log.info({ payload: { body } }, 'one');
  log.info({ request: { body } }, 'two');
  log.error(requestError);
  log.error({ err: Object.assign(new AggregateError([requestError], 'many'), { event }) }, 'three');
  log.info(
    { req: { id: 1, method: 'POST', url: '/hook', headers: { body } }, res: { statusCode: 202, body } },
    'four',
  );
  expect(lines).toHaveLength(6);
  expect(lines.join('')).not.toContain(body);
  expect(lines.join('')).toContain('"status":404');
  expect(lines[0]).toContain('"event":{"id":"d-1","name":"push"}');
});

test('an error that is its own cause is told once more and no further', () => {
  const { log, parsed } = createTestLog();
  const error = new Error('round');
  error.cause = error;
  log.error(error);
  expect(parsed()).toHaveLength(1);
});

test('Temporal and Probot speak through the same log', () => {
  const { log, parsed } = createTestLog('info');
  const temporal = temporalLogger(log);
  temporal.debug('not shown');
  temporal.warn(`failed with ${installationToken}`, { workflowId: 'pr/1/2', [Symbol('time')]: 1n });
  temporal.log('ERROR', 'broken', { error: new Error('why') });
  probotLogger(log).info('ready');
  expect(parsed()).toMatchObject([
    { level: 'warn', component: 'temporal', workflowId: 'pr/1/2', msg: 'failed with [redacted]' },
    { level: 'error', component: 'temporal', msg: 'broken', error: { message: 'why' } },
    { level: 'info', component: 'probot', msg: 'ready' },
  ]);
});
