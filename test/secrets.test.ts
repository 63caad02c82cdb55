// Does a secret that Terraform is given come out anywhere, in whatever spelling?
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { Client, Connection } from '@temporalio/client';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { freePort } from '../app/embedded/free-port.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import type { ListeningProxy } from './listening-proxy.ts';
import { startListeningProxy } from './listening-proxy.ts';
import { knock } from './raw-webhook.ts';
import { ask, openOn, openReady, order, patienceMs, stateFile, storyTimeoutMs } from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });

const random = (): string => randomBytes(12).toString('hex');
/** Signs that every spelling has to escape. */
const odd = `"<&>\\ +/=?é`;
const secrets = {
  /** Named so that Hatchet knows it for a secret from the start. */
  password: `pw-${random()}${odd}${random()}`,
  /** Its name says nothing, and the code that it is sensitive. */
  shared: `shared-${random()}${odd}${random()}`,
  /** A key of several lines. */
  key: ['-----BEGIN KEY-----', random(), random(), random(), '-----END KEY-----'].join('\n'),
  /** Comes from the state alone. */
  stored: `stored-${random()}${odd}`,
  /** Is read while it is planned: only the plan's prior state has it, and that it is sensitive. */
  read: `read-${random()}${odd}`,
};

/** Says all that it sees of a plan, as a careless message would. */
const indiscreet = `package hatchet.indiscreet
warn contains sprintf("%s must not be %v", [r.address, r.change]) if some r in input.plan.resource_changes
warn contains sprintf("%v was read", [r.values]) if some r in input.plan.prior_state.values.root_module.resources
warn contains base64.encode(v.value) if some v in input.plan.variables
`;

let world: World;
let proxy: ListeningProxy;

beforeAll(async () => {
  const port = String(await freePort());
  world = await createWorld({
    environment: {
      LOG_LEVEL: 'trace',
      PORT: port,
      HATCHET_URL: `http://127.0.0.1:${port}`,
      HATCHET_RUNNER_ENV: 'TF_VAR_*',
      TF_VAR_password: secrets.password,
      TF_VAR_shared: secrets.shared,
      TF_VAR_key: secrets.key,
    },
    files: () => ({
      'hatchet.yaml': 'version: 1\npolicies: [{ path: policies, level: mandatory }]\n',
      'policies/indiscreet.rego': indiscreet,
    }),
    reroute: async (services, sandboxUrl) => {
      proxy = await startListeningProxy(sandboxUrl);
      return { ...services, GITHUB_API_URL: proxy.url };
    },
  });
});
afterAll(async () => {
  await world.close();
  await proxy.close();
});

const variables = ['password', 'shared', 'key']
  .map((name) => `variable "${name}" {\n  type      = string\n  sensitive = true\n}\n`)
  .join('\n');

/** Everything that code can do with a secret without meaning to give it away, and some that it cannot. */
const uses = `
resource "terraform_data" "holder" {
  input = {
    plain    = var.password
    nested   = [{ inner = { shared = var.shared, size = 3 } }]
    key      = var.key
  }
}

output "kept" {
  value     = "prefix \${var.shared} suffix"
  sensitive = true
}

output "told" {
  value = nonsensitive("\${var.password} \${base64encode(var.shared)} \${urlencode(var.password)} \${jsonencode(var.key)}")
}
`;

/** What a value is called in the code of a pull request that reads another project's state. */
const readValue = 'data.terraform_remote_state.marked.defaults.read';

const reads = () => `
data "terraform_remote_state" "open" {
  backend = "local"
  config  = { path = ${JSON.stringify(stateFile(world, 'elsewhere'))} }
}

data "terraform_remote_state" "marked" {
  backend  = "local"
  config   = { path = ${JSON.stringify(stateFile(world, 'elsewhere'))} }
  defaults = { read = sensitive(data.terraform_remote_state.open.outputs.kept) }
}
`;

const spellingsOf = (value: string): readonly string[] => [
  `nonsensitive(${value})`,
  `nonsensitive(base64encode(${value}))`,
  `nonsensitive(base64encode("user:\${${value}}"))`,
  `nonsensitive(urlencode(${value}))`,
  `nonsensitive(jsonencode(${value}))`,
];
const spoken = ['var.password', 'var.shared', 'var.key'].flatMap(spellingsOf);

/** What it was before, only the state says, and that it is sensitive. */
const changed = '\nresource "terraform_data" "changed" {\n  input = "open"\n}\n';

/** Prints every spelling when it is applied, as a provider in trouble would. */
const talkative = (exitCode: number, said = spoken): string => `
resource "terraform_data" "talkative" {
  provisioner "local-exec" {
    command     = "echo this-much-may-be-seen; env | grep ^SPOKEN; exit ${exitCode}"
    environment = {
${said.map((value, index) => `      SPOKEN_${index} = ${value}`).join('\n')}
    }
  }
}
`;

