// What does a Hatchet look like that a test can kill: both embedded servers, then nothing?
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
// Whoever started this ends it.
setInterval(() => undefined, 60_000);
