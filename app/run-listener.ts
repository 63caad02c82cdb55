// Where do runners on machines of their own reach control?
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { ListenAddress } from './config/roles.ts';
import type { Handler } from './webhooks.ts';

/** A plan of hundreds of megabytes over a slow line. */
const requestTimeoutMs = 10 * 60_000;
const headersTimeoutMs = 10_000;
/** Of what runners send while we stop: what is cut off they send again. */
const stopGraceMs = 10_000;

export type RunListener = { readonly url: string; readonly stop: () => Promise<void> };

/** A door of its own: whoever reaches webhooks and pages need not reach it. */
export async function startRunListener(
  { host, port }: ListenAddress,
  service: Handler,
  log: Logger,
): Promise<RunListener> {
  const server = createServer({ requestTimeout: requestTimeoutMs, headersTimeout: headersTimeoutMs });
  server.on('request', (request, response) => {
    const answered = service(request, response).then((known) => {
      if (!known) response.writeHead(404).end();
    });
    answered.catch((error: unknown) => {
      log.error({ err: error, path: request.url }, 'a runner could not be answered');
      if (!response.headersSent) response.writeHead(500, { connection: 'close' });
      response.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
  log.info({ url }, 'listening for runners');
  return { url, stop: () => stop(server) };
}

function stop(server: ReturnType<typeof createServer>): Promise<void> {
  return new Promise((resolve) => {
    const grace = setTimeout(() => server.closeAllConnections(), stopGraceMs);
    server.close(() => {
      clearTimeout(grace);
      resolve();
    });
    server.closeIdleConnections();
  });
}
