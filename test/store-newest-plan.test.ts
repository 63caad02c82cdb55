// What does the store know of the plan that a pull request shows?
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkKey } from '../activities/github/shared-head.ts';
import { readGroupRecord } from '../activities/read-group-record.ts';
import type { Store } from '../activities/store/store.ts';
import { openStore } from '../activities/store/store.ts';
import { createKeyring } from '../app/keyring.ts';
import type { Approval } from '../workflows/model/approval.ts';
import { projectCheckName } from '../workflows/model/check.ts';
import type { Sha } from '../workflows/model/identifiers.ts';
import { parseRepositoryId, parseSha, parseSourceDigest } from '../workflows/model/identifiers.ts';
import type { PullRequest } from '../workflows/model/pull-request.ts';
import type { Review, Standing } from '../workflows/model/standing.ts';
import type { TestDatabase } from './postgres.ts';
import { createTestDatabase } from './postgres.ts';
import { repository, someAsked, someBytes, someDigest, someGrant, somePlan, someRun } from './stored-plan.ts';

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

const repositoryId = repository.id;
const plan = (number: number, digest: string): Promise<void> =>
  store.runs.savePlan(somePlan({ dir: 'prod', number, digest: someDigest(digest) }), someBytes('x'));
const failedPlan = (number: number, project: string) =>
  store.shown.save({ repository, number }, [
    {
      ...{ key: checkKey(sha, projectCheckName(project)), nodeId: 'CR_1', hash: '', annotationsHash: '' },
      ...{ open: false, at: null },
    },
  ]);
const comment = (number: number, hash: string): Promise<void> =>
  store.shown.save({ repository, number }, [
    { key: 'comment', nodeId: 'IC_1', hash, annotationsHash: '', open: false, at: null },
  ]);
const newest = (number: number) => store.newestPlans.find({ repositoryId, number, project: 'prod' });

const sha = parseSha('a'.repeat(40));
const open = (number: number, change: Partial<PullRequest> = {}, of = repository) => {
  const facts = { nodeId: 'PR', title: '', author: 'mona', draft: false, fork: false, labels: [] };
  const rest = { head: sha, baseSha: sha, mergeCommit: null, mergedBy: null, mergedAt: null };
  const pullRequest: PullRequest = { ...facts, ...rest, number, state: 'open', base: 'main', ...change };
  return store.pullRequests.save({
    repository: of,
    pullRequest,
    standing: null,
    readAt: new Date().toISOString(),
  });
};

test('a plan is shown when the comment was written after it', async () => {
  expect(await newest(1)).toBeNull();
  await plan(1, 'a');
  expect(await newest(1)).toEqual({ digest: someDigest('a'), shown: false });
  await comment(1, 'first');
  expect(await newest(1)).toEqual({ digest: someDigest('a'), shown: true });
  await plan(1, 'b');
  expect(await newest(1)).toEqual({ digest: someDigest('b'), shown: false });
});

test('the same plan made again is as visible as it was, and nobody else’s comment shows it', async () => {
  await plan(2, 'a');
  await comment(2, 'first');
  await plan(2, 'a');
  expect(await newest(2)).toEqual({ digest: someDigest('a'), shown: true });
  await plan(3, 'a');
  expect(await newest(3)).toEqual({ digest: someDigest('a'), shown: false });
});

test('a head was planned when one of its projects was', async () => {
  const stored = somePlan({ number: 4 });
  await store.runs.savePlan(stored, someBytes('x'));
  const at = (head: string) =>
    store.newestPlans.wasPlanned({ repositoryId, number: 4, head: parseSha(head) });
  expect(await at(stored.plan.head)).toBe(true);
  expect(await at('9'.repeat(40))).toBe(false);
});

test('open pull requests are found by their base, with those of the named projects that they planned, or tried to', async () => {
  await open(12, { base: 'release' });
  await open(11);
  await open(10, { state: 'merged' });
  await open(9);
  await plan(11, 'a');
  await failedPlan(9, 'dns');
  expect(await store.pullRequests.listOpen(repositoryId, ['prod', 'dns'])).toEqual([
    { number: 9, base: 'main', planned: ['dns'] },
    { number: 11, base: 'main', planned: ['prod'] },
    { number: 12, base: 'release', planned: [] },
  ]);
  const based = await store.pullRequests.listBasedOn(repositoryId, 'main');
  expect(based.map(({ number }) => number)).toEqual([9, 11]);
});

