// Starts Hatchet, and stops it in order when it is told to.
import type { Config } from './config.ts';
import { ConfigError, readConfig } from './config.ts';
import { createLog } from './log.ts';
import { startApp } from './start.ts';

const config = configure();
const log = createLog({ level: config.logLevel, secrets: config.secrets });

try {
  const app = await startApp(config, log);
  let stopping: Promise<void> | null = null;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping !== null) return;
    log.info({ signal }, 'stopping: running work is finished first');
    stopping = app.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'could not stop in order');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  log.fatal({ err: error }, 'could not start');
  process.exit(1);
}

function configure(): Config {
  try {
    return readConfig(process.env, process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
