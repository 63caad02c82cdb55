// Does the webhook's door let in only what is signed, whatever is pushed against it?
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HttpServer } from '../app/http-server.ts';
import { shared, startHttpServer } from '../app/http-server.ts';
import { createLog } from '../app/log.ts';
import { createBodyReader } from '../app/request-body.ts';
import { createWebhooks } from '../app/webhooks.ts';
import { fuzz } from './fuzz.ts';

const secret = 'a-secret-that-only-github-has';
const delivered: unknown[] = [];
const lines: string[] = [];
let server: HttpServer;

beforeAll(async () => {
  const log = createLog({
    level: 'trace',
    secrets: [secret],
    destination: { write: (line) => void lines.push(line) },
  });
  const deliver = async (incoming: unknown): Promise<void> => void delivered.push(incoming);
  const webhooks = await createWebhooks({ secret, deliver, log });
  server = await startHttpServer({ host: '127.0.0.1', port: 0, webhooks, runs: null, readiness: [], log });
});
afterAll(() => server.stop());

type Knock = {
  readonly method: string;
  readonly path: string;
  readonly body: Buffer;
  readonly signature: string | null;
  readonly headers: Readonly<Record<string, string>>;
};

const sign = (body: Buffer, key = secret, hash = 'sha256'): string =>
  `${hash}=${createHmac(hash, key).update(body).digest('hex')}`;

const push = JSON.stringify({
  ref: 'refs/heads/main',
  after: 'c'.repeat(40),
  deleted: false,
  installation: { id: 1 },
  repository: {
    id: 2,
    node_id: 'R_2',
    name: 'infra',
    html_url: 'https://github.example/o/i',
    owner: { login: 'o' },
  },
  sender: { login: 'mona' },
});
const body = fc.oneof(
  fc
    .constantFrom('', '{}', '[]', 'null', '0', '"', '{"action":', push, `${push} `, `\ufeff${push}`, '\u0000')
    .map(Buffer.from),
  fc.constantFrom('[', '{"a":', '[{"repository":').map((deep) => Buffer.from(deep.repeat(50_000))),
  fc.integer({ min: 0, max: 60_000 }).map((depth) => Buffer.from('['.repeat(depth) + ']'.repeat(depth))),
  fc.json().map(Buffer.from),
  fc.uint8Array({ maxLength: 60 }).map(Buffer.from),
  fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.concat([Buffer.from(push), bytes])),
);
/** In which way the signature is another than GitHub's. */
const forgery = fc.constantFrom<(body: Buffer) => string | null>(
  () => null,
  () => '',
  () => 'sha256=',
  () => `sha256=${'0'.repeat(64)}`,
  () => `sha256=${'f'.repeat(4_000)}`,
  (text) => sign(text, 'another secret'),
  (text) => sign(text, secret, 'sha1'),
  (text) => sign(text, secret, 'sha512'),
  (text) => sign(text).replace('sha256=', ''),
  (text) => sign(text).replace('sha256', 'SHA256'),
  (text) => sign(text).slice(0, -1),
  (text) => `${sign(text)}0`,
  (text) => `${sign(text)}, ${sign(text)}`,
  (text) => sign(Buffer.concat([text, Buffer.from(' ')])),
  (text) => `sha256=${sign(text).slice(7).toUpperCase()}`,
);
const headers = fc.record({
  'x-github-event': fc.constantFrom(
    'push',
    'pull_request',
    'issue_comment',
    'ping',
    'toString',
    '__proto__',
    'constructor',
    '*',
    'error',
    '',
  ),
  'x-github-delivery': fc.constantFrom('3f2a1bc0-0000-4000-8000-000000000000', '../x', '{}', ''),
  'content-type': fc.constantFrom(
    'application/json',
    'application/json; charset=utf-8',
    'application/x-www-form-urlencoded',
    'text/plain',
    '',
  ),
});
const method = fc.oneof(
  { weight: 8, arbitrary: fc.constant('POST') },
  { weight: 1, arbitrary: fc.constantFrom('GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH') },
);
const path = fc.oneof(
  { weight: 8, arbitrary: fc.constant('/api/github/webhooks') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '/api/github/webhooks/',
      '/api/github/webhooks?x=1',
      '//api/github/webhooks',
      '/',
      '/api/github/webhooks/../../../healthz',
      '/%',
      '*',
    ),
  },
);

