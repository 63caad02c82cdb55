// Is a program that was started in this directory still at work?
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** The arguments of every process of a busy machine are less. */
const maxListBytes = 64 * 1024 * 1024;

/**
 * `root`: absolute, without links. Terraform is told its plan file there, and bubblewrap the directory itself, so it
 * is among the arguments of one of them for as long as it runs, whoever started it.
 */
export async function isAtWorkIn(root: string): Promise<boolean> {
  const lines = process.platform === 'linux' ? await linuxCommandLines() : await otherCommandLines();
  return lines.some((line) => line.includes(root));
}

/** Source: proc_pid_cmdline(5). A process that ends meanwhile, or is a zombie, has none. */
async function linuxCommandLines(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
}

async function otherCommandLines(): Promise<readonly string[]> {
  const options = { env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' }, maxBuffer: maxListBytes };
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'command='], options);
  return stdout.split('\n');
}
