// Who did what to a project, and was it allowed? `npm run audit -- --project NAME` prints the record.
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import type { EventQuestion, RecordedEvent } from '../activities/store/event.ts';
import { connectEvents } from '../activities/store/event.ts';
import { nearest } from '../workflows/model/command.ts';
import { createEnvironment } from './config/environment.ts';
import { readDatabase } from './config/services.ts';
import { readDataDir } from './config.ts';
import { runningPostgresUrl } from './embedded/postgres-running.ts';

const usage =
  'npm run audit -- --project NAME [--repository OWNER/NAME] [--number N] [--since 2026-11-01] [--json]';

/** Enough to tell two plans apart; the whole digest is in the JSON. */
const shownDigestLength = 12;

/** Source: postgresql.org/docs/current/errcodes-appendix.html */
const undefinedTable = '42P01';

/** Something that whoever typed the command can mend. */
class AuditError extends Error {}

async function main(argv: readonly string[]): Promise<void> {
  const { question, json } = readArguments(argv);
  const events = connectEvents(await databaseUrl());
  try {
    const found = await events.search(question);
    if (found.length === 0) throw new AuditError(nothingFound(question, await events.targets()));
    process.stdout.write(json ? jsonLines(found) : `${table(found)}\n`);
  } finally {
    await events.close();
  }
}

function readArguments(argv: readonly string[]): {
  readonly question: EventQuestion;
  readonly json: boolean;
} {
  const { project, repository, number, since, json } = parse(argv);
  if (project === undefined) throw new AuditError(`--project is missing.\n${usage}`);
  if (repository !== undefined && !/^[^/\s]+\/[^/\s]+$/.test(repository))
    throw new AuditError(`--repository ${repository} is no OWNER/NAME.`);
  if (number !== undefined && !/^[1-9]\d{0,8}$/.test(number))
    throw new AuditError(`--number ${number} is not the number of a pull request.`);
  const from = since === undefined ? null : new Date(since);
  if (from !== null && Number.isNaN(from.getTime()))
    throw new AuditError(`--since ${since} is no time: write it as 2026-11-01 or 2026-11-01T12:00:00Z.`);
  return {
    question: {
      project,
      repository: repository ?? null,
      number: number === undefined ? null : Number(number),
      since: from,
    },
    json: json ?? false,
  };
}

function parse(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: { project: text, repository: text, number: text, since: text, json: { type: 'boolean' } },
    }).values;
  } catch (error) {
    throw new AuditError(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}

/** That of DATABASE_URL, or of the Hatchet that runs on the data directory. */
async function databaseUrl(): Promise<string> {
  const environment = createEnvironment(process.env);
  const database = readDatabase(environment);
  const dataDir = readDataDir(environment);
  const [problem] = environment.problems;
  if (problem !== undefined) throw new AuditError(`${problem.variable} ${problem.what}. ${problem.remedy}`);
  if (database.kind === 'external') return database.url;
  const running = await runningPostgresUrl(dataDir);
  if (running !== null) return running;
  throw new AuditError(
    `No Hatchet with a database of its own runs on ${dataDir}. Start it, or set DATABASE_URL or HATCHET_DATA_DIR.`,
  );
}

function nothingFound({ project }: EventQuestion, targets: readonly string[]): string {
  if (targets.includes(project)) return `Nothing is recorded of ${project} that fits.`;
  const meant = nearest(project, targets);
  return `Nothing is recorded of a project ${visible(project)}.${meant === null ? '' : ` Did you mean ${visible(meant)}?`}`;
}

const jsonLines = (events: readonly RecordedEvent[]): string =>
  events.map((event) => `${JSON.stringify(event)}\n`).join('');

function table(events: readonly RecordedEvent[]): string {
  const rows = events.map(({ at, repository, number, actor, action, target, digest, allowed, reason }) => [
    at,
    number === null ? repository : `${repository}#${number}`,
    actor,
    action,
    target,
    digest?.slice(0, shownDigestLength) ?? '',
    allowed ? 'allowed' : 'refused',
    reason,
  ]);
  const head = ['when', 'where', 'who', 'what', 'project', 'plan', '', 'why'];
  return markdownTable([head, ...rows.map((row) => row.map(visible))]);
}

/** What people wrote must not steer the terminal that shows it. */
const visible = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '�');

function explain(error: unknown): string {
  if (error instanceof AuditError) return error.message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === undefinedTable) return 'This database is not yet Hatchet’s: start Hatchet with it once.';
  return `The record cannot be read: ${error instanceof Error ? error.message || code : String(error)}`;
}

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on('error', () => process.exit(0));
try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
