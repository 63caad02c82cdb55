// How does a program run and stop under our hands?
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { Program } from '../activities/terraform/process.ts';
import { runProgram } from '../activities/terraform/process.ts';
import { processesNaming } from './terraform-runner.ts';

type Line = { readonly line: string; readonly stream: string };

function program(script: string, changed: Partial<Program> = {}): { program: Program; lines: Line[] } {
  const lines: Line[] = [];
  const first = Promise.withResolvers<void>();
  const onLine = (line: string, stream: string) => {
    lines.push({ line, stream });
    first.resolve();
  };
  return {
    lines,
    program: {
      argv: ['/bin/sh', '-c', script],
      cwd: tmpdir(),
      env: { PATH: '/usr/bin:/bin', ONLY: 'this' },
      output: { kind: 'lines', onLine },
      sandboxed: false,
      signal: new AbortController().signal,
      listening: () => first.promise,
      killAfterMs: null,
      ...changed,
    },
  };
}

test('the exit code is data, and lines keep their stream', async () => {
  const { program: failing, lines } = program('echo out; echo err >&2; exit 3');
  expect(await runProgram(failing)).toEqual({ code: 3, signal: null, lost: false });
  expect(lines).toContainEqual({ line: 'out', stream: 'stdout' });
  expect(lines).toContainEqual({ line: 'err', stream: 'stderr' });
});

test('nothing of our environment is inherited, and the process group is its own', async () => {
  const { program: curious, lines } = program('env | sort; ps -o pgid= -p $$; echo $$');
  await runProgram(curious);
  const texts = lines.map(({ line }) => line.trim());
  expect(texts.filter((line) => /^[A-Z]+=/.test(line))).toEqual([
    'ONLY=this',
    'PATH=/usr/bin:/bin',
    expect.stringMatching(/^PWD=/),
  ]);
  expect(texts.at(-2)).toBe(texts.at(-1));
});

test('what cannot be started is the operator’s to mend', async () => {
  const { program: missing } = program('', { argv: ['/nowhere/terraform'] });
  await expect(runProgram(missing)).rejects.toMatchObject({ type: 'OperatorError' });
});

test('an abort is one SIGINT to the program, not to what it started', async () => {
  const controller = new AbortController();
  const script = `trap 'echo interrupted' INT; (trap 'echo child interrupted' INT; sleep 0.3) & echo ready; wait; wait`;
  const { program: patient, lines } = program(script, { signal: controller.signal });
  const exit = runProgram(patient);
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  controller.abort();
  controller.abort();
  expect(await exit).toEqual({ code: 0, signal: null, lost: false });
  expect(lines.map(({ line }) => line)).toEqual(['ready', 'interrupted']);
});

test('an abort before the program listens waits for it', async () => {
  const script = `sleep 0.2; trap 'echo interrupted; exit 7' INT; echo ready; sleep 5 & wait`;
  const { program: slow, lines } = program(script, { signal: AbortSignal.abort() });
  expect(await runProgram({ ...slow, killAfterMs: 4000 })).toEqual({ code: 7, signal: null, lost: false });
  expect(lines.map(({ line }) => line)).toEqual(['ready', 'interrupted']);
});

test('what does not stop is killed with all that it started', async () => {
  const controller = new AbortController();
  const name = `hatchet-deaf-${process.pid}`;
  const script = `trap '' INT; sh -c 'trap "" INT; while :; do sleep 0.1; done' ${name} & echo ready; wait`;
  const { program: deaf, lines } = program(script, { signal: controller.signal, killAfterMs: 100 });
  const exit = runProgram(deaf);
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  controller.abort();
  expect(await exit).toEqual({ code: null, signal: 'SIGKILL', lost: false });
  await vi.waitFor(async () => expect(await processesNaming(name)).toEqual([]));
});

test('a program’s end is its own, whatever it leaves running with its output open', async () => {
  const { program: parent, lines } = program('sleep 20 & echo done');
  const started = performance.now();
  expect(await runProgram({ ...parent, killAfterMs: 1 })).toEqual({ code: 0, signal: null, lost: false });
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(lines).toEqual([{ line: 'done', stream: 'stdout' }]);
});

test('a program that writes to files needs nobody who reads', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hatchet-process-'));
  const file = join(folder, 'out');
  const output = { kind: 'paths', stdout: file, stderr: file } as const;
  await runProgram(program('echo one; echo two >&2', { output }).program);
  expect(await readFile(file, 'utf8')).toBe('one\ntwo\n');
  await rm(folder, { recursive: true });
});
