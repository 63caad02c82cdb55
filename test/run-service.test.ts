// Can a run read and keep what is its own by way of control, and nothing of anybody else's?
import { randomBytes, randomUUID } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRunServiceClient } from '../activities/run-service/client.ts';
import { createPasses } from '../activities/run-service/pass.ts';
import { createProofs } from '../activities/run-service/proof.ts';
import { createBodyTaker } from '../activities/run-service/read-bytes.ts';
import { createRunService } from '../activities/run-service/serve.ts';
import { planForm } from '../activities/run-service/wire.ts';
import type { StoredPlan } from '../activities/run-store.ts';
import { checkout } from '../activities/source/checkout.ts';
import { createMirrors, type Mirrors } from '../activities/source/mirror.ts';
import { openStore, type Store } from '../activities/store/store.ts';
import type { RunAccess } from '../activities/terraform/settings.ts';
import { createKeyring } from '../app/keyring.ts';
import { createLog } from '../app/log.ts';
import { type RunListener, startRunListener } from '../app/run-listener.ts';
import { openDoor } from '../fixtures/drills/door.ts';
import type { RunId, Sha } from '../workflows/model/identifiers.ts';
import { parsePlanId, parseRepositoryId, parseSha } from '../workflows/model/identifiers.ts';
import type { Project } from '../workflows/model/project.ts';
import type { RunAdmission, RunPass } from '../workflows/port/run.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import { type Remote, remoteToken, startRemote } from './source-remote.ts';
import { repository, someAsked, someBytes, someDigest, someGrant, somePlan, someRun } from './stored-plan.ts';

const minuteMs = 60_000;
const taker = randomUUID();
const passes = createPasses({ keys: [randomBytes(32)], now: Date.now });
const poolKeys = new Map(['prod', 'dev'].map((pool) => [pool, [randomBytes(32)] as const]));
const proofs = createProofs((pool) => poolKeys.get(pool) ?? null);
const lines: string[] = [];
const log = createLog({
  level: 'trace',
  secrets: [],
  destination: new Writable({
    write: (chunk: Buffer, _, done) => {
      lines.push(chunk.toString());
      done();
    },
  }),
});
let directory: string;
let database: TestDatabase;
let store: Store;
let remote: Remote;
let mirrors: Mirrors;
let listener: RunListener;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hatchet-run-service-'));
  [database, remote] = await Promise.all([createTestDatabase(), startRemote()]);
  const keyring = createKeyring([{ id: 'k1', bytes: randomBytes(32) }]);
  store = await openStore({ url: database.url, keyring, log });
  mirrors = createMirrors({ directory: join(directory, 'mirrors') });
  const { runs, applies, liveLogs } = store;
  const service = createRunService({
    passes,
    proofs,
    store: runs,
    applies,
    liveLogs,
    log,
    packTree: async (id, tree, signal) => {
      const mirror = await mirrors.open(id);
      return (await mirror.objects.has(tree)) ? mirror.pack(tree, signal) : null;
    },
  });
  listener = await startRunListener({ host: '127.0.0.1', port: 0 }, service, log);
});
afterAll(async () => {
  await listener.stop();
  await Promise.all([mirrors.close(), store.close(), remote.close()]);
  rmSync(directory, { recursive: true });
});

/** A plan that a run of its own made. */
function planOf(run: RunId, changes: Parameters<typeof somePlan>[0] = {}): StoredPlan {
  const stored = somePlan(changes);
  return { ...stored, plan: { ...stored.plan, runId: run } };
}

function admissionOf(stored: StoredPlan): RunAdmission {
  const { plan, number, source } = stored;
  const operation = { kind: 'plan', number, project: plan.project, tree: source.tree } as const;
  return { repositoryId: repository.id, pool: 'prod', runId: plan.runId, lifetimeMs: minuteMs, operation };
}

const applyOf = (runId: RunId, { plan }: StoredPlan): RunAdmission => ({
  repositoryId: repository.id,
  pool: 'prod',
  runId,
  lifetimeMs: minuteMs,
  operation: { kind: 'apply', planId: plan.id },
});

/** A runner has keys of its own pool, whatever the pass is for. */
const proveAs =
  (pool: string) =>
  ({ token }: RunPass): string =>
    proofs.make(pool, token);

