// Is an approved plan applied exactly once, and is what comes of it told truthfully?
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { launch } from '../activities/programs/launch.ts';
import { createLeftovers } from '../activities/terraform/leftovers.ts';
import { readStartNote, recordStart } from '../activities/terraform/start-record.ts';
import { sweepRuns } from '../activities/terraform/sweep-runs.ts';
import { startHttpStateServer } from '../fixtures/drills/http-state-server.ts';
import { canMount, unmount } from '../fixtures/drills/small-disk.ts';
import type { PlanDigest } from '../workflows/model/identifiers.ts';
import { parsePlanId, parseRunId } from '../workflows/model/identifiers.ts';
import { notStartedType } from '../workflows/port/run.ts';
import type { TerraformRunner } from './terraform-runner.ts';
import {
  bubblewrap,
  createTerraformRunner,
  grantFor,
  ownEngines,
  planned,
  processesNaming,
} from './terraform-runner.ts';

const runId = '11111111-2222-3333-4444-555555555555';
const runnerProgram = join(import.meta.dirname, 'terraform-runner-program.ts');
const patience = { timeout: 20_000, interval: 50 };

let runner: TerraformRunner;
beforeEach(async () => {
  runner = await createTerraformRunner();
});
afterEach(() => runner.close());

test('an approved plan is applied, with its log, and nothing stays behind', async () => {
  const plan = planned(await runner.plan('start'));
  const outcome = await runner.apply(plan, { runId });
  const moment = expect.stringMatching(/^\d{4}-.*Z$/);
  expect(outcome).toEqual({ kind: 'applied', runId, startedAt: moment, finishedAt: moment });
  expect(runner.store.logs.get(runId)).toContain('terraform_data.network: Creation complete');
  expect(runner.stages.slice(-4)).toEqual(['checkout', 'init', 'apply', 'store']);
  expect(await readdir(runner.settings.workDir)).toEqual(['started']);
  expect(planned(await runner.plan('start')).hasChanges).toBe(false);
});

describe('at most once', () => {
  test('S6: a second attempt starts nothing and says that the outcome is unknown', async () => {
    const plan = planned(await runner.plan('start'));
    expect(await runner.apply(plan, { runId, attempt: 2 })).toMatchObject({ kind: 'unknown', runId });
    expect(await readdir(runner.stateDir)).toEqual([]);
  });

  test('S6: an apply whose plan another runner has taken starts nothing, and nobody says that it did nothing', async () => {
    const plan = planned(await runner.plan('start'));
    await runner.store.takePlanFile({ planId: plan.id, runId: parseRunId(runId), taker: 'another' });
    expect(await runner.apply(plan, { runId })).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('another runner has taken the plan'),
    });
    expect(await readdir(runner.stateDir)).toEqual([]);
    expect(await readdir(runner.settings.workDir)).toEqual([]);
  });

  test.each([
    ['was given up meanwhile', null],
    ['is still its own', 'yours'],
  ])('S6: whoever got the plan after a long silence asks whether it %s', async (_, then) => {
    const plan = planned(await runner.plan('start'));
    const { takePlanFile } = runner.store;
    const { now } = Date;
    let silentMs = 0;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + silentMs);
    vi.spyOn(runner.store, 'takePlanFile').mockImplementation(async (taking) => {
      if (silentMs > 0 && then === null) return null;
      silentMs = 31_000;
      return takePlanFile(taking);
    });
    const outcome = await runner.apply(plan, { runId }).catch((error: unknown) => error);
    clock.mockRestore();
    expect(outcome).toMatchObject(then === null ? { type: notStartedType } : { kind: 'applied' });
    expect(await readdir(runner.stateDir)).toHaveLength(then === null ? 0 : 1);
  });

  test('S6: the same run again, side by side and later, starts Terraform once', async () => {
    const counter = join(runner.stateDir, 'counter');
    runner.files.set('envs/prod/count.tf', countingResource(counter));
    const plan = planned(await runner.plan('start'));
    const outcomes = await Promise.all([1, 2, 3].map(() => runner.apply(plan, { runId })));
    outcomes.push(await runner.apply(plan, { runId }));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['applied', 'unknown', 'unknown', 'unknown']);
    expect(await readFile(counter, 'utf8')).toBe('applied\n');
  });
});

function countingResource(counter: string): string {
  return `resource "terraform_data" "count" {
  provisioner "local-exec" {
    command = "echo applied >> ${counter}"
  }
}
`;
}

