// How does a test hear everything that is said to a server?
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export type ListeningProxy = {
  /** The address of the server behind it, at another port. */
  readonly url: string;
  /** All bytes that were sent to the server so far, one character each. */
  readonly heard: () => string;
  readonly close: () => Promise<void>;
};

/** A door on loopback to the http server at `target`. */
export async function startListeningProxy(target: string): Promise<ListeningProxy> {
  const { hostname, port } = new URL(target);
  const chunks: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((inward) => {
    const outward = connect(Number(port), hostname);
    for (const socket of [inward, outward]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    }
    inward.on('data', (chunk) => chunks.push(chunk));
    inward.pipe(outward).pipe(inward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard: () => Buffer.concat(chunks).toString('latin1'),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
