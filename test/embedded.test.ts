// Do the embedded servers keep their data, and does nothing of a killed Hatchet stay behind?
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Client, Connection } from '@temporalio/client';
import postgres from 'postgres';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { endLeftover, startChild } from '../app/embedded/children.ts';
import { claimDirectory } from '../app/embedded/directory-claim.ts';
import { serverArguments as postgresArguments, startEmbeddedPostgres } from '../app/embedded/postgres.ts';
import { initArguments } from '../app/embedded/postgres-cluster.ts';
import type { ProcessIdentity } from '../app/embedded/process-identity.ts';
import { identify, isAlive } from '../app/embedded/process-identity.ts';
import { startEmbeddedTemporal, serverArguments as temporalArguments } from '../app/embedded/temporal.ts';
import { findTestTools } from './tools.ts';

/** A cold machine fetches the Temporal CLI first. */
const fetchTimeoutMs = 6 * 60_000;
const testTimeoutMs = 120_000;

let temporalPath: string;
let dataDir: string;
let processes: ChildProcess[];
let stops: (() => Promise<void>)[];

beforeAll(async () => {
  temporalPath = (await findTestTools()).temporal;
}, fetchTimeoutMs);

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'hatchet-embedded-'));
  processes = [];
  stops = [];
});

afterEach(async () => {
  for (const child of processes) child.kill('SIGKILL');
  await Promise.all(stops.map((stop) => stop()));
  for (const name of ['temporal', 'postgres']) {
    await endLeftover({ name, directory: join(dataDir, name), stopSignals: ['SIGQUIT', 'SIGKILL'] });
  }
  await rm(dataDir, { recursive: true, force: true });
});

test(
  'after a kill, everything is there again and no old server lives',
  async () => {
    const killed = await startHatchet();
    await query(killed.url, "create table kept as select 'still here' as word");
    await withClient(killed.address, (client) =>
      client.workflow.signalWithStart('waiting', {
        workflowId: 'pr/1/1',
        taskQueue: 'nobody',
        signal: 'opened',
        signalArgs: [{ number: 1 }],
      }),
    );

    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');
    expect(killed.servers.map(isAlive)).toEqual([true, true]);

    const lines: string[] = [];
    const [temporal, database] = await startBoth((line) => lines.push(line));
    expect(killed.servers.map(isAlive)).toEqual([false, false]);
    expect(lines.sort().map((line) => line.replace(/\d+/, 'N'))).toEqual([
      'stopped the PostgreSQL server N of an earlier Hatchet',
      'stopped the Temporal server N of an earlier Hatchet',
    ]);
    expect(await query(database.url, 'select word from kept')).toEqual([{ word: 'still here' }]);
    await withClient(temporal.address, async (client) => {
      const { status } = await client.workflow.getHandle('pr/1/1').describe();
      expect(status.name).toBe('RUNNING');
    });
  },
  testTimeoutMs,
);

test(
  "a Hatchet that lives is not disturbed by a second one, nor its servers by the terminal's Ctrl-C",
  async () => {
    const first = await startHatchet();
    const refused = `is in use by process ${first.child.pid}: stop that Hatchet, or set HATCHET_DATA_DIR`;
    await expect(startBoth(() => undefined)).rejects.toThrow(refused);
    expect(first.servers.map(isAlive)).toEqual([true, true]);

    // As a terminal does: to the whole process group of the foreground program.
    process.kill(-(first.child.pid ?? 0), 'SIGINT');
    await once(first.child, 'exit');
    expect(first.servers.map(isAlive)).toEqual([true, true]);
  },
  testTimeoutMs,
);

test(
  'the database wants its password and keeps it to itself; a clean stop ends the servers and keeps the data',
  async () => {
    const [temporal, database] = await startBoth(() => undefined);
    const servers = [temporal, database].map(({ pid }) => identityOf(pid));
    const stranger = new URL(database.url);
    stranger.password = 'guess';
    await expect(query(stranger.href, 'select 1')).rejects.toThrow('password authentication failed');
    expect((await stat(join(dataDir, 'postgres', 'password'))).mode & 0o777).toBe(0o600);
    const asked =
      "select rolsuper, current_setting('fsync') as fsync from pg_roles where rolname = current_user";
    expect(await query(database.url, asked)).toEqual([{ rolsuper: false, fsync: 'on' }]);
    await query(database.url, 'create table kept as select 1 as n');
    await Promise.all(stops.splice(0).map((stop) => stop()));
    expect(servers.map(isAlive)).toEqual([false, false]);

    const again = await embeddedPostgres();
    expect(await query(again.url, 'select n from kept')).toEqual([{ n: 1 }]);
  },
  testTimeoutMs,
);