describe('only what was approved', () => {
  test('S1: a grant for another digest is refused', async () => {
    const plan = planned(await runner.plan('start'));
    const grant = { ...grantFor(plan), digest: 'f'.repeat(64) as PlanDigest };
    expect(await runner.apply(plan, { grant })).toEqual({
      kind: 'refused',
      refusal: { kind: 'stale', project: 'prod', reason: 'digest changed' },
    });
    expect(await readdir(runner.stateDir)).toEqual([]);
  });

  test('a plan file that is not the one that was stored is refused', async () => {
    const plan = planned(await runner.plan('start'));
    const saved = runner.store.plans.get(plan.id) ?? expect.fail();
    const planFile = Buffer.concat([saved.bytes.planFile, Buffer.from(' ')]);
    runner.store.plans.set(plan.id, { ...saved, bytes: { ...saved.bytes, planFile } });
    expect(await runner.apply(plan)).toMatchObject({
      kind: 'refused',
      refusal: { reason: 'digest changed' },
    });
  });

  test('S1: a plan of a state that has changed since is refused as stale', async () => {
    const first = planned(await runner.plan('start'));
    const other = planned(await runner.plan('sensitive'));
    expect(await runner.apply(other)).toMatchObject({ kind: 'applied' });
    expect(await runner.apply(first, { runId })).toEqual({
      kind: 'refused',
      refusal: { kind: 'stale', project: 'prod', reason: 'state changed' },
    });
    expect(runner.store.logs.get(runId)).toContain('Saved plan is stale');
  });
});

describe('a failed apply', () => {
  test('tells what was done, and why the rest was not', async () => {
    const plan = planned(await runner.plan('failing-apply'));
    expect(await runner.apply(plan, { runId })).toMatchObject({
      kind: 'failed',
      done: 1,
      total: 2,
      stateKept: false,
      diagnosticCount: 1,
      diagnostics: [
        {
          severity: 'error',
          summary: 'local-exec provisioner error',
          path: 'envs/prod/main.tf',
          address: 'terraform_data.bad',
        },
      ],
    });
    const again = planned(await runner.plan('failing-apply'));
    expect(again.counts).toMatchObject({ replace: 1 });
  });

  test('S5: a state that could not be written is kept', async () => {
    const server = await startHttpStateServer();
    const host = await createTerraformRunner({ network: 'host' });
    host.files.set('envs/prod/backend.tf', server.backend);
    host.files.set('envs/prod/errored.tfstate', 'committed by mistake');
    const plan = planned(await host.plan('start'));
    server.refuseWrites();
    const outcome = await host.apply(plan, { runId });
    expect(outcome).toMatchObject({ kind: 'failed', done: 2, total: 2, stateKept: true });
    expect(JSON.parse(host.store.erroredStates.get(runId) ?? '')).toMatchObject({ serial: 1 });
    expect(server.lock()).toBeNull();
    await server.close();
    await host.close();
  });

  test('a committed errored.tfstate is not taken for one', async () => {
    runner.files.set('envs/prod/errored.tfstate', 'committed by mistake');
    const plan = planned(await runner.plan('failing-apply'));
    expect(await runner.apply(plan)).toMatchObject({ kind: 'failed', stateKept: false });
    expect(runner.store.erroredStates.size).toBe(0);
  });
});

describe('an apply that did not come to its end', () => {
  test('is unknown after a crash, whatever was told as done by then (S5)', async () => {
    const crashing = await createCrashing(11);
    const plan = planned(await crashing.plan('start'));
    expect(await crashing.apply(plan, { runId })).toMatchObject({
      kind: 'unknown',
      runId,
      reason: 'Terraform crashed while it ran (exit code 11)',
    });
    expect(crashing.store.logs.get(runId)).toContain('terraform_data.network: Creation complete');
    await crashing.close();
  });

  test('says so when Terraform could not be started at all', async () => {
    const environment: Record<string, string> = {};
    const crowded = await createTerraformRunner({ environment });
    const plan = planned(await crowded.plan('start'));
    // Linux starts no program with so long a variable.
    environment.TF_VAR_long = 'x'.repeat(200_000);
    await expect(crowded.apply(plan, { runId })).rejects.toMatchObject({ type: notStartedType });
    expect(await readdir(crowded.stateDir)).toEqual([]);
    expect(await readdir(crowded.settings.workDir)).toEqual(['started']);
    expect(await readdir(join(crowded.settings.workDir, 'started'))).toEqual([runId]);
    await crowded.close();
  });

  test.skipIf(!canMount)('what is known stays true when its files cannot be deleted', async () => {
    const open = await createTerraformRunner({ bubblewrap: null });
    const mounted = join(open.root, 'mounted');
    open.files.set('envs/prod/mount.tf', mountingResource(mounted));
    const plan = planned(await open.plan('start'));
    expect(await open.apply(plan, { runId })).toMatchObject({ kind: 'applied' });
    expect(open.warnings).toEqual(['the files of an apply could not be deleted']);
    unmount((await readFile(mounted, 'utf8')).trim());
    await open.close();
  });
});

