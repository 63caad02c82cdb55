// What happens to a lock of Terraform's that an apply left behind, and to a state that could not be written?
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import { openStore } from '../activities/store/store.ts';
import { parseEncryptionKeys } from '../app/encryption-keys.ts';
import { createKeyring } from '../app/keyring.ts';
import { executablesOnPath } from '../app/tools/search-path.ts';
import type { HttpStateServer } from '../fixtures/drills/http-state-server.ts';
import { startHttpStateServer } from '../fixtures/drills/http-state-server.ts';
import { canMount, mountSmall, unmount } from '../fixtures/drills/small-disk.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { parseRunId } from '../workflows/model/identifiers.ts';
import { faces } from './normalize.ts';
import { appliesIn } from './own-processes.ts';
import { inDatabase } from './postgres.ts';
import type { S3StateServer } from './s3-state-server.ts';
import { startS3StateServer } from './s3-state-server.ts';
import {
  appliesOf,
  ask,
  click,
  mainComment,
  openReady,
  order,
  patienceMs,
  replies,
  stateFile,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilReady,
  untilSecondAfter,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
const hasTofu = (await executablesOnPath(process.env.PATH ?? '', 'tofu')).length > 0;
const why = hasTofu ? '' : ' (tofu is not on PATH)';
let world: World;
let own: S3StateServer;
let foreign: S3StateServer;
let refusing: HttpStateServer;
let careless: HttpStateServer;

beforeAll(async () => {
  [own, foreign, refusing, careless] = await Promise.all([
    startS3StateServer(),
    startS3StateServer(),
    startHttpStateServer(),
    startHttpStateServer(),
  ]);
  world = await createWorld({});
});
afterAll(async () => {
  await world.close();
  await Promise.all([own.close(), foreign.close(), refusing.close(), careless.close()]);
});

/** Begins an apply that holds its lock and does not end by itself. */
async function beginApply(
  dir: string,
  { backend }: Pick<S3StateServer, 'backend'>,
  file = 'main.tf',
): Promise<PullRequestHandle> {
  const gate = stateFile(world, `${dir}-gate`);
  const body = `resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch '${gate}.reached'; while [ ! -e '${gate}' ]; do sleep 0.1; done"
  }
}`;
  const files = { [`${dir}/${file}`]: `${backend}\n${body}\n` };
  const opening = { title: `Change ${dir}`, author: 'mona', head: dir, files };
  const pullRequest = await world.repository.openPullRequest(opening);
  await untilReady(pullRequest);
  await order(pullRequest, 'hubot', '/hatchet apply');
  await vi.waitUntil(() => existsSync(`${gate}.reached`), { timeout: patienceMs, interval: 50 });
  return pullRequest;
}

async function killApply(dir: string): Promise<void> {
  for (const pid of await appliesIn(dir)) process.kill(pid, 'SIGKILL');
}

describe.concurrent('the lock of an apply that was killed (S5)', () => {
  test('is broken by a person with the right, and only then is it told what is done', async ({ expect }) => {
    const pullRequest = await beginApply('own', own);
    await killApply('own');
    await untilComment(pullRequest, 'It is the lock of this very apply');
    const locked = await untilCheck(pullRequest, 'hatchet/apply', 'Outcome unknown: own');
    expect(faces([locked])).toEqual([
      'hatchet/apply: failure, Outcome unknown: own [Force-unlock state, Unlock]',
    ]);
    click(pullRequest, locked, 'Force-unlock state', 'reader');
    await vi.waitUntil(() => replies(pullRequest).length === 1, { timeout: patienceMs });
    expect(replies(pullRequest)[0]).toContain('**Force-unlock state** was refused: it takes write access');
    expect(own.counts()).toEqual({ taken: 1, removed: 0 });
    // It is looked at from time to time: by then another lock is there.
    const before = { ...locked };
    const other = 'ffffffff-0000-4000-8000-000000000000';
    own.putLock(JSON.stringify({ ...(JSON.parse(own.lock() ?? '{}') as object), ID: other }));
    await untilComment(pullRequest, other);
    const again = await untilCheck(pullRequest, 'hatchet/apply', 'Outcome unknown: own');
    expect(again.externalId).toBe(before.externalId);
    click(pullRequest, before, 'Force-unlock state', 'hubot');
    await vi.waitUntil(() => replies(pullRequest).length === 2, { timeout: patienceMs });
    expect(replies(pullRequest)[1]).toContain('that button stood below an earlier state of things');
    expect(own.counts()).toEqual({ taken: 1, removed: 0 });
    click(pullRequest, again, 'Force-unlock state', 'hubot');
    await untilComment(pullRequest, 'finds 0 of 1 change done');
    // Once by force, once by the plan that looked.
    expect(own.counts()).toEqual({ taken: 1, removed: 2 });
    expect(own.lock()).toBeNull();
    expect(await appliesOf(world, 'own')).toEqual([{ number: pullRequest.number, state: 'unknown' }]);
    // Its runner comes back, and brings a state that Terraform could not write.
    const run = await bringState('own');
    await order(pullRequest, 'mona', '/hatchet plan');
    const { body } = await untilComment(pullRequest, '**Hatchet keeps it, encrypted.**');
    expect(body).toContain(`--run ${run} --put-back`);
    expect(body).not.toContain('Apply the rest');
    const kept = await untilCheck(pullRequest, 'hatchet/apply', 'Outcome unknown: own');
    expect(faces([kept])).toEqual(['hatchet/apply: failure, Outcome unknown: own [Unlock]']);
    expect((await ask(pullRequest, 'hubot', '/hatchet apply')).reply).toContain('has to be put back first');
    expect((await runState('--run', run, '--give-up')).text).toContain('counts as given up');
    await order(pullRequest, 'mona', '/hatchet plan');
    await untilComment(pullRequest, '**Apply the rest**');
  });

  test("somebody else's is left alone, and looked at again when somebody asks", async ({ expect }) => {
    const pullRequest = await beginApply('foreign', foreign);
    const mine = JSON.parse(foreign.lock() ?? '{}') as Record<string, string>;
    foreign.putLock(JSON.stringify({ ...mine, ID: 'ffffffff-0000', Who: 'eve@laptop' }));
    await killApply('foreign');
    await untilComment(pullRequest, "Hatchet cannot tell that it is this apply's");
    await untilComment(pullRequest, '`terraform force-unlock ffffffff-0000`');
    const locked = await untilCheck(pullRequest, 'hatchet/apply', 'Outcome unknown: foreign');
    expect(faces([locked])).toEqual(['hatchet/apply: failure, Outcome unknown: foreign [Unlock]']);
    expect(foreign.counts().removed).toBe(0);
    foreign.removeLock();
    await order(pullRequest, 'mona', '/hatchet plan');
    await untilComment(pullRequest, 'finds 0 of 1 change done');
  });
});

test.skipIf(!hasTofu)(
  `a lock that took its place is not broken for it, though its backend would let that happen (S5)${why}`,
  async ({ expect }) => {
    // OpenTofu tells whose a lock behind HTTP is, and this server does not look at the id that is to be unlocked.
    const pullRequest = await beginApply('careless', careless, 'main.tofu');
    await killApply('careless');
    await untilComment(pullRequest, 'It is the lock of this very apply');
    const locked = await untilCheck(pullRequest, 'hatchet/apply', 'Outcome unknown: careless');
    const mine = JSON.parse(careless.lock() ?? '{}') as Record<string, string>;
    const other = JSON.stringify({ ...mine, ID: 'ffffffff-0000-4000-8000-000000000000', Who: 'eve@laptop' });
    careless.putLock(other);
    click(pullRequest, locked, 'Force-unlock state', 'hubot');
    await untilComment(pullRequest, "Hatchet cannot tell that it is this apply's");
    expect(careless.lock()).toBe(other);
    careless.putLock(JSON.stringify(mine));
    await order(pullRequest, 'mona', '/hatchet plan');
    await untilComment(pullRequest, 'It is the lock of this very apply');
    const again = await untilCheck(pullRequest, 'hatchet/apply', 'Outcome unknown: careless');
    click(pullRequest, again, 'Force-unlock state', 'hubot');
    await untilComment(pullRequest, 'finds 0 of 1 change done');
    expect(careless.lock()).toBeNull();
  },
);

const program = join(import.meta.dirname, '../app/kept-state.ts');

/** `npm run state`, as an operator starts it. */
async function runState(...args: readonly string[]): Promise<{ readonly text: string }> {
  const env = {
    DATABASE_URL: world.databaseUrl,
    HATCHET_ENCRYPTION_KEY: world.encryptionKey,
    PATH: process.env.PATH,
  };
  return promisify(execFile)(process.execPath, [program, ...args], { env }).then(
    ({ stdout }) => ({ text: stdout }),
    (error: { readonly stderr: string }) => ({ text: error.stderr }),
  );
}

/** What a runner keeps that was away when its apply ended. */
async function bringState(dir: string): Promise<string> {
  const store = await openStore({
    url: world.databaseUrl,
    keyring: createKeyring(parseEncryptionKeys(world.encryptionKey)),
    log: { debug: () => undefined },
  });
  const sql = postgres(world.databaseUrl, { max: 1 });
  try {
    const [row] = await sql<{ run: string }[]>`select run_id as run from apply
      where repository_id = ${world.repository.id} and dir = ${dir}`;
    const run = parseRunId(row?.run ?? '');
    await store.runs.saveErroredState(run, Buffer.from('{"serial":1}'));
    return run;
  } finally {
    await Promise.all([store.close(), sql.end()]);
  }
}

/** Applies, and fetches what Hatchet kept of the state, as the comment says. */
async function applyAndFetch(
  pullRequest: PullRequestHandle,
): Promise<{ readonly run: string; readonly state: string; readonly seen: string }> {
  await order(pullRequest, 'hubot', '/hatchet apply');
  const { body } = await untilComment(pullRequest, '**Hatchet keeps it, encrypted.**');
  const run = /--run ([0-9a-f-]{36}) --out/.exec(body)?.[1] ?? '';
  const directory = await mkdtemp(join(tmpdir(), 'hatchet-state-'));
  const out = join(directory, 'errored.tfstate');
  await runState('--run', run, '--out', out);
  const state = await readFile(out, 'utf8');
  const { mode } = await stat(out);
  const again = await runState('--run', run, '--out', out);
  await rm(directory, { recursive: true });
  return { run, state, seen: `${(mode & 0o777).toString(8)} ${again.text.includes('EEXIST')} ${state}` };
}

/** In kilobytes: it holds Terraform's lock, and no state of some kilobytes more. */
const tinyDisk = 32;

describe.concurrent('a state that cannot be written (S5)', () => {
  test('because the backend refuses it is kept, and an operator gets it', async ({ expect }) => {
    const body = 'resource "terraform_data" "one" {\n  input = "what was made"\n}';
    const pullRequest = await openReady(world, { dir: 'refused', body, backend: refusing.backend });
    refusing.refuseWrites();
    const { run, state, seen } = await applyAndFetch(pullRequest);
    expect(seen).toMatch(/^600 true \{.*"what was made"/s);
    expect((await runState()).text).toContain(`#${pullRequest.number}`);
    expect((await runState('--run', 'nobody', '--out', 'x')).text).toContain('is not the id of a run');
    expect((await ask(pullRequest, 'hubot', '/hatchet apply')).reply).toContain('has to be put back first');
    // Whatever is planned meanwhile knows nothing of what was made: nothing is applied.
    await order(pullRequest, 'hubot', '/hatchet plan');
    const told = await untilComment(pullRequest, 'A state has to be put back first');
    const blocked = await untilCheck(
      pullRequest,
      'hatchet/apply',
      'A state has to be put back first: refused',
    );
    expect(faces([blocked])).toEqual([
      'hatchet/apply: failure, A state has to be put back first: refused [Re-plan, Unlock]',
    ]);
    await untilSecondAfter(told);
    expect((await ask(pullRequest, 'hubot', '/hatchet apply')).reply).toContain('has to be put back first');
    refusing.putBack(state);
    expect((await runState('--run', run, '--put-back')).text).toContain('counts as put back');
    expect((await runState('--run', run, '--put-back')).text).toContain('No state of run');
    expect((await runState()).text).toContain('put back');
    const settled = await inDatabase(
      world.databaseUrl,
      (sql) =>
        sql`select action, target, reason from event
          where repository_id = ${world.repository.id} and action = 'settle-state' and target = 'refused'`,
    );
    expect([...settled]).toEqual([{ action: 'settle-state', target: 'refused', reason: 'put back' }]);
    await order(pullRequest, 'hubot', '/hatchet plan');
    await untilCheck(pullRequest, 'hatchet/apply', 'Nothing to apply');
    expect(await appliesOf(world, 'refused')).toEqual([{ number: pullRequest.number, state: 'failed' }]);
  });

  test.skipIf(!canMount)('because the disk is full it is kept as well (needs mount)', async ({ expect }) => {
    const disk = join(dirname(stateFile(world, 'any')), 'full');
    await mkdir(disk);
    expect(mountSmall(disk, tinyDisk)).toBe(true);
    try {
      const backend = `terraform {\n  backend "local" {\n    path = "${disk}/prod.tfstate"\n  }\n}\n`;
      const body = `resource "terraform_data" "one" {\n  input = "${'large '.repeat(20_000)}"\n}`;
      const pullRequest = await openReady(world, { dir: 'full', body, backend });
      expect((await applyAndFetch(pullRequest)).seen).toMatch(/^600 true \{.*large large/s);
      expect(mainComment(pullRequest)).toContain('A disk is full, says Terraform');
      expect(await appliesOf(world, 'full')).toEqual([{ number: pullRequest.number, state: 'failed' }]);
      expect((await ask(pullRequest, 'hubot', '/hatchet unlock')).reply).toContain('is given up, too');
      const settled = () =>
        inDatabase(
          world.databaseUrl,
          (sql) => sql`select actor, reason from event
            where repository_id = ${world.repository.id} and action = 'settle-state' and target = 'full'`,
        );
      await vi.waitUntil(async () => (await settled()).length > 0, { timeout: patienceMs });
      expect([...(await settled())]).toEqual([{ actor: 'hubot', reason: 'given up' }]);
    } finally {
      unmount(disk);
    }
  });
});

test('no check is left open (S14)', () => untilNoneOpen(world));
