// Do web, control and runner do together what one process does, each with no more than it needs?
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { freePort, loopback } from '../app/embedded/free-port.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { parseRunId } from '../workflows/model/identifiers.ts';
import { notStartedType } from '../workflows/port/run.ts';
import { runnerActivityId } from '../workflows/queues.ts';
import type { AppProcess } from './app-process.ts';
import { startAppProcess } from './app-process.ts';
import type { GatedStates } from './gated-states.ts';
import { startGatedStates } from './gated-states.ts';
import { inDatabase } from './postgres.ts';
import type { RoleName, RoleProcesses } from './role-processes.ts';
import {
  appliesOf,
  ask,
  mainComment,
  openOn,
  order,
  patienceMs,
  stateFile,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
} from './story.ts';
import { findTestTools } from './tools.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs, hookTimeout: storyTimeoutMs });
let world: World;
let states: GatedStates;
let roles: RoleProcesses;

beforeAll(async () => {
  const port = String(await freePort());
  states = await startGatedStates();
  world = await createWorld({
    split: true,
    files: () => ({ 'hatchet.yaml': "version: 1\napprovals: { count: 1 }\nbranches: ['**']\n" }),
    environment: {
      PORT: port,
      HATCHET_URL: `http://${loopback}:${port}`,
      HATCHET_RUNNER_ENV: 'TF_VAR_shown',
      TF_VAR_shown: runnerSecret,
    },
  });
  if (world.roles === null) throw new Error('this world has one process');
  roles = world.roles;
});
afterAll(async () => {
  await world.close();
  await states.close();
});

/** Of the runner's environment, in a variable that Terraform does not take for a secret. */
const runnerSecret = 'Zq8.known-to-the-runner.4711';

const good = 'resource "terraform_data" "one" {\n  input = 1\n}';

/** An apply that waits until a file appears beside the states. */
const gatedApply = (gate: string): string => `resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch '${gate}.reached'; while [ ! -e '${gate}' ]; do sleep 0.1; done"
  }
}`;

const names: readonly RoleName[] = ['web', 'control', 'runner'];

const variablesOf = async ({ pid }: AppProcess): Promise<string> =>
  (await readFile(`/proc/${pid}/environ`, 'utf8')).replaceAll('\0', '\n');

async function environmentOf(role: AppProcess): Promise<Readonly<Record<string, string>>> {
  const variables = (await variablesOf(role)).split('\n').map((line) => {
    const [name = ''] = line.split('=', 1);
    return [name, line.slice(name.length + 1)] as const;
  });
  return Object.fromEntries(variables.filter(([name]) => name !== ''));
}

async function missing({ url }: AppProcess): Promise<readonly string[]> {
  const { missing } = (await (await fetch(`${url}/readyz`)).json()) as {
    readonly missing: readonly string[];
  };
  return missing;
}

const untilMissing = (role: AppProcess, what: readonly string[]): Promise<unknown> =>
  vi.waitUntil(async () => JSON.stringify(await missing(role)) === JSON.stringify(what), {
    timeout: patienceMs,
    interval: 200,
  });

async function approveAndApply(pullRequest: PullRequestHandle): Promise<void> {
  await untilComment(pullRequest, 'Waiting for 1 approval');
  await order(pullRequest, 'hubot', '/hatchet approve');
  await untilComment(pullRequest, 'Ready');
  await order(pullRequest, 'hubot', '/hatchet apply');
}

test('the runner knows neither the key of the App nor the database, nor what opens them (S8)', async () => {
  const [web, control, runner] = await Promise.all(names.map((name) => variablesOf(roles[name])));
  const { privateKey, webhookSecret } = world.sandbox.app;
  const [, secretLine = ''] = privateKey.split('\n');
  for (const name of ['PRIVATE_KEY', 'DATABASE_URL', 'WEBHOOK_SECRET', 'HATCHET_ENCRYPTION_KEY', 'APP_ID'])
    expect(runner).not.toMatch(new RegExp(`^${name}`, 'm'));
  const key = /^HATCHET_ENCRYPTION_KEY=(.+)$/m.exec(control ?? '')?.[1] ?? '';
  for (const secret of [secretLine, webhookSecret, world.databaseUrl, key]) {
    expect(secret).not.toBe('');
    expect(runner).not.toContain(secret);
  }
  expect(web).not.toContain(secretLine);
  expect(control).toContain(secretLine);
  expect(control).not.toContain(webhookSecret);
});