test(
  'servers that need not last leave no data behind',
  async () => {
    const temporal = await startEmbeddedTemporal({
      ...common(),
      temporalPath,
      namespace: 'hatchet',
      persist: false,
    });
    const database = await startEmbeddedPostgres({ ...common(), persist: false });
    await Promise.all([temporal.stop(), database.stop()]);
    expect(await readdir(join(dataDir, 'temporal'))).not.toContain('temporal.db');
    await expect(access(join(dataDir, 'postgres', 'data'))).rejects.toThrow('ENOENT');
  },
  testTimeoutMs,
);

test(
  "a server's end is noticed, and its pid file costs another program with that number nothing",
  async () => {
    const { pid, ended } = await embeddedPostgres();
    process.kill(pid, 'SIGQUIT');
    expect(await ended).toMatch(/^it (ended with|was ended by) /);
    await Promise.all(stops.splice(0).map((stop) => stop()));

    const innocent = sleeper();
    const identity = identityOf(innocent.pid);
    const known = JSON.stringify({ ...identity, startedAt: 'another boot 1' });
    await writeFile(join(dataDir, 'postgres', 'postgres.pid'), known);
    await writeFile(join(dataDir, 'postgres', 'data', 'postmaster.pid'), `${innocent.pid}\n`);
    await embeddedPostgres();
    expect(isAlive(identity)).toBe(true);
  },
  testTimeoutMs,
);

test('a server that does not start says why, and gives the directory free again', async () => {
  const broken = join(dataDir, 'broken');
  await writeFile(broken, '#!/bin/sh\necho "no space left on device" >&2\nexit 3\n');
  await chmod(broken, 0o755);
  const start = startEmbeddedTemporal({
    ...common(),
    temporalPath: broken,
    namespace: 'hatchet',
    persist: true,
  });
  await expect(start).rejects.toThrow(
    'the Temporal server did not start: it ended with 3\nno space left on device',
  );
  await (await claimDirectory(join(dataDir, 'temporal'))).release();
});

test('of many that claim a directory at once one gets it, also when a dead one holds it', async () => {
  const directory = join(dataDir, 'claimed');
  await mkdir(directory);
  await writeFile(
    join(directory, 'claimed-by.json'),
    JSON.stringify({ pid: 4_000_000, startedAt: 'long ago' }),
  );
  const claims = await Promise.allSettled(Array.from({ length: 8 }, () => claimDirectory(directory)));
  expect(claims.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await readdir(directory)).toEqual(['claimed-by.json']);
});

test('a child that ignores the polite signal is ended by the final one, in a process group of its own', async () => {
  const child = await startChild({
    name: 'stubborn',
    directory: dataDir,
    command: process.execPath,
    args: ['-e', "process.on('SIGHUP', () => 0); console.log('up'); setInterval(() => 0, 1000)"],
    env: {},
    stopSignals: ['SIGKILL'],
  });
  const identity = identityOf(child.pid);
  expect(await readFile(join(dataDir, 'stubborn.pid'), 'utf8')).toBe(JSON.stringify(identity));
  expect(() => process.kill(-child.pid, 0)).not.toThrow();
  await child.stop();
  expect(await child.ended).toBe('it was ended by SIGKILL');
  expect(isAlive(identity)).toBe(false);
  await expect(access(join(dataDir, 'stubborn.pid'))).rejects.toThrow('ENOENT');
});

