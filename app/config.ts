// What was this process told to be? The only reader of the environment.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { nearest } from '../workflows/model/command.ts';
import type { Environment, Problem } from './config/environment.ts';
import { addressText, createEnvironment, readAddress, readChoice } from './config/environment.ts';
import type { GithubConfig } from './config/github.ts';
import { readGithub, readWebhookSecret } from './config/github.ts';
import type { LinksConfig } from './config/links.ts';
import { readLinks } from './config/links.ts';
import { hatchetNames, isOwnName } from './config/own-names.ts';
import type { PoolsConfig } from './config/pools.ts';
import { readPools } from './config/pools.ts';
import type { Role, RunServiceConfig } from './config/roles.ts';
import { readRole, readRunnerKeys, readRunService, reportClosed, reportEmbedded } from './config/roles.ts';
import type { RunnerConfig } from './config/runner.ts';
import { readRunner } from './config/runner.ts';
import { runnerSecrets } from './config/runner-secrets.ts';
import type { DatabaseConfig, TemporalConfig } from './config/services.ts';
import { passwordSpellings, readDatabase, readEncryptionKeys, readTemporal } from './config/services.ts';
import type { EncryptionKeys } from './encryption-keys.ts';
import type { LogLevel } from './log.ts';
import type { RunnerKeys } from './runner-keys.ts';
import type { ToolName } from './tools/versions.ts';

export type Config = {
  readonly role: Role;
  /** Null where GitHub is not spoken to: only control holds the key of the App. */
  readonly github: GithubConfig | null;
  /** Null in a process that receives no webhooks. */
  readonly webhookSecret: string | null;
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly database: DatabaseConfig;
  readonly temporal: TemporalConfig;
  /** Null: use the key that the data directory keeps; in a runner, which has none of these, `runnerKeys`. */
  readonly encryptionKeys: EncryptionKeys | null;
  /** Null in every role but `runner`. */
  readonly runnerKeys: RunnerKeys | null;
  readonly runService: RunServiceConfig;
  /** Absolute; may not exist yet. */
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly runner: RunnerConfig;
  readonly pools: PoolsConfig;
  readonly links: LinksConfig;
  readonly healIntervalMs: number;
  /** After a push to a base branch or an apply: how long to wait for more of them before plans are made again. */
  readonly refreshWaitMs: number;
  /** How long a runner that was lost during an apply may still be at work before somebody looks what it has done. */
  readonly lostWaitMs: number;
  /** Where tools are downloaded from instead of their official address; no slash at the end. */
  readonly mirrors: Readonly<Partial<Record<ToolName, string>>>;
  /** The environment without Hatchet's own variables: PATH, and what clients of package registries pick from it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Every secret value above, and those that Terraform is given: what logs must blank. */
  readonly secrets: readonly string[];
};

