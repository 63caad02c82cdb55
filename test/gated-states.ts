// How does a test keep Terraform in the middle of a plan? It serves the state, and answers when it likes.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type GatedStates = {
  /** A `terraform` block whose state is kept here under this name. */
  readonly backend: (name: string) => string;
  /** From now on nobody gets to read this state. */
  readonly hold: (name: string) => void;
  /** How many wait for it now. */
  readonly waiting: (name: string) => number;
  /** Everybody who waits gets it, and so does everybody later. */
  readonly release: (name: string) => void;
  readonly close: () => Promise<void>;
};

/** Speaks the protocol of Terraform's `http` backend. Source: developer.hashicorp.com/terraform/language/backend/http. */
export async function startGatedStates(): Promise<GatedStates> {
  const states = new Map<string, string>();
  const gates = new Map<string, Set<ServerResponse>>();
  const give = (name: string, response: ServerResponse): void => {
    const state = states.get(name);
    response.writeHead(state === undefined ? 204 : 200).end(state);
  };
  const server = createServer(async (request, response) => {
    const name = (request.url ?? '').slice(1);
    if (request.method === 'POST') {
      states.set(name, await text(request));
      return response.end();
    }
    const gate = gates.get(name);
    if (gate === undefined) return give(name, response);
    gate.add(response);
    response.once('close', () => gate.delete(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    backend: (name) => `terraform {\n  backend "http" {\n    address = "${root}/${name}"\n  }\n}\n`,
    hold: (name) => gates.set(name, gates.get(name) ?? new Set()),
    waiting: (name) => gates.get(name)?.size ?? 0,
    release: (name) => {
      const waiting = gates.get(name) ?? new Set();
      gates.delete(name);
      for (const response of waiting) give(name, response);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
