// Are decisions, events and what was shown remembered once, in order, and never rewritten?
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Store } from '../activities/store/store.ts';
import { openStore } from '../activities/store/store.ts';
import { createKeyring } from '../app/keyring.ts';
import type { Approval } from '../workflows/model/approval.ts';
import { parseSha, parseSourceDigest } from '../workflows/model/identifiers.ts';
import type { Override } from '../workflows/model/override.ts';
import type { PullRequest } from '../workflows/model/pull-request.ts';
import type { Verdict } from '../workflows/model/verdict.ts';
import type { TestDatabase } from './postgres.ts';
import { createTestDatabase, inDatabase } from './postgres.ts';
import { repository, someBytes, someDigest, somePlan } from './stored-plan.ts';

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  const keyring = createKeyring([{ id: 'k1', bytes: randomBytes(32) }]);
  database = await createTestDatabase();
  store = await openStore({ url: database.url, keyring, log: { debug: () => {} } });
});
afterAll(async () => {
  await store?.close();
});

const place = { repositoryId: repository.id, number: 7 };

test('verdicts are those of the last judgement; never judged is not the same as nothing to say', async () => {
  const stored = somePlan();
  await store.runs.savePlan(stored, someBytes('x'));
  const verdict: Verdict = {
    policy: 'destroy',
    level: 'mandatory',
    denials: [{ message: 'no', address: 'terraform_data.a' }],
    warnings: [{ message: 'hm' }],
    approvals: [{ count: 1, by: ['@acme/ops'], message: 'ask', author: false, source: 'destroy' }],
    error: null,
  };
  expect(await store.verdicts.read(stored.plan.id)).toBeNull();
  await store.verdicts.save(stored.plan.id, { bundleDigest: '1', verdicts: [verdict] });
  expect(await store.verdicts.read(stored.plan.id)).toEqual({ bundleDigest: '1', verdicts: [verdict] });
  await store.verdicts.save(stored.plan.id, { bundleDigest: '2', verdicts: [] });
  expect(await store.verdicts.read(stored.plan.id)).toEqual({ bundleDigest: '2', verdicts: [] });
});

const words = {
  early: '2026-01-01T09:00:00Z',
  middle: '2026-01-01T10:00:00Z',
  late: '2026-01-01T11:00:00Z',
};
const said = (change: Partial<Approval>): Approval => ({
  actor: { login: 'Ada', permission: 'write', teams: [] },
  project: 'words',
  digest: someDigest('6'),
  sourceDigest: parseSourceDigest('e'.repeat(64)),
  via: 'comment',
  at: words.middle,
  ...change,
});

test.each<[string, Partial<Approval>, 'yes' | 'no']>([
  ['a later comment', { at: words.late }, 'yes'],
  ['a later review', { via: 'review', at: words.late }, 'yes'],
  ['an earlier comment', { at: words.early }, 'no'],
  ['a comment in the same second', {}, 'no'],
  ['a click that was heard later', { via: 'button', at: words.late, notBefore: words.early }, 'no'],
  ['a click on a plan made later', { via: 'button', at: words.late, notBefore: words.late }, 'yes'],
  ['a click of an earlier version', { via: 'button', at: words.late }, 'no'],
])('a no of the same person and %s, whichever arrives first', async (name, change, holds) => {
  for (const order of ['yes', 'no'] as const) {
    const project = `${name} ${order}`;
    const { via: _, ...no } = said({ project });
    const give = {
      yes: () => store.approvals.saveApproval(place, said({ project, ...change })),
      no: () => store.approvals.saveRejection(place, { ...no, via: 'comment' }),
    };
    await give[order]();
    await give[order === 'yes' ? 'no' : 'yes']();
    const { approvals, rejections } = await store.approvals.read(place, project, no.digest);
    expect([approvals.length, rejections.length], order).toEqual(holds === 'yes' ? [1, 0] : [0, 1]);
  }
});

test('what was overridden and then taken back counts for nothing, and a later override counts again', async () => {
  const override: Override = {
    actor: { login: 'Ada', permission: 'admin', teams: [] },
    project: 'lifted',
    digest: someDigest('7'),
    bundle: 'b',
    policies: ['protect'],
    reason: 'old',
    at: words.early,
  };
  const again = { ...override, at: words.late };
  const read = () => store.overrides.read(place, 'lifted', override.digest);
  await store.overrides.save(place, override);
  expect(await read()).toEqual([override]);
  await store.overrides.withdraw(place, override, words.middle);
  await store.overrides.withdraw(place, override, words.middle);
  expect(await read()).toEqual([]);
  await store.overrides.save(place, override);
  expect(await read()).toEqual([]);
  await store.overrides.save(place, again);
  expect(await read()).toEqual([again]);
});

