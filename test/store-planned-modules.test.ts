// Does the store tell which modules the newest plan of each project was made from?
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Store } from '../activities/store/store.ts';
import { openStore } from '../activities/store/store.ts';
import { createKeyring } from '../app/keyring.ts';
import { parseRepositoryId } from '../workflows/model/identifiers.ts';
import type { TestDatabase } from './postgres.ts';
import { createTestDatabase } from './postgres.ts';
import { repository, someBytes, somePlan } from './stored-plan.ts';

const keyring = createKeyring([{ id: 'k1', bytes: randomBytes(32) }]);
let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await createTestDatabase();
  store = await openStore({ url: database.url, keyring, log: { debug: () => {} } });
});
afterAll(async () => {
  await store?.close();
});

async function plan(dir: string, number: number, moduleDirs: readonly string[]): Promise<void> {
  await store.runs.savePlan({ ...somePlan({ dir, number }), moduleDirs }, someBytes('x'));
}

test('the newest plan of each project counts, of whichever pull request', async () => {
  expect(await store.plannedModules(repository.id)).toEqual([]);
  await plan('prod', 1, ['a']);
  await plan('dev', 1, ['a', 'b']);
  await plan('prod', 2, ['c']);
  const found = await store.plannedModules(repository.id);
  expect(found.toSorted((left, right) => left.dir.localeCompare(right.dir))).toEqual([
    { dir: 'dev', workspace: 'default', moduleDirs: ['a', 'b'] },
    { dir: 'prod', workspace: 'default', moduleDirs: ['c'] },
  ]);
  expect(await store.plannedModules(parseRepositoryId(repository.id + 1))).toEqual([]);
});
