// Does the sandbox GitHub deliver, log, fail and count as GitHub does?
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { createCalls } from '../fixtures/sandbox/calls.ts';
import { createContract } from '../fixtures/sandbox/contract.ts';
import { createDeliveries, type Deliveries } from '../fixtures/sandbox/deliveries.ts';
import { createFaults, type FailRule } from '../fixtures/sandbox/faults.ts';

const secret = 'it is a secret';
const guidPattern = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

type Received = { readonly headers: IncomingHttpHeaders; readonly body: string };

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe('a delivery', () => {
  it('arrives signed, with the headers of GitHub', async () => {
    const { deliveries, received } = await createHook();
    deliveries.deliver('installation', 'deleted', { action: 'deleted', installation: { id: 31 }, text: 'ü' });
    await deliveries.settled();
    const [{ headers, body } = missing()] = received;
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^GitHub-Hookshot\//),
      'x-github-delivery': expect.stringMatching(guidPattern),
      'x-github-event': 'installation',
      'x-github-hook-id': expect.stringMatching(/^\d+$/),
      'x-github-hook-installation-target-id': '20',
      'x-github-hook-installation-target-type': 'integration',
      'x-hub-signature': expect.stringMatching(/^sha1=[\da-f]{40}$/),
    });
    const signature = createHmac('sha256', secret).update(body, 'utf8').digest('hex');
    expect(headers['x-hub-signature-256']).toBe(`sha256=${signature}`);
  });

  it('is sent with what was true when it happened', async () => {
    const { deliveries, received } = await createHook();
    const payload = { action: 'deleted', installation: { id: 31 } };
    deliveries.deliver('installation', 'deleted', payload);
    payload.installation.id = 32;
    await deliveries.settled();
    expect(bodies(received)).toEqual([{ action: 'deleted', installation: { id: 31 } }]);
  });

  it('is logged in the shape of the API', async () => {
    const { deliveries, changes } = await createHook();
    const payload = { action: 'opened', installation: { id: 31 }, repository: { id: 40 } };
    deliveries.deliver('pull_request', 'opened', payload);
    await deliveries.settled();
    const [item = missing()] = deliveries.list();
    expect(item).toEqual({
      id: expect.any(Number),
      guid: expect.stringMatching(guidPattern),
      delivered_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      redelivery: false,
      duration: expect.any(Number),
      status: 'OK',
      status_code: 202,
      event: 'pull_request',
      action: 'opened',
      installation_id: 31,
      repository_id: 40,
      throttled_at: null,
    });
    const delivery = deliveries.get(item.id);
    expect(delivery?.request.payload).toEqual(payload);
    expect(delivery?.response.payload).toBe('accepted');
    expect(changes()).toBe(1);
    const contract = createContract();
    const route = '/app/hook/deliveries';
    expect(contract.checkResponse({ method: 'GET', route, status: 200, body: [item] })).toEqual([]);
    const one = { method: 'GET', route: `${route}/{delivery_id}`, status: 200, body: delivery };
    expect(contract.checkResponse(one)).toEqual([]);
  });

  it('is not sent and not logged without an address', async () => {
    const { deliveries } = await createHook({ target: () => null });
    deliveries.deliver('installation', 'deleted', {});
    await deliveries.settled();
    expect(deliveries.list()).toEqual([]);
  });

  it('is not repeated after an error, a refused connection or a silence', async () => {
    const { deliveries, received } = await createHook({ status: 500 });
    deliveries.deliver('installation', 'deleted', {});
    await deliveries.settled();
    expect(received).toHaveLength(1);
    expect(deliveries.list()).toMatchObject([{ status: 'Invalid HTTP Response: 500', status_code: 500 }]);

    const closed = await createHook({ target: () => 'http://127.0.0.1:1/' });
    closed.deliveries.deliver('installation', 'deleted', {});
    await closed.deliveries.settled();
    expect(closed.deliveries.list()).toMatchObject([{ status: 'failed to connect', status_code: 502 }]);

    const silent = await createHook({ status: null, timeoutMs: 50 });
    silent.deliveries.deliver('installation', 'deleted', {});
    await silent.deliveries.settled();
    expect(silent.received).toHaveLength(1);
    expect(silent.deliveries.list()).toMatchObject([{ status: 'timed out', status_code: 504 }]);
  });

  it('ends when the sandbox stops', async () => {
    const { deliveries } = await createHook({ status: null });
    deliveries.deliver('installation', 'deleted', {});
    await deliveries.stop();
    expect(deliveries.list()).toMatchObject([{ status: 'failed to connect' }]);
    deliveries.deliver('installation', 'deleted', {});
    await deliveries.settled();
    expect(deliveries.list()).toHaveLength(1);
  });

  it('that is larger than 25 MB is not sent', async () => {
    const { deliveries, received } = await createHook();
    deliveries.deliver('installation', 'deleted', { text: 'x'.repeat(25 * 1024 * 1024) });
    await deliveries.settled();
    expect(received).toEqual([]);
  });

  it('that breaks GitHub’s schema is a violation with a name', async () => {
    const { deliveries } = await createHook();
    deliveries.deliver('push', 'done', {});
    expect(deliveries.violations).toEqual(['webhook push.done: GitHub knows no such webhook']);
    await deliveries.settled();
  });
});

