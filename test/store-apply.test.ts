// S6: does the fence let each plan be applied at most once, whoever asks how often?
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operatorErrorType } from '../activities/faults.ts';
import type { StoredPlan } from '../activities/run-store.ts';
import type { BeginAnswer, ProjectKey } from '../activities/store/apply.ts';
import { maxPlanAgeDays } from '../activities/store/apply.ts';
import type { Store } from '../activities/store/store.ts';
import { openStore } from '../activities/store/store.ts';
import { createKeyring } from '../app/keyring.ts';
import type { ApplyOutcome } from '../workflows/model/apply.ts';
import type { RunId } from '../workflows/model/identifiers.ts';
import type { TestDatabase } from './postgres.ts';
import { createTestDatabase, inDatabase } from './postgres.ts';
import { repository, someAsked, someBytes, someDigest, someGrant, somePlan, someRun } from './stored-plan.ts';

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

let projects = 0;
/** A project that no other test uses, with plans of it. */
function createProject() {
  projects += 1;
  const dir = `project-${projects}`;
  return {
    key: { repositoryId: repository.id, dir, workspace: 'default' },
    async plan(digest = someDigest('d'), number = 7): Promise<StoredPlan> {
      const stored = somePlan({ dir, digest, number });
      await store.runs.savePlan(stored, someBytes('x'));
      return stored;
    },
  };
}

const begin = (stored: StoredPlan, fence: number, runId = someRun(), life = 'a-life'): Promise<BeginAnswer> =>
  store.applies.begin({
    runId,
    repositoryId: repository.id,
    fence,
    baseCommit: stored.source.base,
    grant: someGrant(stored),
    asked: someAsked(life),
  });

const applied = (runId: RunId): ApplyOutcome => ({
  kind: 'applied',
  runId,
  finishedAt: '2026-01-01T00:00:00Z',
});
const failed = (runId: RunId): ApplyOutcome => ({
  kind: 'failed',
  runId,
  finishedAt: '2026-01-01T00:00:00Z',
  diagnostics: [{ severity: 'error', summary: 's', detail: 'd', address: 'terraform_data.a' }],
  diagnosticCount: 1,
  done: 1,
  total: 2,
  stateKept: false,
});
const unknown = (runId: RunId): ApplyOutcome => ({ kind: 'unknown', runId, reason: 'lost' });

async function beginAndRecord(
  stored: StoredPlan,
  fence: number,
  outcome: (runId: RunId) => ApplyOutcome,
): Promise<RunId> {
  const runId = someRun();
  expect(await begin(stored, fence, runId)).toBe('begun');
  expect(await store.applies.record(runId, outcome(runId))).toBe('recorded');
  return runId;
}

test('a run whose answer got lost asks again and gets the same one', async () => {
  const stored = await createProject().plan();
  const run = someRun();
  expect(await begin(stored, 1, run)).toBe('begun');
  expect(await begin(stored, 1, run)).toBe('begun-before');
  expect(await store.applies.find(run)).toEqual({
    runId: run,
    planId: stored.plan.id,
    fence: 1,
    state: 'begun',
    outcome: null,
  });
});

describe('a life of the workflow that was reset or begun anew (S6)', () => {
  const nothing = (runId: RunId): ApplyOutcome => ({ ...failed(runId), done: 0 }) as ApplyOutcome;
  const gone = { kind: 'unknown', reason: 'the workflow that had begun it is gone' };

  test('begins nothing that an earlier one has begun, and does not say that nothing was applied', async () => {
    const project = createProject();
    const stored = await project.plan();
    const run = someRun();
    expect(await begin(stored, 1, run, 'first')).toBe('begun');
    await expect(begin(stored, 1, run, 'second')).rejects.toMatchObject({ type: operatorErrorType });
    const unfinished = { runId: run, number: 7, grant: someGrant(stored), asked: someAsked('first') };
    expect(await store.applies.findUnfinished(project.key)).toEqual({ ...unfinished, lost: null });
    expect(await store.applies.recordUnbegun(run, 'second', nothing(run))).toMatchObject(gone);
    expect(await store.applies.find(run)).toMatchObject({ state: 'unknown' });
    expect(await store.applies.findUnfinished(project.key)).toMatchObject({
      ...unfinished,
      lost: { outcome: gone },
    });
    expect(await store.applies.recordUnbegun(run, null, nothing(run))).toMatchObject(gone);
  });

  test('says of what itself had begun that nothing was applied', async () => {
    const stored = await createProject().plan();
    const run = someRun();
    expect(await begin(stored, 1, run, 'first')).toBe('begun');
    expect(await store.applies.recordUnbegun(run, 'first', nothing(run))).toEqual(nothing(run));
    expect(await store.applies.find(run)).toMatchObject({ state: 'failed' });
  });

  test('hears what the record says of a run that is over, or was never begun', async () => {
    const stored = await createProject().plan();
    const run = await beginAndRecord(stored, 1, applied);
    expect(await store.applies.recordUnbegun(run, 'second', nothing(run))).toEqual(applied(run));
    const other = someRun();
    expect(await store.applies.recordUnbegun(other, 'second', nothing(other))).toEqual(nothing(other));
    expect(await store.applies.find(other)).toBeNull();
  });
});

