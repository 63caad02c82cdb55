// Which TCP port is free on the loopback address right now?
import { createServer } from 'node:net';

export const loopback = '127.0.0.1';

/** Another process may take it before it is used; whoever uses it must find that out. */
export async function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer().once('error', reject);
  server.listen(0, loopback, () => {
    const address = server.address();
    server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject()));
  });
  return promise;
}
