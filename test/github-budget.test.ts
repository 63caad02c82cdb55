// Does everything that writes to GitHub, in every process, stay within what GitHub allows, and get done all the same?
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { WriteCost, WriteLimit } from '../activities/github/budget.ts';
import { createGitHub } from '../activities/github/client.ts';
import { createRenderer } from '../activities/github/renderer.ts';
import { createCommitTurns } from '../activities/github/shared-head.ts';
import type { ShowDependencies } from '../activities/github/show.ts';
import { showView } from '../activities/github/show.ts';
import { createBudget } from '../activities/store/budget.ts';
import { connect } from '../activities/store/connection.ts';
import type { Store } from '../activities/store/store.ts';
import { openStore } from '../activities/store/store.ts';
import { createKeyring } from '../app/keyring.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import type { Sandbox } from '../fixtures/sandbox/sandbox.ts';
import { createSandbox } from '../fixtures/sandbox/sandbox.ts';
import { parseInstallationId, parseRepositoryId, parseSha } from '../workflows/model/identifiers.ts';
import type { View } from '../workflows/model/view.ts';
import type { TestDatabase } from './postgres.ts';
import { createTestDatabase } from './postgres.ts';
import { view } from './render-example.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 240_000 });

let database: TestDatabase;
let store: Store;
type Connection = ReturnType<typeof connect>;
let processes: readonly [Connection, Connection];
const log = { debug: () => {} };

beforeAll(async () => {
  database = await createTestDatabase();
  const keyring = createKeyring([{ id: 'k1', bytes: randomBytes(32) }]);
  store = await openStore({ url: database.url, keyring, log });
  processes = [connect(database.url, log), connect(database.url, log)];
});
afterAll(async () => {
  await Promise.all(processes.map((sql) => sql.end()));
  await store.close();
});

let installations = 100;
const someInstallation = () => {
  installations += 1;
  return parseInstallationId(installations);
};
const comment: WriteCost = { content: 1, urgent: true };
const check: WriteCost = { content: 0, urgent: true };
const progress: WriteCost = { content: 0, urgent: false };

/** The same budget as two processes see it. */
const shared = (limits: readonly WriteLimit[]) => processes.map((sql) => createBudget(sql, limits));

describe('the budget', () => {
  const hour = { seconds: 3_600, requests: 1_000, content: 1_000 };

  test('gives all processes together what a limit allows, and tells the others when to come back', async () => {
    const budgets = shared([{ seconds: 60, requests: 10, content: 4 }, hour]);
    const installation = someInstallation();
    const take = (cost: WriteCost) =>
      Promise.all(Array.from({ length: 20 }, (_, index) => budgets[index % 2]?.take(installation, cost)));
    const comments = await take(comment);
    expect(comments.filter((wait) => wait === 0)).toHaveLength(4);
    const checks = await take(check);
    expect(checks.filter((wait) => wait === 0)).toHaveLength(6);
    for (const wait of [...comments, ...checks].filter((ms) => ms !== 0)) {
      expect(wait).toBeGreaterThan(50_000);
      expect(wait).toBeLessThanOrEqual(65_000);
    }
    expect(await budgets[0]?.take(someInstallation(), comment)).toBe(0);
  });

  test('keeps a share for what somebody waits for', async () => {
    const [budget] = shared([{ seconds: 60, requests: 10, content: 10 }]);
    const installation = someInstallation();
    const waits = [];
    for (let index = 0; index < 10; index += 1) waits.push(await budget?.take(installation, progress));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(8);
    expect(await budget?.take(installation, check)).toBe(0);
  });

  test('a request that is larger than the limit is not waited for without end', async () => {
    const [budget] = shared([{ seconds: 60, requests: 10, content: 2 }]);
    expect(await budget?.take(someInstallation(), { content: 9, urgent: true })).toBe(0);
  });

  test('the time that it tells is enough', async () => {
    const [budget] = shared([{ seconds: 1, requests: 3, content: 3 }]);
    const installation = someInstallation();
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index < 3; index += 1) expect(await budget?.take(installation, comment)).toBe(0);
      const wait = (await budget?.take(installation, comment)) ?? 0;
      expect(wait).toBeGreaterThan(0);
      await sleep(wait + 1_100);
    }
  });

  test('a pause holds for every process, and a shorter one does not end it', async () => {
    const [one, two] = shared([hour]);
    const installation = someInstallation();
    await one?.pause(installation, 60_000);
    await one?.pause(installation, 1_000);
    const wait = await two?.take(installation, comment);
    expect(wait).toBeGreaterThan(55_000);
    expect(await two?.take(someInstallation(), comment)).toBe(0);
  });
});

