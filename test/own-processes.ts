// Which programs run on this machine for one data directory?
import { readdir, readFile, readlink } from 'node:fs/promises';
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

/** Process ids of the applies of Terraform that run in a directory of this name, behind walls or not. */
export const appliesIn = (dir: string): Promise<readonly number[]> => commandsIn(dir, ['apply']);

/** The same of whatever Terraform does there. */
export const runsIn = (dir: string): Promise<readonly number[]> => commandsIn(dir, ['init', 'plan', 'apply']);

async function commandsIn(dir: string, commands: readonly string[]): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((pid) => isCommandIn(pid, dir, commands)));
  return pids.filter((_, index) => found[index]).map(Number);
}

async function isCommandIn(pid: string, dir: string, commands: readonly string[]): Promise<boolean> {
  const [program = '', command = ''] = await readArgv(pid);
  if (basename(program) !== 'terraform' || !commands.includes(command)) return false;
  return basename(await readlink(`/proc/${pid}/cwd`).catch(() => '')) === dir;
}

/** Empty for a process that ended meanwhile. */
async function readArgv(pid: string): Promise<readonly string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.split('\0');
}
