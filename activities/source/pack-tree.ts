// How does one tree leave the mirror, with everything in it and nothing else?
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Sha } from '../../workflows/model/identifiers.ts';
import type { Git } from './git.ts';
import { runEnvironment } from './git.ts';

/**
 * The tree and everything below it, as git's own pack: each object is found by the hash of its content, so that the
 * reader gets what the name says or nothing. Fails where the mirror lacks something of it.
 */
export function packTree(git: Git, gitDir: string, tree: Sha, signal: AbortSignal): Readable {
  // Looking for small differences takes longer than sending them.
  const args = ['--git-dir', gitDir, 'pack-objects', '--revs', '--stdout', '--quiet', '--window=0'];
  const child = spawn(git.command, [...args, '--delta-base-offset', '--threads=1'], {
    cwd: '/',
    env: runEnvironment(git),
    stdio: ['pipe', 'pipe', 'ignore'],
    signal,
  });
  const { stdout } = child;
  // A pack that ends too early must not look like a whole one.
  child.once('error', (cause) => stdout.destroy(cause));
  child.once('exit', (code) => {
    if (code !== 0) stdout.destroy(new Error(`git pack-objects ended (exit code ${code})`));
  });
  child.stdin.on('error', () => undefined).end(`${tree}\n`);
  return stdout;
}
