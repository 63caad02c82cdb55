// As which OS user does PostgreSQL run, when it refuses to run as root?
import { spawnSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const cleanEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
/** Exists on every Linux, and has a name, which initdb insists on. */
const namespaceUser = 65534;

export type Account =
  /** We are no root: PostgreSQL runs as we do. */
  | { readonly kind: 'own' }
  /** Another OS user, who must be able to reach the binaries and the data. */
  | { readonly kind: 'user'; readonly uid: number; readonly gid: number }
  /** A user namespace where we are not root, for paths that only root can reach, such as below /root. */
  | { readonly kind: 'namespace' };

/**
 * `postgres` where it can reach all of `paths`, made where it is missing; else a user namespace.
 * Throws an OperatorError when neither works.
 */
export async function postgresAccount(paths: readonly string[]): Promise<Account> {
  if (process.getuid?.() !== 0) return { kind: 'own' };
  const user = findUser() ?? makeUser();
  if (user !== null && (await reachesAll(user, paths))) return { kind: 'user', ...user };
  if (runs('unshare', [...namespaceArguments, 'true'])) return { kind: 'namespace' };
  throw Object.assign(
    new Error(
      `PostgreSQL does not run as root, and the user postgres cannot enter ${paths.join(' and ')}: ` +
        'run Hatchet as another user, or set DATABASE_URL, or move both where every user may enter',
    ),
    { name: 'OperatorError' },
  );
}

/** `unshare` becomes the program, so its pid is the server's. Source: unshare(1). */
const namespaceArguments = [`--map-user=${namespaceUser}`, `--map-group=${namespaceUser}`, '--'];

type Command = { readonly command: string; readonly args: readonly string[] };

/** What to spawn so that `command` runs as this account. */
export function commandAs(account: Account, { command, args }: Command): Command {
  if (account.kind !== 'namespace') return { command, args };
  return { command: 'unshare', args: [...namespaceArguments, command, ...args] };
}

type User = { readonly uid: number; readonly gid: number };

function findUser(): User | null {
  const [uid, gid] = ['-u', '-g'].map((flag) => Number.parseInt(output('id', [flag, 'postgres']), 10));
  return uid !== undefined && gid !== undefined && uid > 0 && gid > 0 ? { uid, gid } : null;
}

function makeUser(): User | null {
  return runs('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']) ? findUser() : null;
}

async function reachesAll(user: User, paths: readonly string[]): Promise<boolean> {
  const reached = await Promise.all(paths.map((path) => canEnter(user, path)));
  return reached.every(Boolean);
}

/** Whether the mode bits of `path` and of all above it let this user in. */
async function canEnter({ uid, gid }: User, path: string): Promise<boolean> {
  const { mode, uid: owner, gid: group } = await stat(path);
  const bit = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
  if ((mode & bit) === 0) return false;
  return dirname(path) === path || canEnter({ uid, gid }, dirname(path));
}

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { env: cleanEnvironment, stdio: 'ignore' }).status === 0;
}

function output(command: string, args: readonly string[]): string {
  return spawnSync(command, args, { env: cleanEnvironment, encoding: 'utf8' }).stdout ?? '';
}