test('of many runs that ask at once for one plan, one begins', async () => {
  const stored = await createProject().plan();
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => begin(stored, index + 1)));
  expect(answers.filter((answer) => answer === 'begun')).toHaveLength(1);
  expect(answers.filter((answer) => answer === 'already-applied')).toHaveLength(19);
});

test('of many plans of one project that ask at once, one begins', async () => {
  const project = createProject();
  const plans = await Promise.all([...'0123456789'].map((digit) => project.plan(someDigest(digit))));
  const answers = await Promise.all(plans.map((stored, index) => begin(stored, index + 1)));
  expect(answers.filter((answer) => answer === 'begun')).toHaveLength(1);
  expect(answers.filter((answer) => answer === 'unfinished')).toHaveLength(9);
});

test('no row of its own lets one digest be applied twice, whoever writes it (S6)', async () => {
  const project = createProject();
  const [first, second] = [await project.plan(), await project.plan()];
  await beginAndRecord(first, 1, applied);
  const again = inDatabase(
    database.url,
    (sql) => sql`insert into apply
        (run_id, plan_id, repository_id, number, project, dir, workspace, digest, fence, grant_facts)
      values (${someRun()}, ${second.plan.id}, ${repository.id}, 7, 'p', ${project.key.dir}, 'default',
        ${second.plan.digest}, 2, '{}')`,
  );
  await expect(again).rejects.toMatchObject({ code: '23505', constraint_name: 'apply_once_per_digest' });
});

test('projects do not wait for each other', async () => {
  const [one, two] = [await createProject().plan(), await createProject().plan()];
  expect(await Promise.all([begin(one, 1), begin(two, 1)])).toEqual(['begun', 'begun']);
});