describe('a redelivery', () => {
  it('keeps the GUID, the payload and the older entry', async () => {
    const { deliveries, received } = await createHook({ status: 500 });
    deliveries.deliver('installation', 'deleted', { installation: { id: 31 } });
    await deliveries.settled();
    const [first = missing()] = deliveries.list();
    const again = await deliveries.redeliver(first.id);
    expect(again).toMatchObject({ guid: first.guid, redelivery: true });
    expect(deliveries.list().map(({ id, redelivery }) => ({ id, redelivery }))).toEqual([
      { id: again?.id, redelivery: true },
      { id: first.id, redelivery: false },
    ]);
    expect(received.map(({ headers }) => headers['x-github-delivery'])).toEqual([first.guid, first.guid]);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    expect(await deliveries.redeliver(1)).toBeNull();
  });
});

describe('faults of webhooks', () => {
  it('drops, loses and doubles the next one that matches', async () => {
    const { deliveries, received, faults } = await createHook();
    faults.dropNext({ event: 'push' });
    faults.loseNext({ event: 'installation', action: 'suspend' });
    faults.doubleNext({ event: 'installation', action: 'deleted' });
    const unused = ['dropped for push', 'lost for installation suspend', 'doubled for installation deleted'];
    expect(faults.unused()).toEqual(unused);
    deliveries.deliver('ping', null, {});
    deliveries.deliver('push', null, {});
    deliveries.deliver('installation', 'suspend', {});
    deliveries.deliver('installation', 'deleted', {});
    await deliveries.settled();
    expect(events(received).sort()).toEqual(['installation', 'installation', 'ping']);
    const log = deliveries.list().map(({ event, action, status }) => `${event} ${action} ${status}`);
    expect(log.sort()).toEqual([
      'installation deleted OK',
      'installation deleted OK',
      'installation suspend failed to connect',
      'ping null OK',
    ]);
    const doubled = received.filter(({ headers }) => headers['x-github-event'] === 'installation');
    expect(new Set(doubled.map(({ headers }) => headers['x-github-delivery'])).size).toBe(1);
    expect(faults.unused()).toEqual([]);
  });

  it('holds them back and releases them in another order', async () => {
    const { deliveries, received, faults } = await createHook();
    faults.hold();
    deliveries.deliver('push', null, {});
    deliveries.deliver('ping', null, {});
    await deliveries.settled();
    expect(received).toEqual([]);
    expect(faults.held()).toBe(2);
    await expect(faults.release([0])).rejects.toThrow('each of the 2 held webhooks once');
    await faults.release('reversed');
    expect(events(received)).toEqual(['ping', 'push']);
    expect(faults.held()).toBe(0);
  });

  it('releases by position', async () => {
    const { deliveries, received, faults } = await createHook();
    faults.hold();
    for (const event of ['push', 'ping', 'status']) deliveries.deliver(event, null, {});
    await faults.release([1, 2, 0]);
    expect(events(received)).toEqual(['ping', 'status', 'push']);
  });
});