function accessOf(admission: RunAdmission, url = listener.url, pool = 'prod'): RunAccess {
  const scratch = join(directory, 'trees');
  const client = createRunServiceClient({ url, scratch, prove: proveAs(pool), environment: {} });
  const pass = { token: passes.issue(admission), pool: admission.pool, followed: true };
  return client.accessFor(pass, new AbortController().signal);
}

function headersOf(admission: RunAdmission): Readonly<Record<string, string>> {
  const token = passes.issue(admission);
  return { authorization: `Bearer ${token}`, 'hatchet-proof': proofs.make(admission.pool, token) };
}

/** In the store, and as an apply that has begun. */
async function begun(dir: string): Promise<{ readonly stored: StoredPlan; readonly run: RunId }> {
  const stored = planOf(someRun(), { dir, digest: someDigest('1') });
  await store.runs.savePlan(stored, someBytes(dir));
  const run = someRun();
  const request = {
    runId: run,
    repositoryId: repository.id,
    fence: 1,
    baseCommit: stored.source.base,
    grant: someGrant(stored),
    asked: someAsked(),
  };
  expect(await store.applies.begin(request)).toBe('begun');
  return { stored, run };
}

const refusal = (problem: string) => ({ type: 'OperatorError', message: expect.stringContaining(problem) });

describe('passes', () => {
  const admission = admissionOf(planOf(someRun()));
  const good = passes.issue(admission);

  test('says what was signed, for as long as the run may take and a little longer', () => {
    let now = 1_000;
    const [newer, older] = [randomBytes(32), randomBytes(32)];
    const issued = createPasses({ keys: [older], now: () => now }).issue(admission);
    const rotated = createPasses({ keys: [newer, older], now: () => now });
    const { lifetimeMs: _, ...run } = admission;
    expect(rotated.check(issued)).toEqual({ ...run, expires: 1_000 + 11 * minuteMs, late: false });
    now += 11 * minuteMs;
    expect(rotated.check(issued)).toBe('expired');
    expect(createPasses({ keys: [newer], now: () => now }).check(issued)).toBe('wrong');
  });

  test('nothing of it can be changed', () => {
    const [body = '', signature = ''] = good.split('.');
    const claims = Buffer.from(body, 'base64url').toString();
    const other = Buffer.from(claims.replace(admission.runId, someRun())).toString('base64url');
    const forged = [
      `${other}.${signature}`,
      `${body}.`,
      `.${signature}`,
      body,
      '',
      `${good}x`,
      `${good}.${signature}`,
    ];
    for (const token of forged) expect(passes.check(token), token).toBe('wrong');
    expect(passes.check('a'.repeat(1_000_000))).toBe('wrong');
  });

  test('without a good one the door stays shut', async () => {
    for (const authorization of ['', 'Bearer ', 'Bearer a.b', `Basic ${good}`, `Bearer ${good}x`]) {
      const response = await fetch(`${listener.url}/runner/tree`, { headers: { authorization } });
      expect(response.status, authorization).toBe(401);
      expect(await response.json()).toEqual({ problem: 'the pass is wrong' });
    }
    expect((await fetch(`${listener.url}/runs/${admission.runId}`)).status).toBe(404);
  });
});

test('a pass opens nothing for whoever has no key of its pool (S8)', async () => {
  const { stored, run } = await begun('pooled');
  for (const admission of [applyOf(run, stored), admissionOf(stored)]) {
    const { store: dev, liveLog } = accessOf(admission, listener.url, 'dev');
    for (const read of [
      () => dev.readPlan(stored.plan.id),
      () => dev.takePlanFile({ planId: stored.plan.id, runId: run, taker }),
      () => dev.readPlanJson(stored.plan.id),
    ])
      await expect(read()).rejects.toMatchObject(refusal('another pool'));
    // Refused unread, so that the connection may be closed while it is still being sent.
    await expect(dev.savePlan(stored, someBytes('forged'))).rejects.toThrow();
    await expect(dev.saveLog(run, Buffer.from('forged'))).rejects.toThrow();
    await expect(dev.saveErroredState(run, Buffer.from('{}'))).rejects.toThrow();
    await expect(liveLog?.append(run, 0, 'forged')).rejects.toThrow();
    const authorization = `Bearer ${passes.issue(admission)}`;
    const bare = await fetch(`${listener.url}/runner/tree`, { headers: { authorization } });
    expect(bare.status).toBe(401);
  }
  for (const id of [run, stored.plan.runId]) {
    expect(await store.artifacts.find({ id, kind: 'log' })).toBeNull();
    expect(await store.artifacts.find({ id, kind: 'errored-state' })).toBeNull();
    expect(await store.liveLogs.read(id, -1)).toEqual([]);
  }
});

