// How is everything encrypted that Temporal gets to see?
import { fileURLToPath } from 'node:url';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import protobuf from 'protobufjs';
import type { Keyring } from './keyring.ts';

/**
 * For every client and worker alike, so that nothing of ours lies readable in Temporal's history: arguments,
 * results, signals, heartbeats, and the messages and stacks of failures.
 * Workers with a prebuilt bundle must also give `failureConverterPath` to `bundleWorkflowCode`.
 */
export function dataConverter(keyring: Keyring): DataConverter & { readonly failureConverterPath: string } {
  return { failureConverterPath, payloadCodecs: [payloadCodec(keyring)] };
}

const failureConverterPath = fileURLToPath(new URL('../workflows/failure-converter.ts', import.meta.url));

const encoding = 'binary/encrypted';
const context = 'temporal-payload';

/** Temporal's own message, so that the sealed bytes are what Temporal's documentation on encryption expects. */
const payloadMessage = new protobuf.Type('Payload')
  .add(new protobuf.MapField('metadata', 1, 'string', 'bytes'))
  .add(new protobuf.Field('data', 2, 'bytes'));

/** Refuses what it did not seal: whoever merely reaches Temporal cannot send a workflow an approval. */
export function payloadCodec(keyring: Keyring): PayloadCodec {
  return {
    encode: async (payloads) => payloads.map((payload) => sealPayload(keyring, payload)),
    decode: async (payloads) => payloads.map((payload) => openPayload(keyring, payload)),
  };
}

function sealPayload(keyring: Keyring, payload: Payload): Payload {
  const clear = payloadMessage.encode(payloadMessage.fromObject(payload)).finish();
  return {
    metadata: { encoding: Buffer.from(encoding), 'encryption-key-id': Buffer.from(keyring.keyId) },
    data: keyring.seal(clear, context),
  };
}

function openPayload(keyring: Keyring, payload: Payload): Payload {
  const found = Buffer.from(payload.metadata?.encoding ?? []).toString();
  if (found !== encoding || !payload.data)
    throw new Error('refused a Temporal payload that is not encrypted');
  return payloadMessage.toObject(payloadMessage.decode(keyring.open(payload.data, context)), {});
}