async function knock({ method, path, body, signature, headers }: Knock): Promise<number> {
  const { hostname, port } = new URL(server.url);
  const named = Object.entries({
    ...headers,
    ...(signature === null ? {} : { 'x-hub-signature-256': signature }),
  });
  const knocking = request({
    hostname,
    port,
    method,
    path,
    agent: false,
    headers: {
      ...Object.fromEntries(named.filter(([, value]) => value !== '')),
      'content-length': body.length,
    },
  });
  // Whoever is answered before all is sent may find the door closed.
  knocking.on('error', () => undefined);
  knocking.end(body);
  const [answer] = await once(knocking, 'response');
  answer.resume();
  return answer.statusCode;
}

test('what GitHub did not sign is never taken, and never breaks anything', async () => {
  const forged = async (knocked: Omit<Knock, 'signature'>, forge: (body: Buffer) => string | null) => {
    const status = await knock({ ...knocked, signature: forge(knocked.body) });
    if (status < 400 || status >= 500) throw new Error(`answered with ${status}`);
  };
  const knocked = fc.record({ method, path: fc.constant('/api/github/webhooks'), body, headers });
  await fc.assert(fc.asyncProperty(knocked, forgery, forged), fuzz(600));
  expect(delivered).toEqual([]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(10_000);
});

/** GitHub's payloads are objects; Probot's own code breaks on other JSON, which nobody else can sign. */
function isDocument(body: Buffer): boolean {
  try {
    return typeof JSON.parse(body.toString()) === 'object' && !/^\s*null/.test(body.toString());
  } catch {
    return true;
  }
}

test('what is signed is taken when it says something, and refused otherwise', async () => {
  const plain = { 'x-github-event': 'push', 'x-github-delivery': '1', 'content-type': 'application/json' };
  const good = { method: 'POST', path: '/api/github/webhooks', body: Buffer.from(push), headers: plain };
  const seen = new Map<number, number>();
  const signed = async (knocked: Omit<Knock, 'signature'>): Promise<void> => {
    const before = delivered.length;
    const status = await knock({ ...knocked, signature: sign(knocked.body) });
    seen.set(status, (seen.get(status) ?? 0) + 1);
    if (status >= 500) throw new Error(`answered with ${status}`);
    if (delivered.length > before && status !== 200) throw new Error(`taken and answered with ${status}`);
  };
  await fc.assert(
    fc.asyncProperty(fc.record({ method, path, body: body.filter(isDocument), headers }), signed),
    { ...fuzz(400), examples: [[good]] },
  );
  expect(delivered).not.toEqual([]);
  expect([...seen.keys()].sort()).toEqual([200, 400, 404, 415, 422]);
});

test('however many ask whether it is ready, what it needs is asked once, and again a second later', async () => {
  let [time, asked] = [0, 0];
  const answering = Promise.withResolvers<string>();
  const ready = shared(
    async () => {
      asked += 1;
      return asked === 1 ? answering.promise : `answer ${asked}`;
    },
    () => time,
  );
  const [first, second] = [ready(), ready()];
  time = 60_000;
  const third = ready();
  answering.resolve('answer 1');
  expect(await Promise.all([first, second, third])).toEqual(['answer 1', 'answer 1', 'answer 1']);
  time = 60_999;
  expect(await ready()).toBe('answer 1');
  time = 61_000;
  expect(await ready()).toBe('answer 2');
  expect(asked).toBe(2);
});

test('of all that is being sent only so much is held, whoever sends it', async () => {
  const read = createBodyReader({ maxBytes: 1_000, maxBytesAtOnce: 1_500 });
  const kinds: string[] = [];
  const reading = createServer((incoming, response) => {
    void read(incoming).then(({ kind }) => {
      kinds.push(kind);
      response.writeHead(200, { connection: 'close' }).end(kind);
    });
  });
  reading.listen(0, '127.0.0.1');
  await once(reading, 'listening');
  const { port } = reading.address() as AddressInfo;
  const begin = async (bytes: number) => {
    const sending = request({ host: '127.0.0.1', port, method: 'POST', agent: false });
    sending.on('error', () => undefined);
    await new Promise((resolve) => void sending.write('x'.repeat(bytes), resolve));
    return sending;
  };
  const [first, second] = [await begin(900), await begin(900)];
  const [answer] = await Promise.race([once(first, 'response'), once(second, 'response')]);
  answer.resume();
  expect(kinds).toEqual(['no-room']);
  for (const sending of [first, second]) sending.destroy();
  await expect.poll(() => kinds).toContain('broken-off');
  (await begin(900)).end();
  await expect.poll(() => kinds).toContain('text');
  (await begin(1_001)).end();
  await expect.poll(() => kinds).toContain('too-large');
  reading.close();
});
