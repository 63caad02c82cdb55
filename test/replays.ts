// Would a control that takes over now understand everything that has happened in a world so far?
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { dataConverter } from '../app/codec.ts';
import { parseEncryptionKeys } from '../app/encryption-keys.ts';
import { createKeyring } from '../app/keyring.ts';
import { workflowBundle } from '../app/workflow-bundle.ts';
import type { World } from './world.ts';

export type Replays = { readonly replayed: number; readonly differences: readonly string[] };

/** Replays every history of the world's repository, as a restart would. */
export async function replayAll({ namespace, repository, encryptionKey }: World): Promise<Replays> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const bundle = await workflowBundle();
  const converter = dataConverter(createKeyring(parseEncryptionKeys(encryptionKey)));
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const client = new Client({ connection, namespace, dataConverter: converter });
  const { id } = repository;
  const query = `WorkflowId STARTS_WITH "pr/${id}/" OR WorkflowId STARTS_WITH "project/${id}/" OR WorkflowId = "repository/${id}"`;
  const differences: string[] = [];
  let replayed = 0;
  const results = Worker.runReplayHistories(
    { workflowBundle: bundle, dataConverter: converter },
    client.workflow.list({ query }).intoHistories(),
  );
  for await (const { workflowId, error } of results) {
    replayed += 1;
    if (error !== undefined) differences.push(`${workflowId}: ${error.message}`);
  }
  await connection.close();
  return { replayed, differences };
}