test('a person’s last word counts, in whatever order the words arrive', async () => {
  const digest = someDigest('1');
  const word = (login: string, at: string): Approval => ({
    actor: { login, permission: 'write', teams: ['@acme/ops'] },
    project: 'network',
    digest,
    sourceDigest: parseSourceDigest('e'.repeat(64)),
    via: 'comment',
    at,
  });
  const ada = word('Ada', '2026-01-01T10:00:00Z');
  const bob = word('bob', '2026-01-01T09:00:00Z');
  const adaLater = { ...word('ada', '2026-01-01T11:00:00Z'), via: 'button' as const };
  await store.approvals.saveApproval(place, ada);
  await store.approvals.saveApproval(place, bob);
  expect(await store.approvals.read(place, 'network', digest)).toEqual({
    approvals: [bob, ada],
    rejections: [],
  });
  await store.approvals.saveRejection(place, adaLater);
  await store.approvals.saveApproval(place, ada);
  expect(await store.approvals.read(place, 'network', digest)).toEqual({
    approvals: [bob],
    rejections: [adaLater],
  });
  expect(await store.approvals.read(place, 'network', someDigest('2'))).toEqual({
    approvals: [],
    rejections: [],
  });
  expect(await store.approvals.read({ ...place, number: 8 }, 'network', digest)).toEqual({
    approvals: [],
    rejections: [],
  });
});

test('an event is recorded once, and nobody can change or delete it', async () => {
  const event = {
    repository,
    number: 12,
    actor: 'ada',
    action: 'approve',
    target: 'network',
    digest: someDigest('1'),
    allowed: true,
    reason: 'has write',
  };
  await store.events.append('one', event);
  await store.events.append('one', event);
  await store.events.append('two', { ...event, digest: null, allowed: false, actor: 'eve' });
  const recorded = await store.events.list({ repositoryId: repository.id, number: 12 });
  expect(
    recorded.map(({ actor, allowed, digest, repository: name }) => ({ actor, allowed, digest, name })),
  ).toEqual([
    { actor: 'ada', allowed: true, digest: someDigest('1'), name: 'acme/infra' },
    { actor: 'eve', allowed: false, digest: null, name: 'acme/infra' },
  ]);
  for (const statement of [
    "update event set actor = 'x'",
    'delete from event',
    'truncate event',
    'truncate lock_event',
  ]) {
    await expect(inDatabase(database.url, (sql) => sql.unsafe(statement))).rejects.toThrow('append-only');
  }
});

test('the history of a lock is kept per project', async () => {
  const project = { repositoryId: repository.id, dir: 'network', workspace: 'default' };
  const taken = { kind: 'taken', number: 7, fence: 3, reason: 'apply' } as const;
  const released = { kind: 'released', number: 7, fence: 3, reason: 'closed' } as const;
  await store.lockEvents.append('a', project, taken);
  await store.lockEvents.append('b', project, released);
  await store.lockEvents.append('b', project, released);
  await store.lockEvents.append('c', { ...project, workspace: 'other' }, taken);
  expect(await store.lockEvents.list(project)).toEqual([
    { ...taken, at: expect.any(String) },
    { ...released, at: expect.any(String) },
  ]);
});

test('deliveries are logged once, and the missing ones are found', async () => {
  const [arrived, lost] = [randomUUID(), randomUUID()];
  const { id: repositoryId } = repository;
  const about = { repositoryId, number: 1, subject: 'comment/1' };
  const delivery = { guid: arrived, event: 'command', action: null, ...about };
  await store.deliveries.save(delivery);
  await store.deliveries.save(delivery);
  expect(await store.deliveries.missing([lost, arrived])).toEqual([lost]);
  expect(await store.deliveries.missing([])).toEqual([]);
  expect(await store.deliveries.unheard(repositoryId, ['comment/1', 'comment/2'])).toEqual(['comment/2']);
  expect(await store.deliveries.unheard(repositoryId, [])).toEqual([]);
});

test('an older answer of GitHub’s does not replace a newer one', async () => {
  const pullRequest: PullRequest = {
    nodeId: 'PR_1',
    number: 7,
    title: 'Zero \u0000 title',
    author: 'ada',
    state: 'open',
    draft: false,
    fork: false,
    head: parseSha('a'.repeat(40)),
    base: 'main',
    baseSha: parseSha('b'.repeat(40)),
    mergeCommit: null,
    mergedBy: null,
    mergedAt: null,
    labels: ['infra'],
  };
  const newer = { repository, pullRequest, standing: null, readAt: '2026-01-01T10:00:00.000Z' };
  expect(await store.pullRequests.find(place)).toBeNull();
  await store.pullRequests.save(newer);
  await store.pullRequests.save({
    ...newer,
    pullRequest: { ...pullRequest, title: 'old' },
    readAt: '2026-01-01T09:00:00.000Z',
  });
  expect(await store.pullRequests.find(place)).toEqual(newer);
});

test('what was shown is remembered per pull request and surface', async () => {
  const ref = { repository, number: 7 };
  const check = {
    key: 'check:abc:hatchet/plan',
    nodeId: 'CR_1',
    hash: '1',
    annotationsHash: '',
    open: true,
    at: null,
  };
  const comment = {
    key: 'comment',
    nodeId: 'IC_1',
    hash: '2',
    annotationsHash: '',
    open: false,
    at: '2026-11-21T22:04:00Z',
  };
  expect(await store.shown.read(ref)).toEqual([]);
  await store.shown.save(ref, [check, comment]);
  await store.shown.save(ref, [{ ...check, hash: '3', open: false }]);
  await store.shown.save(ref, []);
  expect(await store.shown.read(ref)).toEqual([{ ...check, hash: '3', open: false }, comment]);
  expect(await store.shown.read({ repository, number: 8 })).toEqual([]);
  await store.shown.forget(ref, ['comment', 'no such key']);
  await store.shown.forget(ref, []);
  expect((await store.shown.read(ref)).map(({ key }) => key)).toEqual([check.key]);
});