describe('many pull requests at once', () => {
  let sandbox: Sandbox;
  let pullRequests: readonly PullRequestHandle[];
  const count = 16;

  beforeAll(async () => {
    sandbox = await createSandbox();
    sandbox.createUser('mona');
    sandbox.createOrganization('octo-org');
    const files = { 'README.md': '#' };
    const repository = await sandbox.createRepository({ owner: 'octo-org', name: 'infra', files });
    repository.collaborator('mona', 'write');
    const opened = [];
    for (let index = 0; index < count; index += 1) {
      const head = `head-${index}`;
      opened.push(
        await repository.openPullRequest({
          title: head,
          author: 'mona',
          head,
          files: { [`${head}.tf`]: `# ${index}` },
        }),
      );
    }
    pullRequests = opened;
  });
  afterAll(() => sandbox.close());

  const installationId = () => parseInstallationId(sandbox.installation('octo-org').id);

  /** One process of several: its own client, the common database. */
  function processWith(sql: Connection, limits: readonly WriteLimit[]): ShowDependencies {
    const { app, apiUrl, url } = sandbox;
    const settings = { appId: app.id, privateKey: app.privateKey, apiUrl, webUrl: url };
    return {
      github: createGitHub(settings, createBudget(sql, limits)),
      memory: store.shown,
      heads: store.heads,
      tellPullRequest: async () => undefined,
      inCommitTurn: createCommitTurns(),
      render: createRenderer((id) => store.runs.readPlanChanges(id)),
      appId: app.id,
      log: { warn: () => undefined },
      runAddresses: async () => new Map(),
    };
  }

  function viewOf({ data }: PullRequestHandle, headline: View['headline']): View {
    const { id, nodeId: repositoryNodeId } = data.repository;
    const repository = {
      installationId: installationId(),
      id: parseRepositoryId(id),
      nodeId: repositoryNodeId,
      owner: 'octo-org',
      name: 'infra',
      webUrl: 'https://github.example/octo-org/infra',
    };
    const { number, nodeId } = data;
    const head = parseSha(data.head.sha);
    const checks = ['hatchet/plan', 'hatchet/policy', 'hatchet/apply'].map(
      (name) =>
        ({
          name,
          state: { status: 'completed', conclusion: 'neutral' },
          title: headline.kind,
          buttons: [],
          annotations: [],
          project: null,
        }) as const,
    );
    return view(headline, [], { repository, number, nodeId, head, sha: head, checks, roundId: randomUUID() });
  }

  /** As Temporal does it: what has to wait comes back when it was told to, without holding anything meanwhile. */
  async function untilShown(deps: ShowDependencies, shown: View): Promise<number> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await showView(deps, { view: shown, answers: [] }, attempt);
        return attempt;
      } catch (error) {
        if (!(error instanceof ApplicationFailure) || error.type !== 'RetryLater') throw error;
        await sleep(Number(error.nextRetryDelay));
      }
    }
  }

  test('are all shown, and GitHub never has to refuse', async () => {
    // Nine in four seconds, counted when they are sent; on a busy machine they arrive up to two seconds later.
    sandbox.faults.limitRate({ operation: 'addComment', calls: 9, windowMs: 2_000, retryAfterSeconds: 1 });
    const limits = [{ seconds: 4, requests: 100, content: 9 }];
    const workers = processes.map((sql) => processWith(sql, limits));
    for (const { github } of workers) await github.graphql(installationId(), '{ viewer { login } }', {});
    const attempts = await Promise.all(
      pullRequests.map((pullRequest, index) => {
        const worker = workers[index % workers.length];
        return worker === undefined ? 0 : untilShown(worker, viewOf(pullRequest, { kind: 'no-projects' }));
      }),
    );
    expect(sandbox.faults.overLimit()).toBe(0);
    expect(Math.max(...attempts)).toBeGreaterThan(1);
    for (const pullRequest of pullRequests) {
      expect(pullRequest.comments()).toHaveLength(1);
      expect(pullRequest.allChecks()).toHaveLength(3);
    }
    expect(sandbox.violations).toEqual([]);
    await sandbox.faults.clear();
  });

  test('a secondary limit makes all of them wait, not each of them run into it, and nothing is lost', async () => {
    const failure = { kind: 'secondary-rate-limit', status: 403, retryAfterSeconds: 2 } as const;
    sandbox.faults.failNext({ operation: 'updateIssueComment', failure });
    sandbox.calls.reset();
    const unlimited = [{ seconds: 60, requests: 1_000, content: 1_000 }];
    const workers = processes.map((sql) => processWith(sql, unlimited));
    const [first] = workers;
    const [one, ...others] = pullRequests.map((pullRequest) => viewOf(pullRequest, { kind: 'no-changes' }));
    if (first === undefined || one === undefined) throw new Error('there is nothing to show');
    await expect(showView(first, { view: one, answers: [] }, 1)).rejects.toMatchObject({
      type: 'RetryLater',
    });
    await Promise.all([one, ...others].map((shown, index) => untilShown(workers[index % 2] ?? first, shown)));
    const refused = sandbox.calls.list('api').filter(({ status }) => status === 403);
    expect(refused).toHaveLength(1);
    for (const pullRequest of pullRequests) {
      expect(pullRequest.comments().map(({ body }) => body.includes('No changes'))).toEqual([true]);
      expect(pullRequest.allChecks()).toHaveLength(3);
    }
  });
});
