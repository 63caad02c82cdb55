// How is everything made small and encrypted that Temporal gets to see?
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { DataConverter, Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import { defaultPayloadConverter } from '@temporalio/common';
import protobuf from 'protobufjs';
import type { Misplaced } from '../workflows/misplaced.ts';
import { poolOfActivity } from '../workflows/queues.ts';
import type { Keyring } from './keyring.ts';
import type { PoolKeyrings } from './runner-keys.ts';
import { derivedKeyrings, isRunnerKey } from './runner-keys.ts';

/**
 * For every client and worker alike, so that nothing of ours lies readable in Temporal's history: arguments,
 * results, signals, heartbeats, and the messages and stacks of failures.
 * Workers with a prebuilt bundle must also give `failureConverterPath` to `bundleWorkflowCode`.
 */
export function dataConverter(keyring: Keyring): OurDataConverter {
  return { failureConverterPath, payloadCodecs: [payloadCodec(keyring)] };
}

/** For a process that has the keys of some pools of runners alone. */
export function runnerDataConverter(runners: PoolKeyrings): OurDataConverter {
  return { failureConverterPath, payloadCodecs: [createCodec({ own: null, runners })] };
}

type OurDataConverter = DataConverter & { readonly failureConverterPath: string };

const failureConverterPath = fileURLToPath(new URL('../workflows/failure-converter.ts', import.meta.url));

const encoding = 'binary/encrypted';
/** What the bytes are sealed as, with the place they are for: nobody can change either mark. */
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
 * Refuses what it did not seal, and what it sealed for another workflow or another step of one: whoever merely reaches
 * Temporal can neither send a workflow an approval nor copy one there. Pictures and rounds of many projects repeat
 * themselves, so large payloads are compressed before they are sealed.
 */
export function payloadCodec(keyring: Keyring): PayloadCodec {
  return createCodec({ own: keyring, runners: derivedKeyrings(keyring) });
}

/** `own` is null in a runner. */
type Keyrings = { readonly own: Keyring | null; readonly runners: PoolKeyrings };

/**
 * What is asked of a runner, and what it answers, is sealed with keys that the runners of its pool have; they are good
 * for nothing else. So a runner that was taken over reads no other work, and no approval of its making is believed.
 */
function createCodec(keyrings: Keyrings): PayloadCodec {
  return {
    encode: async (payloads, context) => {
      const keyring = sealerOf(keyrings, context);
      return Promise.all(payloads.map((payload) => sealPayload(keyring, payload, placeOf(context))));
    },
    decode: async (payloads, context) =>
      Promise.all(
        payloads.map((payload) => openPayload(openerOf(keyrings, payload, context), payload, context)),
      ),
  };
}

/** Whose runners may read it; null: none may. */
const poolOf = (context: SerializationContext | undefined): string | null =>
  context?.type === 'activity' && !context.isLocal ? poolOfActivity(context.activityId ?? '') : null;

function sealerOf({ own, runners }: Keyrings, context: SerializationContext | undefined): Keyring {
  const pool = poolOf(context);
  return orRefuse(pool === null ? own : runners(pool));
}

/** The name of the key is what the payload says of itself: it opens with no other. */
function openerOf(
  { own, runners }: Keyrings,
  { metadata }: Payload,
  context: SerializationContext | undefined,
): Keyring {
  if (!isRunnerKey(textOf(metadata?.['encryption-key-id']))) return orRefuse(own);
  const pool = poolOf(context);
  if (pool === null) throw new Error('refused a Temporal payload that a runner sealed');
  return orRefuse(runners(pool));
}

function orRefuse(keyring: Keyring | null): Keyring {
  if (keyring === null) throw new Error('a runner has no key for what is not asked of its pool');
  return keyring;
}

/** The workflow, and the step of it, that a payload is for; what Temporal itself calls them. */
function placeOf(context: SerializationContext | undefined): string {
  if (context === undefined) return '[]';
  const { workflowId = null } = context;
  return JSON.stringify(
    context.type === 'workflow' ? [workflowId] : [workflowId, context.activityId ?? null],
  );
}

async function sealPayload(keyring: Keyring, payload: Payload, place: string): Promise<Payload> {
  const clear = payloadMessage.encode(payloadMessage.fromObject(payload)).finish();
  if (clear.length > maxClearBytes)
    throw new Error(`a Temporal payload of ${clear.length} bytes is too large`);
  const { compression, bytes } = await smallest(clear);
  return {
    metadata: {
      encoding: Buffer.from(encoding),
      'encryption-key-id': Buffer.from(keyring.keyId),
      'sealed-for': Buffer.from(place),
      ...(compression === 'none' ? {} : { compression: Buffer.from(compression) }),
    },
    data: keyring.seal(bytes, `${contexts[compression]} ${place}`),
  };
}

async function smallest(
  clear: Uint8Array,
): Promise<{ readonly compression: Compression; readonly bytes: Uint8Array }> {
  if (clear.length < minCompressedBytes) return { compression: 'none', bytes: clear };
  const bytes = clear.length > maxBytesInPlace ? await compress(clear) : zstdCompressSync(clear);
  return bytes.length < clear.length ? { compression: 'zstd', bytes } : { compression: 'none', bytes: clear };
}

async function openPayload(
  keyring: Keyring,
  payload: Payload,
  context: SerializationContext | undefined,
): Promise<Payload> {
  const { metadata, data } = payload;
  if (isOfServer(payload, context)) return defaultPayloadConverter.toPayload(undefined);
  if (textOf(metadata?.encoding) !== encoding || !data)
    throw new Error('refused a Temporal payload that is not encrypted');
  const compression = compressionOf(textOf(metadata?.compression));
  const place = textOf(metadata?.['sealed-for']);
  const bytes = keyring.open(data, `${contexts[compression]} ${place}`);
  if (place !== placeOf(context)) return refuseMisplaced(place, context);
  const clear = compression === 'none' ? bytes : await unpack(bytes);
  return payloadMessage.toObject(payloadMessage.decode(clear), {});
}

/**
 * Temporal's server writes it when an activity is cancelled that nobody had begun, and has no key. Anybody could: it
 * tells nothing, and is read as nothing. Source: temporal/service/history, the cancellation of an activity.
 */
const notStartedWords = '"ACTIVITY_ID_NOT_STARTED"';

const isOfServer = ({ metadata, data }: Payload, context: SerializationContext | undefined): boolean =>
  context?.type === 'activity' &&
  !context.isLocal &&
  textOf(metadata?.encoding) === 'json/plain' &&
  textOf(data) === notStartedWords;

/** What was said to a workflow is refused there: thrown here, it would keep the workflow from going on. */
function refuseMisplaced(place: string, context: SerializationContext | undefined): Payload {
  if (context?.type !== 'workflow')
    throw new Error(`refused a Temporal payload that was sealed for another step: ${place.slice(0, 200)}`);
  const misplaced: Misplaced = { sealedForAnother: place };
  return defaultPayloadConverter.toPayload(misplaced);
}

/** Packed bytes may hold far more than they are: only what is surely small is unpacked in place. */
async function unpack(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes.length > maxPackedInPlace) return decompress(bytes, { maxOutputLength: maxClearBytes });
  return zstdDecompressSync(bytes, { maxOutputLength: maxClearBytes });
}

/** What is small has no mark. */
function compressionOf(mark: string): Compression {
  if (mark === '') return 'none';
  if (mark === 'zstd') return 'zstd';
  throw new Error('refused a Temporal payload that is compressed in an unknown way');
}

const textOf = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString();
