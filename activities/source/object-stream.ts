// How are thousands of git objects read without a process for each?
import type { Sha } from '../../workflows/model/identifiers.ts';
import { launch } from '../programs/launch.ts';
import { type Git, runEnvironment } from './git.ts';

export type ObjectHeader = { readonly type: 'blob' | 'tree' | 'commit' | 'tag'; readonly size: number };
export type GitObject = ObjectHeader & { readonly content: Buffer };

/** Both answer null when the mirror does not have the object. */
export type ObjectStream = {
  header(sha: Sha): Promise<ObjectHeader | null>;
  object(sha: Sha): Promise<GitObject | null>;
  close(): void;
};

type Question = {
  readonly command: 'info' | 'contents';
  readonly resolve: (answer: GitObject | null) => void;
  readonly reject: (reason: Error) => void;
};

/** Long enough to serve one pull request's activities, short enough not to keep a process per idle repository. */
const idleMs = 30_000;
const headerPattern = /^[0-9a-f]+ (blob|tree|commit|tag) (\d+)$/;
const lineFeed = 0x0a;

/**
 * One `git cat-file --batch-command` that starts with the first question, answers in order and ends when nobody
 * asks. Questions are pipelined: ask many at once. A process that dies fails what was asked; the next question
 * starts another.
 */
export function createObjectStream(git: Git, gitDir: string): ObjectStream {
  let running: ReturnType<typeof startProcess> | null = null;

  function ask(command: Question['command'], sha: Sha): Promise<GitObject | null> {
    if (running === null || running.ended()) running = startProcess(git, gitDir);
    return running.ask(command, sha);
  }

  return {
    header: (sha) => ask('info', sha),
    object: (sha) => ask('contents', sha),
    close: () => running?.end(),
  };
}

function startProcess(git: Git, gitDir: string) {
  const child = launch(git.command, ['--git-dir', gitDir, 'cat-file', '--batch-command'], {
    cwd: '/',
    env: runEnvironment(git),
    detached: false,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const questions: Question[] = [];
  const idle = setTimeout(end, idleMs);
  idle.unref();
  let ended = false;

  function end(): void {
    ended = true;
    clearTimeout(idle);
    child.stdin?.end();
  }

  function fail(cause: Error): void {
    end();
    for (const question of questions.splice(0)) question.reject(cause);
    child.kill('SIGTERM');
  }

  const parser = createParser(
    () => questions[0]?.command ?? null,
    (answer) => questions.shift()?.resolve(answer),
  );
  child.stdout?.on('data', (chunk: Buffer) => {
    try {
      parser(chunk);
    } catch (cause) {
      fail(cause instanceof Error ? cause : new Error(String(cause)));
    }
    // A process that nobody waits for must not keep ours alive.
    if (questions.length === 0) child.unref();
  });
  child.on('error', fail);
  child.on('close', (code) => fail(new Error(`git cat-file ended (exit code ${code})`)));
  child.unref();

  return {
    end,
    ended: () => ended,
    ask: (command: Question['command'], sha: Sha) =>
      new Promise<GitObject | null>((resolve, reject) => {
        if (questions.length === 0) child.ref();
        questions.push({ command, resolve, reject });
        child.stdin?.write(`${command} ${sha}\n`);
        idle.refresh();
      }),
  };
}

const empty: Buffer = Buffer.alloc(0);

/** Reads `<sha> <type> <size>\n` and, after `contents`, that many bytes and a line feed; or `<sha> missing\n`. */
function createParser(pending: () => Question['command'] | null, answer: (object: GitObject | null) => void) {
  let rest = empty;
  let body: { header: ObjectHeader; chunks: Buffer[]; missingBytes: number } | null = null;

  function readBody(bytes: Buffer, open: NonNullable<typeof body>): Buffer {
    const taken = bytes.subarray(0, open.missingBytes);
    open.chunks.push(taken);
    open.missingBytes -= taken.length;
    if (open.missingBytes === 0) {
      body = null;
      answer({ ...open.header, content: Buffer.concat(open.chunks).subarray(0, open.header.size) });
    }
    return bytes.subarray(taken.length);
  }

  function readHeader(line: string): void {
    if (line.endsWith(' missing')) {
      answer(null);
      return;
    }
    const [, type, size] = headerPattern.exec(line) ?? [];
    if (type === undefined) throw new Error(`git cat-file answered ${JSON.stringify(line.slice(0, 100))}`);
    const header = { type: type as ObjectHeader['type'], size: Number(size) };
    if (pending() === 'contents') body = { header, chunks: [], missingBytes: header.size + 1 };
    else answer({ ...header, content: empty });
  }

  return (chunk: Buffer): void => {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (bytes.length > 0) {
      if (body !== null) {
        bytes = readBody(bytes, body);
        continue;
      }
      const end = bytes.indexOf(lineFeed);
      if (end < 0) break;
      const line = bytes.toString('latin1', 0, end);
      bytes = bytes.subarray(end + 1);
      readHeader(line);
    }
    rest = bytes;
  };
}
