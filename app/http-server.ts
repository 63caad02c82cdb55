// What answers on the port: webhooks, health, readiness, metrics?
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { collectDefaultMetrics, register } from 'prom-client';
import type { Handler } from './webhooks.ts';

/** GitHub gives up after 10 s on github.com and 30 s elsewhere: whoever is slower than that is not GitHub. */
const requestTimeoutMs = 30_000;
const headersTimeoutMs = 10_000;
/** Of a request that runs when we stop. A server that closes looks after the two above no more. */
const stopGraceMs = 10_000;

/** One thing that has to be there before this process is of use; rejects with the reason why it is not. */
export type ReadinessCheck = { readonly name: string; readonly check: () => Promise<void> };

export type HttpServer = {
  readonly url: string;
  /** Takes no new connections and resolves when the running requests are answered, or after a moment without them. */
  readonly stop: () => Promise<void>;
};

/** Also collects what every Node process can tell of itself, for `/metrics`. */
export async function startHttpServer(settings: {
  readonly host: string;
  readonly port: number;
  readonly webhooks: Handler | null;
  /** The pages of runs; null where nothing links to them. */
  readonly runs: Handler | null;
  readonly readiness: readonly ReadinessCheck[];
  readonly log: Logger;
}): Promise<HttpServer> {
  const { host, port, webhooks, runs, readiness, log } = settings;
  collectDefaultMetrics();
  const handlers = [webhooks, runs, health, ready(readiness, log), metrics].filter(
    (handler) => handler !== null,
  );
  const server = createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: headersTimeoutMs },
    (request, response) => {
      void answer(handlers, request, response).catch((error: unknown) => {
        log.error({ err: error }, 'a request failed');
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    stop: () =>
      new Promise((resolve, reject) => {
        const grace = setTimeout(() => server.closeAllConnections(), stopGraceMs);
        server.close((error) => {
          clearTimeout(grace);
          if (error === undefined) resolve();
          else reject(error);
        });
        server.closeIdleConnections();
      }),
  };
}

const answer = async (handlers: readonly Handler[], ...exchange: Parameters<Handler>): Promise<void> => {
  for (const handler of handlers) if (await handler(...exchange)) return;
  exchange[1].writeHead(404).end();
};

/** The process runs; says nothing about anything else. */
const health: Handler = async (request, response) => {
  if (request.url !== '/healthz') return false;
  response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n');
  return true;
};

/** 503 with the names of what is missing until everything is there. */
function ready(checks: readonly ReadinessCheck[], log: Logger): Handler {
  const findMissing = shared(() => askAll(checks, log));
  return async (request, response) => {
    if (request.url !== '/readyz') return false;
    const missing = await findMissing();
    response.writeHead(missing.length === 0 ? 200 : 503, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ ready: missing.length === 0, missing })}\n`);
    return true;
  };
}

/** The names of what is missing. */
async function askAll(checks: readonly ReadinessCheck[], log: Logger): Promise<readonly string[]> {
  const results = await Promise.allSettled(checks.map(({ check }) => check()));
  for (const result of results)
    if (result.status === 'rejected') log.warn({ err: result.reason }, 'not ready');
  return checks.filter((_, index) => results[index]?.status === 'rejected').map(({ name }) => name);
}

/** Anybody may ask, without end; that must not make us ask Temporal and the database without end. */
const answerHoldsMs = 1_000;

/** All who ask while an answer is being found, or shortly after, get the same one. */
export function shared<Answer>(
  ask: () => Promise<Answer>,
  now = () => performance.now(),
): () => Promise<Answer> {
  let last: { readonly answer: Promise<Answer>; until: number } | null = null;
  return () => {
    if (last !== null && now() < last.until) return last.answer;
    const asked = { answer: ask(), until: Number.POSITIVE_INFINITY };
    const settle = (): void => {
      asked.until = now() + answerHoldsMs;
    };
    asked.answer.then(settle, settle);
    last = asked;
    return asked.answer;
  };
}

const metrics: Handler = async (request, response) => {
  if (request.url !== '/metrics') return false;
  response.writeHead(200, { 'content-type': register.contentType }).end(await register.metrics());
  return true;
};
