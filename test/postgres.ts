// Where does a test get a database of its own, on the server that all tests share?
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';

export type TestDatabase = { readonly url: string };

/** Empty: whoever opens a store on it makes the tables. It goes with the server, when all tests are over. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const adminUrl = inject('postgresUrl');
  const url = new URL(adminUrl);
  url.pathname = `/test_${randomBytes(6).toString('hex')}`;
  const name = url.pathname.slice(1);
  await inDatabase(adminUrl, (sql) => sql.unsafe(`create database ${name}`));
  return { url: url.href };
}

/** Runs something on a connection that is closed afterwards. */
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