/** All mistakes at once, one per line, ready to print. The process must not start. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    const lines = problems.map(({ variable, what, remedy }) => `  ${variable} ${what}. ${remedy}`);
    super(
      [
        problems.length === 1 ? 'One setting is wrong:' : `${problems.length} settings are wrong:`,
        ...lines,
      ].join('\n'),
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Reads everything in one pass. Throws a ConfigError that tells every mistake. */
export function readConfig(variables: NodeJS.ProcessEnv, argv: readonly string[]): Config {
  const environment = createEnvironment(variables);
  const role = readRole(environment, argv);
  const links = readLinks(environment);
  const services = {
    database: needsDatabase(role, links) ? readDatabase(environment) : ({ kind: 'none' } as const),
    temporal: readTemporal(environment, variables),
  };
  reportEmbedded(environment, role, services);
  reportClosed(environment, role);
  const dataDir = readDataDir(environment);
  const pools = readPools(environment);
  const config = {
    role,
    github: role === 'all' || role === 'control' ? readGithub(environment) : null,
    webhookSecret: role === 'all' || role === 'web' ? readWebhookSecret(environment) : null,
    host: environment.get('HOST') ?? '127.0.0.1',
    port: readPort(environment),
    ...services,
    encryptionKeys: role === 'runner' ? null : readEncryptionKeys(environment, services),
    runnerKeys: readRunnerKeys(environment, role, pools.served),
    runService: readRunService(environment, role),
    dataDir,
    logLevel: readChoice(environment, 'LOG_LEVEL', logLevels, 'info'),
    runner: readRunner(environment, dataDir),
    pools,
    links,
    healIntervalMs: readInterval(environment),
    refreshWaitMs: readWait(environment, 'HATCHET_REFRESH_WAIT', '2s'),
    lostWaitMs: readWait(environment, 'HATCHET_LOST_WAIT', lostWait),
    mirrors: readMirrors(environment),
    environment: readForeign(environment),
  };
  reportUnknownNames(environment);
  if (environment.problems.length > 0) throw new ConfigError(environment.problems);
  return { ...config, secrets: collectSecrets(config, environment) };
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** Whoever only receives webhooks keeps nothing; whoever shows the pages of runs reads them there. */
function needsDatabase(role: Role, links: LinksConfig): boolean {
  return role === 'all' || role === 'control' || (role === 'web' && links.url !== null);
}

/** Absolute; may not exist yet. */
export function readDataDir(environment: Environment): string {
  const variable = 'HATCHET_DATA_DIR';
  const dataDir = resolve(environment.get(variable) ?? '.hatchet');
  if (statSync(dataDir, { throwIfNoEntry: false })?.isDirectory() === false) {
    environment.report({
      variable,
      what: 'is not a directory',
      remedy: 'Name a directory, or one that can be made.',
    });
  }
  return dataDir;
}

const highestPort = 65_535;

function readPort(environment: Environment): number {
  const text = environment.get('PORT') ?? '3000';
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  if (port > highestPort) {
    environment.report({
      variable: 'PORT',
      what: 'is not a port',
      remedy: `Use a number from 0 to ${highestPort}.`,
    });
  }
  return port;
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000 } as const;
/** Below this GitHub's rate limit would go into looking for lost webhooks. */
const shortestIntervalMs = 5000;

function readInterval(environment: Environment): number {
  const variable = 'HATCHET_HEAL_INTERVAL';
  const [, amount, unit] = /^(\d{1,6})([smh])$/.exec(environment.get(variable) ?? '5m') ?? [];
  const intervalMs = unit === 's' || unit === 'm' || unit === 'h' ? Number(amount) * unitMs[unit] : 0;
  if (intervalMs < shortestIntervalMs) {
    environment.report({
      variable,
      what: 'is not an interval',
      remedy: 'Use 5s or more, such as 90s, 5m or 1h.',
    });
  }
  return intervalMs;
}

/**
 * Contact counts as lost after 45 s without a sign of life. A runner that still lives notices within a quarter of that
 * time and interrupts Terraform, which then takes some seconds to write the state.
 */
const lostWait = '1m';

function readWait(environment: Environment, variable: string, usual: string): number {
  const [, amount, unit] = /^(\d{1,6})(ms|s|m)$/.exec(environment.get(variable) ?? usual) ?? [];
  if (unit === 'ms') return Number(amount);
  if (unit === 's' || unit === 'm') return Number(amount) * unitMs[unit];
  environment.report({ variable, what: 'is not a time', remedy: 'Use one such as 500ms, 2s or 1m.' });
  return 0;
}

function readMirrors(environment: Environment): Partial<Record<ToolName, string>> {
  const tools = ['terraform', 'tofu', 'opa', 'temporal'] as const;
  const mirrors: Partial<Record<ToolName, string>> = {};
  for (const tool of tools) {
    const url = readAddress(environment, `HATCHET_${tool.toUpperCase()}_MIRROR`);
    if (url !== undefined) mirrors[tool] = addressText(url);
  }
  return mirrors;
}

function readForeign(environment: Environment): Record<string, string> {
  const foreign = environment.names.filter((name) => !isOwnName(name));
  return Object.fromEntries(foreign.map((name) => [name, environment.get(name) ?? '']));
}

/** A misspelt safeguard must not be silently absent. */
function reportUnknownNames(environment: Environment): void {
  const known: readonly string[] = hatchetNames;
  const unknown = environment.names.filter(
    (name) => /^HATCHET_(?!TEST_)/.test(name) && !known.includes(name),
  );
  for (const variable of unknown) {
    const meant = nearest(variable, hatchetNames);
    const remedy = meant === null ? 'Remove it.' : `Did you mean ${meant}?`;
    environment.report({ variable, what: 'is no setting of Hatchet', remedy });
  }
}

function collectSecrets(config: Omit<Config, 'secrets'>, environment: Environment): readonly string[] {
  return [
    environment.get('PRIVATE_KEY'),
    environment.get('TEMPORAL_API_KEY'),
    environment.get('TEMPORAL_TLS_CLIENT_KEY_DATA'),
    config.github?.privateKey,
    config.webhookSecret,
    ...(config.database.kind === 'external' ? passwordSpellings(config.database.url) : []),
    ...[...(config.encryptionKeys ?? []), ...(config.runnerKeys?.values() ?? [])]
      .flat()
      .map(({ bytes }) => bytes.toString('base64')),
    ...runnerSecrets(config.runner.env),
  ].filter((secret): secret is string => typeof secret === 'string' && secret !== '');
}
