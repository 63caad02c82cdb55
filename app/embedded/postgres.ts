// How does the PostgreSQL server run that we bring along ourselves?
import { readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from './children.ts';
import { endLeftover, startChild } from './children.ts';
import type { Claim } from './directory-claim.ts';
import { claimDirectory } from './directory-claim.ts';
import { freePort, loopback } from './free-port.ts';
import type { Account } from './postgres-account.ts';
import { commandAs, postgresAccount } from './postgres-account.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import type { Cluster } from './postgres-cluster.ts';
import { ensureCluster } from './postgres-cluster.ts';
import { ensureDatabase } from './postgres-database.ts';
import { endUnknownServer } from './postgres-leftover.ts';

export type EmbeddedPostgresOptions = {
  readonly dataDir: string;
  /** False trades every guarantee for speed and forgets all at the end: for tests. */
  readonly persist: boolean;
  readonly log: (line: string) => void;
};

export type EmbeddedPostgres = {
  /** Holds the password: never log it. The role owns the database `hatchet` and may create others. */
  readonly url: string;
  readonly pid: number;
  /** Settles with a reason when the server ends, also when nobody asked for it. */
  readonly ended: Promise<string>;
  readonly stop: () => Promise<void>;
};

/** Recovery after a kill replays at most a gigabyte of log. */
const readyTimeoutMs = 120_000;
const readyPollMs = 10;
/** The free port can be lost to another process before the server has it. */
const startAttempts = 3;

const child = {
  name: 'postgres',
  // Fast: connections are cut, everything committed is kept; then immediate, which recovers at the next start.
  stopSignals: ['SIGINT', 'SIGQUIT', 'SIGKILL'],
} as const;

/**
 * Throws an OperatorError when the directory is in use or no OS user can run it, an Error with the end of the
 * server's log when it does not start.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const directory = resolve(options.dataDir, 'postgres');
  const claim = await claimDirectory(directory);
  try {
    const leftover = await endLeftover({ ...child, directory });
    if (leftover !== null) options.log(`stopped the PostgreSQL server ${leftover} of an earlier Hatchet`);
    await endUnknownServer(join(directory, 'data'));
    const binaries = postgresBinaries();
    const account = await postgresAccount([binaries.root, dirname(directory)]);
    if (!options.persist) await rm(join(directory, 'data'), { recursive: true, force: true });
    const cluster = await ensureCluster({ directory, binaries, account });
    return await startServer(options, { claim, binaries, account, cluster });
  } catch (error) {
    await claim.release();
    throw error;
  }
}

type Parts = {
  readonly claim: Claim;
  readonly binaries: PostgresBinaries;
  readonly account: Account;
  readonly cluster: Cluster;
};

async function startServer(options: EmbeddedPostgresOptions, parts: Parts): Promise<EmbeddedPostgres> {
  const { binaries, account, cluster, claim } = parts;
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const args = serverArguments(cluster.data, port, options.persist);
    const server = await startChild({
      ...child,
      ...commandAs(account, { command: binaries.postgres, args }),
      directory: cluster.directory,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      ...(account.kind === 'user' ? { account: { uid: account.uid, gid: account.gid } } : {}),
    });
    const problem = await untilReady(server, cluster.data);
    if (problem === null) {
      const { password } = cluster;
      const url = await ensureDatabase({ host: loopback, port, password }).catch(async (error: unknown) => {
        await server.stop();
        throw error;
      });
      const { pid, ended } = server;
      return { url, pid, ended, stop: () => stopServer(server, claim, options.persist ? null : cluster) };
    }
    const tail = await server.logTail();
    await server.stop();
    if (attempt === startAttempts) throw new Error(`PostgreSQL did not start: ${problem}\n${tail}`);
  }
}

async function stopServer(server: Child, claim: Claim, forget: Cluster | null): Promise<void> {
  await server.stop();
  if (forget !== null) await rm(forget.data, { recursive: true, force: true });
  await claim.release();
}

/** Whole argv of `postgres`. Settings stand here and not in a file, so a new release of Hatchet changes them. */
export function serverArguments(data: string, port: number, persist: boolean): readonly string[] {
  const settings = {
    listen_addresses: loopback,
    port,
    // Only the loopback address with a password: a socket's path can be too long, and its folder is one more door.
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    // Small: the whole of Hatchet is to stay under 600 MiB. One server reads and writes for few connections.
    shared_buffers: '32MB',
    io_method: 'sync',
    jit: 'off',
    // Nobody replicates from it; without this every transaction writes more than recovery needs.
    wal_level: 'minimal',
    max_wal_senders: 0,
    max_logical_replication_workers: 0,
    log_min_messages: 'warning',
    log_checkpoints: 'off',
    fsync: persist ? 'on' : 'off',
    synchronous_commit: persist ? 'on' : 'off',
    full_page_writes: persist ? 'on' : 'off',
  };
  return ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Null when connections are taken; otherwise why they never will be. */
async function untilReady(server: Child, data: string): Promise<string | null> {
  const waiting = new AbortController();
  try {
    return await Promise.race([
      untilPidFileSaysReady(server.pid, data, waiting.signal),
      server.ended,
      delay(readyTimeoutMs, `not ready in ${readyTimeoutMs / 1000} s`, { signal: waiting.signal }),
    ]);
  } finally {
    waiting.abort();
  }
}

/** Lines 1 and 8 of postmaster.pid are the pid and the state, as pg_ctl reads them (PostgreSQL's miscadmin.h). */
async function untilPidFileSaysReady(pid: number, data: string, stop: AbortSignal): Promise<null> {
  for (;;) {
    const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
    if (Number(lines[0]) === pid && lines[7]?.trim() === 'ready') return null;
    await delay(readyPollMs, undefined, { signal: stop });
  }
}
