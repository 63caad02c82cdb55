// How does `terraform apply` run so that not even the end of Hatchet interrupts it?
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import { notStarted } from '../faults.ts';
import type { ApplyProgress } from './apply-progress.ts';
import { createApplyProgress } from './apply-progress.ts';
import type { CommandResult } from './command.ts';
import { createCollector } from './command.ts';
import { followFile } from './follow-file.ts';
import { runProgram } from './process.ts';
import type { Session } from './session.ts';
import { sessionProgram } from './session.ts';

/** Where this file is, Terraform was started to apply something. */
export const applyOutputName = 'apply.out';
export const applyErrorsName = 'apply.err';

/** `not-started`: nothing was changed, for these reasons. */
export type ApplyEnding =
  | {
      readonly kind: 'ended';
      readonly startedAt: string;
      readonly result: CommandResult;
      readonly progress: ApplyProgress;
    }
  | { readonly kind: 'not-started'; readonly problems: readonly Diagnostic[] };

/**
 * Runs the saved plan in the run's directory. Its output goes to files: a pipe would break when Hatchet dies, and
 * Terraform with it, half way.
 */
export async function runApplyCommand(session: Session): Promise<ApplyEnding> {
  const { root, planFile } = session.directory;
  const paths = { stdout: join(root, applyOutputName), stderr: join(root, applyErrorsName) };
  const [stdout, stderr] = await openOutputs(paths);
  const progress = createApplyProgress();
  const collector = createCollector(session, progress.note);
  const finishReading = [
    followFile(stdout, (line) => collector.onLine(line, 'stdout')),
    followFile(stderr, (line) => collector.onLine(line, 'stderr')),
  ];
  const startedAt = new Date().toISOString();
  try {
    // It rejects only where the program could not be started.
    const exit = await runProgram({
      ...sessionProgram(session, { kind: 'apply', planFile }),
      output: { kind: 'paths', ...paths },
      listening: () => untilWritten(stdout),
      killAfterMs: null,
    }).catch((cause: unknown) => {
      throw notStarted(cause);
    });
    for (const finish of finishReading.splice(0)) await finish();
    return { kind: 'ended', startedAt, result: collector.result(exit), progress };
  } finally {
    // Only where the program could not be started.
    for (const finish of finishReading) await finish();
    await Promise.all([stdout.close(), stderr.close()]);
  }
}

/** Where there is no room for them, nothing is started. */
async function openOutputs(paths: Readonly<Record<'stdout' | 'stderr', string>>) {
  const stdout = await makeOutput(paths.stdout);
  const stderr = await makeOutput(paths.stderr).catch(async (cause: unknown) => {
    await stdout.close();
    throw cause;
  });
  return [stdout, stderr] as const;
}

async function makeOutput(path: string): Promise<FileHandle> {
  return open(path, 'ax+', 0o600).catch((cause: unknown) => {
    throw notStarted(cause);
  });
}

/** Only while a cancellation waits for Terraform's first words, which come within its first second. */
const firstWordsPollMs = 50;

async function untilWritten(file: FileHandle): Promise<void> {
  // A file that is closed meanwhile belongs to a program that has ended.
  while ((await file.stat().catch(() => ({ size: 1 }))).size === 0) await sleep(firstWordsPollMs);
}
