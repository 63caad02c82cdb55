// Is nothing readable in what Temporal keeps, and does everything come back?
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { dataConverter, payloadCodec } from '../app/codec.ts';
import { loadOrCreateKey, parseEncryptionKeys } from '../app/encryption-keys.ts';
import { createKeyring } from '../app/keyring.ts';

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

  test('a payload that nobody encrypted is refused', async () => {
    await expect(codec.decode(payloads)).rejects.toThrow('refused a Temporal payload that is not encrypted');
  });
});

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
