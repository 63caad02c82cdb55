// Is nothing readable in what Temporal keeps, and does everything come back?
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { Client, Connection } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { dataConverter, payloadCodec, runnerDataConverter } from '../app/codec.ts';
import { loadOrCreateKey, parseEncryptionKeys } from '../app/encryption-keys.ts';
import { createKeyring } from '../app/keyring.ts';
import { givenKeyrings, parseRunnerKeys, runnerKeysOf, runnerKeysText } from '../app/runner-keys.ts';
import { parseRunId } from '../workflows/model/identifiers.ts';
import { runnerActivityId } from '../workflows/queues.ts';

const newKey = (): string => randomBytes(32).toString('base64');
const [oldKey, currentKey] = [newKey(), newKey()];
const keyring = createKeyring(parseEncryptionKeys(`current:${currentKey},old:${oldKey}`));
const clear = Buffer.from('clear text');

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hatchet-codec-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('keyring', () => {
  test('opens what it sealed, and seals the same twice differently', () => {
    const [one, two] = [keyring.seal(clear, 'log'), keyring.seal(clear, 'log')];
    expect(keyring.open(one, 'log')).toEqual(clear);
    expect(keyring.open(keyring.seal(new Uint8Array(), 'log'), 'log')).toHaveLength(0);
    expect(one.equals(two)).toBe(false);
    expect(one.includes(clear)).toBe(false);
  });

  test('an older key still opens, and a newer one seals', () => {
    const before = createKeyring(parseEncryptionKeys(`old:${oldKey}`));
    expect(keyring.open(before.seal(clear, 'log'), 'log')).toEqual(clear);
    expect(() => before.open(keyring.seal(clear, 'log'), 'log')).toThrow(
      'the encryption key "current" is missing; add it to HATCHET_ENCRYPTION_KEY',
    );
  });

  test('opens nothing that was sealed as something else', () => {
    expect(() => keyring.open(keyring.seal(clear, 'artifact/1/log'), 'artifact/2/log')).toThrow('changed');
  });

  test('opens nothing of which one bit was changed, wherever it is', () => {
    const sealed = keyring.seal(clear, 'log');
    for (let position = 0; position < sealed.length; position++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(position) ^ 1, position);
      expect(() => keyring.open(changed, 'log'), `byte ${position}`).toThrow();
      expect(() => keyring.open(sealed.subarray(0, position), 'log'), `cut at ${position}`).toThrow();
    }
  });

  test('the key in the data directory is made once, for its owner only', async () => {
    const dataDir = join(directory, 'data');
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateKey(dataDir)));
    const again = await loadOrCreateKey(dataDir);
    expect(new Set([...keys, again].map(([key]) => key.bytes.toString('hex'))).size).toBe(1);
    const file = await stat(join(dataDir, 'encryption-key'));
    expect(file.mode & 0o777).toBe(0o600);
    expect(await readFile(join(dataDir, 'encryption-key'), 'utf8')).toMatch(/^default:[A-Za-z0-9+/]{43}=\n$/);
  });
});

