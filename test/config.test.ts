// Does the configuration say everything that is wrong, at once, and give nothing secret away?
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runnerSecrets } from '../app/config/runner-secrets.ts';
import type { Config } from '../app/config.ts';
import { ConfigError, readConfig } from '../app/config.ts';

const directory = mkdtempSync(join(tmpdir(), 'hatchet-config-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const pkcs1 = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const elliptic = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const keyFile = join(directory, 'app.pem');
writeFileSync(keyFile, pkcs1.privateKey);
const someFile = join(directory, 'file');
writeFileSync(someFile, 'no key');

const encryptionKey = randomBytes(32).toString('base64');
const valid = {
  APP_ID: '4711',
  PRIVATE_KEY: pkcs1.privateKey,
  WEBHOOK_SECRET: 'a-long-enough-webhook-secret',
  HATCHET_DATA_DIR: join(directory, 'data'),
};
const external = {
  TEMPORAL_ADDRESS: 'temporal.example:7233',
  DATABASE_URL: 'postgres://hatchet:p%40ssword-of-db@db.example:5432/hatchet',
  HATCHET_ENCRYPTION_KEY: encryptionKey,
};

function configOf(changes: Record<string, string | undefined> = {}, argv: readonly string[] = []): Config {
  return readConfig({ ...valid, ...changes }, argv);
}

/** `VARIABLE what is wrong` of each mistake. */
function problemsOf(
  changes: Record<string, string | undefined>,
  argv: readonly string[] = [],
): readonly string[] {
  try {
    configOf(changes, argv);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.problems.map(({ variable, what }) => `${variable} ${what}`);
    throw error;
  }
  return [];
}

test('an App, a key and a secret are enough', () => {
  const { secrets, github, ...config } = configOf();
  expect(config).toEqual({
    role: 'all',
    webhookSecret: valid.WEBHOOK_SECRET,
    host: '127.0.0.1',
    port: 3000,
    database: { kind: 'embedded' },
    temporal: { kind: 'embedded' },
    encryptionKeys: null,
    runnerKeys: null,
    runService: { listen: null, url: null },
    dataDir: valid.HATCHET_DATA_DIR,
    logLevel: 'info',
    runner: { env: {}, paths: [], network: 'host', requireSandbox: false },
    links: { url: null, lifetimeMs: 30 * 86_400_000 },
    healIntervalMs: 300_000,
    pools: { served: ['default'], waitMs: 900_000 },
    refreshWaitMs: 2_000,
    lostWaitMs: 60_000,
    mirrors: {},
    environment: {},
  });
  expect(github).toMatchObject({
    appId: 4711,
    apiUrl: 'https://api.github.com',
    webUrl: 'https://github.com',
  });
  expect(github?.privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  expect(secrets).toContain(valid.WEBHOOK_SECRET);
});

test('an empty environment tells everything that is missing, together', () => {
  try {
    readConfig({}, []);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toMatchInlineSnapshot(`
      "ConfigError: 3 settings are wrong:
        APP_ID is missing. Set it to the number called "App ID" on the settings page of your GitHub App.
        PRIVATE_KEY is missing. Generate a private key on the settings page of your GitHub App; give the PEM file as PRIVATE_KEY_PATH, or its text as PRIVATE_KEY (real line ends, \\n, or all of it in base64).
        WEBHOOK_SECRET is missing. Make one (openssl rand -hex 32) and set it here and on the settings page of your GitHub App."
    `);
  }
});

describe('every spelling of the private key gives the same key', () => {
  const expected = configOf().github?.privateKey;
  test.each([
    ['\\n for line ends', { PRIVATE_KEY: pkcs1.privateKey.replaceAll('\n', '\\n') }],
    ['base64', { PRIVATE_KEY: Buffer.from(pkcs1.privateKey).toString('base64') }],
    ['in quotes', { PRIVATE_KEY: `"${pkcs1.privateKey}"` }],
    ['a file', { PRIVATE_KEY: undefined, PRIVATE_KEY_PATH: keyFile }],
  ])('%s', (_name, changes) => {
    expect(configOf(changes).github?.privateKey).toBe(expected);
  });
});

test.each<[Record<string, string | undefined>, readonly string[]]>([
  [{ APP_ID: 'Iv1.abc' }, ['APP_ID is not a number']],
  [{ APP_ID: '0' }, ['APP_ID is not a number']],
  [{ PRIVATE_KEY: '' }, ['PRIVATE_KEY is missing']],
  [{ PRIVATE_KEY: 'secret text' }, ['PRIVATE_KEY holds no PEM key']],
  [
    { PRIVATE_KEY: pkcs1.privateKey.slice(0, 600) },
    ['PRIVATE_KEY holds a key that cannot be read: cut off, encrypted with a passphrase, or a public key'],
  ],
  [
    { PRIVATE_KEY: pkcs1.publicKey },
    ['PRIVATE_KEY holds a key that cannot be read: cut off, encrypted with a passphrase, or a public key'],
  ],
  [{ PRIVATE_KEY: elliptic.privateKey }, ['PRIVATE_KEY is not an RSA key, and GitHub Apps sign with RSA']],
  [{ PRIVATE_KEY_PATH: keyFile }, ['PRIVATE_KEY_PATH is set beside PRIVATE_KEY; one must go']],
  [
    { PRIVATE_KEY: undefined, PRIVATE_KEY_PATH: join(directory, 'gone.pem') },
    ['PRIVATE_KEY_PATH names a file that cannot be read (ENOENT)'],
  ],
  [{ WEBHOOK_SECRET: ' ' }, ['WEBHOOK_SECRET is missing']],
  [{ WEBHOOK_SECRET: 'development' }, ['WEBHOOK_SECRET is a value that everyone knows']],
  [{ WEBHOOK_SECRET: 'short' }, ['WEBHOOK_SECRET is shorter than 16 characters']],
  [{ GITHUB_API_URL: 'github' }, ['GITHUB_API_URL is not an http(s) address']],
  [{ GITHUB_API_URL: 'http://ghes.example/api/v3' }, ['GITHUB_API_URL is not encrypted']],
  [
    { GITHUB_API_URL: 'https://token@ghes.example/api/v3' },
    ['GITHUB_API_URL carries more than a host and a path'],
  ],
  [{ GITHUB_API_URL: 'https://github.com' }, ["GITHUB_API_URL is not the address of GitHub's API"]],
  [{ PORT: '70000' }, ['PORT is not a port']],
  [{ PORT: 'http' }, ['PORT is not a port']],
  [{ LOG_LEVEL: 'loud' }, ['LOG_LEVEL is none of its values']],
  [{ HATCHET_DATA_DIR: someFile }, ['HATCHET_DATA_DIR is not a directory']],
  [
    { ...external, DATABASE_URL: 'mysql://x/y' },
    ['DATABASE_URL is not the address of a PostgreSQL database'],
  ],
  [
    { ...external, DATABASE_URL: 'postgres://u:100%@h/y' },
    ['DATABASE_URL is not the address of a PostgreSQL database'],
  ],
  [{ ...external, TEMPORAL_ADDRESS: 'https://temporal:7233' }, ['TEMPORAL_ADDRESS is not a host and a port']],
  [{ TEMPORAL_API_KEY: 'k' }, ['TEMPORAL_API_KEY is set, but TEMPORAL_ADDRESS is not']],
  [
    { ...external, HATCHET_ENCRYPTION_KEY: undefined },
    ['HATCHET_ENCRYPTION_KEY is missing, and needed with TEMPORAL_ADDRESS and DATABASE_URL'],
  ],
  [
    { HATCHET_ENCRYPTION_KEY: 'c2hvcnQ=' },
    ['HATCHET_ENCRYPTION_KEY has a key (1) that is not 32 bytes in base64 (44 characters)'],
  ],
  [
    { HATCHET_ENCRYPTION_KEY: Buffer.alloc(32).toString('base64') },
    ['HATCHET_ENCRYPTION_KEY has a key (1) that is not random'],
  ],
  [
    { HATCHET_ENCRYPTION_KEY: `a:${encryptionKey},a:${encryptionKey}` },
    ['HATCHET_ENCRYPTION_KEY has two keys with the id "a"'],
  ],
  [
    { HATCHET_ENCRYPTION_KEY: `a:${encryptionKey},${encryptionKey}` },
    ['HATCHET_ENCRYPTION_KEY has several keys, so key 2 needs an id: id:base64key'],
  ],
  [
    { HATCHET_RUNNER_ENV: 'AWS_*,*' },
    [`HATCHET_RUNNER_ENV has "*", which would hand Hatchet's own HATCHET_DATA_DIR to Terraform`],
  ],
  [
    { HATCHET_RUNNER_ENV: '*_KEY' },
    [`HATCHET_RUNNER_ENV has "*_KEY", which would hand Hatchet's own HATCHET_ENCRYPTION_KEY to Terraform`],
  ],
  [
    { HATCHET_RUNNER_ENV: 'WEBHOOK_SECRET' },
    [`HATCHET_RUNNER_ENV has "WEBHOOK_SECRET", which would hand Hatchet's own WEBHOOK_SECRET to Terraform`],
  ],
  [
    { HATCHET_RUNNER_ENV: 'TEMPORAL_X*' },
    [`HATCHET_RUNNER_ENV has "TEMPORAL_X*", which would hand Hatchet's own TEMPORAL_X* to Terraform`],
  ],
  [
    { HATCHET_RUNNER_ENV: 'A{B,C}' },
    [
      'HATCHET_RUNNER_ENV has "A{B", which is neither the name of a variable nor a glob of names',
      'HATCHET_RUNNER_ENV has "C}", which is neither the name of a variable nor a glob of names',
    ],
  ],
  [{ HATCHET_RUNNER_PATHS: 'state' }, ['HATCHET_RUNNER_PATHS has "state", which is not absolute']],
  [{ HATCHET_RUNNER_PATHS: someFile }, [`HATCHET_RUNNER_PATHS has "${someFile}", which is not a directory`]],
  [
    { HATCHET_RUNNER_PATHS: `${someFile}/below` },
    [`HATCHET_RUNNER_PATHS has "${someFile}/below", which is not there and cannot be made`],
  ],
  [
    { HATCHET_RUNNER_PATHS: directory },
    [`HATCHET_RUNNER_PATHS has "${directory}", which holds Hatchet's own data directory`],
  ],
  [{ HATCHET_RUNNER_PATHS: '/' }, [`HATCHET_RUNNER_PATHS has "/", which holds Hatchet's own data directory`]],
  [{ HATCHET_RUNNER_NETWORK: 'open' }, ['HATCHET_RUNNER_NETWORK is none of its values']],
  [{ HATCHET_REQUIRE_SANDBOX: 'maybe' }, ['HATCHET_REQUIRE_SANDBOX is none of its values']],
  [{ HATCHET_URL: 'http://hatchet.example' }, ['HATCHET_URL is not encrypted']],
  [{ HATCHET_LINK_LIFETIME: '91d' }, ['HATCHET_LINK_LIFETIME is not a lifetime']],
  [{ HATCHET_LINK_LIFETIME: '30' }, ['HATCHET_LINK_LIFETIME is not a lifetime']],
  [{ HATCHET_HEAL_INTERVAL: '1s' }, ['HATCHET_HEAL_INTERVAL is not an interval']],
  [{ HATCHET_HEAL_INTERVAL: '5 minutes' }, ['HATCHET_HEAL_INTERVAL is not an interval']],
  [{ HATCHET_REFRESH_WAIT: 'soon' }, ['HATCHET_REFRESH_WAIT is not a time']],
  [{ HATCHET_POOLS: 'default,g p u' }, ['HATCHET_POOLS has "g p u", which is no name of a pool']],
  [{ HATCHET_POOL_WAIT: '0s' }, ['HATCHET_POOL_WAIT is not a time']],
  [{ HATCHET_TERRAFORM_MIRROR: 'http://mirror.example' }, ['HATCHET_TERRAFORM_MIRROR is not encrypted']],
  [{ HATCHET_REQUIRE_SANDBX: 'true' }, ['HATCHET_REQUIRE_SANDBX is no setting of Hatchet']],
])('%j is refused', (changes, expected) => {
  expect(problemsOf(changes)).toEqual(expected);
});

test.each<[readonly string[], Record<string, string>, readonly string[]]>([
  [['--role', 'janitor'], {}, ['--role is none of its values']],
  [['--port', '1'], {}, ['--role cannot be read from the command line']],
  [
    ['--role=control'],
    {},
    [
      'TEMPORAL_ADDRESS is missing, and --role control needs servers that the other roles reach too',
      'DATABASE_URL is missing, and --role control needs servers that the other roles reach too',
      'HATCHET_RUNNER_LISTEN is missing: runners could not reach --role control',
    ],
  ],
  [
    ['--role=web'],
    { HATCHET_URL: 'https://hatchet.example' },
    [
      'TEMPORAL_ADDRESS is missing, and --role web needs servers that the other roles reach too',
      'DATABASE_URL is missing, and --role web needs servers that the other roles reach too',
    ],
  ],
  [
    ['--role=runner'],
    { ...external, HATCHET_RUNNER_URL: 'http://control.example:3001' },
    [
      'PRIVATE_KEY is set, and a runner must not know it',
      'WEBHOOK_SECRET is set, and a runner must not know it',
      'DATABASE_URL is set, and a runner must not know it',
      'HATCHET_ENCRYPTION_KEY is set, and a runner must not know it',
      'HATCHET_RUNNER_KEY is missing, and --role runner needs it',
      'HATCHET_RUNNER_URL is not encrypted',
    ],
  ],
  [[], { HATCHET_RUNNER_LISTEN: '3001' }, ['HATCHET_RUNNER_LISTEN is not a host and a port']],
  [[], { HATCHET_RUNNER_LISTEN: '::1:3001' }, ['HATCHET_RUNNER_LISTEN is not a host and a port']],
  [[], { HATCHET_RUNNER_LISTEN: '0.0.0.0:70000' }, ['HATCHET_RUNNER_LISTEN is not a host and a port']],
])('%j with %j is refused', (argv, changes, expected) => {
  expect(problemsOf(changes, argv)).toEqual(expected);
});

test.each([
  ['https://api.github.com/', 'https://api.github.com', 'https://github.com'],
  ['https://ghes.example/api/v3/', 'https://ghes.example/api/v3', 'https://ghes.example'],
  ['https://api.acme.ghe.com', 'https://api.acme.ghe.com', 'https://acme.ghe.com'],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ['http://localhost:8080/api/v3', 'http://localhost:8080/api/v3', 'http://localhost:8080'],
])('%s has its API and its web address', (given, apiUrl, webUrl) => {
  expect(configOf({ GITHUB_API_URL: given }).github).toMatchObject({ apiUrl, webUrl });
});

test('servers of one’s own come with their credentials', () => {
  const config = configOf({ ...external, TEMPORAL_NAMESPACE: 'prod', TEMPORAL_API_KEY: 'temporal-api-key' });
  expect(config.database).toEqual({ kind: 'external', url: external.DATABASE_URL });
  expect(config.temporal).toMatchObject({
    kind: 'external',
    namespace: 'prod',
    connection: { address: 'temporal.example:7233', apiKey: 'temporal-api-key', tls: true },
  });
  expect(config.encryptionKeys).toEqual([{ id: 'default', bytes: Buffer.from(encryptionKey, 'base64') }]);
  expect(config.secrets).toEqual(
    expect.arrayContaining(['temporal-api-key', 'p%40ssword-of-db', 'p@ssword-of-db', encryptionKey]),
  );
});

test('web needs neither the key of the App nor, without pages, a database', () => {
  const { WEBHOOK_SECRET } = valid;
  const { DATABASE_URL: _, ...others } = external;
  const config = readConfig({ ...others, WEBHOOK_SECRET }, ['--role', 'web']);
  expect(config).toMatchObject({ role: 'web', github: null, database: { kind: 'none' } });
  expect(config.webhookSecret).toBe(WEBHOOK_SECRET);
});

test('control needs no webhook secret, and says where runners find it', () => {
  const { WEBHOOK_SECRET: _, ...others } = { ...valid, ...external };
  const config = readConfig({ ...others, HATCHET_RUNNER_LISTEN: '[::]:3001' }, ['--role', 'control']);
  expect(config).toMatchObject({ webhookSecret: null, runService: { listen: { host: '::', port: 3001 } } });
});

test('a runner needs the address of control and a key of its own, and nothing else of Hatchet’s', () => {
  const { TEMPORAL_ADDRESS } = external;
  const runner = {
    HATCHET_RUNNER_URL: 'https://control.example/',
    HATCHET_RUNNER_KEY: `default/k1:${encryptionKey}`,
  };
  const config = readConfig({ TEMPORAL_ADDRESS, ...runner }, ['--role', 'runner']);
  expect(config).toMatchObject({
    role: 'runner',
    github: null,
    webhookSecret: null,
    database: { kind: 'none' },
    encryptionKeys: null,
    runnerKeys: new Map([['default', [{ id: 'k1', bytes: Buffer.from(encryptionKey, 'base64') }]]]),
    runService: { listen: null, url: 'https://control.example' },
  });
  expect(config.secrets).toContain(encryptionKey);
  const wrong: Readonly<Record<string, string>> = {
    [`k1:${encryptionKey}`]: 'has a key (1) that does not say of which pool it is',
    [`dev/k1:${encryptionKey}`]: 'has no key of the pool "default", which HATCHET_POOLS names',
    'default/k1:short': 'has a key (1) that is not 32 bytes',
  };
  for (const [HATCHET_RUNNER_KEY, problem] of Object.entries(wrong))
    expect(() =>
      readConfig({ TEMPORAL_ADDRESS, ...runner, HATCHET_RUNNER_KEY }, ['--role', 'runner']),
    ).toThrow(`HATCHET_RUNNER_KEY ${problem}`);
});

test('Terraform sees the variables that were named, and nothing else', () => {
  const config = configOf({
    HATCHET_RUNNER_ENV: 'AWS_*, TF_VAR_region,NOT_SET',
    AWS_REGION: 'eu-central-1',
    AWS_SECRET_ACCESS_KEY: 'aws-secret-value',
    TF_VAR_region: 'x',
    TF_VAR_other: 'y',
  });
  expect(config.runner.env).toEqual({
    AWS_REGION: 'eu-central-1',
    AWS_SECRET_ACCESS_KEY: 'aws-secret-value',
    TF_VAR_region: 'x',
  });
  expect(config.secrets).toContain('aws-secret-value');
  expect(config.secrets).not.toContain('eu-central-1');
});

describe('of what Terraform is given (S7)', () => {
  const key = '-----BEGIN PRIVATE KEY-----\nline-of-a-key\n-----END PRIVATE KEY-----\n';
  const account = {
    type: 'service_account',
    project_id: 'infra-1',
    private_key_id: 'abc123',
    private_key: key,
  };
  const auth = 'https://accounts.google.com/o/oauth2/auth';

  test.each<readonly [string, string, readonly string[]]>([
    ['AWS_SECRET_ACCESS_KEY', '/abc/def', ['/abc/def']],
    ['DB_PASS', 'production', ['production']],
    ['REDIS_PWD', 'hunter', ['hunter']],
    ['TF_VAR_shared', 'a8f5f167f44f4964e6c998dee827110c', ['a8f5f167f44f4964e6c998dee827110c']],
    ['TF_VAR_words', 'correct-horse-battery-staple', ['correct-horse-battery-staple']],
    ['CONSUL_HTTP_AUTH', 'admin:hunter2-x', ['hunter2-x']],
    ['SENTRY_DSN', 'https://abcdef@sentry.example/1', ['abcdef']],
    ['PG_CONN_STR', 'postgres://u:p%40ss-word@a:5432,b:5432/db', ['p%40ss-word', 'p@ss-word']],
    ['DATABASE', 'host=db user=u password=hunter-two sslmode=require', ['hunter-two']],
    ['AZURE', 'Endpoint=sb://x/;SharedAccessKey=abc+def/g=', ['abc+def/g=']],
    ['https_proxy', 'http://me:hunter2@proxy.example:3128', ['hunter2']],
    ['GOPROXY', 'https://me:hunter2@go.example/x,direct', ['hunter2']],
    ['GIT_URL', 'https://ghx_abcdef@git.example/x', ['ghx_abcdef']],
    [
      'HOOK',
      'https://hooks.example/services/T0/B0/a8f5f167f44f4964',
      ['https://hooks.example/services/T0/B0/a8f5f167f44f4964'],
    ],
    ['GOOGLE_CREDENTIALS', JSON.stringify({ ...account, auth_uri: auth }), [key, 'abc123']],
    ['TF_VAR_db_passwords', '{"prod":["hunter"]}', ['hunter']],
    ['TF_VAR_databases', '[{"name":"prod","password":"hunter"}]', ['hunter']],
    ['TF_VAR_code', '{ password = "hunter-two" }', ['hunter-two']],
  ])('%s = %s holds secrets', (name, value, secrets) => {
    expect(runnerSecrets({ [name]: value })).toEqual(expect.arrayContaining([...secrets, value.trim()]));
  });

  test('what a key file says beside the key is none', () => {
    const found = runnerSecrets({ GOOGLE_CREDENTIALS: JSON.stringify({ ...account, auth_uri: auth }) });
    for (const open of ['service_account', 'infra-1', auth]) expect(found).not.toContain(open);
  });

  test.each([
    ['AWS_REGION', 'northamerica-northeast1'],
    ['TF_VAR_place', 'eu-west-1'],
    ['TF_VAR_zone', 'europe-west4-a'],
    ['TF_VAR_environment', 'production'],
    ['TF_VAR_team', 'platform_infra'],
    ['SOME_FLAG', 'true'],
    ['ARM_SUBSCRIPTION_ID', '0b1f6471-1bf0-4dda-aec3-cb9272f09590'],
    ['AWS_ACCOUNT', '123456789012'],
    ['AWS_ROLE_ARN', 'arn:aws:iam::123456789012:role/terraform'],
    ['TF_VAR_cidr', '10.0.0.0/16'],
    ['TF_VAR_size', 't3.micro'],
    ['KUBE_CONFIG_PATH', '/etc/kube/config.yaml'],
    ['VAULT_ADDR', 'https://vault.example.com:8200'],
    ['API_URL', 'https://api.example.com/v1/accounts'],
    ['NO_PROXY', 'localhost,127.0.0.1, .example.com,*.internal.example'],
    ['HTTPS_PROXY', 'http://proxy.example:3128'],
    ['TF_VAR_places', '["eu-west-1","us-east-1"]'],
    ['TF_VAR_count', '3'],
    ['EMPTY', ''],
  ])('%s = %s is none', (name, value) => {
    expect(runnerSecrets({ [name]: value })).toEqual([]);
  });
});

test('everything else is read as it is written', () => {
  const config = configOf({
    HOST: '0.0.0.0',
    PORT: '0',
    LOG_LEVEL: 'DEBUG',
    HATCHET_RUNNER_PATHS: `${directory}/state:${directory}/new/deep/`,
    HATCHET_RUNNER_NETWORK: 'none',
    HATCHET_REQUIRE_SANDBOX: 'yes',
    HATCHET_HEAL_INTERVAL: '90s',
    HATCHET_REFRESH_WAIT: '500ms',
    HATCHET_OPA_MIRROR: 'https://mirror.example/opa/',
    PATH: '/usr/bin',
  });
  expect(config).toMatchObject({
    host: '0.0.0.0',
    port: 0,
    logLevel: 'debug',
    runner: { paths: [`${directory}/state`, `${directory}/new/deep`], network: 'none', requireSandbox: true },
    healIntervalMs: 90_000,
    refreshWaitMs: 500,
    mirrors: { opa: 'https://mirror.example/opa' },
    environment: { PATH: '/usr/bin' },
  });
});

test('no mistake repeats a secret', () => {
  const planted = 'planted-secret-7f3a';
  const mistakes = {
    APP_ID: planted,
    PRIVATE_KEY: planted,
    DATABASE_URL: `postgres//u:${planted}@h/d`,
    HATCHET_ENCRYPTION_KEY: `${planted}:${planted},${planted}`,
    GITHUB_API_URL: `https://${planted}@ghes.example`,
    TEMPORAL_ADDRESS: planted,
    TEMPORAL_API_KEY: planted,
    TEMPORAL_TLS_CLIENT_KEY_DATA: planted,
    TEMPORAL_TLS_CLIENT_KEY_PATH: '/nowhere/key.pem',
    PORT: planted,
    LOG_LEVEL: planted,
  };
  expect(problemsOf(mistakes).length).toBeGreaterThanOrEqual(7);
  try {
    configOf(mistakes);
  } catch (error) {
    expect(String(error)).not.toContain(planted);
    return;
  }
  expect.unreachable();
});