/** Fails while it is planned, and says the password in every spelling. */
const complaining = `
resource "terraform_data" "complaining" {
  lifecycle {
    precondition {
      condition     = length(var.password) < 3
      error_message = "this much may be seen: \${${spoken.slice(0, 5).join('} and ${')}}"
    }
  }
}
`;

/** The ways in which a text may be written down; the same text read the other way round must not be possible. */
function spellings(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const goJson = json.replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
  const encoded = (text: string): readonly string[] => [
    Buffer.from(text).toString('base64'),
    Buffer.from(text).toString('base64url'),
  ];
  const lines = secret.includes('\n') ? secret.split('\n').filter((line) => !line.startsWith('-----')) : [];
  return [
    secret,
    Buffer.from(secret).toString('latin1'),
    json,
    JSON.stringify(json).slice(1, -1),
    goJson,
    encodeURIComponent(secret),
    encodeURIComponent(secret).replaceAll('%20', '+'),
    ...encoded(secret),
    ...encoded(`user:${secret}`),
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    ...lines,
  ];
}

/** Which secrets stand in the text, and how they are written there. */
function found(text: string): readonly string[] {
  return Object.entries(secrets).flatMap(([name, secret]) =>
    spellings(secret).flatMap((spelling) => (text.includes(spelling) ? [`${name} as ${spelling}`] : [])),
  );
}

test('no secret is found in what is sent, logged, kept or shown (S7)', async () => {
  await Promise.all([seedState('applies'), seedState('elsewhere', secrets.read)]);
  const [fails, applies, complains] = await Promise.all([
    openReady(world, { dir: 'fails', body: `${variables}${uses}${talkative(3)}` }),
    openReady(world, {
      dir: 'applies',
      body: `${variables}${uses}${changed}${reads()}${talkative(0, [...spoken, ...spellingsOf(readValue)])}`,
    }),
    openOn(world, { dir: 'complains', body: `${variables}${complaining}` }),
  ]);
  await untilConcluded(complains, 'hatchet/plan', 'failure');
  await Promise.all([order(fails, 'hubot', '/hatchet apply'), order(applies, 'hubot', '/hatchet apply')]);
  await untilConcluded(fails, 'hatchet/apply', 'failure');
  await untilConcluded(applies, 'hatchet/apply', 'success');
  await world.sandbox.settled();

  const pages = await readPages();
  expect(pages).toContain('this-much-may-be-seen');
  expect(pages).toContain('***');
  expect(found(pages)).toEqual([]);

  expect(proxy.heard()).toContain('hatchet/apply');
  expect(proxy.heard()).toMatch(/terraform_data\.\w+ must not be .*\*\*\*/);
  expect(proxy.heard()).toMatch(/\*\*\*.* was read/);
  expect(found(proxy.heard())).toEqual([]);

  const metrics = await (await fetch(`${world.app.url}/metrics`)).text();
  expect(metrics).toContain('hatchet_webhooks_total');
  expect(found(metrics)).toEqual([]);

  await knock(world.app.url, { body: '{}', secret: 'another' });
  const isLogged = (): boolean => world.app.lines.some((line) => line.includes('signature does not match'));
  await vi.waitUntil(isLogged, { timeout: patienceMs });
  expect(found(world.app.lines.join('\n'))).toEqual([]);

  const kept = await readFiles(world.dataDir);
  expect(kept).toContain('refs/pull');
  expect(found(kept)).toEqual([]);

  const rows = await readDatabase(world.databaseUrl);
  expect(rows).toContain('terraform_data.talkative');
  expect(found(rows)).toEqual([]);

  const histories = await readHistories(world.namespace);
  expect(histories).toContain('binary/encrypted');
  expect(histories).not.toContain('terraform_data');
  expect(found(histories)).toEqual([]);
});