/** What is mounted somewhere cannot be deleted there. Writes down where it is. */
function mountingResource(note: string): string {
  return `resource "terraform_data" "mount" {
  provisioner "local-exec" {
    command = "mkdir mounted && mount -t tmpfs tmpfs mounted && cd mounted && pwd > ${note}"
  }
}
`;
}

/** Terraform that ends with this exit code after each apply. */
async function createCrashing(exitCode: number): Promise<TerraformRunner> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'hatchet-crashing-')));
  const engine = join(root, 'terraform');
  const real = await ownEngines('terraform', null);
  if (real.kind !== 'found') throw new Error('no terraform');
  const script = `#!/bin/sh
"${real.path}" "$@"
code=$?
[ "$1" = apply ] && exit ${exitCode}
exit $code
`;
  await writeFile(engine, script, { mode: 0o755 });
  return createTerraformRunner({ bubblewrap: null }, root, async () => ({ ...real, path: engine }));
}

describe('a cancelled apply', () => {
  test('before it started changes nothing', async () => {
    const plan = planned(await runner.plan('start'));
    const signal = AbortSignal.abort(new Error('cancelled'));
    expect(await runner.apply(plan, { signal })).toMatchObject({ kind: 'failed', done: 0, total: 2 });
    expect(await readdir(runner.stateDir)).toEqual([]);
  });

  test('is interrupted once: the state is written and the lock released', () => interruptOnce(null));

  test.skipIf(bubblewrap === null)('is interrupted once in the sandbox as well (needs bubblewrap)', () =>
    interruptOnce(bubblewrap),
  );
});

test('S5: an apply that takes longer than it may is asked to stop, and says so', async () => {
  const gated = await createGated({});
  const { stateDir, root } = gated.runner;
  const plan = planned(await gated.runner.plan('slow'));
  const grant = { ...grantFor(plan), timeoutMs: 4_000 };
  const outcome = await gated.runner.apply(plan, { runId, grant });
  expect(outcome).toMatchObject({
    ...{ kind: 'failed', done: 0, total: 2, stateKept: false },
    diagnostics: expect.arrayContaining([
      expect.objectContaining({ summary: expect.stringContaining('longer than `apply.timeout` allows') }),
    ]),
  });
  expect(await readdir(stateDir)).not.toContain('.prod.tfstate.lock.info');
  expect(await processesNaming(root)).toEqual([]);
  await gated.runner.close();
});

async function interruptOnce(walls: string | null): Promise<void> {
  const gated = await createGated({ bubblewrap: walls });
  const plan = planned(await gated.runner.plan('slow'));
  const controller = new AbortController();
  const outcome = gated.runner.apply(plan, { runId, signal: controller.signal });
  await vi.waitFor(() => access(`${gated.gate}.reached`), patience);
  controller.abort(new Error('cancelled'));
  expect(await outcome).toMatchObject({ kind: 'failed', done: 0, total: 2, stateKept: false });
  expect(gated.runner.store.logs.get(runId)?.match(/Interrupt received/g)).toHaveLength(1);
  expect(await readdir(gated.runner.stateDir)).toEqual(['gate.reached', 'prod.tfstate']);
  await gated.runner.close();
}

test('S5: an apply goes on to its end when Hatchet is killed', async () => {
  const gated = await createGated({});
  const { stateDir, root } = gated.runner;
  const child = spawn(process.execPath, [runnerProgram, 'apply', root], { stdio: 'inherit' });
  await vi.waitFor(() => access(`${gated.gate}.reached`), patience);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await writeFile(gated.gate, '');
  await vi.waitFor(async () => {
    const state = JSON.parse(await readFile(join(stateDir, 'prod.tfstate'), 'utf8'));
    expect(state.resources).toHaveLength(2);
    expect(await processesNaming(root)).toEqual([]);
  }, patience);
  expect(await readdir(stateDir)).not.toContain('.prod.tfstate.lock.info');
  expect(await sweepRuns(gated.runner.settings.workDir)).toEqual([
    expect.stringContaining(gated.runner.root),
  ]);
  await gated.runner.close();
});

test('S5: Terraform that nobody watches any more goes on: its outcome is unknown, and what it leaves is kept', async () => {
  const gated = await createGated({});
  const { stateDir, settings, store, leftovers } = gated.runner;
  const plan = planned(await gated.runner.plan('slow'));
  const outcome = gated.runner.apply(plan, { runId });
  await vi.waitFor(() => access(`${gated.gate}.reached`), patience);
  process.kill(await findLauncher(), 'SIGKILL');
  expect(await outcome).toMatchObject({ kind: 'unknown', reason: 'nobody watched Terraform to its end' });
  await leftovers.sweep();
  expect(store.logs.has(runId)).toBe(false);
  await writeFile(gated.gate, '');
  await vi.waitFor(async () => expect(await processesNaming(settings.workDir)).toEqual([]), patience);
  expect(JSON.parse(await readFile(join(stateDir, 'prod.tfstate'), 'utf8')).resources).toHaveLength(2);
  await leftovers.sweep();
  expect(store.logs.get(runId)).toContain('terraform_data.second: Creation complete');
  expect(await readdir(settings.workDir)).toEqual(['started']);
  await gated.runner.close();
});

