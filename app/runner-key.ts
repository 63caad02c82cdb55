// Which key do the runners of a pool get? Printed where HATCHET_ENCRYPTION_KEY is set: `runner-key.ts POOL …`.
import { createEnvironment } from './config/environment.ts';
import { poolPattern } from './config/pools.ts';
import { readEncryptionKeys } from './config/services.ts';
import { createKeyring } from './keyring.ts';
import { runnerKeysOf, runnerKeysText } from './runner-keys.ts';

/** The pool of runners that were told of none. */
const onlyPool = 'default';

const environment = createEnvironment(process.env);
const keys = readEncryptionKeys(environment, {
  database: { kind: 'embedded' },
  temporal: { kind: 'embedded' },
});
const named = process.argv.slice(2);
const pools = named.length === 0 ? [onlyPool] : named;
const bad = pools.find((pool) => !poolPattern.test(pool));
if (bad !== undefined)
  fail(`"${bad.slice(0, 80)}" is no name of a pool: use letters, digits, dots, dashes and underscores.`);
if (keys === null) {
  const [problem] = environment.problems;
  fail(`HATCHET_ENCRYPTION_KEY ${problem?.what ?? 'is missing'}: set it to that of control.`);
}
process.stdout.write(`HATCHET_RUNNER_KEY=${runnerKeysText(runnerKeysOf(createKeyring(keys), pools))}\n`);

function fail(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}
