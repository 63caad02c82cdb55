// How is one Terraform command run, and what did it say?
import { Buffer } from 'node:buffer';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import { operatorError } from '../faults.ts';
import { saysDiskFull, terraformsFullDisk } from '../full-disk.ts';
import type { TerraformCommand } from './argv.ts';
import { errorsFirst, isWarning, toDiagnostic, withoutHeadings } from './diagnostics.ts';
import type { RawDiagnostic, TerraformEvent } from './event.ts';
import { parseEvent } from './event.ts';
import type { Mask } from './mask.ts';
import type { Exit } from './process.ts';
import { runProgram } from './process.ts';
import type { Session } from './session.ts';
import { sessionProgram } from './session.ts';

/**
 * Providers get this long to end by themselves; a plan writes nothing that could be lost, and a newer one waits.
 */
const planStopGraceMs = 5_000;

/** A document of this size takes seconds to parse and is far beyond what anybody can review. */
const maxDocumentBytes = 256 * 1024 * 1024;

/** More is not read by anybody; the log has the rest. */
const maxDiagnostics = 200;
const maxErrorLines = 20;

export type CommandResult = {
  readonly exit: Exit;
  readonly diagnostics: readonly RawDiagnostic[];
  /** The last lines outside the JSON stream: why it could not even begin. */
  readonly errorText: string;
  /** Terraform has told its version: it did run, and what went wrong is in the diagnostics. */
  readonly spoke: boolean;
  /** It has told of a resource: whatever it checks before that was in order. */
  readonly worked: boolean;
};

export type Collector = {
  readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void;
  readonly result: (exit: Exit) => CommandResult;
};

/** Collects what a command says, line by line. */
export function createCollector(session: Session, onEvent: (event: TerraformEvent) => void): Collector {
  const diagnostics: RawDiagnostic[] = [];
  const errorLines: string[] = [];
  let [spoke, worked] = [false, false];
  const onLine = (line: string, stream: 'stdout' | 'stderr') => {
    const { event, text } = parseEvent(line);
    session.log.append(text);
    if (stream === 'stderr') {
      errorLines.push(stripVTControlCharacters(line));
      if (errorLines.length > maxErrorLines) errorLines.shift();
      return;
    }
    if (event.kind === 'version') spoke = true;
    if ('address' in event || event.kind === 'working') worked = true;
    if (event.kind === 'diagnostic' && diagnostics.length < maxDiagnostics)
      diagnostics.push(event.diagnostic);
    onEvent(event);
  };
  return {
    onLine,
    result: (exit) => ({ exit, diagnostics, errorText: errorLines.join('\n').trim(), spoke, worked }),
  };
}

/** Runs a command that may be killed. Throws the signal's reason when it was cancelled. */
export async function runCommand(session: Session, command: TerraformCommand): Promise<CommandResult> {
  session.context.signal.throwIfAborted();
  const collector = createCollector(session, () => undefined);
  const first = Promise.withResolvers<void>();
  const exit = await runProgram({
    ...sessionProgram(session, command),
    output: {
      kind: 'lines',
      onLine: (line, stream) => {
        first.resolve();
        collector.onLine(line, stream);
      },
    },
    listening: () => first.promise,
    killAfterMs: planStopGraceMs,
  });
  session.context.signal.throwIfAborted();
  return collector.result(exit);
}

/** What a command wrote, as far as it may be read; `bytes`: how much it was. */
export type Captured =
  | { readonly kind: 'document'; readonly text: Buffer }
  | { readonly kind: 'too-large'; readonly bytes: number }
  | { readonly kind: 'failed' };

/** Runs a command whose standard output is one document; what is larger than `maxBytes` is not read. */
export async function captureCommand(
  session: Session,
  command: TerraformCommand,
  maxBytes = maxDocumentBytes,
): Promise<Captured> {
  session.context.signal.throwIfAborted();
  // Made and read by the same descriptors: what the run's own code puts in their place is not read.
  const paths = {
    stdout: join(session.directory.root, `${command.kind}.out`),
    stderr: join(session.directory.root, `${command.kind}.err`),
  };
  const output = await open(paths.stdout, 'wx+', 0o600);
  const errors = await open(paths.stderr, 'wx+', 0o600);
  try {
    const exit = await runProgram({
      ...sessionProgram(session, command),
      output: { kind: 'paths', ...paths },
      listening: () => Promise.resolve(),
      killAfterMs: planStopGraceMs,
    });
    session.context.signal.throwIfAborted();
    if (exit.code === 0) return await readWritten(output, maxBytes);
    const said = await readWritten(errors, maxDocumentBytes);
    if (said.kind === 'document') session.log.append(said.text.toString());
    return { kind: 'failed' };
  } finally {
    await Promise.all([output.close(), errors.close()]);
  }
}

async function readWritten(
  file: Awaited<ReturnType<typeof open>>,
  maxBytes: number,
): Promise<Exclude<Captured, { kind: 'failed' }>> {
  const { size } = await file.stat();
  if (size > maxBytes) return { kind: 'too-large', bytes: size };
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size), position: 0 });
  return { kind: 'document', text: buffer.subarray(0, bytesRead) };
}

/** OperatorError when Terraform never got as far as saying anything: then it is the runner that is broken. */
export function assertStarted(
  session: Session,
  command: TerraformCommand,
  result: CommandResult,
  mask: Mask,
): void {
  if (result.spoke) return;
  const { engine } = session.project;
  throw operatorError(
    `${engine} ${command.kind} did not start (${ending(result)}): ${mask(result.errorText)}`,
  );
}

/** Why a command failed, for the people of the pull request; at least one error. */
export function explainFailure(
  session: Session,
  command: TerraformCommand,
  result: CommandResult,
  mask: Mask,
): readonly Diagnostic[] {
  const diagnostics = result.diagnostics.map((raw) => toDiagnostic(raw, session.project.dir, mask));
  const said = [result.errorText, ...diagnostics.flatMap(({ summary, detail }) => [summary, detail])];
  const hint = said.some(saysDiskFull) ? [terraformsFullDisk] : [];
  if (!diagnostics.every(isWarning)) return [...hint, ...withoutHeadings(errorsFirst(diagnostics))];
  const summary = `${session.project.engine} ${command.kind} ended with ${ending(result)}`;
  return [...hint, { severity: 'error', summary, detail: mask(result.errorText) }, ...diagnostics];
}

function ending({ exit }: CommandResult): string {
  return exit.signal === null ? `exit code ${exit.code}` : exit.signal;
}