describe('after an apply has ended', () => {
  test('an applied plan is never applied again', async () => {
    const stored = await createProject().plan();
    await beginAndRecord(stored, 1, applied);
    expect(await begin(stored, 2)).toBe('already-applied');
  });

  test('a plan of the same digest that was made before is the same work', async () => {
    const project = createProject();
    const [first, second] = [await project.plan(), await project.plan()];
    await beginAndRecord(first, 1, applied);
    expect(await begin(second, 2)).toBe('already-applied');
  });

  test('a plan of the same digest that was made afterwards is new work', async () => {
    const project = createProject();
    await beginAndRecord(await project.plan(), 1, applied);
    expect(await begin(await project.plan(), 2)).toBe('begun');
  });

  test.each([
    ['failed', failed],
    ['unknown', unknown],
  ])('a plan whose apply is %s needs a new plan, which may have the same digest', async (_name, outcome) => {
    const project = createProject();
    const stored = await project.plan();
    await beginAndRecord(stored, 1, outcome);
    await store.applies.abandon(project.key, 'somebody has looked');
    expect(await begin(stored, 2)).toBe('plan-used');
    expect(await begin(await project.plan(), 2)).toBe('begun');
  });

  test('of which nobody knows what it has done, nothing begins until somebody has decided (S5)', async () => {
    const project = createProject();
    const stored = await project.plan();
    const mark = { who: 'runner@one', since: '2026-01-01T00:00:00.000Z' };
    const lost = (runId: RunId): ApplyOutcome => ({ ...unknown(runId), mark, ended: true }) as ApplyOutcome;
    const run = await beginAndRecord(stored, 1, lost);
    expect(await begin(await project.plan(someDigest('2'), 8), 2)).toBe('unfinished');
    // Also by somebody who never heard of it.
    expect(await store.applies.findUnfinished(project.key)).toMatchObject({
      runId: run,
      lost: { outcome: lost(run) },
    });
    expect(await store.applies.abandon(project.key, 'somebody has looked')).toBe(run);
    expect(await store.applies.find(run)).toMatchObject({ outcome: unknown(run) });
    expect(await store.applies.findUnfinished(project.key)).toBeNull();
    expect(await begin(await project.plan(someDigest('2'), 8), 2)).toBe('begun');
  });

  test('is over once its runner has kept its log or its state, before anybody knows that it is lost or after (S5)', async () => {
    const [early, late] = await Promise.all([createProject().plan(), createProject().plan()]);
    const run = someRun();
    expect(await begin(early, 1, run)).toBe('begun');
    expect(await store.applies.isOver(run)).toBe(false);
    await store.runs.saveLog(run, Buffer.from('all that Terraform wrote'));
    expect(await store.applies.isOver(run)).toBe(true);
    const lost = await beginAndRecord(late, 1, unknown);
    expect(await store.applies.isOver(lost)).toBe(false);
    await store.runs.saveErroredState(lost, Buffer.from('{}'));
    expect(await store.applies.isOver(lost)).toBe(true);
  });

  test('what is settled keeps nothing out', async () => {
    const project = createProject();
    const run = await beginAndRecord(await project.plan(), 1, unknown);
    expect(await store.applies.record(run, applied(run))).toBe('recorded');
    expect(await store.applies.findUnfinished(project.key)).toBeNull();
    expect(await begin(await project.plan(someDigest('2'), 8), 2)).toBe('begun');
  });

  test.each([
    ['applied', applied],
    ['unknown', unknown],
    ['half applied', failed],
  ])('a plan that was made before another was %s does not know of that (S1)', async (_name, outcome) => {
    const project = createProject();
    const before = await project.plan(someDigest('1'), 7);
    const elsewhere = await project.plan(someDigest('2'), 8);
    await beginAndRecord(await project.plan(someDigest('3'), 7), 1, outcome);
    await store.applies.abandon(project.key, 'somebody has looked');
    expect(await begin(before, 2)).toBe('changed-since');
    expect(await begin(elsewhere, 2)).toBe('applied-elsewhere');
    expect(await begin(await project.plan(someDigest('2'), 8), 2)).toBe('begun');
  });

  test('one that changed nothing leaves other plans as good as they were', async () => {
    const project = createProject();
    const before = await project.plan(someDigest('1'));
    const nothing = (runId: RunId): ApplyOutcome => ({ ...failed(runId), done: 0 }) as ApplyOutcome;
    await beginAndRecord(await project.plan(someDigest('2')), 1, nothing);
    expect(await store.applies.lastChange(project.key)).toBeNull();
    expect(await begin(before, 2)).toBe('begun');
  });

  test('it is known who changed the project last, and on which commit', async () => {
    const project = createProject();
    const stored = await project.plan();
    await beginAndRecord(stored, 1, applied);
    const change = { number: 7, baseCommit: stored.source.base };
    expect(await store.applies.lastChange(project.key)).toEqual({ ...change, state: 'applied' });
    await beginAndRecord(await project.plan(), 2, failed);
    expect(await store.applies.lastChange(project.key)).toEqual({ ...change, state: 'failed' });
  });

  test('a plan that is weeks old is made again first (S1)', async () => {
    const [old, young] = [await createProject().plan(), await createProject().plan()];
    const age = (stored: StoredPlan, days: number) =>
      inDatabase(
        database.url,
        (sql) =>
          sql`update plan set created_at = now() - make_interval(days => ${days}) where id = ${stored.plan.id}`,
      );
    await Promise.all([age(old, maxPlanAgeDays + 1), age(young, maxPlanAgeDays - 1)]);
    expect(await begin(old, 1)).toBe('too-old');
    expect(await begin(young, 1)).toBe('begun');
  });

  test('a holder that was replaced comes too late', async () => {
    const project = createProject();
    await beginAndRecord(await project.plan(someDigest('1')), 5, applied);
    expect(await begin(await project.plan(someDigest('2')), 5)).toBe('newer-fence');
    expect(await begin(await project.plan(someDigest('2')), 4)).toBe('newer-fence');
    expect(await begin(await project.plan(someDigest('2')), 6)).toBe('begun');
  });

  test('its run is over', async () => {
    const stored = await createProject().plan();
    const run = await beginAndRecord(stored, 1, applied);
    await expect(begin(stored, 1, run)).rejects.toMatchObject({ type: operatorErrorType });
  });
});

