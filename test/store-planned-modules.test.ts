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

type Modules = { readonly moduleDirs: readonly string[]; readonly missedModules?: readonly string[] };

async function plan(dir: string, number: number, { moduleDirs, missedModules = [] }: Modules): Promise<void> {
  await store.runs.savePlan({ ...somePlan({ dir, number }), moduleDirs, missedModules }, someBytes('x'));
}

const place = (dir: string, uncertain: boolean) => ({ dir, workspace: 'default', uncertain });

test('the newest plan of each project counts, of whichever pull request, where it says something', async () => {
  const [prod, dev] = [place('prod', true), place('dev', true)];
  expect(await store.plannedModules(repository.id, [prod])).toEqual([]);
  await plan('prod', 1, { moduleDirs: ['a'], missedModules: ['a'] });
  await plan('dev', 1, { moduleDirs: ['a', 'b'] });
  await plan('prod', 2, { moduleDirs: ['c'] });
  await plan('odd', 1, { moduleDirs: ['"missedModules":["'] });
  await plan('missed', 1, { moduleDirs: ['a', 'b'], missedModules: ['b'] });
  expect(await store.plannedModules(repository.id, [prod, dev, place('none', true)])).toEqual([
    { dir: 'prod', workspace: 'default', moduleDirs: ['c'], missedModules: [] },
    { dir: 'dev', workspace: 'default', moduleDirs: ['a', 'b'], missedModules: [] },
  ]);
  const certain = ['prod', 'dev', 'odd', 'missed'].map((dir) => place(dir, false));
  expect(await store.plannedModules(repository.id, certain)).toEqual([
    { dir: 'missed', workspace: 'default', moduleDirs: ['a', 'b'], missedModules: ['b'] },
  ]);
  expect(await store.plannedModules(parseRepositoryId(repository.id + 1), [prod])).toEqual([]);
  expect(await store.plannedModules(repository.id, [{ ...prod, workspace: 'blue' }])).toEqual([]);
});
