// What does the small process do that starts programs for the large one?
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import type { LauncherAnswer, LauncherRequest, StartRequest } from './launcher-messages.ts';

const running = new Map<number, ChildProcess>();

process.on('message', handle);
// Whom we worked for is gone: what we started is on its own, or ends with its parent where that was asked for.
process.on('disconnect', () => process.exit(0));
// Whoever ends our master politely does not mean us: it may have something to finish.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

function handle(request: LauncherRequest): void {
  switch (request.kind) {
    case 'start':
      start(request);
      return;
    case 'input':
      running.get(request.id)?.stdin?.write(request.text);
      return;
    case 'end-input':
      running.get(request.id)?.stdin?.end();
      return;
    case 'kill':
      running.get(request.id)?.kill(request.signal);
      return;
    case 'hang-up':
      for (const stream of running.get(request.id)?.stdio ?? []) stream?.destroy();
      return;
    default:
      request satisfies never;
  }
}

function start(request: StartRequest): void {
  const { id } = request;
  try {
    watch(id, spawnWith(request));
  } catch (error) {
    fail(id, error);
    tell({ kind: 'close', id, code: null, signal: null });
  }
}

/** Foreign code may have put a link in the place of a file that we were to write to. */
const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

function spawnWith({ command, args, cwd, env, detached, stdio }: StartRequest): ChildProcess {
  const opened = stdio.map((one) => (typeof one === 'string' ? one : openSync(one.append, appending)));
  try {
    return spawn(command, args, { cwd, env, detached, stdio: opened });
  } finally {
    for (const one of opened) if (typeof one === 'number') closeSync(one);
  }
}

function watch(id: number, child: ChildProcess): void {
  running.set(id, child);
  child.on('error', (error) => fail(id, error));
  if (child.pid !== undefined) tell({ kind: 'started', id, pid: child.pid });
  for (const [descriptor, stream] of child.stdio.entries()) {
    if (descriptor > 0)
      stream?.on('data', (bytes: Buffer) => tell({ kind: 'output', id, descriptor, bytes }));
  }
  // A program that ends before it has read everything tells why by its exit code, not by a broken pipe.
  child.stdin?.on('error', () => undefined);
  child.on('exit', (code, signal) => tell({ kind: 'exit', id, code, signal }));
  child.on('close', (code, signal) => {
    running.delete(id);
    tell({ kind: 'close', id, code, signal });
  });
}

function fail(id: number, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  tell({ kind: 'error', id, message, code });
}

function tell(answer: LauncherAnswer): void {
  // The master may be gone in this very moment; then `disconnect` follows.
  process.send?.(answer, undefined, undefined, () => undefined);
}