test('planned, followed, approved and applied by three processes', async () => {
  states.hold('prod');
  const pullRequest = await openOn(world, { dir: 'prod', body: good, backend: states.backend('prod') });
  const { summary } = await pullRequest.waitForCheck('hatchet/plan', {
    status: 'in_progress',
    matching: (run) => run.summary?.includes('[log](') === true,
    timeoutMs: patienceMs,
  });
  const page = summary?.split('[log](')[1]?.split(')')[0] ?? '';
  await vi.waitUntil(async () => (await (await fetch(page)).text()).includes('Initializing'), {
    timeout: patienceMs,
    interval: 200,
  });
  states.release('prod');
  await approveAndApply(pullRequest);
  await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
  expect(await (await fetch(page)).text()).toContain('Plan: 1 to add, 0 to change, 0 to destroy.');
  const { body } = await untilComment(pullRequest, '**Applied.**');
  const applied = /\((http[^)]+\/runs\/[^)]+)\)/.exec(body)?.[1] ?? '';
  expect(await (await fetch(applied)).text()).toContain('Apply complete!');
  mainComment(pullRequest);
  // No mirror of a repository, and no files of a run that is over.
  const cache = join(world.dataDir, 'runner', 'cache');
  expect(await readdir(cache)).not.toContain('mirrors');
  expect(await readdir(join(cache, 'trees'))).toEqual([]);
});

test('what policies say is masked by what only the runner knows (S7)', async () => {
  const rego = `package hatchet.telling
deny contains sprintf("the variable is %v, in base64 %v", [v, base64.encode(v)]) if v := input.plan.variables.shown.value`;
  const files = {
    'hatchet.yaml': 'version: 1\npolicies: [{ path: telling.rego, level: mandatory }]\n',
    'telling.rego': rego,
  };
  await world.repository.commit('telling', { files, from: 'main' });
  const body = `variable "shown" {}\n${good}`;
  const pullRequest = await openOn(world, { dir: 'told', body, base: 'telling' });
  await untilCheck(pullRequest, 'hatchet/apply', 'A policy denies told');
  const { body: said } = await untilComment(pullRequest, 'the variable is');
  expect(said).toContain('the variable is \\*\\*\\*');
  const shown = JSON.stringify(
    [pullRequest.comments(), pullRequest.allChecks()].flat().map(({ id, ...rest }) => texts(rest)),
  );
  for (const secret of [runnerSecret, Buffer.from(runnerSecret).toString('base64')])
    expect(shown).not.toContain(secret);
});

/** What people read of it. */
const texts = (of: object): readonly unknown[] =>
  ['body', 'title', 'summary', 'text', 'annotations'].map(
    (name) => (of as Readonly<Record<string, unknown>>)[name],
  );

test('each says what it misses, and goes on when it is back', async () => {
  expect(await Promise.all(names.map((name) => missing(roles[name])))).toEqual([[], [], []]);
  expect(await roles.control.stop()).toBe(0);
  await untilMissing(roles.runner, ['control']);
  expect(await missing(roles.web)).toEqual([]);
  const waiting = await openOn(world, { dir: 'waiting', body: good });
  await world.sandbox.settled();
  expect(world.sandbox.deliveries.list().find(({ status_code }) => status_code !== 200)).toBeUndefined();
  await roles.control.start();
  await untilMissing(roles.runner, []);
  await untilComment(waiting, 'Waiting for 1 approval');
});

test('an approval that was sealed for one pull request is nothing to another (S10)', async () => {
  const approved = await openOn(world, { dir: 'approved', body: good });
  const copied = await openOn(world, { dir: 'copied', body: good });
  await Promise.all([approved, copied].map((each) => untilComment(each, 'Waiting for 1 approval')));
  await order(approved, 'hubot', '/hatchet approve');
  await untilComment(approved, 'Ready');
  // As whoever merely reaches Temporal would.
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const { namespace, repository } = world;
  const idOf = ({ number }: PullRequestHandle): string => `pr/${repository.id}/${number}`;
  const { events } = await new Client({ connection, namespace }).workflow
    .getHandle(idOf(approved))
    .fetchHistory();
  const heard = (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
    signal?.signalName === 'message' ? [signal] : [],
  );
  expect(heard.length).toBeGreaterThan(1);
  for (const { signalName, input } of heard)
    await connection.workflowService.signalWorkflowExecution({
      namespace,
      workflowExecution: { workflowId: idOf(copied) },
      signalName: signalName ?? '',
      input: input ?? null,
    });
  await connection.close();
  const refused = 'refused a signal that was sealed for another workflow';
  await vi.waitUntil(
    () => roles.control.lines.filter((line) => line.includes(refused)).length >= heard.length,
    { timeout: patienceMs, interval: 100 },
  );
  // It hears what is said to itself, and knows of no approval.
  expect((await ask(copied, 'hubot', '/hatchet status')).reply).toContain('waiting for 1 approval');
  expect(mainComment(copied)).toContain('Waiting for 1 approval');
});

test('nobody but its runner can say that an apply was never started (S5)', async () => {
  const gate = stateFile(world, 'denied-gate');
  const pullRequest = await openOn(world, { dir: 'denied', body: gatedApply(gate) });
  await approveAndApply(pullRequest);
  await vi.waitUntil(() => existsSync(`${gate}.reached`), { timeout: patienceMs, interval: 50 });
  const sql = postgres(world.databaseUrl, { max: 1 });
  const [{ run_id: runId } = {}] = await sql`select run_id from apply where project = 'denied'`;
  await sql.end();
  // As a runner of another pool would, or whoever else reaches Temporal.
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  await connection.workflowService.respondActivityTaskFailedById({
    namespace: world.namespace,
    workflowId: `project/${world.repository.id}/denied/default`,
    activityId: runnerActivityId('default', parseRunId(String(runId))),
    failure: {
      message: 'Terraform was not started',
      applicationFailureInfo: { type: notStartedType, nonRetryable: true },
    },
  });
  await connection.close();
  const stateOf = async () => (await appliesOf(world, 'denied')).map(({ state }) => state);
  await vi.waitUntil(async () => (await stateOf()).join() !== 'begun', {
    timeout: patienceMs,
    interval: 100,
  });
  expect(await stateOf()).toEqual(['unknown']);
  await writeFile(gate, '');
});