/** The process that starts programs for this one. */
async function findLauncher(): Promise<number> {
  const program = launch(process.execPath, ['-p', 'process.ppid'], {
    cwd: '/',
    env: {},
    detached: false,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = program.stdout === null ? [] : await once(program.stdout, 'data');
  return Number(String(line));
}

test('S5: a state that a killed runner could not write is kept by the next one, with the log', async () => {
  const server = await startHttpStateServer();
  const gated = await createGated({ network: 'host' });
  const { stateDir, root, settings, store, leftovers } = gated.runner;
  const masked = planned(await gated.runner.plan('slow'));
  const child = spawn(process.execPath, [runnerProgram, 'apply', root, server.backend], { stdio: 'inherit' });
  await vi.waitFor(() => access(`${gated.gate}.reached`), patience);
  server.refuseWrites();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const [left = expect.fail()] = await sweepRuns(settings.workDir);
  const run = parseRunId(basename(left).slice(0, runId.length));
  const note = (await readStartNote(settings.workDir, run)) ?? expect.fail();
  store.plans.set(note.planId, store.plans.get(masked.id) ?? expect.fail());
  leftovers.add(left);
  // Terraform is at work: what it leaves is not there yet.
  await leftovers.sweep();
  expect([store.erroredStates.size, store.logs.has(run)]).toEqual([0, false]);
  await writeFile(gated.gate, '');
  await vi.waitFor(async () => expect(await processesNaming(left)).toEqual([]), patience);
  await leftovers.sweep();
  expect(JSON.parse(store.erroredStates.get(run) ?? '')).toMatchObject({ serial: 1, resources: [{}, {}] });
  expect(store.logs.get(run)).toContain('terraform_data.second: Creation complete');
  expect(await readdir(settings.workDir)).toEqual(['started']);
  expect(await readFile(join(settings.workDir, 'started', run), 'utf8')).toBe('');
  expect(await readdir(stateDir)).toEqual(['gate', 'gate.reached']);
  await server.close();
  await gated.runner.close();
});

test('S5: a state that could not be stored stays where it is, and is stored when it can be', async () => {
  const { settings, store } = runner;
  const run = parseRunId(runId);
  const left = join(settings.workDir, `${runId}-abcdef`);
  await mkdir(join(left, 'tree/envs/prod'), { recursive: true });
  await writeFile(join(left, 'tree/envs/prod/errored.tfstate'), '{"serial":7}');
  await recordStart(settings.workDir, run, {
    planId: parsePlanId(runId),
    projectDir: 'envs/prod',
    pass: null,
  });
  let away = true;
  const saveErroredState: typeof store.saveErroredState = async (...asked) => {
    if (away) throw new Error('the store cannot be reached');
    await store.saveErroredState(...asked);
  };
  const access = { store: { ...store, saveErroredState }, checkout: async () => undefined, liveLog: null };
  const leftovers = createLeftovers({ settings, accessFor: () => access, log: pino({ level: 'silent' }) });
  leftovers.add(left);
  await leftovers.sweep();
  expect(await readdir(left)).toEqual(['tree']);
  away = false;
  await leftovers.sweep();
  expect(store.erroredStates.get(runId)).toBe('{"serial":7}');
  expect(await readdir(settings.workDir)).toEqual(['started']);
});

test.skipIf(bubblewrap === null)('a plan ends with Hatchet (needs bubblewrap)', async () => {
  const server = await startHttpStateServer();
  const { root, close, settings } = await createTerraformRunner();
  const read = server.holdReads();
  const child = spawn(process.execPath, [runnerProgram, 'plan', root, server.backend], { stdio: 'inherit' });
  await read;
  child.kill('SIGKILL');
  await vi.waitFor(async () => expect(await processesNaming(root)).toEqual([]), patience);
  expect(await readdir(settings.workDir)).toHaveLength(1);
  expect(await sweepRuns(settings.workDir)).toEqual([]);
  expect(await readdir(settings.workDir)).toEqual([]);
  await server.close();
  await close();
});

/** Terraform waits in the middle of the fixture `slow` until `gate` exists. */
async function createGated(
  changed: Parameters<typeof createTerraformRunner>[0],
): Promise<{ readonly runner: TerraformRunner; readonly gate: string }> {
  const environment: Record<string, string> = {};
  const created = await createTerraformRunner({ ...changed, environment });
  const gate = join(created.stateDir, 'gate');
  environment.TF_VAR_gate = gate;
  return { runner: created, gate };
}