describe('payload codec', () => {
  const codec = payloadCodec(keyring);
  const values = ['text', { nested: ['ü', null] }, undefined, new Uint8Array([0, 255])];
  const payloads = values.map((value) => defaultPayloadConverter.toPayload(value));

  test('every payload comes back as it was', async () => {
    const sealed = await codec.encode(payloads);
    expect(sealed.map(({ metadata }) => Buffer.from(metadata?.encoding ?? []).toString())).toEqual(
      payloads.map(() => 'binary/encrypted'),
    );
    const opened = await codec.decode(sealed);
    expect(opened.map((payload) => defaultPayloadConverter.fromPayload(payload))).toEqual(values);
  });

  test('a picture of many projects is sealed in a fifth of its size, and comes back', async () => {
    const picture = { projects: Array.from({ length: 300 }, (_, index) => projectOf(index)) };
    const payload = defaultPayloadConverter.toPayload(picture);
    const [sealed] = await codec.encode([payload]);
    expect(Buffer.from(sealed?.metadata?.compression ?? []).toString()).toBe('zstd');
    expect(sealed?.data?.length).toBeLessThan((payload.data?.length ?? 0) / 5);
    const [opened] = await codec.decode(sealed === undefined ? [] : [sealed]);
    expect(opened === undefined ? null : defaultPayloadConverter.fromPayload(opened)).toEqual(picture);
  });

  test('what does not get smaller, and what is small, is sealed as before', async () => {
    const noise = defaultPayloadConverter.toPayload(randomBytes(100_000));
    const sealed = await codec.encode([noise, defaultPayloadConverter.toPayload('a'.repeat(500))]);
    expect(sealed.map(({ metadata }) => metadata?.compression)).toEqual([undefined, undefined]);
    expect(await codec.decode(sealed)).toHaveLength(2);
  });

  const approving = { type: 'workflow', namespace: 'n', workflowId: 'pr/1/7' } as const;
  const another = { ...approving, workflowId: 'pr/1/8' } as const;
  const step = { ...approving, type: 'activity', activityId: '3', isLocal: false } as const;

  test('what was sealed for one workflow is nothing to another, whatever its mark says', async () => {
    const sealed = await codec.encode([defaultPayloadConverter.toPayload('approved')], approving);
    const [heard] = await codec.decode(sealed, another);
    expect(heard === undefined ? null : defaultPayloadConverter.fromPayload(heard)).toEqual({
      sealedForAnother: '["pr/1/7"]',
    });
    const renamed = sealed.map(({ metadata, data }) => ({
      metadata: { ...metadata, 'sealed-for': Buffer.from('["pr/1/8"]') },
      data: data ?? null,
    }));
    await expect(codec.decode(renamed, another)).rejects.toThrow('changed, or sealed as something else');
  });

  test.each([
    ['another step', step, { ...step, activityId: '4' }],
    ['a step of another workflow', step, { ...step, workflowId: 'pr/1/8' }],
    ['a step, said to its workflow', approving, step],
    ['nobody', approving, undefined],
  ])('what was sealed for a step is refused for %s', async (_, sealedFor, readBy) => {
    const sealed = await codec.encode([defaultPayloadConverter.toPayload('begun')], sealedFor);
    await expect(codec.decode(sealed, readBy)).rejects.toThrow('sealed for another step');
  });

  test('the mark cannot be changed, and no small payload unfolds without measure', async () => {
    const [sealed] = await codec.encode([defaultPayloadConverter.toPayload('a'.repeat(5_000))]);
    const { compression: _, ...unmarked } = sealed?.metadata ?? {};
    await expect(codec.decode([{ metadata: unmarked, data: sealed?.data ?? null }])).rejects.toThrow(
      'changed, or sealed as something else',
    );
    const other = { ...sealed?.metadata, compression: Buffer.from('brotli') };
    await expect(codec.decode([{ metadata: other, data: sealed?.data ?? null }])).rejects.toThrow(
      'compressed in an unknown way',
    );
    const bomb = keyring.seal(zstdCompressSync(Buffer.alloc(64 * 1024 * 1024)), 'temporal-payload/zstd []');
    expect(bomb.length).toBeLessThan(100_000);
    await expect(codec.decode([{ ...sealed, data: bomb }])).rejects.toThrow('larger than');
    const huge = { metadata: {}, data: Buffer.alloc(33 * 1024 * 1024) };
    await expect(codec.encode([huge])).rejects.toThrow('too large');
  });

  test("what Temporal's own server says of an activity that nobody had begun is read as nothing", async () => {
    const words = defaultPayloadConverter.toPayload('ACTIVITY_ID_NOT_STARTED');
    const activity = { type: 'activity', namespace: 'n', workflowId: 'w', activityId: 'a' } as const;
    const remote = { ...activity, isLocal: false };
    const [read] = await codec.decode([words], remote);
    expect(defaultPayloadConverter.fromPayload(read ?? words)).toBeUndefined();
    const refused = 'refused a Temporal payload that is not encrypted';
    for (const context of [undefined, { ...activity, isLocal: true }])
      await expect(codec.decode([words], context)).rejects.toThrow(refused);
    const others = defaultPayloadConverter.toPayload('ACTIVITY_ID_NOT_STARTED ');
    await expect(codec.decode([others], remote)).rejects.toThrow(refused);
  });

  test('a payload that nobody encrypted is refused', async () => {
    await expect(codec.decode(payloads)).rejects.toThrow('refused a Temporal payload that is not encrypted');
  });
});

