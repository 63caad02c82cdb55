// How is the database reached, and what happens while it cannot be?
import type { Logger } from 'pino';
import postgres from 'postgres';

/**
 * Every transaction here is ONE statement (`with` for several tables, a function where it has to decide): when the
 * connection breaks between the statements of `sql.begin`, postgres.js 3.4.9 writes its rollback to a socket that
 * is gone, outside of any promise, and the process dies. A broken single statement merely rejects.
 */
export type Sql = postgres.ISql<{ bigint: number }>;

/** PostgreSQL's default is 100 connections for everybody; activities of one process rarely need more at once. */
const poolSize = 10;
/** A server that does not answer for this long is away: the activity fails and Temporal tries it again. */
const connectTimeoutSeconds = 5;
/** The slowest statement stores the artifacts of a large plan. */
const statementTimeoutMs = 60_000;
/** Each idle connection is a process of the database with 5 MiB; a new one takes 10 ms. */
const idleTimeoutSeconds = 30;
/** After a database comes back nobody should wait long: 0.1 s, doubled up to 2 s. */
const reconnectDelaySeconds = (attempt: number): number => Math.min(0.1 * 2 ** attempt, 2);
/**
 * One query at a time per connection. When a connection breaks with several under way, postgres.js 3.4.9 loses one
 * now and then: its promise never settles. Its types do not know the option.
 */
const noPipelining = { max_pipeline: 0 };
/** How long `close` waits for what is running. */
export const closeTimeoutSeconds = 5;

/** Connects when first used. Never throws by itself: a database that is away rejects the query that needed it. */
export function connect(url: string, log: Pick<Logger, 'debug'>): postgres.Sql<{ bigint: number }> {
  return postgres(url, {
    max: poolSize,
    connect_timeout: connectTimeoutSeconds,
    idle_timeout: idleTimeoutSeconds,
    backoff: reconnectDelaySeconds,
    fetch_types: false,
    ...noPipelining,
    types: { bigint: { to: 20, from: [20], serialize: String, parse: parseSafeInteger } },
    connection: { application_name: 'hatchet', statement_timeout: statementTimeoutMs },
    onnotice: ({ message }) => log.debug({ notice: message }, 'the database says'),
    onclose: (connection) => log.debug({ connection }, 'a database connection closed'),
  });
}

function parseSafeInteger(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${text} is too large for a number`);
  return number;
}

/** For `${asJson(value)}::text::json`: as text, so that it is written to the column exactly as it is. */
export function asJson(value: unknown): string {
  return JSON.stringify(value);
}
