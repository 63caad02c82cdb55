// What does a Hatchet look like that a test can kill: both embedded servers, then nothing?
import { once } from 'node:events';
import { startEmbeddedPostgres } from '../app/embedded/postgres.ts';
import { startEmbeddedTemporal } from '../app/embedded/temporal.ts';

const [dataDir = '', temporalPath = ''] = process.argv.slice(2);
const common = { dataDir, persist: true, log: () => undefined };
const [temporal, database] = await Promise.all([
  startEmbeddedTemporal({ ...common, temporalPath, namespace: 'hatchet' }),
  startEmbeddedPostgres(common),
]);
process.stdout.write(
  `${JSON.stringify({ address: temporal.address, url: database.url, pids: [temporal.pid, database.pid] })}\n`,
);
// The test kills this process; when the test itself is killed, the pipe closes and nothing may stay behind.
await once(process.stdin.resume(), 'end');
await Promise.all([temporal.stop(), database.stop()]);
