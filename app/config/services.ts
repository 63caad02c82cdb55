// Which Temporal and which database are used, and with which keys is encrypted what lies there?
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { EncryptionKeys } from '../encryption-keys.ts';
import { parseEncryptionKeys } from '../encryption-keys.ts';
import type { Environment } from './environment.ts';

/** `embedded`: started by this process, its data under the data directory. `none`: this role needs no database. */
export type DatabaseConfig =
  | { readonly kind: 'none' }
  | { readonly kind: 'embedded' }
  | { readonly kind: 'external'; readonly url: string };

/** `connection` is for `Connection.connect` and `NativeConnection.connect`; every client and worker names the namespace. */
export type TemporalConfig =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'external';
      readonly connection: ClientConnectConfig['connectionOptions'];
      readonly namespace: string;
    };

export function readDatabase(environment: Environment): DatabaseConfig {
  const variable = 'DATABASE_URL';
  const url = environment.get(variable);
  if (url === undefined) return { kind: 'embedded' };
  if (!isDatabaseAddress(url)) {
    const remedy =
      'Use postgres://USER:PASSWORD@HOST:5432/DATABASE, with special characters percent-encoded.';
    environment.report({ variable, what: 'is not the address of a PostgreSQL database', remedy });
  }
  return { kind: 'external', url };
}

function isDatabaseAddress(url: string): boolean {
  const parsed = parseDatabaseUrl(url);
  return parsed !== null && /^postgres(?:ql)?:$/.test(parsed.protocol) && parsed.hostname !== '';
}

/** The password of a database address, as it is written and as it is meant; none when it has no password. */
export function passwordSpellings(url: string): readonly string[] {
  const written = parseDatabaseUrl(url)?.password ?? '';
  return written === '' ? [] : [written, decodeURIComponent(written)];
}

/** Null when it cannot be read, or when its user or password has a stray percent sign. */
function parseDatabaseUrl(url: string): URL | null {
  try {
    // Several hosts (`a:5432,b:5432`) are PostgreSQL's own addition to URLs: the first stands for all.
    const parsed = new URL(url.replace(/,[^/?@]*/, ''));
    decodeURIComponent(parsed.username + parsed.password);
    return parsed;
  } catch {
    return null;
  }
}

/** TEMPORAL_ADDRESS alone decides whether Temporal is embedded; the other names are Temporal's own. */
export function readTemporal(environment: Environment, variables: NodeJS.ProcessEnv): TemporalConfig {
  const address = environment.get('TEMPORAL_ADDRESS');
  if (address === undefined) {
    reportStrayNames(environment);
    return { kind: 'embedded' };
  }
  if (!/^[^\s/:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/.test(address)) {
    environment.report({
      variable: 'TEMPORAL_ADDRESS',
      what: 'is not a host and a port',
      remedy: 'Use HOST:7233, without a scheme.',
    });
  }
  const loaded = loadConnection(environment, variables);
  return { kind: 'external', connection: loaded.connectionOptions, namespace: loaded.namespace ?? 'default' };
}

const connectionNames = /^TEMPORAL_(?:NAMESPACE|API_KEY|TLS|TLS_\w+|GRPC_META_\w+|PROFILE|CONFIG_FILE)$/;

/** An embedded server beside settings for another one is not what anybody meant. */
function reportStrayNames(environment: Environment): void {
  const stray = environment.names.filter(
    (name) => connectionNames.test(name) && environment.get(name) !== undefined,
  );
  for (const variable of stray) {
    environment.report({
      variable,
      what: 'is set, but TEMPORAL_ADDRESS is not',
      remedy: 'Set TEMPORAL_ADDRESS too, or remove it to use the embedded server.',
    });
  }
}

function loadConnection(environment: Environment, variables: NodeJS.ProcessEnv): ClientConnectConfig {
  const set = Object.entries(variables).flatMap(([name, value]) => (value ? [[name, value] as const] : []));
  try {
    return loadClientConnectConfig({
      overrideEnvVars: Object.fromEntries(set),
      // A file that merely lies in the home directory must not decide where plans go.
      disableFile: environment.get('TEMPORAL_CONFIG_FILE') === undefined,
    });
  } catch (error) {
    // The first line only: what follows may quote the file, with its API key.
    const [reason = ''] = error instanceof Error ? error.message.split('\n') : [];
    environment.report({
      variable: 'TEMPORAL_*',
      what: `cannot be used (${reason})`,
      remedy:
        'See https://docs.temporal.io/develop/environment-configuration for the names and their values.',
    });
    return { connectionOptions: {} };
  }
}

/** Null when both services are embedded and no key is given: then the data directory keeps one of its own. */
export function readEncryptionKeys(
  environment: Environment,
  services: { readonly database: DatabaseConfig; readonly temporal: TemporalConfig },
): EncryptionKeys | null {
  const variable = 'HATCHET_ENCRYPTION_KEY';
  const remedy =
    'Make one (openssl rand -base64 32) and keep it: what it encrypted cannot be read without it.';
  const text = environment.get(variable);
  if (text === undefined) {
    const external = [
      ...(services.temporal.kind === 'external' ? ['TEMPORAL_ADDRESS'] : []),
      ...(services.database.kind === 'external' ? ['DATABASE_URL'] : []),
    ];
    if (external.length > 0) {
      environment.report({ variable, what: `is missing, and needed with ${external.join(' and ')}`, remedy });
    }
    return null;
  }
  try {
    return parseEncryptionKeys(text);
  } catch (error) {
    environment.report({ variable, what: error instanceof Error ? error.message : 'cannot be read', remedy });
    return null;
  }
}
