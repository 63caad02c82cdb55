// Where do tests look at the pages of runs? Behind the product's own HTTP server, on a database of their own.
import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { createRunPages } from '../activities/pages/run-pages.ts';
import type { ShownRun } from '../activities/store/run.ts';
import type { Store } from '../activities/store/store.ts';
import { openStore } from '../activities/store/store.ts';
import { freePort, loopback } from '../app/embedded/free-port.ts';
import { startHttpServer } from '../app/http-server.ts';
import { createKeyring } from '../app/keyring.ts';
import { createStreams } from '../app/pages/event-stream.ts';
import { createRunLinks } from '../app/pages/run-links.ts';
import { createRunRoute } from '../app/pages/run-route.ts';
import type { RunId } from '../workflows/model/identifiers.ts';
import { createTestDatabase } from './postgres.ts';
import { repository } from './stored-plan.ts';

export type RunSite = {
  readonly url: string;
  readonly store: Store;
  /** What the pages believe to be now, in milliseconds. */
  readonly clock: { now: number };
  /** Shows runs of pull request 7, as a picture does, and resolves with their addresses. */
  readonly show: (...runs: ShownRun[]) => Promise<ReadonlyMap<RunId, string>>;
  readonly close: () => Promise<void>;
};

export const lifetimeMs = 3_600_000;

export async function openRunSite(): Promise<RunSite> {
  const log = pino({ level: 'silent' });
  const database = await createTestDatabase();
  const keyring = createKeyring([{ id: 'test', bytes: randomBytes(32) }]);
  const store = await openStore({ url: database.url, keyring, log });
  const clock = { now: Date.now() };
  const port = await freePort();
  const url = `http://${loopback}:${port}`;
  const links = createRunLinks({ keyring, url, lifetimeMs, now: () => clock.now });
  const streams = createStreams();
  const server = await startHttpServer({
    host: loopback,
    port,
    webhooks: null,
    runs: createRunRoute({ pages: createRunPages(store, links.address), links, streams, log }),
    readiness: [],
    log,
  });
  return {
    url,
    store,
    clock,
    show: async (...runs) => {
      const since = await store.shownRuns.note({ repository, number: 7 }, runs);
      return new Map([...since].map(([id, at]) => [id, links.address(id, at)]));
    },
    close: async () => {
      streams.close();
      await server.stop();
      await store.close();
    },
  };
}