describe('payloads of runners', () => {
  const control = payloadCodec(keyring);
  const codecOf = (keys: string): PayloadCodec =>
    runnerDataConverter(givenKeyrings(parseRunnerKeys(keys))).payloadCodecs?.[0] ?? control;
  const textFor = (...pools: readonly string[]): string => runnerKeysText(runnerKeysOf(keyring, pools));
  const runner = codecOf(textFor('prod'));
  const workflow = { type: 'workflow', namespace: 'n', workflowId: 'pr/1/7' } as const;
  const activityOf = (activityId: string, isLocal = false) =>
    ({ type: 'activity', namespace: 'n', workflowId: 'pr/1/7', activityId, isLocal }) as const;
  const run = activityOf(runnerActivityId('prod', parseRunId(randomUUID())));
  const payload = defaultPayloadConverter.toPayload('approved');

  test('control and a runner read each other, as far as a runner is asked', async () => {
    for (const [from, to] of [
      [control, runner],
      [runner, control],
    ] as const) {
      const [opened] = await to.decode(await from.encode([payload], run), run);
      expect(opened === undefined ? null : defaultPayloadConverter.fromPayload(opened)).toBe('approved');
    }
  });

  test.each([
    ['a signal', workflow],
    ['what control is asked', activityOf('12')],
    ['what a workflow asks in place', { ...run, isLocal: true }],
    ['what is of nobody', undefined],
  ])('%s is closed to runners, and refused from them', async (_, context) => {
    const sealed = await control.encode([payload], context);
    expect(Buffer.from(sealed[0]?.metadata?.['encryption-key-id'] ?? []).toString()).toBe('current');
    await expect(runner.decode(sealed, context)).rejects.toThrow('a runner has no key');
    await expect(runner.decode(sealed, run)).rejects.toThrow('a runner has no key');
    await expect(runner.encode([payload], context)).rejects.toThrow('a runner has no key');
    const forged = await runner.encode([payload], run);
    await expect(control.decode(forged, context)).rejects.toThrow('that a runner sealed');
    const renamed = forged.map(({ metadata, data }) => ({
      metadata: { ...metadata, 'encryption-key-id': Buffer.from('current') },
      data: data ?? null,
    }));
    await expect(control.decode(renamed, context)).rejects.toThrow('"runner/prod/current" is missing');
  });

  test('a runner reads and answers nothing that the runners of another pool are asked', async () => {
    const dev = codecOf(textFor('dev'));
    const devRun = activityOf(runnerActivityId('dev', parseRunId(randomUUID())));
    await expect(dev.decode(await control.encode([payload], run), run)).rejects.toThrow('no key');
    await expect(dev.encode([payload], run)).rejects.toThrow('no key');
    // As its own run, under the name of the other pool's key, and under the place of the other's run.
    const forged = await dev.encode([payload], devRun);
    for (const reader of [control, runner]) await expect(reader.decode(forged, run)).rejects.toThrow();
    const renamed = forged.map(({ metadata, data }) => ({
      metadata: {
        ...metadata,
        'encryption-key-id': Buffer.from('runner/prod/current'),
        'sealed-for': Buffer.from(JSON.stringify([run.workflowId, run.activityId])),
      },
      data: data ?? null,
    }));
    for (const reader of [control, runner])
      await expect(reader.decode(renamed, run)).rejects.toThrow('"runner/dev/current" is missing');
    const both = codecOf(textFor('dev', 'prod'));
    for (const each of [run, devRun])
      expect(await both.decode(await control.encode([payload], each), each)).toHaveLength(1);
  });

  test('what a run was asked is no question of another run', async () => {
    const other = activityOf(runnerActivityId('prod', parseRunId(randomUUID())));
    const asked = await control.encode([payload], run);
    await expect(runner.decode(asked, other)).rejects.toThrow('sealed for another step');
    const elsewhere = { ...run, workflowId: 'project/1/other/default' };
    await expect(runner.decode(asked, elsewhere)).rejects.toThrow('sealed for another step');
  });

  test('the key of a runner is no key of ours, and passes a rotation on', async () => {
    const text = textFor('prod');
    expect(text).toMatch(/^prod\/current:[A-Za-z0-9+/]{43}=,prod\/old:[A-Za-z0-9+/]{43}=$/);
    expect(text).not.toContain(currentKey);
    expect(text.replaceAll('prod/', 'dev/')).not.toBe(textFor('dev'));
    const before = payloadCodec(createKeyring(parseEncryptionKeys(`old:${oldKey}`)));
    expect(await runner.decode(await before.encode([payload], run), run)).toHaveLength(1);
    const other = codecOf(`prod/current:${newKey()}`);
    await expect(other.decode(await control.encode([payload], run), run)).rejects.toThrow('changed');
  });
});

