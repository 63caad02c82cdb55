// How does the process live: what starts it, what ends it, and with which exit code?
import type { Config } from './config.ts';
import { ConfigError, readConfig } from './config.ts';
import { createLog } from './log.ts';
import type { App } from './start.ts';
import { startApp } from './start.ts';

// What Terraform and the servers beside us write is for this user alone.
process.umask(0o077);
const config = configure();
const log = createLog({ level: config.logLevel, secrets: config.secrets });

// From the first moment: a signal while the servers start must not leave them behind.
const stopped = new AbortController();
let app: App | null = null;
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

try {
  app = await startApp(config, log, stopped.signal);
  void app.lost.then(giveUp);
} catch (error) {
  if (stopped.signal.aborted) process.exit(0);
  log.fatal({ err: error }, 'could not start');
  process.exit(1);
}

function stop(signal: NodeJS.Signals): void {
  if (stopped.signal.aborted) return;
  stopped.abort();
  log.info({ signal }, 'stopping: running work is finished first');
  app?.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      log.fatal({ err: error }, 'could not stop in order');
      process.exit(1);
    },
  );
}

/** Without its servers the process is of no use: whoever started it starts it again, with everything that was kept. */
function giveUp(reason: string): void {
  if (stopped.signal.aborted) return;
  log.fatal({ reason }, 'a server that this process needs is gone');
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