describe('faults of calls', () => {
  const call = {
    method: 'POST',
    route: '/repos/{owner}/{repo}/check-runs',
    path: '/repos/acme/infra/check-runs',
  };
  const mutation = {
    method: 'POST',
    route: '/graphql',
    path: '/graphql',
    operations: ['createCheckRun', 'addComment'],
  };
  const broken = { kind: 'server-error', status: 502 } as const;

  it('fails as many calls as it was told, and only those that match', async () => {
    const faults = createFaults();
    faults.failNext({ method: 'POST', route: call.route, failure: broken, times: 2 });
    expect(await faults.before({ ...call, method: 'GET' })).toBeNull();
    expect(await faults.before(mutation)).toBeNull();
    const answer = { kind: 'answer', status: 502, headers: {}, body: { message: 'Server Error' } };
    expect(await faults.before(call)).toEqual(answer);
    expect(await faults.before(call)).toEqual(answer);
    expect(await faults.before(call)).toBeNull();
    expect(faults.unused()).toEqual([]);
  });

  it('fails a call after it was performed', async () => {
    const faults = createFaults();
    faults.failNext({ operation: 'addComment', failure: broken, when: 'after' });
    expect(await faults.before(mutation)).toBeNull();
    expect(await faults.after({ ...mutation, operations: ['addReaction'] })).toBeNull();
    expect(faults.unused()).toEqual(['1 × server-error for addComment']);
    expect(await faults.after(mutation)).toMatchObject({ status: 502 });
    expect(await faults.after(mutation)).toBeNull();
  });

  it.each([403, 429] as const)('limits with %i as GitHub does', async (status) => {
    const faults = createFaults();
    faults.failNext({ failure: { kind: 'secondary-rate-limit', status, retryAfterSeconds: 7 } });
    const fault = await faults.before(call);
    expect(fault).toMatchObject({ kind: 'answer', status, headers: { 'retry-after': '7' } });
    const body = fault?.kind === 'answer' ? fault.body : null;
    expect(body).toMatchObject({ message: expect.stringMatching(/exceeded a secondary rate limit/i) });
    const contract = createContract();
    expect(contract.checkResponse({ ...call, status, body })).toEqual([]);
  });

  it('resets the connection, and forgets everything when it is told to', async () => {
    const faults = createFaults();
    const rule: FailRule = { failure: { kind: 'reset' }, times: 2 };
    faults.failNext(rule);
    expect(await faults.before(call)).toEqual({ kind: 'reset' });
    await faults.clear();
    expect(await faults.before(call)).toBeNull();
  });

  it('delays every call', async () => {
    const faults = createFaults();
    faults.latencyMs = 40;
    const startedAt = performance.now();
    await faults.before(call);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(39);
  });
});

describe('the log of calls', () => {
  it('counts per route, with git and tokens apart', () => {
    const calls = createCalls();
    const pulls = { method: 'GET', route: 'GET /repos/{owner}/{repo}/pulls', path: '/x', status: 200, ms: 1 };
    const token = 'POST /app/installations/{installation_id}/access_tokens';
    calls.record(pulls);
    calls.record({ ...pulls, status: 502 });
    calls.record({ ...pulls, method: 'POST', route: token });
    calls.record({ ...pulls, route: 'git upload-pack' });
    calls.record({ ...pulls, method: 'POST', route: 'POST /graphql', operations: ['addComment'] });
    expect(calls.countsByRoute('api')).toEqual({ 'GET /repos/{owner}/{repo}/pulls': 2, 'POST /graphql': 1 });
    expect(calls.countsByRoute('git')).toEqual({ 'git upload-pack': 1 });
    expect(calls.countsByRoute('token')).toEqual({ [token]: 1 });
    expect(Object.values(calls.countsByRoute()).reduce((sum, count) => sum + count)).toBe(5);
    expect(calls.list('api').map(({ status }) => status)).toEqual([200, 502, 200]);
    calls.reset();
    expect(calls.list()).toEqual([]);
  });
});

/** A receiver and a sandbox's deliveries to it; `status: null` never answers. */
async function createHook(
  options: {
    readonly status?: number | null;
    readonly target?: () => string | null;
    readonly timeoutMs?: number;
  } = {},
) {
  const { status = 202 } = options;
  const received: Received[] = [];
  const url = await listen(received, status);
  const faults = createFaults();
  let changes = 0;
  const deliveries: Deliveries = createDeliveries({
    target: options.target ?? (() => url),
    secret: () => secret,
    appId: 20,
    faults,
    contract: createContract(),
    onChange: () => {
      changes += 1;
    },
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  return { deliveries, received, faults, changes: () => changes };
}

async function listen(received: Received[], status: number | null): Promise<string> {
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: await text(request) });
    if (status !== null) response.writeHead(status, { 'content-type': 'text/plain' }).end('accepted');
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/github/webhooks`;
}

function events(received: readonly Received[]) {
  return received.map(({ headers }) => headers['x-github-event']);
}

function bodies(received: readonly Received[]): unknown[] {
  return received.map(({ body }) => JSON.parse(body));
}

function missing(): never {
  throw new Error('nothing arrived');
}