test('whoever pushed a head is remembered once, whatever name its commits carry (S10)', async () => {
  const head = parseSha('e'.repeat(40));
  expect(await store.pushes.by(repositoryId, head)).toEqual([]);
  for (const login of ['mallory', 'mallory', 'bob']) await store.pushes.save({ repositoryId, head, login });
  await store.pushes.save({ repositoryId, head: parseSha('f'.repeat(40)), login: 'ann' });
  expect(await store.pushes.by(repositoryId, head)).toEqual(['bob', 'mallory']);
});

test('a merge group is told of words with the rights of today, and of none that a review took back (S10)', async () => {
  const head = parseSha('e'.repeat(40));
  const digest = someDigest('a');
  await store.runs.savePlan(somePlan({ dir: 'prod', number: 21, digest }), someBytes('x'));
  const yes = (login: string): Approval => ({
    actor: { login, permission: 'write', teams: ['@acme/ops'] },
    project: 'prod',
    digest,
    sourceDigest: parseSourceDigest('b'.repeat(64)),
    via: 'comment',
    at: '2026-11-21T22:04:00Z',
  });
  for (const login of ['ann', 'ben', 'lee'])
    await store.approvals.saveApproval({ repositoryId, number: 21 }, yes(login));
  const review = (login: string, state: Review['state'], commit: Sha | null): Review => ({
    ...{ login, state, commit, submittedAt: '2026-11-21T22:05:00Z', mayWrite: true },
  });
  const approving = review('ann', 'approved', head);
  const standing: Standing = {
    ...{ head, decision: null, pushers: ['bob'], authorMayWrite: true, mergeability: null },
    readAt: '2026-11-21T22:06:00Z',
    reviews: [approving, review('kim', 'approved', null), review('lee', 'changes-requested', head)],
  };
  const gitHub = {
    readStanding: async () => standing,
    readActor: async ({ login, teams }: { readonly login: string; readonly teams: readonly string[] }) => ({
      ...{ login, permission: login === 'ann' ? ('write' as const) : ('read' as const) },
      teams: login === 'ann' ? teams : [],
    }),
  };
  const members = [{ number: 21, author: 'mona' }];
  const found = await readGroupRecord(
    { store, ...gitHub },
    { repository, members, projects: ['prod', 'dns'] },
  );
  expect(found).toMatchObject([
    {
      pushers: ['bob'],
      approvals: [
        { actor: { login: 'ann', permission: 'write', teams: ['@acme/ops'] } },
        { actor: { login: 'ben', permission: 'read', teams: [] } },
      ],
      standing: { head, decision: null, reviews: [approving] },
    },
  ]);
});

test("the newest plan tells a project's state: of each open pull request, of what was merged, of what was closed", async () => {
  const other = { ...repository, id: parseRepositoryId(9_000_000_077) };
  const save = async (number: number, dir: string, lineage: string | null) => {
    const state = lineage === null ? null : { lineage, serial: 1 };
    const stored = { ...somePlan({ dir, number }), repository: other, state };
    await store.runs.savePlan(stored, someBytes('x'));
    return stored;
  };
  const known = (number: number, state: PullRequest['state']) =>
    open(number, { state, mergeCommit: state === 'merged' ? sha : null }, other);
  await Promise.all([known(0, 'merged'), known(1, 'merged'), known(2, 'closed')]);
  await Promise.all([known(3, 'open'), known(4, 'open')]);
  const odd = 'a "state":{"lineage":"no"} \\ b';
  for (const [number, lineage] of [
    [0, 'older'],
    [1, 'merged'],
    [2, 'closed'],
    [3, 'third'],
    [3, odd],
    [4, null],
  ] as const)
    await save(number, 'network', lineage);
  const applied = await save(3, 'dns', 'second');
  await store.applies.begin({
    ...{ runId: someRun(), repositoryId: other.id, fence: 1, baseCommit: sha },
    ...{ grant: someGrant(applied), asked: someAsked() },
  });
  const found = await store.stateUses.find(other.id);
  expect(
    found.map(({ name, number, lineage, appliedUnmerged }) => [name, number, lineage, appliedUnmerged]),
  ).toEqual([
    ['dns', 3, 'second', true],
    ['network', 2, 'closed', false],
    ['network', 1, 'merged', false],
    ['network', 3, odd, false],
    ['network', 4, null, false],
  ]);
});
