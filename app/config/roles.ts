// Which part of the work does a process take, and what may it know for that?
import { parseArgs } from 'node:util';
import type { RunnerKeys } from '../runner-keys.ts';
import { parseRunnerKeys } from '../runner-keys.ts';
import type { Environment } from './environment.ts';
import { addressText, readAddress } from './environment.ts';
import type { DatabaseConfig, TemporalConfig } from './services.ts';

/** `all`: everything in one process. */
export type Role = 'all' | 'web' | 'control' | 'runner';

export type ListenAddress = { readonly host: string; readonly port: number };

/** How runners on machines of their own and control find each other. */
export type RunServiceConfig = {
  /** Where control listens for them; null where it does not. Port 0 = any free one. */
  readonly listen: ListenAddress | null;
  /** Where this runner reaches control, without a slash at its end; null in every other role. */
  readonly url: string | null;
};

const roles = ['all', 'web', 'control', 'runner'] as const;

export function readRole(environment: Environment, argv: readonly string[]): Role {
  const report = (what: string): Role => {
    const remedy = `Use --role ${roles.join(' | ')}, and nothing else.`;
    environment.report({ variable: '--role', what, remedy });
    return 'all';
  };
  try {
    const { values } = parseArgs({ args: [...argv], options: { role: { type: 'string' } } });
    if (values.role === undefined) return 'all';
    return roles.find((known) => known === values.role) ?? report('is none of its values');
  } catch {
    return report('cannot be read from the command line');
  }
}

/** What would be of use to whoever takes over the code that a runner runs for others. */
const closedToRunners = [
  'PRIVATE_KEY',
  'PRIVATE_KEY_PATH',
  'WEBHOOK_SECRET',
  'DATABASE_URL',
  'HATCHET_ENCRYPTION_KEY',
] as const;

/** A runner is told of secrets that are not for it, instead of leaving them where foreign code may find them. */
export function reportClosed(environment: Environment, role: Role): void {
  if (role !== 'runner') return;
  for (const variable of closedToRunners) {
    if (environment.get(variable) === undefined) continue;
    const remedy = 'Remove it from the environment of this process.';
    environment.report({ variable, what: 'is set, and a runner must not know it', remedy });
  }
}

/** An embedded server belongs to one process; several processes need servers that all of them reach. */
export function reportEmbedded(
  environment: Environment,
  role: Role,
  services: { readonly database: DatabaseConfig; readonly temporal: TemporalConfig },
): void {
  if (role === 'all') return;
  const what = `is missing, and --role ${role} needs servers that the other roles reach too`;
  const remedy = 'Set it, or start one process without --role.';
  if (services.temporal.kind === 'embedded')
    environment.report({ variable: 'TEMPORAL_ADDRESS', what, remedy });
  if (services.database.kind === 'embedded') environment.report({ variable: 'DATABASE_URL', what, remedy });
}

export function readRunService(environment: Environment, role: Role): RunServiceConfig {
  return {
    listen: role === 'all' || role === 'control' ? readListen(environment, role) : null,
    url: role === 'runner' ? readRunnerUrl(environment) : null,
  };
}

const highestPort = 65_535;

function readListen(environment: Environment, role: Role): ListenAddress | null {
  const variable = 'HATCHET_RUNNER_LISTEN';
  const remedy = 'Use HOST:PORT, such as 127.0.0.1:3001 or [::]:3001, and let only runners reach it.';
  const text = environment.get(variable);
  if (text === undefined) {
    if (role === 'control')
      environment.report({ variable, what: 'is missing: runners could not reach --role control', remedy });
    return null;
  }
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:]+)\]|([^\s/:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > highestPort) {
    environment.report({ variable, what: 'is not a host and a port', remedy });
    return null;
  }
  return { host, port: Number(port) };
}

function readRunnerUrl(environment: Environment): string | null {
  const variable = 'HATCHET_RUNNER_URL';
  if (environment.get(variable) === undefined) {
    const remedy = 'Set it to the address at which control listens for runners (HATCHET_RUNNER_LISTEN).';
    environment.report({ variable, what: 'is missing, and --role runner needs it', remedy });
    return null;
  }
  const url = readAddress(environment, variable);
  return url === undefined ? null : addressText(url);
}

/** Null in every role but `runner`. `pools`: those that it serves, each of which it needs the key of. */
export function readRunnerKeys(
  environment: Environment,
  role: Role,
  pools: readonly string[],
): RunnerKeys | null {
  const variable = 'HATCHET_RUNNER_KEY';
  if (role !== 'runner') return null;
  const text = environment.get(variable);
  const remedy = `Take what \`node app/runner-key.ts ${pools.join(' ')}\` prints where HATCHET_ENCRYPTION_KEY is set.`;
  if (text === undefined) {
    environment.report({ variable, what: 'is missing, and --role runner needs it', remedy });
    return null;
  }
  try {
    const keys = parseRunnerKeys(text);
    const without = pools.find((pool) => !keys.has(pool));
    if (without === undefined) return keys;
    const what = `has no key of the pool "${without}", which HATCHET_POOLS names`;
    environment.report({ variable, what, remedy });
  } catch (error) {
    environment.report({ variable, what: error instanceof Error ? error.message : 'cannot be read', remedy });
  }
  return null;
}