describe('plans', () => {
  test('what a plan keeps is in the store as it would be from there, however often it is sent', async () => {
    const stored = planOf(someRun(), { dir: 'kept' });
    const bytes = { ...someBytes('kept'), planFile: randomBytes(1_000_000), lockFile: null };
    const access = accessOf(admissionOf(stored));
    await access.store.savePlan(stored, bytes);
    await access.store.savePlan(stored, bytes);
    expect(await store.runs.readPlan(stored.plan.id)).toEqual(stored);
    expect(await store.runs.readPlanFile(stored.plan.id)).toEqual({
      planFile: bytes.planFile,
      lockFile: null,
    });
    expect(await store.runs.readPlanJson(stored.plan.id)).toEqual(bytes.planJson);
    expect(await store.runs.readPlanChanges(stored.plan.id)).toEqual(bytes.changes);
  });

  const mine = planOf(someRun(), { dir: 'mine' });
  const renamed = (stored: StoredPlan, change: Partial<Project>): StoredPlan => ({
    ...stored,
    plan: { ...stored.plan, id: parsePlanId(randomUUID()), project: { ...stored.plan.project, ...change } },
  });
  test.each<[string, StoredPlan]>([
    ['of another run', planOf(someRun(), { dir: 'mine' })],
    ['of another project', planOf(mine.plan.runId, { dir: 'theirs' })],
    ['of the same place by another name', renamed(mine, { name: 'weaker-rules' })],
    ['of another engine', renamed(mine, { engine: 'tofu' })],
    ['of another pull request', planOf(mine.plan.runId, { dir: 'mine', number: 8 })],
    ['of another repository', { ...mine, repository: { ...repository, id: parseRepositoryId(5) } }],
    ['of other files', { ...mine, source: { ...mine.source, tree: parseSha('9'.repeat(40)) } }],
  ])('a plan %s is refused', async (_, other) => {
    const { store: remoteStore } = accessOf(admissionOf(mine));
    await expect(remoteStore.savePlan(other, someBytes('other'))).rejects.toMatchObject(
      refusal('not what the pass is for'),
    );
    await expect(store.runs.readPlan(other.plan.id)).rejects.toMatchObject({ type: 'OperatorError' });
  });

  test('a plan opens no plan that is in the store, and keeps no state', async () => {
    const { stored } = await begun('seen');
    const { store: remoteStore } = accessOf(admissionOf(stored));
    const { id, runId } = stored.plan;
    for (const read of [
      () => remoteStore.readPlan(id),
      () => remoteStore.takePlanFile({ planId: id, runId, taker }),
      () => remoteStore.readPlanJson(id),
    ])
      await expect(read()).rejects.toMatchObject(refusal('not what the pass is for'));
    const state = remoteStore.saveErroredState(stored.plan.runId, Buffer.from('{}'));
    await expect(state).rejects.toMatchObject(refusal('not what the pass is for'));
  });

  test('what is no plan is refused, whatever it is', async () => {
    const stored = planOf(someRun());
    const headers = headersOf(admissionOf(stored));
    const withoutFile = planForm(stored, someBytes('x'));
    withoutFile.delete('planFile');
    const strange = planForm(stored, someBytes('x'));
    strange.set('stored', '{"plan":{}}');
    for (const body of [withoutFile, strange, 'text', '']) {
      const put = { method: 'PUT', body, headers };
      const response = await fetch(`${listener.url}/runner/plan`, put);
      expect(response.status).toBe(422);
    }
  });
});

