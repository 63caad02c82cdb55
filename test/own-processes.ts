// Which programs run on this machine for one data directory?
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Names of the programs, sorted, whose command line speaks of the directory; each process once. */
export async function programsOf(directory: string): Promise<readonly string[]> {
  return pids()
    .map(readArgv)
    .filter((argv) => argv.some((argument) => argument.includes(directory)))
    .map(([program = '']) => basename(program))
    .sort();
}

/** Process ids of the applies of Terraform that run in a directory of this name, behind walls or not. */
export const appliesIn = (dir: string): Promise<readonly number[]> => commandsIn(dir, ['apply']);

/** The same of whatever Terraform does there. */
export const runsIn = (dir: string): Promise<readonly number[]> => commandsIn(dir, ['init', 'plan', 'apply']);

async function commandsIn(dir: string, commands: readonly string[]): Promise<readonly number[]> {
  return pids()
    .filter((pid) => isCommandIn(pid, dir, commands))
    .map(Number);
}

/** All at once and in place: asked for many times a second, hundreds of small promises would keep a core busy. */
const pids = (): readonly string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

function isCommandIn(pid: string, dir: string, commands: readonly string[]): boolean {
  const [program = '', command = ''] = readArgv(pid);
  if (!['terraform', 'tofu'].includes(basename(program)) || !commands.includes(command)) return false;
  try {
    return basename(readlinkSync(`/proc/${pid}/cwd`)) === dir;
  } catch {
    return false;
  }
}

/** Empty for a process that ended meanwhile. */
function readArgv(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [''];
  }
}
