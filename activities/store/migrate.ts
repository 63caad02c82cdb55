// Does the database have the tables that this version needs?
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { operatorError } from '../faults.ts';
import type { Sql } from './connection.ts';

/** One file of activities/store/migrations. `sha256` is that of its text. */
export type Migration = {
  readonly number: number;
  readonly name: string;
  readonly text: string;
  readonly sha256: string;
};

/** Any number, as long as every Hatchet uses the same one: two that start at once migrate one after the other. */
const advisoryLock = 4_711_001;
/** Each round can only lose against another process that applied at least one migration. */
const maxRounds = 10;
const uniqueViolation = '23505';

/**
 * Applies what is missing, all of it or nothing. OperatorError: an applied migration was changed, or is not among
 * `migrations`: the database belongs to another version.
 */
export async function migrate(sql: Sql, migrations: readonly Migration[]): Promise<void> {
  await sql.unsafe(script([createTable]));
  for (let round = 0; round < maxRounds; round++) {
    const applied = await readApplied(sql);
    refuseForeign(applied, migrations);
    const missing = migrations.slice(applied.length);
    if (missing.length === 0 || (await applyAll(sql, missing))) return;
  }
  throw new Error('the database is being migrated by others all the time');
}

/** In order. Throws an Error when their numbers have a gap or are there twice. */
export async function readMigrations(directory: URL): Promise<readonly Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(names.map((name, index) => readMigration(directory, name, index + 1)));
}

async function readMigration(directory: URL, name: string, number: number): Promise<Migration> {
  if (!name.startsWith(`${String(number).padStart(3, '0')}-`))
    throw new Error(`${name} should be number ${number}`);
  const text = await readFile(new URL(name, directory), 'utf8');
  return { number, name, text, sha256: createHash('sha256').update(text).digest('hex') };
}

const createTable = `
  create table if not exists migration (
    number integer primary key,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now()
  );`;

/** Several statements sent as one text are one transaction. */
function script(statements: readonly string[]): string {
  const begin = [`set local statement_timeout = 0;`, `select pg_advisory_xact_lock(${advisoryLock});`];
  return [...begin, ...statements].join('\n');
}

const appliedRows = z.array(z.object({ number: z.number(), name: z.string(), sha256: z.string() }));

async function readApplied(sql: Sql): Promise<z.infer<typeof appliedRows>> {
  return appliedRows.parse(await sql`select number, name, sha256 from migration order by number`);
}

function refuseForeign(applied: z.infer<typeof appliedRows>, migrations: readonly Migration[]): void {
  const foreign = applied.find(({ number, sha256 }) => migrations[number - 1]?.sha256 !== sha256);
  if (foreign === undefined) return;
  const known = migrations[foreign.number - 1];
  throw operatorError(
    known === undefined
      ? `the database has migration ${foreign.name}, which this version does not know: it was used by a newer Hatchet`
      : `migration ${known.name} is not the one that was applied to the database as ${foreign.name}`,
  );
}

/** False when another process was faster: the row of the first migration is there by then. */
async function applyAll(sql: Sql, missing: readonly Migration[]): Promise<boolean> {
  const statements = missing.flatMap(({ number, name, text, sha256 }) => [
    `insert into migration (number, name, sha256) values (${number}, '${name.replaceAll("'", "''")}', '${sha256}');`,
    text,
  ]);
  try {
    await sql.unsafe(script(statements));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === uniqueViolation) return false;
    throw error;
  }
}
