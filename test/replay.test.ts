// Can workflows that were begun by released code go on under today's?
import { readdir, readFile } from 'node:fs/promises';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';
import { workflowBundle } from '../app/workflow-bundle.ts';

const directory = new URL('../fixtures/histories/', import.meta.url);
const names = (await readdir(directory)).filter((name) => name.endsWith('.json'));

let bundle: Awaited<ReturnType<typeof workflowBundle>>;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  bundle = await workflowBundle();
});

test('there is a history of each workflow', () => {
  expect(names.some((name) => name.startsWith('pull-request-'))).toBe(true);
  expect(names.some((name) => name.startsWith('project-'))).toBe(true);
});

test.each(names)('%s is replayed without a difference', async (name) => {
  const history: unknown = JSON.parse(await readFile(new URL(name, directory), 'utf8'));
  await Worker.runReplayHistory({ workflowBundle: bundle }, history);
});
