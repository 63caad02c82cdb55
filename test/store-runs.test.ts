// Do plans, logs and states come back as they were, unreadable for anybody else?
import { randomBytes, randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operatorErrorType } from '../activities/faults.ts';
import type { Store } from '../activities/store/store.ts';
import { openStore } from '../activities/store/store.ts';
import { createKeyring } from '../app/keyring.ts';
import { parsePlanId } from '../workflows/model/identifiers.ts';
import type { TestDatabase } from './postgres.ts';
import { createTestDatabase, inDatabase } from './postgres.ts';
import { someBytes, someDigest, somePlan, someRun } from './stored-plan.ts';

const keyring = createKeyring([{ id: 'k1', bytes: randomBytes(32) }]);
const otherKeyring = createKeyring([{ id: 'k2', bytes: randomBytes(32) }]);
const word = `planted-${randomBytes(8).toString('hex')}`;
const silent = { debug: () => {} };

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await createTestDatabase();
  store = await openStore({ url: database.url, keyring, log: silent });
});
afterAll(async () => {
  await store?.close();
});

const asAdmin = <Result>(run: (sql: Sql) => Promise<Result>): Promise<Result> =>
  inDatabase(database.url, run);
const refused = (message: string) => ({ type: operatorErrorType, message: expect.stringContaining(message) });

test('a plan and all its bytes come back', async () => {
  const stored = somePlan();
  const bytes = someBytes(word);
  await store.runs.savePlan(stored, bytes);
  const { id } = stored.plan;
  expect(await store.runs.readPlan(id)).toEqual(stored);
  expect(await store.runs.readPlanFile(id)).toEqual({ planFile: bytes.planFile, lockFile: bytes.lockFile });
  expect(await store.runs.readPlanJson(id)).toEqual(bytes.planJson);
  expect(await store.runs.readPlanChanges(id)).toEqual(bytes.changes);
  expect(await store.artifacts.read({ id, kind: 'log' })).toEqual(bytes.log);
});

test('a plan without a lock file has none', async () => {
  const stored = { ...somePlan(), state: null };
  await store.runs.savePlan(stored, { ...someBytes(word), lockFile: null });
  expect(await store.runs.readPlanFile(stored.plan.id)).toMatchObject({ lockFile: null });
});

test('saving a plan again changes nothing, and another plan under its id is refused', async () => {
  const stored = somePlan();
  await store.runs.savePlan(stored, someBytes('first'));
  await store.runs.savePlan(stored, someBytes('second'));
  expect((await store.runs.readPlanJson(stored.plan.id)).toString()).toContain('first');
  const other = { ...stored, plan: { ...stored.plan, digest: someDigest('9') } };
  await expect(store.runs.savePlan(other, someBytes('third'))).rejects.toMatchObject(
    refused('another content'),
  );
  expect(await store.runs.readPlan(stored.plan.id)).toEqual(stored);
});

test('a plan is saved whole or not at all', async () => {
  const stored = somePlan();
  const unsavable = { ...stored, number: 2 ** 40 };
  await expect(store.runs.savePlan(unsavable, someBytes(word))).rejects.toThrow('out of range');
  expect(await store.artifacts.find({ id: stored.plan.id, kind: 'plan-file' })).toBeNull();
});

test('the last log of a run counts, and a state that could not be written is kept', async () => {
  const run = someRun();
  await store.runs.saveLog(run, Buffer.from('first'));
  await store.runs.saveLog(run, Buffer.from('second'));
  expect((await store.runs.readLog(run)).toString()).toBe('second');
  await store.runs.saveErroredState(run, Buffer.from('state'));
  await store.runs.saveErroredState(run, Buffer.from('another'));
  expect((await store.artifacts.read({ id: run, kind: 'errored-state' })).toString()).toBe('state');
});

test('large bytes come back too', async () => {
  const run = someRun();
  const large = randomBytes(8 * 1024 * 1024);
  await store.runs.saveLog(run, large);
  expect((await store.runs.readLog(run)).equals(large)).toBe(true);
});

test('nothing of the bytes is readable in the database', async () => {
  await store.runs.savePlan(somePlan(), someBytes(word));
  const rows = await asAdmin((sql) => sql`select * from artifact`);
  expect(rows.length).toBeGreaterThan(4);
  const tables = await asAdmin((sql) => sql`select document::text as text from plan`);
  const everything = [
    ...rows.map((row) => Buffer.concat([row.sealed, Buffer.from(row.sha256)])),
    ...tables.map((row) => row.text),
  ];
  expect(everything.filter((bytes) => bytes.includes(word))).toEqual([]);
});

describe('what cannot be trusted is refused', () => {
  test('never saved', async () => {
    const id = parsePlanId(randomUUID());
    await expect(store.runs.readPlan(id)).rejects.toMatchObject(refused('is not in the store'));
    await expect(store.runs.readPlanJson(id)).rejects.toMatchObject(
      refused(`the plan-json of ${id} is not in the store`),
    );
  });

  test('expired, then deleted', async () => {
    const run = someRun();
    await store.runs.saveLog(run, Buffer.from('old'));
    const kept = someRun();
    await store.runs.saveLog(kept, Buffer.from('new'));
    await asAdmin((sql) => sql`update artifact set expires_at = now() where id = ${run}`);
    await expect(store.runs.readLog(run)).rejects.toMatchObject(refused('has expired after 90 days'));
    expect(await store.artifacts.deleteExpired()).toBe(1);
    await expect(store.runs.readLog(run)).rejects.toMatchObject(refused('is not in the store'));
    expect((await store.runs.readLog(kept)).toString()).toBe('new');
  });

  test('moved to another plan', async () => {
    const [approved, evil] = [somePlan(), somePlan()];
    await store.runs.savePlan(approved, someBytes('approved'));
    await store.runs.savePlan(evil, someBytes('evil'));
    await asAdmin(
      (sql) => sql`update artifact a set sealed = b.sealed, sha256 = b.sha256, size = b.size from artifact b
        where a.id = ${approved.plan.id} and b.id = ${evil.plan.id} and a.kind = b.kind`,
    );
    await expect(store.runs.readPlanFile(approved.plan.id)).rejects.toMatchObject(
      refused('cannot be opened'),
    );
  });

  test('another checksum', async () => {
    const run = someRun();
    await store.runs.saveLog(run, Buffer.from('log'));
    await asAdmin((sql) => sql`update artifact set sha256 = ${'0'.repeat(64)} where id = ${run}`);
    await expect(store.runs.readLog(run)).rejects.toMatchObject(refused('its checksum differs'));
  });

  test('sealed with a key that is not there', async () => {
    const run = someRun();
    await store.runs.saveLog(run, Buffer.from('log'));
    const other = await openStore({ url: database.url, keyring: otherKeyring, log: silent });
    try {
      await expect(other.runs.readLog(run)).rejects.toMatchObject(
        refused('the encryption key "k1" is missing'),
      );
    } finally {
      await other.close();
    }
  });
});