/** Processes start again, one after the other, beside all other tests. */
const restartsMs = 240_000;

/** What a runner works on now, and the applies that it ever started, by their runs. */
const folderOf = async (dataDir: string, ...inside: readonly string[]): Promise<readonly string[]> =>
  (await readdir(join(dataDir, 'cache', 'runs', ...inside)).catch(() => [])).filter(
    (name) => name !== 'started',
  );

test('of two runners of one pool each takes work, one finishes what the other leaves by its death, and one applies (S5, S6)', {
  timeout: restartsMs,
}, async () => {
  const data = ['runner', 'runner-2'].map((name) => join(world.dataDir, name));
  const [, secondData = ''] = data;
  const known = await environmentOf(roles.runner);
  const second = await startAppProcess({ ...known, HATCHET_DATA_DIR: secondData }, { role: 'runner' });
  try {
    const both = [roles.runner, second];
    const before = new Set(await folderOf(data[0] ?? ''));
    const isAtWork = async (dataDir: string): Promise<boolean> =>
      (await folderOf(dataDir)).some((run) => !before.has(run));
    states.hold('shared');
    const pullRequest = await openOn(world, { dir: 'shared', body: good, backend: states.backend('shared') });
    await vi.waitUntil(() => states.waiting('shared') > 0, { timeout: patienceMs, interval: 50 });
    const first = (await isAtWork(secondData)) ? 1 : 0;
    await both[first]?.kill();
    const other = data[1 - first] ?? '';
    await vi.waitUntil(() => isAtWork(other), { timeout: patienceMs, interval: 100 });
    await both[first]?.start();
    states.release('shared');
    await approveAndApply(pullRequest);
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
    const [{ run = '' } = {}] = await inDatabase(
      world.databaseUrl,
      (sql) => sql`select run_id as run from apply where dir = 'shared'`,
    );
    const started = await Promise.all(data.map((each) => folderOf(each, 'started')));
    expect(started.filter((runs) => runs.includes(run))).toHaveLength(1);
    expect(await appliesOf(world, 'shared')).toEqual([{ number: pullRequest.number, state: 'applied' }]);
  } finally {
    expect(await second.stop()).toBe(0);
  }
});

test('told to stop, a runner finishes its apply, and control and web may go meanwhile', {
  timeout: restartsMs,
}, async () => {
  const gate = stateFile(world, 'drain-gate');
  const pullRequest = await openOn(world, { dir: 'drained', body: gatedApply(gate) });
  await approveAndApply(pullRequest);
  await vi.waitUntil(() => existsSync(`${gate}.reached`), { timeout: patienceMs, interval: 50 });
  const stopped = roles.runner.stop();
  expect(await roles.web.stop()).toBe(0);
  expect(await roles.control.stop()).toBe(0);
  await Promise.all([roles.web.start(), roles.control.start()]);
  await writeFile(gate, '');
  expect(await stopped).toBe(0);
  // A step that the old control had taken is given to the new one when it is missed.
  await pullRequest.waitForCheck('hatchet/apply', {
    matching: (run) => run.title === 'Applied',
    timeoutMs: restartsMs / 2,
  });
  expect(await appliesOf(world, 'drained')).toEqual([{ number: pullRequest.number, state: 'applied' }]);
  await roles.runner.start();
  const after = await openOn(world, { dir: 'after', body: good });
  await untilComment(after, 'Waiting for 1 approval');
});

test('without walls a runner says what is open to others, or does not start where they are required (S8)', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hatchet-no-walls-'));
  const { terraform } = await findTestTools();
  await symlink(terraform, join(directory, 'terraform'));
  const known = await environmentOf(roles.runner);
  const environment = {
    ...known,
    PATH: directory,
    HATCHET_DATA_DIR: directory,
    HATCHET_POOLS: 'nobody',
    HATCHET_RUNNER_KEY: known.HATCHET_RUNNER_KEY?.replace('default/', 'nobody/') ?? '',
  };
  const open = await startAppProcess(environment, { role: 'runner' });
  const warning = open.lines.find((line) => line.includes('bubblewrap is not installed')) ?? '';
  expect(warning).toContain("other projects' runs and the passes of this runner");
  expect(await open.stop()).toBe(0);
  const required = startAppProcess({ ...environment, HATCHET_REQUIRE_SANDBOX: 'true' }, { role: 'runner' });
  await expect(required).rejects.toThrow(/HATCHET_REQUIRE_SANDBOX is set, and bubblewrap is not installed/);
  await rm(directory, { recursive: true, force: true });
});

test('no check is left open (S14)', () => untilNoneOpen(world));
