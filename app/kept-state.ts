// Which state could Terraform not write, and how does an operator put it back? `npm run state` lists and fetches them.
import { writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import type { KeptState, Settled } from '../activities/store/kept-state.ts';
import { connectKeptStates } from '../activities/store/kept-state.ts';
import type { RunId } from '../workflows/model/identifiers.ts';
import { parseRunId } from '../workflows/model/identifiers.ts';
import { createEnvironment } from './config/environment.ts';
import { readDatabase, readEncryptionKeys, readTemporal } from './config/services.ts';
import { readDataDir } from './config.ts';
import { runningPostgresUrl } from './embedded/postgres-running.ts';
import { loadOrCreateKey } from './encryption-keys.ts';
import { createKeyring } from './keyring.ts';

const usage =
  'npm run state [-- --run RUN (--out FILE | --put-back | --give-up)]: without a run, every state that is kept is listed';

/** Something that whoever typed the command can mend. */
class StateError extends Error {}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(argv: readonly string[]): Promise<void> {
  const wanted = readArguments(argv);
  const states = connectKeptStates(await readServices());
  try {
    if (wanted === null) process.stdout.write(`${table(await states.list())}\n`);
    else if (wanted.kind === 'fetch') await fetchState(states, wanted);
    else await settleState(states, wanted);
  } finally {
    await states.close();
  }
}

/** For this user alone, and never over a file that is there: it may be the only copy of a state. */
async function fetchState(
  states: ReturnType<typeof connectKeptStates>,
  { run, out }: { readonly run: RunId; readonly out: string },
): Promise<void> {
  const state = await states.find(run);
  if (state === null) throw new StateError(`No state of run ${run} is kept. ${usage}`);
  await writeFile(out, state, { flag: 'wx', mode: 0o600 });
  process.stdout.write(
    `${state.length} bytes are in ${out}; in the project's directory: terraform state push ${out}\n` +
      `then: npm run state -- --run ${run} --put-back\n`,
  );
}

/** From now on the project goes on; the state stays kept for as long as it would have been. */
async function settleState(
  states: ReturnType<typeof connectKeptStates>,
  { run, how }: Extract<Wanted, { kind: 'settle' }>,
): Promise<void> {
  const settled = await states.settle(run, how, `operator ${userInfo().username}`);
  if (!settled) throw new StateError(`No state of run ${run} waits to be put back. ${usage}`);
  process.stdout.write(
    `The state of run ${run} counts as ${how}: comment /hatchet plan on the pull request to go on.\n`,
  );
}

type Wanted =
  | { readonly kind: 'fetch'; readonly run: RunId; readonly out: string }
  | { readonly kind: 'settle'; readonly run: RunId; readonly how: Settled };

function readArguments(argv: readonly string[]): Wanted | null {
  const { run: id, out, ...said } = parse(argv);
  const how = said['put-back'] === true ? 'put back' : 'given up';
  const settles = said['put-back'] === true || said['give-up'] === true;
  const count = [out, said['put-back'], said['give-up']].filter((each) => each !== undefined).length;
  if (id === undefined && count === 0) return null;
  if (id === undefined || count !== 1)
    throw new StateError(`--run goes with one of --out, --put-back and --give-up. ${usage}`);
  const run = readRun(id);
  if (settles) return { kind: 'settle', run, how };
  return out === undefined ? null : { kind: 'fetch', run, out };
}

function readRun(run: string): RunId {
  try {
    return parseRunId(run);
  } catch {
    throw new StateError(`--run ${run} is not the id of a run: it stands in the pull request's comment.`);
  }
}

function parse(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: { run: text, out: text, 'put-back': flag, 'give-up': flag },
    }).values;
  } catch (error) {
    throw new StateError(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}

/** Those of the environment, or of the Hatchet that runs on the data directory. */
async function readServices(): Promise<Parameters<typeof connectKeptStates>[0]> {
  const environment = createEnvironment(process.env);
  const database = readDatabase(environment);
  const temporal = readTemporal(environment, process.env);
  const keys = readEncryptionKeys(environment, { database, temporal });
  const dataDir = readDataDir(environment);
  const [problem] = environment.problems;
  if (problem !== undefined) throw new StateError(`${problem.variable} ${problem.what}. ${problem.remedy}`);
  const url = database.kind === 'external' ? database.url : await runningPostgresUrl(dataDir);
  if (url === null)
    throw new StateError(
      `No Hatchet with a database of its own runs on ${dataDir}. Start it, or set DATABASE_URL or HATCHET_DATA_DIR.`,
    );
  return { url, keyring: createKeyring(keys ?? (await loadOrCreateKey(dataDir))) };
}

function table(states: readonly KeptState[]): string {
  if (states.length === 0) return 'No state is kept: Terraform could write them all.';
  const rows = states.map(({ runId, where, project, size, keptAt, expiresAt, settled }) =>
    [runId, where, project, `${size}`, keptAt, expiresAt, settled ?? 'to be put back'].map(visible),
  );
  return markdownTable([
    ['run', 'pull request', 'project', 'bytes', 'kept since', 'until', 'what became of it'],
    ...rows,
  ]);
}

/** What people wrote must not steer the terminal that shows it. */
function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '�');
}