describe('applies', () => {
  test('an apply reads its own plan while it is under way, and no other', async () => {
    const [mine, theirs] = await Promise.all([begun('applied'), begun('untouched')]);
    const { store: remoteStore } = accessOf(applyOf(mine.run, mine.stored));
    // Whatever it asks for by name, the pass says what it gets.
    expect(await remoteStore.readPlan(theirs.stored.plan.id)).toEqual(mine.stored);
    const { planFile, planJson, lockFile } = someBytes('applied');
    const taking = { planId: mine.stored.plan.id, runId: mine.run, taker };
    expect(await remoteStore.takePlanFile(taking)).toEqual({ planFile, lockFile });
    expect(await remoteStore.readPlanJson(mine.stored.plan.id)).toEqual(planJson);
    const crossed = accessOf(applyOf(mine.run, theirs.stored)).store;
    const theirTaking = { ...taking, planId: theirs.stored.plan.id };
    await expect(crossed.takePlanFile(theirTaking)).rejects.toMatchObject(refusal('not what'));
  });

  test('one process takes the plan of an apply, however often it asks; no other gets it (S6)', async () => {
    const { stored, run } = await begun('taken');
    const { store: remoteStore } = accessOf(applyOf(run, stored));
    const taking = { planId: stored.plan.id, runId: run, taker };
    const { planFile, lockFile } = someBytes('taken');
    const others = Array.from({ length: 8 }, () => randomUUID());
    for (const _ of [1, 2]) expect(await remoteStore.takePlanFile(taking)).toEqual({ planFile, lockFile });
    for (const other of others)
      expect(await remoteStore.takePlanFile({ ...taking, taker: other })).toBeNull();
    // Beside the database, too, and all at once.
    const { stored: raced, run: race } = await begun('raced');
    const racing = { planId: raced.plan.id, runId: race };
    const got = await Promise.all(
      others.map((other) => store.runs.takePlanFile({ ...racing, taker: other })),
    );
    expect(got.filter((files) => files !== null)).toHaveLength(1);
    // Whoever has it need not be heard of again: nobody begins it anew.
    await store.applies.record(run, { kind: 'unknown', runId: run, reason: 'lost' });
    expect(await store.runs.takePlanFile(taking)).toBeNull();
  });

  test('nothing is given to a process that does not say who it is', async () => {
    const { stored, run } = await begun('nameless');
    const { store: remoteStore } = accessOf(applyOf(run, stored));
    for (const nameless of ['', 'me', `${taker}x`])
      await expect(
        remoteStore.takePlanFile({ planId: stored.plan.id, runId: run, taker: nameless }),
      ).rejects.toMatchObject(refusal('who takes it'));
  });

  test('before the fence is written, and after the end, a pass reads nothing', async () => {
    const stored = planOf(someRun(), { dir: 'early' });
    await store.runs.savePlan(stored, someBytes('early'));
    const early = accessOf(applyOf(someRun(), stored)).store;
    const taking = { planId: stored.plan.id, runId: someRun(), taker };
    await expect(early.takePlanFile(taking)).rejects.toMatchObject(refusal('not what'));
    const { stored: late, run } = await begun('late');
    await store.applies.record(run, { kind: 'applied', runId: run, finishedAt: new Date().toISOString() });
    const { store: lateStore } = accessOf(applyOf(run, late));
    await expect(lateStore.takePlanFile({ planId: late.plan.id, runId: run, taker })).rejects.toMatchObject(
      refusal('not what'),
    );
    // What Terraform left is worth keeping, also when nobody waits for it any more.
    await lateStore.saveErroredState(run, Buffer.from('{"serial":9}'));
    const kept = await store.artifacts.read({ id: run, kind: 'errored-state' });
    expect(kept.toString()).toBe('{"serial":9}');
  });

  test('long after its end a pass keeps what the apply had left, once, and opens nothing (S5)', async () => {
    const { stored, run } = await begun('long-after');
    const ended = (lifetimeMs: number) => accessOf({ ...applyOf(run, stored), lifetimeMs }).store;
    const late = ended(-60 * minuteMs);
    await late.saveErroredState(run, Buffer.from('{"serial":1}'));
    await late.saveErroredState(run, Buffer.from('{"serial":2}'));
    await late.addLog(run, Buffer.from('one'));
    await late.addLog(run, Buffer.from('two'));
    const state = await store.artifacts.read({ id: run, kind: 'errored-state' });
    expect([state.toString(), (await store.runs.readLog(run)).toString()]).toEqual(['{"serial":1}', 'one']);
    const expired = refusal('the pass is expired');
    await expect(late.readPlanJson(stored.plan.id)).rejects.toMatchObject(expired);
    await expect(late.saveLog(run, Buffer.from('x'))).rejects.toMatchObject(expired);
    const days = 24 * 60 * minuteMs;
    const tooLate = ended(-31 * days).saveErroredState(run, Buffer.from('x'));
    await expect(tooLate).rejects.toMatchObject(expired);
    await store.applies.record(run, { kind: 'applied', runId: run, finishedAt: new Date().toISOString() });
    const afterwards = late.saveErroredState(run, Buffer.from('x'));
    await expect(afterwards).rejects.toMatchObject(expired);
  });

  test('a log is kept under the run of the pass, whichever run is named', async () => {
    const { stored, run } = await begun('logged');
    const other = someRun();
    const { store: remoteStore, liveLog } = accessOf(applyOf(run, stored));
    await liveLog?.append(other, 0, 'one\n');
    await liveLog?.append(other, 0, 'one more\n');
    expect(await store.liveLogs.read(run, -1)).toEqual([{ seq: 0, text: 'one more\n' }]);
    await remoteStore.saveLog(other, Buffer.from('whole log'));
    expect((await store.runs.readLog(run)).toString()).toBe('whole log');
    await expect(store.runs.readLog(other)).rejects.toMatchObject({ type: 'OperatorError' });
    expect(await store.liveLogs.read(other, -1)).toEqual([]);
  });

  test('more than the store takes is refused, and never read to its end', async () => {
    const { stored, run } = await begun('large');
    const headers = headersOf(applyOf(run, stored));
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)),
    });
    const put = { method: 'PUT', body: endless, duplex: 'half', headers } as const;
    // Node tells of the answer, or of the connection that was closed while it was still sending.
    const status = await fetch(`${listener.url}/runner/live-log/0`, put).then(
      (response) => response.status,
      () => 'cut off',
    );
    expect([413, 'cut off']).toContain(status);
    expect(await store.liveLogs.read(run, -1)).toEqual([]);
  });
});

