// Is there a PostgreSQL data directory of the right OS user, with a password that only we know?
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../tools/run-program.ts';
import type { Account } from './postgres-account.ts';
import { commandAs } from './postgres-account.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';

export type Cluster = { readonly directory: string; readonly data: string; readonly password: string };

type Place = { readonly directory: string; readonly binaries: PostgresBinaries; readonly account: Account };

/** It takes about a second; a slow disk may need much more. */
const initTimeoutMs = 120_000;
const chownTimeoutMs = 60_000;
const passwordBytes = 24;
const clean = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };

/** Makes the data directory once; finds it, whoever owned it before, at every later start. */
export async function ensureCluster(place: Place): Promise<Cluster> {
  const { directory, account } = place;
  const data = join(directory, 'data');
  const passwordFile = join(directory, 'password');
  if (!(await exists(join(data, 'PG_VERSION')))) await initialize(place, data, passwordFile);
  await giveTo(account, directory);
  return { directory, data, password: (await readFile(passwordFile, 'utf8')).trim() };
}

/** Under another name until it is complete, so a kill in between leaves nothing that looks like a database. */
async function initialize(place: Place, data: string, passwordFile: string): Promise<void> {
  const { directory, binaries, account } = place;
  const unfinished = `${data}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, `${randomBytes(passwordBytes).toString('base64url')}\n`, { mode: 0o600 });
  await giveTo(account, directory);
  const args = initArguments(unfinished, passwordFile);
  const ran = await runProgram({
    ...commandAs(account, { command: binaries.initdb, args }),
    env: clean,
    cwd: directory,
    timeoutMs: initTimeoutMs,
    ...(account.kind === 'user' ? { account } : {}),
  });
  if (ran.problem !== null) throw new Error(`PostgreSQL's data directory cannot be made: ${ran.problem}`);
  await rename(unfinished, data);
}

/** Whole argv of `initdb`. The builtin locale sorts by code point everywhere, whatever the machine has installed. */
export function initArguments(data: string, passwordFile: string): readonly string[] {
  return [
    `--pgdata=${data}`,
    `--pwfile=${passwordFile}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ];
}

/** The OS user changes when Hatchet is moved to where `postgres` cannot enter, or started by another user. */
async function giveTo(account: Account, directory: string): Promise<void> {
  if (account.kind === 'own') return;
  const { uid, gid } = account.kind === 'user' ? account : { uid: 0, gid: 0 };
  const owners = await Promise.all(
    [directory, join(directory, 'data'), join(directory, 'password')].map(ownerOf),
  );
  if (owners.every((owner) => owner === null || owner === uid)) return;
  const { problem } = await runProgram({
    command: 'chown',
    args: ['-R', '--', `${uid}:${gid}`, directory],
    env: clean,
    timeoutMs: chownTimeoutMs,
  });
  if (problem !== null) throw new Error(problem);
}

async function ownerOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ uid }) => uid,
    () => null,
  );
}

async function exists(path: string): Promise<boolean> {
  return (await ownerOf(path)) !== null;
}
