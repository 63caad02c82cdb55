// Which key does a runner on a machine of its own get? Printed where HATCHET_ENCRYPTION_KEY is set.
import { createEnvironment } from './config/environment.ts';
import { readEncryptionKeys } from './config/services.ts';
import { createKeyring } from './keyring.ts';
import { runnerKeysOf, runnerKeysText } from './runner-keys.ts';

const environment = createEnvironment(process.env);
const keys = readEncryptionKeys(environment, {
  database: { kind: 'embedded' },
  temporal: { kind: 'embedded' },
});
if (keys === null) {
  const [problem] = environment.problems;
  process.stderr.write(
    `HATCHET_ENCRYPTION_KEY ${problem?.what ?? 'is missing'}: set it to that of control.\n`,
  );
  process.exit(1);
}
process.stdout.write(`HATCHET_RUNNER_KEY=${runnerKeysText(runnerKeysOf(createKeyring(keys)))}\n`);