test('the Temporal server is told to listen here only, and how to be fast', () => {
  const options = { namespace: 'hatchet', persist: true };
  expect(temporalArguments(options, '/data/temporal', 7001)).toMatchInlineSnapshot(`
    [
      "server",
      "start-dev",
      "--headless",
      "--ip",
      "127.0.0.1",
      "--port",
      "7001",
      "--namespace",
      "hatchet",
      "--log-level",
      "warn",
      "--db-filename",
      "/data/temporal/temporal.db",
      "--sqlite-pragma",
      "journal_mode=WAL",
      "--sqlite-pragma",
      "synchronous=NORMAL",
      "--dynamic-config-value",
      "history.transferProcessorMaxPollRPS=2000",
      "--dynamic-config-value",
      "history.timerProcessorMaxPollRPS=2000",
      "--dynamic-config-value",
      "system.enableActivityEagerExecution=true",
      "--dynamic-config-value",
      "matching.numTaskqueueReadPartitions=1",
      "--dynamic-config-value",
      "matching.numTaskqueueWritePartitions=1",
    ]
  `);
  expect(temporalArguments({ ...options, persist: false }, '/data/temporal', 7001)).not.toContain(
    '--db-filename',
  );
});

test('PostgreSQL is told to listen here only, and to lose nothing', () => {
  expect(postgresArguments('/data/postgres/data', 7002, true)).toMatchInlineSnapshot(`
    [
      "-D",
      "/data/postgres/data",
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      "port=7002",
      "-c",
      "unix_socket_directories=",
      "-c",
      "password_encryption=scram-sha-256",
      "-c",
      "shared_buffers=32MB",
      "-c",
      "io_method=sync",
      "-c",
      "jit=off",
      "-c",
      "wal_level=minimal",
      "-c",
      "max_wal_senders=0",
      "-c",
      "max_logical_replication_workers=0",
      "-c",
      "log_min_messages=warning",
      "-c",
      "log_checkpoints=off",
      "-c",
      "fsync=on",
      "-c",
      "synchronous_commit=on",
      "-c",
      "full_page_writes=on",
    ]
  `);
  expect(postgresArguments('/data/postgres/data', 7002, false)).toContain('fsync=off');
});

test('the data directory is made with a password for everybody', () => {
  expect(initArguments('/data/postgres/data', '/data/postgres/password')).toMatchInlineSnapshot(`
    [
      "--pgdata=/data/postgres/data",
      "--pwfile=/data/postgres/password",
      "--username=postgres",
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
    ]
  `);
});

type Hatchet = {
  readonly child: ChildProcess;
  readonly address: string;
  readonly url: string;
  readonly servers: readonly ProcessIdentity[];
};

/** Another process with both servers on `dataDir`, in a process group of its own like a program in a terminal. */
async function startHatchet(): Promise<Hatchet> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'embedded-starter.ts'), dataDir, temporalPath],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    },
  );
  processes.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const { address, url, pids } = JSON.parse(line) as {
      address: string;
      url: string;
      pids: readonly number[];
    };
    return { child, address, url, servers: pids.map(identityOf) };
  }
  throw new Error('the starter ended before its servers were up');
}

async function startBoth(log: (line: string) => void) {
  const options = { ...common(), log, persist: true };
  const temporal = await startEmbeddedTemporal({ ...options, temporalPath, namespace: 'hatchet' });
  stops.push(temporal.stop);
  const database = await startEmbeddedPostgres(options);
  stops.push(database.stop);
  return [temporal, database] as const;
}

async function embeddedPostgres() {
  const database = await startEmbeddedPostgres({ ...common(), persist: true });
  stops.push(database.stop);
  return database;
}

function common() {
  return { dataDir, log: () => undefined };
}

async function withClient<Answer>(
  address: string,
  ask: (client: Client) => Promise<Answer>,
): Promise<Answer> {
  const connection = await Connection.connect({ address });
  try {
    return await ask(new Client({ connection, namespace: 'hatchet' }));
  } finally {
    await connection.close();
  }
}

async function query(url: string, text: string): Promise<readonly unknown[]> {
  const sql = postgres(url, { max: 1 });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end();
  }
}

function sleeper(): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'ignore' });
  processes.push(child);
  return child;
}

function identityOf(pid: number | undefined): ProcessIdentity {
  const identity = pid === undefined ? null : identify(pid);
  if (identity === null) throw new Error(`process ${pid} does not live`);
  return identity;
}
