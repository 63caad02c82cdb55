// How is everything made small and encrypted that Temporal gets to see?
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { DataConverter, Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import protobuf from 'protobufjs';
import { isRunnerActivity } from '../workflows/queues.ts';
import type { Keyring } from './keyring.ts';
import { isRunnerKey, runnerKeyring, runnerKeysOf } from './runner-keys.ts';

/**
 * For every client and worker alike, so that nothing of ours lies readable in Temporal's history: arguments,
 * results, signals, heartbeats, and the messages and stacks of failures.
 * Workers with a prebuilt bundle must also give `failureConverterPath` to `bundleWorkflowCode`.
 */
export function dataConverter(keyring: Keyring): OurDataConverter {
  return { failureConverterPath, payloadCodecs: [payloadCodec(keyring)] };
}

/** For a process that has the runners' keys alone. */
export function runnerDataConverter(runners: Keyring): OurDataConverter {
  return { failureConverterPath, payloadCodecs: [createCodec({ own: null, runners })] };
}

type OurDataConverter = DataConverter & { readonly failureConverterPath: string };

const failureConverterPath = fileURLToPath(new URL('../workflows/failure-converter.ts', import.meta.url));

const encoding = 'binary/encrypted';
/** What the bytes are sealed as. Sealed as another thing when compressed, so that nobody can change the mark. */
const contexts = { none: 'temporal-payload', zstd: 'temporal-payload/zstd' } as const;
type Compression = keyof typeof contexts;

/** Below this a payload has hardly anything to repeat: a signal or a decision stays as it is. */
const minCompressedBytes = 1_024;
/** Up to here (un)packing takes less than the way to another thread, where it would wait behind file and network work. */
const maxBytesInPlace = 64 * 1024;
/** Ours pack to a tenth. Sealed by us before, so that nobody else can have made them large. */
const maxPackedInPlace = maxBytesInPlace / 10;
/** Sixteen times Temporal's own limit of what is sent (2 MB). More is no payload of ours, and must not fill memory. */
const maxClearBytes = 32 * 1024 * 1024;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Temporal's own message, so that the sealed bytes are what Temporal's documentation on encryption expects. */
const payloadMessage = new protobuf.Type('Payload')
  .add(new protobuf.MapField('metadata', 1, 'string', 'bytes'))
  .add(new protobuf.Field('data', 2, 'bytes'));

/**
 * Refuses what it did not seal: whoever merely reaches Temporal cannot send a workflow an approval. Pictures and
 * rounds of many projects repeat themselves, so large payloads are compressed before they are sealed.
 */
export function payloadCodec(keyring: Keyring): PayloadCodec {
  return createCodec({ own: keyring, runners: runnerKeyring(runnerKeysOf(keyring)) });
}

/** `own` is null in a runner. */
type Keyrings = { readonly own: Keyring | null; readonly runners: Keyring };

/**
 * What is asked of a runner, and what it answers, is sealed with keys that runners have; they are good for nothing
 * else. So a runner that was taken over reads no other work, and no approval of its making is believed.
 */
function createCodec(keyrings: Keyrings): PayloadCodec {
  return {
    encode: async (payloads, context) => {
      const keyring = isForRunner(context) ? keyrings.runners : keyrings.own;
      if (keyring === null) throw new Error('a runner has no key for what is not asked of a runner');
      return Promise.all(payloads.map((payload) => sealPayload(keyring, payload)));
    },
    decode: async (payloads, context) =>
      Promise.all(payloads.map((payload) => openPayload(openerOf(keyrings, payload, context), payload))),
  };
}

const isForRunner = (context: SerializationContext | undefined): boolean =>
  context?.type === 'activity' && !context.isLocal && isRunnerActivity(context.activityId ?? '');

/** The name of the key is what the payload says of itself: it opens with no other. */
function openerOf(
  { own, runners }: Keyrings,
  { metadata }: Payload,
  context: SerializationContext | undefined,
): Keyring {
  const isRunners = isRunnerKey(textOf(metadata?.['encryption-key-id']));
  if (isRunners && !isForRunner(context)) throw new Error('refused a Temporal payload that a runner sealed');
  const keyring = isRunners ? runners : own;
  if (keyring === null) throw new Error('a runner has no key for what is not asked of a runner');
  return keyring;
}

async function sealPayload(keyring: Keyring, payload: Payload): Promise<Payload> {
  const clear = payloadMessage.encode(payloadMessage.fromObject(payload)).finish();
  if (clear.length > maxClearBytes)
    throw new Error(`a Temporal payload of ${clear.length} bytes is too large`);
  const { compression, bytes } = await smallest(clear);
  return {
    metadata: {
      encoding: Buffer.from(encoding),
      'encryption-key-id': Buffer.from(keyring.keyId),
      ...(compression === 'none' ? {} : { compression: Buffer.from(compression) }),
    },
    data: keyring.seal(bytes, contexts[compression]),
  };
}

async function smallest(
  clear: Uint8Array,
): Promise<{ readonly compression: Compression; readonly bytes: Uint8Array }> {
  if (clear.length < minCompressedBytes) return { compression: 'none', bytes: clear };
  const bytes = clear.length > maxBytesInPlace ? await compress(clear) : zstdCompressSync(clear);
  return bytes.length < clear.length ? { compression: 'zstd', bytes } : { compression: 'none', bytes: clear };
}

async function openPayload(keyring: Keyring, { metadata, data }: Payload): Promise<Payload> {
  if (textOf(metadata?.encoding) !== encoding || !data)
    throw new Error('refused a Temporal payload that is not encrypted');
  const compression = compressionOf(textOf(metadata?.compression));
  const bytes = keyring.open(data, contexts[compression]);
  const clear = compression === 'none' ? bytes : await unpack(bytes);
  return payloadMessage.toObject(payloadMessage.decode(clear), {});
}

/** Packed bytes may hold far more than they are: only what is surely small is unpacked in place. */
async function unpack(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes.length > maxPackedInPlace) return decompress(bytes, { maxOutputLength: maxClearBytes });
  return zstdDecompressSync(bytes, { maxOutputLength: maxClearBytes });
}

/** Payloads of earlier versions have no mark. */
function compressionOf(mark: string): Compression {
  if (mark === '') return 'none';
  if (mark === 'zstd') return 'zstd';
  throw new Error('refused a Temporal payload that is compressed in an unknown way');
}

const textOf = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString();
