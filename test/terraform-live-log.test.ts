// Can a run be followed while it goes on?
import { randomUUID } from 'node:crypto';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { followFile } from '../activities/terraform/follow-file.ts';
import { createLiveLog } from '../activities/terraform/live-log.ts';
import { createMask } from '../activities/terraform/mask.ts';
import { parseRunId } from '../workflows/model/identifiers.ts';
import { createMemoryRunStore } from './memory-run-store.ts';
import { createTerraformRunner, planned } from './terraform-runner.ts';

const runId = parseRunId(randomUUID());
const patience = { timeout: 30_000, interval: 20 };

test('an apply is followed, masked, before it ends', async () => {
  const secret = `sk-${randomUUID()}`;
  const runner = await createTerraformRunner({ masks: [secret] });
  const gate = join(runner.stateDir, 'gate');
  const settings = { TF_VAR_gate: gate };
  const slow = await createTerraformRunner(
    { masks: [secret], environment: settings, paths: [runner.stateDir] },
    runner.root,
  );
  try {
    slow.files.set(
      'envs/prod/loud.tf',
      `resource "terraform_data" "loud" {\n  provisioner "local-exec" {\n    command = "echo it is ${secret}"\n  }\n}\n`,
    );
    const plan = planned(await slow.plan('slow'));
    expect(slow.store.chunks.get(plan.runId)?.join('') ?? '').not.toContain(secret);
    const applyId = randomUUID();
    const outcome = slow.apply(plan, { runId: applyId });
    const followed = () => slow.store.chunks.get(applyId)?.join('') ?? '';
    await vi.waitFor(() => expect(followed()).toContain('it is ***'), patience);
    await writeFile(gate, '');
    expect(await outcome).toMatchObject({ kind: 'applied' });
    expect(followed()).not.toContain(secret);
    // What is kept holds all of it, from the first line on.
    expect(slow.store.logs.get(applyId)?.startsWith(followed())).toBe(true);
  } finally {
    await slow.close();
  }
});

test('chunks are whole lines in order, and a sink that fails is tried again under the same number', async () => {
  const calls: [number, string][] = [];
  let down = true;
  const live = createLiveLog(
    {
      append: async (_run, seq, text) => {
        calls.push([seq, text]);
        if (down) throw new Error('the database restarts');
      },
    },
    runId,
    createMask(['correct horse']),
  );
  live.append('one correct horse');
  await vi.waitFor(() => expect(calls).toHaveLength(1), patience);
  down = false;
  live.append('two');
  await vi.waitFor(() => expect(calls).toHaveLength(2), patience);
  live.append('three');
  await vi.waitFor(() => expect(calls).toHaveLength(3), patience);
  await live.end();
  expect(calls).toEqual([
    [0, 'one ***\n'],
    [0, 'one ***\ntwo\n'],
    [1, 'three\n'],
  ]);
});

test('a run that is over before anybody could look writes nothing', async () => {
  const store = createMemoryRunStore();
  const live = createLiveLog(store.live, runId, (text) => text);
  live.append('quick');
  await live.end();
  live.append('late');
  expect(store.chunks.size).toBe(0);
});

test('a file is read to its end while it grows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hatchet-follow-'));
  const file = await open(join(folder, 'out'), 'ax+');
  try {
    const lines: string[] = [];
    const finish = followFile(file, (line) => lines.push(line));
    await file.appendFile('one\ntw');
    await vi.waitFor(() => expect(lines).toEqual(['one']), patience);
    await file.appendFile(`o\n${'x'.repeat(200_000)}\nlast`);
    await finish();
    expect(lines.map((line) => line.length)).toEqual([3, 3, 200_000, 4]);
  } finally {
    await file.close();
    await rm(folder, { recursive: true });
  }
});