function projectOf(index: number): object {
  return {
    name: `envs/region-${index}/network`,
    status: { kind: 'waiting-for-approval', missing: [{ rule: { count: 1, by: [], message: 'destroys' } }] },
    plan: { id: randomUUID(), digest: randomBytes(8).toString('hex'), counts: { add: index, destroy: 0 } },
    verdicts: ['destroy', 'protect'].map((policy) => ({ policy, level: 'mandatory', denials: [] })),
  };
}

test('a whole run on a real server leaves nothing readable behind', async () => {
  const word = `planted-${randomBytes(8).toString('hex')}`;
  const address = inject('temporalAddress');
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await NativeConnection.connect({ address });
  const clientConnection = await Connection.connect({ address });
  const taskQueue = `codec-${randomUUID()}`;
  try {
    const converter = dataConverter(keyring);
    const worker = await Worker.create({
      connection,
      taskQueue,
      dataConverter: converter,
      workflowsPath: resolve(import.meta.dirname, 'codec-workflow.ts'),
      activities: {
        fail: async (said: string) => {
          throw ApplicationFailure.nonRetryable(`failed with ${said}`, 'Said', said);
        },
      },
    });
    const client = new Client({ connection: clientConnection, dataConverter: converter });
    const handle = await worker.runUntil(async () => {
      const started = await client.workflow.start('talkativeWorkflow', {
        workflowId: `talk-${randomUUID()}`,
        taskQueue,
        args: [word],
        memo: { word },
      });
      await started.signal('say', `signal ${word}`);
      expect(await started.result()).toBe(`signal ${word} then failed with ${word}`);
      return started;
    });
    const { events } = await handle.fetchHistory();
    expect(events?.some((event) => event.activityTaskFailedEventAttributes)).toBe(true);
    const texts = (events ?? []).flatMap((event) => everyText(event));
    expect(texts.filter((text) => text.includes('binary/encrypted')).length).toBeGreaterThan(4);
    expect(texts.filter((text) => text.includes(word) || text.includes('codec.test.ts'))).toEqual([]);
  } finally {
    await clientConnection.close();
    await connection.close();
  }
});

/** All strings and bytes in a message, bytes one character each. */
function everyText(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('latin1')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(everyText);
}
