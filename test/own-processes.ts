// Which programs run on this machine for one data directory?
import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';

/** Names of the programs, sorted, whose command line speaks of the directory; each process once. */
export async function programsOf(directory: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const argvs = await Promise.all(pids.map(readArgv));
  return argvs
    .filter((argv) => argv.some((argument) => argument.includes(directory)))
    .map(([program = '']) => basename(program))
    .sort();
}

/** Empty for a process that ended meanwhile. */
async function readArgv(pid: string): Promise<readonly string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.split('\0');
}
