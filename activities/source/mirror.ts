// Where does the code come from? One bare mirror per repository, fetched with a token that leaves no trace.
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { RepositoryId, Sha } from '../../workflows/model/identifiers.ts';
import { operatorError } from '../faults.ts';
import { explainFetchFailure } from './fetch-failure.ts';
import { createFetchQueue, type Origin, type Wish } from './fetch-queue.ts';
import { createGit, type Git, type GitResult, runGit } from './git.ts';
import { createMemo } from './memo.ts';
import { makeMirror, mirrorPath, removeStaleLocks } from './mirror-directory.ts';
import { createObjects, type Objects } from './objects.ts';
import { packTree } from './pack-tree.ts';
import { branchRefspec, commitRefspec, pullRequestRefspec } from './ref-names.ts';
import { createTreeCache } from './tree-cache.ts';

/** A bare repository on this machine that holds what was fetched and what was merged in memory. */
export type Mirror = {
  readonly objects: Objects;
  /** Runs a git command that asks and does not fetch. */
  git(args: readonly string[]): Promise<GitResult>;
  /** A tree with everything in it, as `unpackTree` takes it. */
  pack(tree: Sha, signal: AbortSignal): Readable;
};

export type Mirrors = {
  /** The mirror as it is; empty when nothing was ever fetched. */
  open(repository: RepositoryId): Promise<Mirror>;
  /**
   * Fetches in one `git fetch`. OperatorError: the address or the token is refused. Other errors are worth a retry,
   * also a ref that the remote does not have (yet).
   */
  fetch(origin: Origin, wish: Wish): Promise<Mirror>;
  /** Stops what runs. */
  close(): Promise<void>;
};

export type MirrorsOptions = {
  /** Owned by this process alone; made when missing. */
  readonly directory: string;
  /** A name or a path; `git` when absent. */
  readonly gitCommand?: string;
  /** What git needs to know of the site: PATH, proxies, certificates. Nothing else is passed on. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Beyond https, which is always allowed, and http to this machine itself. */
  readonly protocols?: readonly ('http' | 'file')[];
};

/** A first clone of a large repository takes minutes; one that takes longer is better started again. */
const fetchTimeoutMs = 10 * 60_000;
/** Merging two commits of a very large repository takes seconds. */
const askTimeoutMs = 60_000;

/** `merge-tree --write-tree` came with 2.38 and was corrected in 2.39. */
const minGit = [2, 39] as const;

export function createMirrors(options: MirrorsOptions): Mirrors {
  const protocols = ['https', 'http', ...(options.protocols ?? [])];
  const git = createGit({
    command: options.gitCommand ?? 'git',
    home: join(options.directory, 'home'),
    protocols,
    environment: options.environment ?? {},
  });
  const closing = new AbortController();
  const opened = new Map<RepositoryId, Promise<Mirror>>();
  const trees = createTreeCache();
  const once = createMemo<void>(1);

  async function open(repository: RepositoryId): Promise<Mirror> {
    await once('version', () => checkVersion(git));
    const gitDir = mirrorPath(options.directory, repository);
    await makeMirror(options.directory, gitDir);
    return {
      objects: createObjects(git, gitDir, trees),
      git: (args) =>
        runGit(git, {
          args: ['--git-dir', gitDir, ...args],
          timeoutMs: askTimeoutMs,
          signal: closing.signal,
        }),
      pack: (tree, signal) => packTree(git, gitDir, tree, AbortSignal.any([signal, closing.signal])),
    };
  }

  function openOnce(repository: RepositoryId): Promise<Mirror> {
    const known = opened.get(repository);
    if (known !== undefined) return known;
    const opening = open(repository);
    opened.set(repository, opening);
    opening.catch(() => opened.delete(repository));
    return opening;
  }

  const enqueue = createFetchQueue(async (origin, wish) => {
    const gitDir = mirrorPath(options.directory, origin.repository);
    const authorization = origin.token === null ? null : basic(origin.token);
    const result = await runGit(git, {
      args: fetchArgs(gitDir, origin.url, wish),
      config:
        authorization === null ? [] : [[`http.${origin.url}.extraHeader`, `Authorization: ${authorization}`]],
      timeoutMs: fetchTimeoutMs,
      signal: closing.signal,
    });
    if (result.code === 0) return;
    await removeStaleLocks(gitDir);
    throw await explainFetchFailure({ url: origin.url, authorization, stderr: result.stderr });
  });

  return {
    open: openOnce,
    async fetch(origin, wish) {
      checkUrl(origin.url, options.protocols ?? []);
      const mirror = await openOnce(origin.repository);
      await enqueue(origin, wish);
      return mirror;
    },
    async close() {
      closing.abort();
      const mirrors = await Promise.allSettled(opened.values());
      for (const mirror of mirrors) if (mirror.status === 'fulfilled') mirror.value.objects.close();
    },
  };
}

/** The whole command line; every name in it is a full ref after `--`. */
export function fetchArgs(gitDir: string, url: string, wish: Wish): string[] {
  return [
    ...[
      '--git-dir',
      gitDir,
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
    ],
    ...['--no-recurse-submodules', '--no-show-forced-updates', '--', url],
    ...wish.branches.map(branchRefspec),
    ...wish.pullRequests.map(pullRequestRefspec),
    ...wish.commits.map(commitRefspec),
  ];
}

function basic(token: string): string {
  return `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
}

function checkUrl(address: string, protocols: readonly string[]): void {
  const url = URL.canParse(address) ? new URL(address) : null;
  const protocol = url?.protocol.slice(0, -1) ?? '';
  const loopback = url !== null && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  const allowed = protocol === 'https' || (protocol === 'http' && loopback) || protocols.includes(protocol);
  if (url === null || !allowed || url.username !== '' || url.password !== '') {
    throw operatorError('a repository is fetched by https only, from an address without a password in it');
  }
}

async function checkVersion(git: Git): Promise<void> {
  const found = await runGit(git, { args: ['version'], timeoutMs: askTimeoutMs }).catch((cause: unknown) => {
    throw operatorError(`git cannot be started: install git ${minGit.join('.')} or newer`, cause);
  });
  const text = found.stdout.toString().trim();
  const [, major, minor] = /(\d+)\.(\d+)/.exec(text)?.map(Number) ?? [];
  if (
    major === undefined ||
    minor === undefined ||
    major < minGit[0] ||
    (major === minGit[0] && minor < minGit[1])
  ) {
    throw operatorError(`git ${minGit.join('.')} or newer is needed, found ${JSON.stringify(text)}`);
  }
}
