// Where can a test keep a Terraform state that refuses to be read or written?
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type HttpStateServer = {
  /** The backend's configuration. */
  readonly backend: string;
  readonly state: () => string | null;
  readonly lock: () => string | null;
  /** How many applies ever asked for the lock: plans take none. */
  readonly applies: () => number;
  /** From now on every write of the state is answered by 500. */
  readonly refuseWrites: () => void;
  /** What somebody puts back by hand. */
  readonly putBack: (text: string) => void;
  /** From now on reading the state takes for ever; resolves when somebody has begun to. */
  readonly holdReads: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Speaks the protocol of Terraform's `http` backend. Source: developer.hashicorp.com/terraform/language/backend/http. */
export async function startHttpStateServer(): Promise<HttpStateServer> {
  let state: string | null = null;
  let lock: string | null = null;
  let applies = 0;
  let refused = false;
  let onRead: (() => void) | null = null;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const answer = (status: number, content = '') => response.writeHead(status).end(content);
    if (request.method === 'LOCK') {
      if (body.includes('"OperationTypeApply"')) applies += 1;
      if (lock !== null) return answer(423, lock);
      lock = body;
      return answer(200);
    }
    if (request.method === 'UNLOCK') {
      lock = null;
      return answer(200);
    }
    if (request.method === 'POST') {
      if (refused) return answer(500);
      state = body;
      return answer(200);
    }
    if (onRead !== null) return onRead();
    return state === null ? answer(204) : answer(200, state);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/state`;
  return {
    backend: [
      'terraform {',
      '  backend "http" {',
      `    address        = "${address}"`,
      `    lock_address   = "${address}"`,
      `    unlock_address = "${address}"`,
      '    retry_max      = 0',
      '  }',
      '}',
      '',
    ].join('\n'),
    state: () => state,
    lock: () => lock,
    applies: () => applies,
    refuseWrites: () => {
      refused = true;
    },
    putBack: (text) => {
      state = text;
    },
    holdReads: () =>
      new Promise((resolve) => {
        onRead = resolve;
      }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
