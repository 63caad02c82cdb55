// How does a test take a server away from the app, and give it back?
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export type CuttableProxy = {
  /** `host:port`, the same for its whole life. */
  readonly address: string;
  /** Ends every connection and refuses new ones, as a server that went down does. */
  readonly cut: () => Promise<void>;
  readonly restore: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** A door on loopback to `target` (`host:port`). */
export async function startProxy(target: string): Promise<CuttableProxy> {
  const [host = '', port] = target.split(':');
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const server = createServer((inward) => {
    const outward = keep(connect(Number(port), host));
    keep(inward).pipe(outward).pipe(inward);
    inward.once('close', () => outward.destroy());
    outward.once('close', () => inward.destroy());
  });
  const listen = (at: number): Promise<void> =>
    new Promise((resolve, reject) => server.once('error', reject).listen(at, '127.0.0.1', resolve));
  await listen(0);
  const own = (server.address() as AddressInfo).port;
  const cut = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { address: `127.0.0.1:${own}`, cut, restore: () => listen(own), close: cut };
}
