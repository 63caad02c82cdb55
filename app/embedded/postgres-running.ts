// Where does the PostgreSQL answer that a running Hatchet has brought along?
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { databaseUrl } from './postgres-database.ts';

/** Null when none runs on this data directory. Holds the password: never log it. */
export async function runningPostgresUrl(dataDir: string): Promise<string | null> {
  const directory = join(dataDir, 'postgres');
  const [pidFile, password] = await Promise.all([
    readFile(join(directory, 'data/postmaster.pid'), 'utf8').catch(() => ''),
    readFile(join(directory, 'password'), 'utf8').catch(() => ''),
  ]);
  // Lines 4, 6 and 8: port, address, state, as pg_ctl reads them (PostgreSQL's miscadmin.h).
  const [, , , port, , host, , state] = pidFile.split('\n').map((line) => line.trim());
  if (port === undefined || host === undefined || state !== 'ready') return null;
  return databaseUrl({ host, port: Number(port), password: password.trim() });
}
