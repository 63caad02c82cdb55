// Does a database that goes away cost errors only, never the process or a record?
import { randomBytes } from 'node:crypto';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Store } from '../activities/store/store.ts';
import { openStore } from '../activities/store/store.ts';
import { createKeyring } from '../app/keyring.ts';
import type { TestDatabase } from './postgres.ts';
import { createTestDatabase, inDatabase } from './postgres.ts';
import { repository, someAsked, someBytes, someGrant, somePlan, someRun } from './stored-plan.ts';

let database: TestDatabase;
let line: Line;
let store: Store;
beforeAll(async () => {
  const keyring = createKeyring([{ id: 'k1', bytes: randomBytes(32) }]);
  database = await createTestDatabase();
  line = await createLine(database.url);
  store = await openStore({ url: line.url, keyring, log: { debug: () => {} } });
});
afterAll(async () => {
  await store?.close();
  await line?.cut();
});

type Line = { readonly url: string; cut(): Promise<void>; mend(): Promise<void> };

/** A TCP connection to the database that can be cut and mended. */
async function createLine(url: string): Promise<Line> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const open = (port: number): Promise<Server> => {
    const server = createServer((near) => {
      const far = connect(Number(target.port), target.hostname);
      for (const socket of [near, far]) {
        sockets.add(socket);
        socket
          .on('error', () => {})
          .on('close', () => {
            sockets.delete(socket);
            near.destroy();
            far.destroy();
          });
      }
      near.pipe(far).pipe(near);
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', () => resolve(server));
    });
  };
  let server = await open(0);
  const { port } = server.address() as AddressInfo;
  const through = new URL(url);
  through.port = String(port);
  return {
    url: through.href,
    async cut() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async mend() {
      server = await open(port);
    },
  };
}

/** More than there are connections. */
const jobs = 25;
let finished = 0;

/** Work of every kind, many at once. What was rejected, with which reason. */
async function work(): Promise<readonly unknown[]> {
  const results = await Promise.allSettled(Array.from({ length: jobs }, (_, index) => applyOnce(index)));
  return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
}

async function applyOnce(index: number): Promise<void> {
  const stored = somePlan({ dir: `dir-${index}` });
  const runId = someRun();
  await store.runs.savePlan(stored, someBytes('x'));
  await store.applies.begin({
    runId,
    repositoryId: repository.id,
    fence: Date.now(),
    baseCommit: stored.source.base,
    grant: someGrant(stored),
    asked: someAsked(),
  });
  await store.applies.record(runId, { kind: 'unknown', runId, reason: 'test' });
  finished += 1;
}

/** The reasons of the first work that was disturbed. */
async function workUntilDisturbed(): Promise<readonly unknown[]> {
  for (;;) {
    const rejected = await work();
    if (rejected.length > 0) return rejected;
  }
}

async function untilSomeIsFinished(): Promise<void> {
  const before = finished;
  await expect.poll(() => finished, { interval: 5, timeout: 10_000 }).toBeGreaterThan(before);
}

const ours = "application_name = 'hatchet' and datname = current_database()";
const terminateBackends = () =>
  inDatabase(database.url, (sql) =>
    sql.unsafe(`select pg_terminate_backend(pid) from pg_stat_activity where ${ours}`),
  );
// vitest fails a run that has an uncaught exception or rejection: that none comes up is half of each test.
test('a line that is cut in the middle of much work rejects, and mended goes on', async () => {
  const disturbed = workUntilDisturbed();
  await untilSomeIsFinished();
  await line.cut();
  const rejected = await disturbed;
  expect(rejected.every((reason) => reason instanceof Error)).toBe(true);
  await expect(store.ping()).rejects.toThrow(/ECONNREFUSED|CONNECTION/);
  await line.mend();
  await expect.poll(isThere, { timeout: 10_000 }).toBe(true);
  expect(await work()).toEqual([]);
});

test('backends that are terminated under way reject, and soon every call is served again', async () => {
  let over = false;
  const disturbed = workUntilDisturbed().finally(() => {
    over = true;
  });
  while (!over) await terminateBackends();
  expect((await disturbed).every((reason) => reason instanceof Error)).toBe(true);
  await expect.poll(work, { timeout: 10_000 }).toEqual([]);
});

function isThere(): Promise<boolean> {
  return store.ping().then(
    () => true,
    () => false,
  );
}

test('a database that cannot be reached at the start is an error, not a crash', async () => {
  await line.cut();
  const keyring = createKeyring([{ id: 'k1', bytes: randomBytes(32) }]);
  await expect(openStore({ url: line.url, keyring, log: { debug: () => {} } })).rejects.toThrow(
    /ECONNREFUSED/,
  );
  await line.mend();
});