describe('a grant that does not fit the store is refused', () => {
  test.each<[string, (stored: StoredPlan) => StoredPlan]>([
    ['another digest', (stored) => ({ ...stored, plan: { ...stored.plan, digest: someDigest('0') } })],
    ['another pull request', (stored) => ({ ...stored, number: 8 })],
    ['a plan that was never saved', () => somePlan()],
  ])('%s', async (_name, change) => {
    const stored = await createProject().plan();
    await expect(begin(change(stored), 1)).rejects.toMatchObject({
      type: operatorErrorType,
      message: expect.stringContaining('as it was granted'),
    });
  });

  test('a run that began with another plan', async () => {
    const project = createProject();
    const run = someRun();
    await begin(await project.plan(), 1, run);
    await expect(begin(await project.plan(), 1, run)).rejects.toMatchObject({ type: operatorErrorType });
  });
});

describe('recording', () => {
  test.each([
    ['applied', applied],
    ['failed', failed],
    ['unknown', unknown],
    [
      'refused',
      (): ApplyOutcome => ({ kind: 'refused', refusal: { kind: 'already-applied', project: 'p' } }),
    ],
  ])('%s comes back, and repeating it changes nothing', async (_name, outcome) => {
    const run = await beginAndRecord(await createProject().plan(), 1, outcome);
    expect(await store.applies.record(run, outcome(run))).toBe('recorded');
    expect(await store.applies.find(run)).toMatchObject({ state: outcome(run).kind, outcome: outcome(run) });
  });

  test('what is known stays; what is unknown may become known', async () => {
    const known = await beginAndRecord(await createProject().plan(), 1, failed);
    expect(await store.applies.record(known, applied(known))).toBe('kept');
    expect(await store.applies.record(known, unknown(known))).toBe('kept');
    expect(await store.applies.find(known)).toMatchObject({ state: 'failed' });
    const lost = await beginAndRecord(await createProject().plan(), 1, unknown);
    expect(await store.applies.record(lost, applied(lost))).toBe('recorded');
    expect(await store.applies.find(lost)).toMatchObject({ state: 'applied' });
  });

  test('a run that never began has no record', async () => {
    const run = someRun();
    expect(await store.applies.record(run, applied(run))).toBe('never-begun');
    expect(await store.applies.find(run)).toBeNull();
  });
});

test('an apply that will never report is given up by a person, and the project goes on', async () => {
  const project = createProject();
  const run = someRun();
  expect(await store.applies.abandon(project.key, 'nothing to give up')).toBeNull();
  await begin(await project.plan(), 1, run);
  expect(await begin(await project.plan(someDigest('2')), 2)).toBe('unfinished');
  expect(await store.applies.abandon(project.key, 'unlocked by ada')).toBe(run);
  expect(await store.applies.find(run)).toMatchObject({
    state: 'unknown',
    outcome: { kind: 'unknown', runId: run, reason: 'unlocked by ada' },
  });
  expect(await begin(await project.plan(someDigest('2')), 2)).toBe('begun');
});

describe('what was applied and then closed without a merge', () => {
  const numbers = async (key: ProjectKey) =>
    (await store.leftBehinds.find(repository.id, [key])).flatMap((each) => each.numbers);
  const become = (number: number, state: string) =>
    inDatabase(
      database.url,
      (sql) => sql`insert into pull_request (repository_id, number, repository, document, read_at)
        values (${repository.id}, ${number}, '{}', json_build_object('state', ${state}::text), now())
        on conflict (repository_id, number) do update set document = excluded.document`,
    );

  test('marks its project until a merged one is applied', async () => {
    const project = createProject();
    await beginAndRecord(await project.plan(someDigest('1'), 101), 1, applied);
    await become(101, 'open');
    expect(await numbers(project.key)).toEqual([]);
    await become(101, 'closed');
    expect(await numbers(project.key)).toEqual([101]);
    await beginAndRecord(await project.plan(someDigest('2'), 102), 2, failed);
    await become(102, 'closed');
    expect(await numbers(project.key)).toEqual([101, 102]);
    await beginAndRecord(await project.plan(someDigest('3'), 103), 3, applied);
    await become(103, 'open');
    expect(await numbers(project.key)).toEqual([101, 102]);
    await become(103, 'merged');
    expect(await numbers(project.key)).toEqual([]);
    expect(await store.leftBehinds.find(repository.id, [])).toEqual([]);
  });

  test('marks its project until what was merged shows no difference', async () => {
    const project = createProject();
    await beginAndRecord(await project.plan(someDigest('1'), 111), 1, applied);
    await become(111, 'closed');
    const stored = somePlan({ dir: project.key.dir, digest: someDigest('2'), number: 112 });
    const same = { ...stored, plan: { ...stored.plan, hasChanges: false } };
    await store.runs.savePlan(same, someBytes('x'));
    await become(112, 'open');
    expect(await numbers(project.key)).toEqual([111]);
    await become(112, 'merged');
    expect(await numbers(project.key)).toEqual([]);
  });
});
