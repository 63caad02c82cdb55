// What gets in at the webhook's door, what is turned away, and what does the app never say?
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { startAppProcess } from './app-process.ts';
import { knock } from './raw-webhook.ts';
import {
  countPlans,
  mainComment,
  openOn,
  order,
  patienceMs,
  replies,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilReady,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
const encryptionKey = randomBytes(32).toString('base64');
let world: World;
let secret: string;
let trickled: Promise<string>;

beforeAll(async () => {
  // Trace: whatever a library can be brought to say is said.
  world = await createWorld({
    environment: { LOG_LEVEL: 'trace', HATCHET_ENCRYPTION_KEY: encryptionKey },
  });
  secret = world.sandbox.app.webhookSecret;
  // It takes most of a minute until it is cut: everything else happens meanwhile.
  trickled = trickle(world.app.url);
});
afterAll(() => world.close());

const good = 'resource "terraform_data" "one" {\n  input = 1\n}';

/** How many rounds of planning were shown on the head. */
const rounds = (pullRequest: PullRequestHandle): number =>
  pullRequest.allChecks().filter(({ name }) => name === 'hatchet/plan').length;

/** Looks like GitHub's until the body is known. */
const anySignature = `sha256=${'0'.repeat(64)}`;

/** Sends a body byte by byte, for as long as it is let; what it was answered. */
async function trickle(appUrl: string): Promise<string> {
  const { hostname, port } = new URL(appUrl);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket
    .on('error', () => undefined)
    .on('data', (data) => {
      answer += String(data);
    });
  socket.write('POST /api/github/webhooks HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n');
  socket.write(
    `Content-Type: application/json\r\nX-Github-Event: push\r\nX-Hub-Signature-256: ${anySignature}\r\n\r\n{`,
  );
  const timer = setInterval(() => socket.write(' '), 1_000);
  await once(socket, 'close');
  clearInterval(timer);
  return answer;
}

test.concurrent.each([
  ['a wrong signature', { secret: 'not the secret that was agreed on' }],
  ['no signature', { secret: null }],
  ['a signature of another kind', { secret: null, headers: { 'x-hub-signature': `sha1=${'0'.repeat(40)}` } }],
])('%s is turned away', async (_, forged) => {
  expect(await knock(world.app.url, { body: '{}', ...forged })).toBe(400);
});

test.concurrent.each(['x-github-event', 'x-github-delivery', 'content-type'])(
  'without %s nothing gets in',
  async (name) => {
    const status = await knock(world.app.url, { body: '{}', secret, headers: { [name]: '' } });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  },
);

test.concurrent('what is no JSON is turned away, though it is signed', async () => {
  expect(await knock(world.app.url, { body: '{ "action": ', secret })).toBe(400);
  for (const body of ['null', '5', '"text"', '[]', ' [{}]', 'true', ''])
    expect(await knock(world.app.url, { body, secret }), body).toBe(400);
});

test.concurrent.each([
  ['an event that nobody knows', { event: 'moon_phase', body: '{"action":"full"}' }],
  ['a known event of an action that nobody knows', { event: 'pull_request', body: '{"action":"framed"}' }],
])('%s is taken and changes nothing', async (_, webhook) => {
  expect(await knock(world.app.url, { ...webhook, secret })).toBe(200);
});

test.concurrent('a signed event that lacks what it should carry is no reason to end', async () => {
  const status = await knock(world.app.url, { body: '{"action":"opened"}', secret });
  expect(status).toBe(422);
  expect((await fetch(`${world.app.url}/healthz`)).status).toBe(200);
});

const tooLarge = 25 * 1024 * 1024 + 1;

test.concurrent('more than GitHub ever sends is refused by its announced length', async () => {
  // Only announced: whoever went on writing into the closing connection might never read the answer.
  const headers = {
    'content-length': String(tooLarge),
    'x-github-event': 'push',
    'x-hub-signature-256': anySignature,
  };
  const announced = request(`${world.app.url}/api/github/webhooks`, { method: 'POST', headers });
  const answered = once(announced, 'response');
  announced.flushHeaders();
  const [answer] = (await answered) as [IncomingMessage];
  announced.on('error', () => undefined).destroy();
  expect(answer.statusCode).toBe(413);
});

test.concurrent('more than GitHub ever sends is refused when its length is not announced', async () => {
  const headers = { 'x-github-event': 'push', 'x-hub-signature-256': anySignature };
  const endless = request(`${world.app.url}/api/github/webhooks`, { method: 'POST', headers });
  const answered = once(endless, 'response');
  endless.write(' '.repeat(tooLarge));
  const [answer] = (await answered) as [IncomingMessage];
  endless.on('error', () => undefined).destroy();
  expect(answer.statusCode).toBe(413);
  expect((await fetch(`${world.app.url}/healthz`)).status).toBe(200);
});

test('a delivery that comes twice changes nothing the second time (S13)', async () => {
  world.sandbox.faults.doubleNext({ event: 'pull_request' });
  const pullRequest = await openOn(world, { dir: 'twice', body: good });
  await untilReady(pullRequest);
  world.sandbox.faults.doubleNext({ event: 'issue_comment' });
  await order(pullRequest, 'hubot', '/hatchet help');
  await vi.waitUntil(() => replies(pullRequest).length > 0, { timeout: patienceMs });
  for (const { id } of world.sandbox.deliveries.list().filter(({ event }) => event !== 'check_run'))
    expect((await world.sandbox.deliveries.redeliver(id))?.status_code).toBe(200);
  // A command behind them in the workflow's queue: when it is answered, they were looked at.
  await order(pullRequest, 'hubot', '/hatchet status');
  await vi.waitUntil(() => replies(pullRequest).length > 1, { timeout: patienceMs });
  expect(replies(pullRequest)).toHaveLength(2);
  expect(rounds(pullRequest)).toBe(1);
  expect(await countPlans(world, 'twice')).toBe(1);
  expect(world.sandbox.faults.unused()).toEqual([]);
});

test('deliveries that overtake each other end in the newest state (S13)', async () => {
  world.sandbox.faults.hold();
  const pullRequest = await openOn(world, { dir: 'order', body: good });
  await pullRequest.push({ 'order/more.tf': 'resource "terraform_data" "two" {}\n' });
  pullRequest.convertToDraft();
  pullRequest.ready();
  await world.sandbox.faults.release('reversed');
  await untilCheck(pullRequest, 'hatchet/plan', '1 project: 2 to add');
  await untilReady(pullRequest);
  await untilComment(pullRequest, '2 to add');
  mainComment(pullRequest);
});

test('a closing that overtakes the opening still ends the story (S13, S14)', async () => {
  world.sandbox.faults.hold();
  const pullRequest = await openOn(world, { dir: 'closing', body: good });
  pullRequest.close();
  await world.sandbox.faults.release('reversed');
  await world.sandbox.settled();
  await untilNoneOpen(world);
  expect(await countPlans(world, 'closing')).toBe(0);
});

test('nothing secret is ever logged (S7)', async () => {
  const { sandbox } = world;
  sandbox.faults.failNext({ route: '/graphql', failure: { kind: 'server-error', status: 500 } });
  sandbox.expireInstallationTokens();
  const pullRequest = await openOn(world, { dir: 'quiet', body: good });
  await untilReady(pullRequest);
  await pullRequest.merge({ by: 'hubot' });
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied', pullRequest.mergeCommit ?? '');
  const said = world.app.lines.join('\n');
  const { password } = new URL(world.databaseUrl);
  const key = sandbox.app.privateKey.split('\n').filter((line) => line.length > 20 && !line.startsWith('-'));
  const secrets = [secret, encryptionKey, password, decodeURIComponent(password), ...key, 'PRIVATE KEY'];
  expect(secrets.filter((each) => each === '' || said.includes(each))).toEqual([]);
  expect(said).not.toMatch(/gh[a-z]_[A-Za-z0-9._-]{10,}|eyJ[\w-]{8,}\.[\w-]{8,}/);
  expect(said).toContain('"delivery":');
});

test('a start that could not be trusted is refused, with all mistakes at once', async () => {
  const environment = { PATH: process.env.PATH ?? '', PORT: 'any', HATCHET_RUNER_ENV: 'AWS_*' };
  const missing = startAppProcess(environment);
  await expect(missing).rejects.toThrow(/ended \(1\)/);
  await expect(missing).rejects.toThrow(/APP_ID is missing.*\n.*PRIVATE_KEY is missing/s);
  await expect(missing).rejects.toThrow(/WEBHOOK_SECRET is missing/);
  await expect(missing).rejects.toThrow(/PORT is not a port/);
  await expect(missing).rejects.toThrow(/Did you mean HATCHET_RUNNER_ENV/);
});

test('the secret that everyone knows is no secret', async () => {
  const { id, privateKey } = world.sandbox.app;
  const environment = { APP_ID: String(id), PRIVATE_KEY: privateKey, WEBHOOK_SECRET: 'development' };
  const known = startAppProcess(environment);
  await expect(known).rejects.toThrow(/ended \(1\)/);
  await expect(known).rejects.toThrow(/WEBHOOK_SECRET is a value that everyone knows/);
});

test('a body that trickles in is cut', async () => {
  expect(await trickled).toMatch(/^HTTP\/1\.1 408 /);
});

test('no check is left open (S14)', () => untilNoneOpen(world));