describe('what is received at one time', () => {
  const bodyOf = async function* (...chunks: readonly string[]) {
    for (const chunk of chunks) yield Buffer.from(chunk);
  };

  test('is no more than there is room for, until what was received is kept', async () => {
    const take = createBodyTaker(10);
    const [kept, saving] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = take(bodyOf('1234', '5678'), 8, async (body) => {
      saving.resolve();
      await kept.promise;
      return body.toString();
    });
    await saving.promise;
    const small = async (body: Buffer) => body.toString();
    expect(await take(bodyOf('ab'), 8, small)).toBe('ab');
    expect(await take(bodyOf('ab', 'c'), 8, small)).toBe('no-room');
    kept.resolve();
    expect(await first).toBe('12345678');
    expect(await take(bodyOf('12345', '678'), 8, small)).toBe('12345678');
    expect(await take(bodyOf('12345', '6789'), 8, small)).toBe('too-large');
    await expect(take(bodyOf('1'), 8, () => Promise.reject(new Error('not kept')))).rejects.toThrow(
      'not kept',
    );
    expect(await take(bodyOf('12345', '678'), 8, small)).toBe('12345678');
  });
});

describe('files', () => {
  async function commit(files: Parameters<Remote['commit']>[1]): Promise<Sha> {
    const sha = remote.commit('refs/heads/main', files);
    const origin = { repository: repository.id, url: remote.url, token: remoteToken };
    await mirrors.fetch(origin, { branches: ['main'], pullRequests: [], commits: [] });
    return parseSha(remote.git('rev-parse', `${sha}^{tree}`));
  }

  const at = (tree: Sha): StoredPlan => {
    const stored = planOf(someRun());
    return { ...stored, source: { ...stored.source, tree } };
  };

  function listing(root: string): readonly string[] {
    return readdirSync(root, { recursive: true, encoding: 'utf8' })
      .sort()
      .map((name) => {
        const [path, status] = [join(root, name), lstatSync(join(root, name))];
        if (status.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`;
        const kind = status.isDirectory() ? '/' : `: ${readFileSync(path, 'latin1')}`;
        return `${name} ${(status.mode & 0o777).toString(8)}${kind}`;
      });
  }

  const oddName = `a b/'c' "d"\nf`;
  const odd = {
    'main.tf': 'a\r\n$Id$\n',
    '.gitattributes': '* text eol=crlf ident export-subst\nsecret.tf export-ignore\n',
    'secret.tf': 'kept all the same',
    'bin/run.sh': { mode: '100755', content: '#!/bin/sh\n' },
    'deep/er/x.tf': '\u0000',
    inside: { mode: '120000', content: 'deep/er' },
    outside: { mode: '120000', content: '../../etc/passwd' },
    absolute: { mode: '120000', content: '/etc/passwd' },
    vendor: { mode: '160000', content: 'b'.repeat(40) },
    [oddName]: 'odd',
  };

  test('a tree arrives as it would be checked out beside the mirror, and leaves nothing on the way', async () => {
    const tree = await commit(odd);
    const [here, there] = [join(directory, 'here'), join(directory, 'there')];
    await checkout({ mirror: await mirrors.open(repository.id), tree, into: here });
    await accessOf(admissionOf(at(tree))).checkout({ repository, tree, into: there });
    expect(listing(there)).toEqual(listing(here));
    expect(listing(there)).toContain('inside -> deep/er');
    expect(listing(there).filter((line) => line.includes('passwd'))).toEqual([]);
    expect(readdirSync(join(directory, 'trees'))).toEqual([]);
  });

  test('a pass opens the tree that it names, and none that the runner asks for', async () => {
    const theirs = await commit({ 'theirs.tf': randomUUID() });
    const mine = await commit({ 'theirs.tf': null, 'mine.tf': randomUUID() });
    const access = accessOf(admissionOf(at(mine)));
    const into = join(directory, 'theirs');
    await expect(access.checkout({ repository, tree: theirs, into })).rejects.toMatchObject(
      refusal('other files'),
    );
  });

  test('an apply gets the files that its plan was made from', async () => {
    const tree = await commit({ 'apply.tf': 'x' });
    const stored = at(tree);
    await store.runs.savePlan(stored, someBytes('files'));
    const [run, into] = [someRun(), join(directory, 'applied')];
    const access = accessOf(applyOf(run, stored));
    await expect(access.checkout({ repository, tree, into })).rejects.toMatchObject(refusal('not what'));
    await store.applies.begin({
      runId: run,
      repositoryId: repository.id,
      fence: 2,
      baseCommit: stored.source.base,
      grant: someGrant(stored),
      asked: someAsked(),
    });
    await access.checkout({ repository, tree, into });
    expect(readFileSync(join(into, 'apply.tf'), 'utf8')).toBe('x');
  });

  test('files that control no longer has are named as what they are', async () => {
    const tree = parseSha('8'.repeat(40));
    const { checkout: checkOut } = accessOf(admissionOf(at(tree)));
    await expect(checkOut({ repository, tree, into: join(directory, 'gone') })).rejects.toMatchObject(
      refusal('plan again'),
    );
  });
});

test('a control that is away for a moment is asked again', async () => {
  const { stored, run } = await begun('away');
  const door = await openDoor(new URL(listener.url).host);
  try {
    await door.cut();
    const reading = accessOf(applyOf(run, stored), `http://${door.address}`).store.readPlan(stored.plan.id);
    await expect(fetch(`http://${door.address}/runner/ping`)).rejects.toThrow();
    await door.restore();
    expect(await reading).toEqual(stored);
  } finally {
    await door.close();
  }
});

test('a runner without a pass says who has to set what', () => {
  const prove = proveAs('prod');
  const client = createRunServiceClient({ url: listener.url, scratch: directory, prove, environment: {} });
  expect(() => client.accessFor(null, new AbortController().signal)).toThrow('HATCHET_RUNNER_LISTEN');
});

test('what was refused is in the log, and what was sent is not', async () => {
  const word = `planted-${randomBytes(8).toString('hex')}`;
  const stored = planOf(someRun());
  const { store: remoteStore } = accessOf(admissionOf(stored));
  const other = { ...stored, plan: { ...stored.plan, id: parsePlanId(randomUUID()), runId: someRun() } };
  await expect(remoteStore.savePlan(other, someBytes(word))).rejects.toThrow();
  await remoteStore.saveLog(stored.plan.runId, Buffer.from(word));
  const said = lines.join('');
  expect(said).toContain('a runner was refused');
  expect(said).not.toContain(word);
  expect(said).not.toContain(passes.issue(admissionOf(stored)).split('.')[0]);
});
