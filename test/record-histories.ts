// How do the histories for the replay tests come about? `npm run record` runs the main loop and keeps them.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { inject, test } from 'vitest';
import { payloadCodec } from '../app/codec.ts';
import { parseEncryptionKeys } from '../app/encryption-keys.ts';
import { createKeyring } from '../app/keyring.ts';
import { createWorld } from './world.ts';

const histories = fileURLToPath(new URL('../fixtures/histories', import.meta.url));
const key = randomBytes(32).toString('base64');
const replacing = (version: number): string =>
  `resource "terraform_data" "database" {\n  triggers_replace = ${version}\n}`;

test('record', { timeout: 180_000 }, async () => {
  const world = await createWorld({
    files: (project) => ({ 'prod/main.tf': project('prod', replacing(1)) }),
    environment: { HATCHET_ENCRYPTION_KEY: key },
  });
  const { repository, project } = world;
  const open = async (version: number) =>
    repository.openPullRequest({
      title: `Version ${version}`,
      author: 'mona',
      head: `version-${version}`,
      files: { 'prod/main.tf': project('prod', replacing(version)) },
    });
  const isApplied = (run: { readonly title: string | null }): boolean => run.title === 'Applied';
  const first = await open(2);
  await first.waitForCheck('hatchet/apply', { conclusion: 'success' });
  first.comment('mona', '/hatchet apply');
  await first.waitForCheck('hatchet/apply', { matching: isApplied });
  await first.merge({ by: 'mona' });
  await first.waitForCheck('hatchet/apply', { sha: first.mergeCommit ?? '', matching: isApplied });
  const second = await open(3);
  await second.waitForCheck('hatchet/apply', { conclusion: 'action_required' });
  second.comment('hubot', '/hatchet approve');
  await second.waitForCheck('hatchet/apply', { conclusion: 'success' });
  await second.merge({ by: 'hubot' });
  await second.waitForCheck('hatchet/apply', { sha: second.mergeCommit ?? '', matching: isApplied });
  await save(world, `pr/${repository.id}/${first.number}`, 'pull-request-applied-by-comment');
  await save(world, `pr/${repository.id}/${second.number}`, 'pull-request-approved-and-merged');
  await save(world, `project/${repository.id}/prod/default`, 'project-applied');
  await world.close();
});

async function save(
  world: Awaited<ReturnType<typeof createWorld>>,
  workflowId: string,
  name: string,
): Promise<void> {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const client = new Client({ connection, namespace: world.namespace });
  const handle = client.workflow.getHandle(workflowId);
  await client.workflow.result(workflowId).catch(() => undefined);
  const history = await decoded(
    await handle.fetchHistory(),
    payloadCodec(createKeyring(parseEncryptionKeys(key))),
  );
  const json: unknown = JSON.parse(historyToJSON(history as never));
  await writeFile(`${histories}/${name}.json`, `${JSON.stringify(json, null, 1)}\n`);
  await connection.close();
}

/** What the SDK notes of a local activity (its name, its attempt) is no payload of ours, and in clear. */
async function opened(payload: Payload, codec: PayloadCodec): Promise<unknown> {
  const encoding = textOf(payload, 'encoding');
  if (encoding !== 'binary/encrypted') return payload;
  return (await codec.decode([payload], contextOf(payload)))[0];
}

/** The place that the payload itself says it is for. */
function contextOf(payload: Payload): SerializationContext {
  const [workflowId = '', activityId] = JSON.parse(textOf(payload, 'sealed-for')) as readonly string[];
  const common = { namespace: '', workflowId } as const;
  if (activityId === undefined) return { ...common, type: 'workflow' };
  return { ...common, type: 'activity', activityId, isLocal: false };
}

const textOf = ({ metadata }: Payload, name: string): string =>
  Buffer.from(metadata?.[name] ?? []).toString();

/** Opens every payload of the history, wherever it stands. */
async function decoded(value: unknown, codec: PayloadCodec): Promise<unknown> {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value) || value instanceof Uint8Array)
    return value;
  if (Array.isArray(value)) return Promise.all(value.map((item) => decoded(item, codec)));
  if ('metadata' in value && 'data' in value) return opened(value as Payload, codec);
  const entries = await Promise.all(
    Object.entries(value).map(async ([name, inner]) => [name, await decoded(inner, codec)] as const),
  );
  return Object.assign(Object.create(Object.getPrototypeOf(value) as object), Object.fromEntries(entries));
}
