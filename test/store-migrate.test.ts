// Are the tables brought up to date exactly once, and left alone when they are somebody else's?
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { operatorErrorType } from '../activities/faults.ts';
import { connect } from '../activities/store/connection.ts';
import type { Migration } from '../activities/store/migrate.ts';
import { migrate, readMigrations } from '../activities/store/migrate.ts';
import type { TestDatabase } from './postgres.ts';
import { createTestDatabase } from './postgres.ts';

const silent = { debug: () => {} };
const directory = new URL('../activities/store/migrations/', import.meta.url);

function migration(number: number, text: string): Migration {
  return { number, name: `${number}-x.sql`, text, sha256: createHash('sha256').update(text).digest('hex') };
}

async function withDatabase(run: (database: TestDatabase) => Promise<void>): Promise<void> {
  await run(await createTestDatabase());
}

async function migrateWith(url: string, migrations: readonly Migration[]): Promise<readonly string[]> {
  const sql = connect(url, silent);
  try {
    await migrate(sql, migrations);
    const tables = await sql<{ name: string }[]>`select tablename as name from pg_tables
      where schemaname = 'public' order by 1`;
    return tables.map(({ name }) => name);
  } finally {
    await sql.end();
  }
}

const one = migration(1, 'create table one (a integer);');
const two = migration(2, 'create table two (b integer); insert into two values (1);');

test('the product’s own migrations apply to an empty database, and again to a migrated one', () =>
  withDatabase(async ({ url }) => {
    const migrations = await readMigrations(directory);
    const tables = await migrateWith(url, migrations);
    expect(tables).toEqual([
      'apply',
      'approval',
      'artifact',
      'delivery',
      'event',
      'github_pause',
      'github_spent',
      'healing',
      'installed_repository',
      'lock_event',
      'log_chunk',
      'migration',
      'plan',
      'policy_override',
      'policy_override_withdrawal',
      'pull_request',
      'push',
      'redelivery',
      'run',
      'settled_state',
      'shown',
      'shown_head',
      'told_difference',
      'verdict',
    ]);
    expect(await migrateWith(url, migrations)).toEqual(tables);
  }));

test('only what is missing is applied', () =>
  withDatabase(async ({ url }) => {
    expect(await migrateWith(url, [one])).toEqual(['migration', 'one']);
    expect(await migrateWith(url, [one, two])).toEqual(['migration', 'one', 'two']);
  }));

test('many processes that start at once migrate once', () =>
  withDatabase(async ({ url }) => {
    const slow = migration(1, 'select pg_sleep(0.2); create table one (a integer);');
    const tables = await Promise.all(Array.from({ length: 8 }, () => migrateWith(url, [slow, two])));
    expect(new Set(tables.map(String))).toEqual(new Set(['migration,one,two']));
  }));

test('a migration that fails leaves nothing of itself or the others behind', () =>
  withDatabase(async ({ url }) => {
    await expect(migrateWith(url, [one, migration(2, 'create table two (b nonsense);')])).rejects.toThrow(
      'nonsense',
    );
    expect(await migrateWith(url, [])).toEqual(['migration']);
  }));

describe('a database of another version is left alone', () => {
  test.each([
    ['changed', [migration(1, 'create table other (a integer);')], 'migration 1-x.sql is not the one'],
    ['missing', [], 'does not know'],
  ])('%s', (_name, migrations, message) =>
    withDatabase(async ({ url }) => {
      await migrateWith(url, [one]);
      await expect(migrateWith(url, migrations)).rejects.toMatchObject({
        type: operatorErrorType,
        message: expect.stringContaining(message),
      });
    }),
  );
});
