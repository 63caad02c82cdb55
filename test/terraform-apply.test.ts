// Is an approved plan applied exactly once, and is what comes of it told truthfully?
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sweepRuns } from '../activities/terraform/sweep-runs.ts';
import type { PlanDigest } from '../workflows/model/identifiers.ts';
import { startHttpStateServer } from './http-state-server.ts';
import type { TerraformRunner } from './terraform-runner.ts';
import { bubblewrap, createTerraformRunner, grantFor, planned, processesNaming } from './terraform-runner.ts';

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
  expect(outcome).toEqual({ kind: 'applied', runId, finishedAt: expect.stringMatching(/^\d{4}-.*Z$/) });
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
