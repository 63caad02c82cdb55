// Does the server hold our role and our database?
import postgres from 'postgres';

type Server = { readonly host: string; readonly port: number; readonly password: string };

const name = 'hatchet';

/** The URL of the database `hatchet`, whose role is no superuser but may create databases, as tests do. */
export async function ensureDatabase({ host, port, password }: Server): Promise<string> {
  const sql = postgres({ host, port, password, username: 'postgres', database: 'postgres', max: 1 });
  try {
    const [role] = await sql`select 1 from pg_roles where rolname = ${name}`;
    // DDL takes no parameters; the password is base64url, which needs no quoting.
    if (role === undefined) await sql.unsafe(`create role ${name} login createdb password '${password}'`);
    const [database] = await sql`select 1 from pg_database where datname = ${name}`;
    if (database === undefined) await sql.unsafe(`create database ${name} owner ${name}`);
  } finally {
    await sql.end();
  }
  return databaseUrl({ host, port, password });
}

/** As Hatchet's own role. */
export const databaseUrl = ({ host, port, password }: Server): string =>
  `postgres://${name}:${password}@${host}:${port}/${name}`;
