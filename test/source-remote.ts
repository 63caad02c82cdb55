// Where do tests of the source fetch from? A real repository behind a real git server that asks for a token.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryGit } from '../fixtures/sandbox/git-command.ts';
import { parseRepositoryId, parseSha, type Sha } from '../workflows/model/identifiers.ts';

export const remoteToken = 'ghs_0123456789abcdefghijklmnopqrstuvwxyzABCD';
export const repositoryId = parseRepositoryId(42);

/** Content alone is a plain file; null deletes. */
export type FileChange = string | Buffer | null | { readonly mode: string; readonly content: string };

export type Remote = {
  readonly gitDir: string;
  readonly url: string;
  /** Method and path of every request, in order. */
  readonly requests: string[];
  /** Called before a request is answered; a status or the target of a redirect answers it instead of git. */
  onRequest: (request: IncomingMessage) => number | string | null;
  /** Commits onto a ref, with `parents` when it should not simply grow. */
  commit(ref: string, files: Readonly<Record<string, FileChange>>, options?: CommitOptions): Sha;
  /** Several at once, the later on the earlier where their `parents` say so: `:1` stands for the first. */
  commitAll(commits: readonly NewCommit[]): readonly Sha[];
  git(...args: string[]): string;
  /** A tree that holds the same tree under each of `names`. */
  tree(names: readonly string[], below: string): string;
  commitTree(tree: string, ...parents: readonly string[]): Sha;
  close(): Promise<void>;
};

export type NewCommit = {
  readonly ref: string;
  readonly files: Readonly<Record<string, FileChange>>;
  readonly options?: CommitOptions;
};

type CommitOptions = {
  readonly parents?: readonly string[];
  readonly message?: string;
  readonly author?: string;
  readonly committedAt?: number;
};

export async function startRemote(): Promise<Remote> {
  const root = mkdtempSync(join(tmpdir(), 'hatchet-remote-'));
  const gitDir = join(root, 'o', 'r.git');
  mkdirSync(gitDir, { recursive: true });
  const git = (...args: string[]) =>
    execFileSync('git', ['--git-dir', gitDir, ...args], { encoding: 'utf8' }).trim();
  git('init', '--quiet', '--bare', '--initial-branch=main');
  git('config', 'uploadpack.allowReachableSHA1InWant', 'true');
  const requests: string[] = [];

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const instead = remote.onRequest(request) ?? (isAuthorized(request) ? null : 401);
    if (instead === null) serveGit(root, request, response).catch(() => response.destroy());
    else if (typeof instead === 'string') response.writeHead(302, { location: instead }).end();
    else response.writeHead(instead).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const remote: Remote = {
    gitDir,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/o/r.git`,
    requests,
    onRequest: () => null,
    git,
    commit: (ref, files, options = {}) => remote.commitAll([{ ref, files, options }])[0] as Sha,
    commitAll(commits) {
      const input = Buffer.concat([
        ...commits.map((each, index) => importStream(each, index + 1, existsSync(join(gitDir, each.ref)))),
        ...commits.map((_, index) => Buffer.from(`get-mark :${index + 1}\n`)),
      ]);
      const argv = ['--git-dir', gitDir, 'fast-import', '--quiet', '--force'];
      const said = execFileSync('git', argv, { input, encoding: 'utf8' });
      return said.trim().split('\n').map(parseSha);
    },
    tree(names, below) {
      const input = names.map((name) => `040000 tree ${below}\t${name}\n`).join('');
      return execFileSync('git', ['--git-dir', gitDir, 'mktree'], { input, encoding: 'utf8' }).trim();
    },
    commitTree(tree, ...parents) {
      const identity = ['-c', 'user.name=GitHub', '-c', 'user.email=noreply@example.com'];
      const onto = parents.flatMap((parent) => ['-p', parent]);
      return parseSha(git(...identity, 'commit-tree', '-m', 'merged', ...onto, tree));
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(root, { recursive: true });
    },
  };
  return remote;
}

function isAuthorized(request: IncomingMessage): boolean {
  const expected = Buffer.from(`x-access-token:${remoteToken}`).toString('base64');
  return request.headers.authorization === `Basic ${expected}`;
}

let clock = 1_700_000_000;

function importStream({ ref, files, options = {} }: NewCommit, mark: number, exists: boolean): Buffer {
  clock += 1;
  const message = options.message ?? `change ${clock}`;
  const parents = options.parents ?? (exists ? [`${ref}^0`] : []);
  const lines: (string | Buffer)[] = [
    `commit ${ref}\nmark :${mark}\nauthor ${options.author ?? `Ada <ada@example.com> ${clock} +0000`}\n`,
    `committer GitHub <noreply@example.com> ${options.committedAt ?? clock} +0000\n`,
    `data ${Buffer.byteLength(message)}\n${message}\n`,
    ...parents.map((parent, index) => `${index === 0 ? 'from' : 'merge'} ${parent}\n`),
  ];
  if (options.parents?.length === 0) lines.push('deleteall\n');
  for (const [path, change] of Object.entries(files)) {
    if (change === null) lines.push(`D ${quote(path)}\n`);
    else if (typeof change === 'object' && 'mode' in change && change.mode === '160000') {
      lines.push(`M 160000 ${change.content} ${quote(path)}\n`);
    } else {
      const { mode, content } =
        typeof change === 'object' && 'mode' in change ? change : { mode: '100644', content: change };
      const bytes = Buffer.from(content);
      lines.push(`M ${mode} inline ${quote(path)}\ndata ${bytes.length}\n`, bytes, '\n');
    }
  }
  return Buffer.concat(lines.map((line) => Buffer.from(line)));
}

/** A path as fast-import wants it; `\xNN` in it stands for a byte that is no UTF-8. */
function quote(path: string): string {
  const escaped = path
    .replace(/\\(?!x[0-9a-f]{2})/g, '\\\\')
    .replace(/"/g, '\\"')
    .replace(/\n/g, '\\n')
    .replace(
      /\\x([0-9a-f]{2})/g,
      (_, hex: string) => `\\${Number.parseInt(hex, 16).toString(8).padStart(3, '0')}`,
    );
  return `"${escaped}"`;
}

async function serveGit(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const header = (name: string) => String(request.headers[name] ?? '');
  const said: Buffer[] = [];
  for await (const chunk of request) said.push(chunk as Buffer);
  const env = {
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: request.method ?? 'GET',
    CONTENT_TYPE: header('content-type'),
    HTTP_CONTENT_ENCODING: header('content-encoding'),
    GIT_PROTOCOL: header('git-protocol'),
  };
  const { stdout } = await tryGit(root, ['http-backend'], { env, input: Buffer.concat(said) });
  const end = stdout.indexOf('\r\n\r\n');
  const headers = stdout
    .toString('latin1', 0, end)
    .split('\r\n')
    .map((line) => line.split(/: (.*)/, 2));
  const status = headers.find(([name]) => name === 'Status')?.[1];
  response.writeHead(
    Number.parseInt(status ?? '200', 10),
    Object.fromEntries(headers.filter(([name]) => name !== 'Status')),
  );
  response.end(stdout.subarray(end + 4));
}