test('what people asked for there, and what came of it, is in the record for good', async () => {
  const pullRequest = await openReady(world, { dir: 'audited', body: 'resource "terraform_data" "x" {}' });
  await ask(pullRequest, 'stranger', '/hatchet apply audited');
  await ask(pullRequest, 'mona', '/hatchet aply audited');
  await ask(pullRequest, 'mona', '/hatchet apply nothing');
  await order(pullRequest, 'hubot', '/hatchet apply audited');
  await untilConcluded(pullRequest, 'hatchet/apply', 'success');
  await pullRequest.merge({ by: 'mona' });
  const lines = await vi.waitUntil(
    async () => {
      const events = (await audit('--project', 'audited', '--json')).stdout.trim().split('\n');
      return events.some((line) => line.includes('"merge"')) && events;
    },
    { timeout: patienceMs, interval: 500 },
  );
  const events = lines.map((line) => JSON.parse(line));
  // What a workflow tells is written when nobody waits for its next step, so that an apply can be there before it.
  const told = events.map(({ actor, action, target, digest, allowed, reason }) =>
    [action, actor, target, digest, allowed, reason].join(' '),
  );
  const { digest } = events.find(({ action }) => action === 'begin');
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(told.toSorted()).toEqual([
    `apply hubot audited ${digest} true comment`,
    `apply stranger audited ${digest} false not-allowed`,
    expect.stringMatching(`^begin hubot audited ${digest} true comment, fence \\d+$`),
    'command mona   false unknown-verb',
    `end hubot audited ${digest} true applied`,
    expect.stringMatching(/^merge mona {3}true [0-9a-f]{40}$/),
  ]);

  const table = await audit(
    '--project',
    'audited',
    '--repository',
    'OCTO-ORG/infra',
    '--since',
    '2020-01-01',
  );
  expect(table.stdout).toContain(`| end     | audited | ${digest.slice(0, 12)} | allowed | applied`);
  expect(await audit('--project', 'audted')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'Nothing is recorded of a project audted. Did you mean audited?\n',
  });
  const late = await audit('--project', 'audited', '--since', '2999-01-01');
  expect(late).toEqual({ code: 1, stdout: '', stderr: 'Nothing is recorded of audited that fits.\n' });
  const nowhere = await audit('--project', 'x', '--number', '0');
  expect(nowhere).toMatchObject({ code: 1, stderr: '--number 0 is not the number of a pull request.\n' });

  const sql = postgres(world.databaseUrl, { max: 1 });
  for (const change of [
    "update event set actor = 'nobody'",
    'delete from event where id = 1',
    'truncate event',
    `insert into event (key, repository_id, repository, actor, action, target, allowed, reason)
      select key, repository_id, repository, actor, action, target, not allowed, reason from event
      on conflict (key) do update set allowed = excluded.allowed`,
  ]) {
    await expect(sql.unsafe(change)).rejects.toThrow('append-only');
  }
  await sql.end();
});

/** What the command says, as an operator would run it. */
async function audit(...args: readonly string[]) {
  const script = join(import.meta.dirname, '../app/audit.ts');
  const child = spawn(process.execPath, [script, ...args], {
    env: { DATABASE_URL: world.databaseUrl, HATCHET_DATA_DIR: world.dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    readAll(child.stdout),
    readAll(child.stderr),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}

const untilConcluded = (pullRequest: PullRequestHandle, name: string, conclusion: 'success' | 'failure') =>
  pullRequest.waitForCheck(name, { status: 'completed', conclusion, timeoutMs: patienceMs });

/** The pages of all runs that GitHub was told of, and one that leads nowhere. */
async function readPages(): Promise<string> {
  const addresses = proxy.heard().match(/http:\/\/127\.0\.0\.1:\d+\/runs\/[\w?=&;.-]+/g) ?? [];
  const all = [...new Set(addresses), `${world.app.url}/runs/none`];
  expect(all.length).toBeGreaterThan(5);
  return (await Promise.all(all.map(async (address) => (await fetch(address)).text()))).join('\n');
}

/** A value of `changed` that only the state marks as sensitive. */
async function seedState(dir: string, secret = secrets.stored): Promise<void> {
  const value = { value: secret, type: 'string' };
  const resource = {
    mode: 'managed',
    type: 'terraform_data',
    name: 'changed',
    provider: 'provider["terraform.io/builtin/terraform"]',
    instances: [
      {
        schema_version: 0,
        attributes: { id: randomUUID(), input: value, output: value, triggers_replace: null },
        sensitive_attributes: ['input', 'output'].map((name) => [{ type: 'get_attr', value: name }]),
      },
    ],
  };
  const outputs = { kept: { value: secret, type: 'string', sensitive: true } };
  const state = { version: 4, terraform_version: '1.11.4', serial: 1, lineage: randomUUID(), outputs };
  await writeFile(stateFile(world, dir), JSON.stringify({ ...state, resources: [resource] }));
}

/** Names and bytes of all files, one character per byte. */
async function readFiles(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = files.map(async (file) => `${file}\n${(await readFile(file)).toString('latin1')}`);
  return (await Promise.all(texts)).join('\n');
}

/** Every value of every row of every table, bytes one character each. */
async function readDatabase(url: string): Promise<string> {
  const sql = postgres(url, { max: 1 });
  const tables = await sql`select tablename from pg_tables where schemaname = 'public'`;
  const texts: string[] = [];
  for (const { tablename } of tables) {
    for (const row of await sql`select * from ${sql(tablename)}`)
      texts.push(...Object.values(row).map(textOf));
  }
  await sql.end();
  return texts.join('\n');
}

/** The histories of all workflows, as Temporal keeps them. */
async function readHistories(namespace: string): Promise<string> {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const { workflow } = new Client({ connection, namespace });
  const texts: string[] = [];
  for await (const { workflowId, runId } of workflow.list()) {
    const { events } = await workflow.getHandle(workflowId, runId).fetchHistory();
    texts.push(...(events ?? []).map(textOf));
  }
  await connection.close();
  return texts.join('\n');
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (typeof value !== 'object' || value === null || value instanceof Date) return String(value);
  return `${Object.values(value).map(textOf).join('\n')}\n${JSON.stringify(value)}`;
}
