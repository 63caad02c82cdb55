// How does a tree that came as a pack become files?
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Sha } from '../../workflows/model/identifiers.ts';
import { operatorError } from '../faults.ts';
import { checkout } from './checkout.ts';
import type { Git } from './git.ts';
import { createGit, runEnvironment } from './git.ts';
import { createObjects } from './objects.ts';
import { createTreeCache } from './tree-cache.ts';

/** A checkout of more is refused, and a pack is hardly ever larger than what it holds. */
const maxPackBytes = 4 * 1024 ** 3;

/** Its last words say why. */
const maxSaid = 500;

/**
 * Checks `tree` out of a pack, as `checkout` does from a mirror, with the same errors; OperatorError also where the pack
 * does not hold it. Git itself verifies the pack; what it holds beside the tree is thrown away. `scratch` is a directory
 * that is emptied of it again.
 */
export async function unpackTree(request: {
  readonly environment: Readonly<Record<string, string>>;
  readonly pack: Readable;
  readonly tree: Sha;
  readonly into: string;
  readonly scratch: string;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { environment, pack, tree, into, scratch, signal } = request;
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const gitDir = await mkdtemp(join(scratch, 'tree-'));
  const git = createGit({ command: 'git', home: gitDir, protocols: [], environment });
  try {
    await makeRepository(gitDir);
    await indexPack(git, gitDir, pack, signal);
    const objects = createObjects(git, gitDir, createTreeCache());
    try {
      if (!(await objects.has(tree)))
        throw operatorError('control sent other files than those that were asked for');
      await checkout({ mirror: { objects }, tree, into });
    } finally {
      objects.close();
    }
  } finally {
    await rm(gitDir, { recursive: true, force: true });
  }
}

/** The least that git takes for a repository. Source: gitrepository-layout(5). */
async function makeRepository(gitDir: string): Promise<void> {
  await Promise.all(['objects', 'refs'].map((name) => mkdir(join(gitDir, name))));
  await writeFile(join(gitDir, 'HEAD'), 'ref: refs/hatchet/nothing\n');
}

async function indexPack(git: Git, gitDir: string, pack: Readable, signal: AbortSignal): Promise<void> {
  const args = ['--git-dir', gitDir, 'index-pack', '--stdin', `--max-input-size=${maxPackBytes}`];
  const child = spawn(git.command, args, {
    cwd: '/',
    env: runEnvironment(git),
    stdio: ['pipe', 'ignore', 'pipe'],
    signal,
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject).once('close', resolve);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-maxSaid);
  });
  // Git may refuse before it has read everything; its exit code says more than the broken pipe.
  const [sent] = await Promise.allSettled([pipeline(pack, child.stdin), ended]);
  const code = await ended;
  if (code !== 0)
    throw new Error(`git refused the tree that control sent (exit code ${code}): ${said.trim()}`);
  if (sent.status === 'rejected') throw sent.reason;
}
