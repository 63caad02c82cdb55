// Until when does a no keep an apply from being carried out, whoever is quicker?
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoredPlan } from '../activities/run-store.ts';
import { isPlanTaken } from '../activities/run-store.ts';
import type { Store } from '../activities/store/store.ts';
import { openStore } from '../activities/store/store.ts';
import { createKeyring } from '../app/keyring.ts';
import type { ApplyGrant } from '../workflows/model/apply.ts';
import type { Approval } from '../workflows/model/approval.ts';
import type { RunId } from '../workflows/model/identifiers.ts';
import { createTestDatabase } from './postgres.ts';
import { repository, someAsked, someBytes, someGrant, somePlan, someRun } from './stored-plan.ts';

let store: Store;
beforeAll(async () => {
  const keyring = createKeyring([{ id: 'k1', bytes: randomBytes(32) }]);
  const { url } = await createTestDatabase();
  store = await openStore({ url, keyring, log: { debug: () => {} } });
});
afterAll(async () => {
  await store?.close();
});

const rule = { count: 1, by: [], author: false, message: '', source: 'hatchet.yaml' };
const place = { repositoryId: repository.id, number: 7 };

function wordOf(login: string, { plan }: StoredPlan, at: string) {
  const actor = { login, permission: 'write' as const, teams: [] };
  const { digest, sourceDigest } = plan;
  return { actor, project: plan.project.name, digest, sourceDigest, via: 'comment' as const, at };
}

/** An apply that has begun because these people said yes. */
async function begin(people: readonly string[]) {
  const stored = somePlan({ dir: `claimed-${randomUUID()}` });
  await store.runs.savePlan(stored, someBytes('x'));
  const approvals: Approval[] = people.map((login) => wordOf(login, stored, '2026-01-01T00:00:00Z'));
  for (const yes of approvals) await store.approvals.saveApproval(place, yes);
  const rules: ApplyGrant['rules'] = people.length === 0 ? [] : [rule];
  const grant = someGrant(stored, { approvals, rules });
  const runId = someRun();
  const { source } = stored;
  const facts = { runId, repositoryId: repository.id, fence: 1, baseCommit: source.base, asked: someAsked() };
  expect(await store.applies.begin({ ...facts, grant })).toBe('begun');
  return { stored, runId, approvals };
}

const take = (runId: RunId, { plan }: StoredPlan, taker: string = randomUUID()) =>
  store.runs.takePlanFile({ planId: plan.id, runId, taker });
const reject = (stored: StoredPlan) =>
  store.approvals.saveRejection(place, wordOf('lee', stored, '2026-01-02T00:00:00Z'));
const rejected = { kind: 'rejected', by: 'lee' };

describe('an apply that has begun (S17)', () => {
  test('is called back while nobody has taken it, for good', async () => {
    const { stored, runId } = await begin([]);
    expect(await store.claims.callBack(runId)).toBe('holds');
    await reject(stored);
    expect(await store.claims.callBack(runId)).toBe('called back');
    expect(await store.claims.callBack(runId)).toBe('called back');
    expect(await take(runId, stored)).toMatchObject(rejected);
    expect(await store.applies.find(runId)).toMatchObject({
      state: 'refused',
      outcome: { refusal: rejected },
    });
  });

  test('is refused to whoever comes to take it when the no was recorded before it began', async () => {
    const { stored, runId } = await begin([]);
    await reject(stored);
    expect(await take(runId, stored)).toMatchObject(rejected);
    expect(await take(runId, stored)).toMatchObject(rejected);
    expect(await store.claims.callBack(runId)).toBe('called back');
  });

  test('is not called back from whoever has taken it, who gets it again when the answer was lost', async () => {
    const { stored, runId } = await begin([]);
    const taker = randomUUID();
    expect(await store.claims.isTaken(runId)).toBe(false);
    expect(isPlanTaken(await take(runId, stored, taker))).toBe(true);
    expect(await store.claims.isTaken(runId)).toBe(true);
    await reject(stored);
    expect(await store.claims.callBack(runId)).toBe('taken');
    expect(isPlanTaken(await take(runId, stored, taker))).toBe(true);
    expect(await take(runId, stored)).toBeNull();
    expect(await store.applies.find(runId)).toMatchObject({ state: 'begun' });
  });

  test('is called back when a yes is taken back that it needs, and is not when enough others say yes', async () => {
    const [one, two] = [await begin(['ada']), await begin(['ada', 'ben'])];
    for (const { approvals } of [one, two])
      for (const yes of approvals.slice(0, 1)) await store.approvals.withdraw(place, yes);
    expect(await take(one.runId, one.stored)).toMatchObject({ kind: 'approvals-missing' });
    expect(await store.claims.callBack(two.runId)).toBe('holds');
    expect(isPlanTaken(await take(two.runId, two.stored))).toBe(true);
  });

  test('that never began has nothing to be called back', async () => {
    expect(await store.claims.callBack(someRun())).toBe('not begun');
  });

  test('is taken or called back, never both, whoever comes when', async () => {
    const ends = await Promise.all(
      Array.from({ length: 40 }, async (_, turn) => {
        const { stored, runId } = await begin([]);
        const saying = async () => {
          await reject(stored);
          return store.claims.callBack(runId);
        };
        const [said, files] = await (turn % 2 === 0
          ? Promise.all([saying(), take(runId, stored)])
          : Promise.all([take(runId, stored), saying()]).then(([taken, heard]) => [heard, taken] as const));
        return { said, isTaken: isPlanTaken(files), state: (await store.applies.find(runId))?.state };
      }),
    );
    for (const end of ends)
      expect(end).toEqual(
        end.isTaken
          ? { said: 'taken', isTaken: true, state: 'begun' }
          : { said: 'called back', isTaken: false, state: 'refused' },
      );
  });
});

test('nobody says of what a runner has taken that nothing was applied (S5)', async () => {
  const { stored, runId } = await begin([]);
  await take(runId, stored);
  const stopped = { kind: 'refused', refusal: { kind: 'withdrawn', project: 'x' } } as const;
  expect(await store.applies.recordUnbegun(runId, 'a-life', stopped)).toMatchObject({
    kind: 'unknown',
    reason: 'a runner had taken it, and has not said what came of it',
  });
});
