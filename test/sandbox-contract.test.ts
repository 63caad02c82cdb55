// Does the sandbox GitHub notice whatever GitHub's own description forbids, and do its payloads obey it?
import { describe, expect, it } from 'vitest';
import openApi from '../fixtures/github/openapi.json' with { type: 'json' };
import { operations } from '../fixtures/github/operations.ts';
import { createContract } from '../fixtures/sandbox/contract.ts';
import type {
  Account,
  CheckRun,
  CheckSuite,
  Commit,
  Installation,
  IssueComment,
  PullRequest,
  Repository,
  Review,
  World,
} from '../fixtures/sandbox/model.ts';
import { appObject, installationObject } from '../fixtures/sandbox/payloads/app.ts';
import { checkRunObject, checkSuiteObject } from '../fixtures/sandbox/payloads/check.ts';
import { commentObject, reactionObject, reviewObject } from '../fixtures/sandbox/payloads/comment.ts';
import { pullRequestObject, simplePullRequestObject } from '../fixtures/sandbox/payloads/pull-request.ts';
import { repositoryObject } from '../fixtures/sandbox/payloads/repository.ts';
import {
  checkRunWebhook,
  checkSuiteWebhook,
  commentWebhook,
  installationRepositoriesWebhook,
  installationWebhook,
  mergeGroupWebhook,
  pingWebhook,
  pullRequestWebhook,
  pushWebhook,
  reviewWebhook,
} from '../fixtures/sandbox/payloads.ts';

const contract = createContract();
const checkRuns = { method: 'POST', route: '/repos/{owner}/{repo}/check-runs' };
const oneRun = { method: 'GET', route: '/repos/{owner}/{repo}/check-runs/{check_run_id}' };
const run = { name: 'hatchet', head_sha: 'a'.repeat(40) };
const action = { label: 'Approve', description: 'Approve the plan', identifier: 'approve' };

describe('requests', () => {
  it('accepts what GitHub accepts', () => {
    const output = { title: '1 to add', summary: 'x'.repeat(65_535) };
    const body = { ...run, status: 'in_progress', external_id: 'run-1', output, actions: [action] };
    expect(contract.checkRequest({ ...checkRuns, body })).toEqual([]);
    expect(contract.checkRequest({ method: 'GET', route: '/app' })).toEqual([]);
    const pulls = { method: 'GET', route: '/repos/{owner}/{repo}/pulls' };
    expect(contract.checkRequest({ ...pulls, query: { state: 'open', per_page: '100' } })).toEqual([]);
  });

  it.each([
    [
      'a label of 21 characters',
      { ...run, actions: [{ ...action, label: 'x'.repeat(21) }] },
      'request /actions/0/label: must NOT have more than 20 characters',
    ],
    [
      'a fourth button',
      { ...run, actions: [action, action, action, action] },
      'request /actions: must NOT have more than 3 items',
    ],
    ['a missing name', { head_sha: run.head_sha }, "request (whole): must have required property 'name'"],
    [
      'a status that is kept for Actions',
      { ...run, status: 'waiting' },
      'request /status: must be one of ["queued","in_progress","completed"]',
    ],
    [
      'a misspelled property',
      { ...run, concluson: 'success' },
      'request (whole): has the unknown property "concluson"',
    ],
    [
      'a misspelled property further in',
      { ...run, output: { title: 't', summary: 's', texts: 'x' } },
      'request /output: has the unknown property "texts"',
    ],
    ['no body', undefined, 'request (whole): is missing'],
  ])('reports %s', (_, body, problem) => {
    expect(contract.checkRequest({ ...checkRuns, body })).toEqual([
      `POST /repos/{owner}/{repo}/check-runs ${problem}`,
    ]);
  });

  it('reports a body where GitHub reads none', () => {
    expect(contract.checkRequest({ method: 'DELETE', route: '/installation/token', body: { a: 1 } })).toEqual(
      ['DELETE /installation/token request (whole): is sent but GitHub does not read one'],
    );
  });

  it('reports a filter that GitHub would ignore and a value that it would refuse', () => {
    const query = { chek_name: 'hatchet', filter: 'newest', app_id: 'mine' };
    const route = '/repos/{owner}/{repo}/commits/{ref}/check-runs';
    expect(contract.checkRequest({ method: 'GET', route, query })).toEqual([
      `GET ${route} query (whole): has the unknown property "chek_name"`,
      `GET ${route} query /app_id: must be integer`,
      `GET ${route} query /filter: must be one of ["latest","all"]`,
    ]);
  });

  it('reports a route that is not in the list of operations', () => {
    expect(contract.checkRequest({ method: 'GET', route: '/user' })).toEqual([
      'GET /user: not an operation in fixtures/github/operations.ts',
    ]);
    expect(contract.checkResponse({ method: 'GET', route: '/user', status: 200, body: {} })).toEqual([
      'GET /user: not an operation in fixtures/github/operations.ts',
    ]);
  });
});

describe('responses', () => {
  it.each([
    ['a wrong type', { id: 'seven' }, 'response 200 /id: must be integer'],
    ['an invented property', { colour: 'red' }, 'response 200 (whole): has the unknown property "colour"'],
    ['a broken time', { started_at: 'yesterday' }, 'response 200 /started_at: must match format "date-time"'],
    ['a null that GitHub never sends', { name: null }, 'response 200 /name: must be string'],
  ])('reports %s', (_, change, problem) => {
    const { checkRun, world } = createWorld();
    const body = { ...checkRunObject(world, checkRun), ...change };
    expect(contract.checkResponse({ ...oneRun, status: 200, body })).toEqual([
      `GET /repos/{owner}/{repo}/check-runs/{check_run_id} ${problem}`,
    ]);
  });

  it('reports a missing property', () => {
    const { checkRun, world } = createWorld();
    const { external_id: _, ...body } = checkRunObject(world, checkRun);
    expect(contract.checkResponse({ ...oneRun, status: 200, body })).toEqual([
      "GET /repos/{owner}/{repo}/check-runs/{check_run_id} response 200 (whole): must have required property 'external_id'",
    ]);
  });

  it('reports a success that GitHub does not answer with, and a body where it sends none', () => {
    expect(contract.checkResponse({ ...oneRun, status: 202, body: {} })).toEqual([
      'GET /repos/{owner}/{repo}/check-runs/{check_run_id} response: GitHub does not answer 202',
    ]);
    const token = { method: 'DELETE', route: '/installation/token' };
    expect(contract.checkResponse({ ...token, status: 204, body: { done: true } })).toEqual([
      'DELETE /installation/token response 204 (whole): has a body but GitHub sends none',
    ]);
    expect(contract.checkResponse({ ...token, status: 204 })).toEqual([]);
  });

  it('holds errors that the description does not list against GitHub’s usual one', () => {
    const error = {
      message: 'Bad credentials',
      documentation_url: 'https://docs.github.com/rest',
      status: '401',
    };
    expect(contract.checkResponse({ ...oneRun, status: 401, body: error })).toEqual([]);
    expect(contract.checkResponse({ ...oneRun, status: 401, body: { message: 'no' } })).toEqual([
      "GET /repos/{owner}/{repo}/check-runs/{check_run_id} response 401 (whole): must have required property 'documentation_url'",
    ]);
    expect(contract.checkResponse({ ...oneRun, status: 502, body: '<html>' })).toEqual([]);
  });
});

describe('webhooks', () => {
  it('reports an unknown event, an unknown action and a broken payload', () => {
    const { world, pullRequest, person } = createWorld();
    const { payload } = pullRequestWebhook(world, { pullRequest, action: 'opened', sender: person });
    const { sender: _, ...anonymous } = payload as Record<string, unknown>;
    expect(contract.checkWebhook({ event: 'pull_request', action: 'opened', payload: anonymous })).toEqual([
      "webhook pull_request.opened payload (whole): must have required property 'sender'",
    ]);
    expect(contract.checkWebhook({ event: 'pull_request', action: 'exploded', payload })).toEqual([
      'webhook pull_request.exploded: GitHub knows no such webhook',
    ]);
    expect(contract.checkWebhook({ event: 'deploy', action: null, payload })).toEqual([
      'webhook deploy: GitHub knows no such webhook',
    ]);
  });

  it.each(webhooks())('sends a valid %s', (_, webhook) => {
    expect(contract.checkWebhook(JSON.parse(JSON.stringify(webhook)))).toEqual([]);
  });

  it('names the installation, and the organization where one is the owner', () => {
    const { world, pullRequest, person, repository } = createWorld();
    const { payload } = pullRequestWebhook(world, { pullRequest, action: 'opened', sender: person });
    expect(payload).toMatchObject({
      installation: { id: 31 },
      organization: { login: 'acme' },
      repository: { full_name: 'acme/infra', id: repository.id },
      sender: { login: 'ada' },
    });
    world.installations.clear();
    const without = pullRequestWebhook(world, { pullRequest, action: 'opened', sender: person });
    expect(without.payload).not.toHaveProperty('installation');
  });
});

describe('API objects', () => {
  it('obeys the description of REST', () => {
    const { world, pullRequest, checkRun, comment, review, installation } = createWorld();
    const repo = '/repos/{owner}/{repo}';
    const responses: [string, number, object][] = [
      ['GET /app', 200, appObject(world)],
      ['GET /app/installations', 200, [installationObject(world, installation)]],
      ['GET /app/installations/{installation_id}', 200, installationObject(world, installation)],
      [`GET ${repo}/pulls`, 200, [simplePullRequestObject(world, pullRequest)]],
      [`GET ${repo}/pulls/{pull_number}`, 200, pullRequestObject(world, pullRequest)],
      [`GET ${repo}/pulls/{pull_number}/reviews`, 200, [reviewObject(world, review)]],
      [`POST ${repo}/check-runs`, 201, checkRunObject(world, checkRun)],
      [`POST ${repo}/issues/{issue_number}/comments`, 201, commentObject(world, comment)],
      [
        `POST ${repo}/issues/comments/{comment_id}/reactions`,
        201,
        comment.reactions.map((one) => reactionObject(world, one))[0] ?? {},
      ],
    ];
    const violations = responses.flatMap(([operation, status, body]) => {
      const [method = '', route = ''] = operation.split(' ');
      return contract.checkResponse({ method, route, status, body: JSON.parse(JSON.stringify(body)) });
    });
    expect(violations).toEqual([]);
  });
});

describe('the description', () => {
  it('was cut for exactly the operations in use, from a named version', () => {
    expect(Object.keys(openApi.operations)).toEqual([...operations].sort());
    expect(openApi.source).toEqual({
      file: 'generated/api.github.com.json',
      package: '@octokit/openapi',
      version: '23.0.2',
    });
  });

  it('does not report what GitHub itself does against its description', () => {
    const { world, pullRequest, checkRun, suite, review, person, bot } = createWorld();
    const head = { ...pullRequest.head, repository: null };
    const unlabelled = pullRequest.labels.map((label) => ({ ...label, description: null }));
    const orphan: PullRequest = { ...pullRequest, head, labels: unlabelled };
    const skipped: CheckSuite = { ...suite, conclusion: 'skipped' };
    const queued: CheckRun = { ...checkRun, suite: { ...suite, status: 'queued', conclusion: null } };
    const byBot = { name: bot.login, email: `${bot.id}+${bot.login}@users.noreply.github.com` };
    const made: CheckSuite = { ...suite, headCommit: { ...suite.headCommit, author: byBot } };
    const stale: CheckRun = { ...checkRun, conclusion: 'stale' };
    const pulls = { method: 'GET', route: '/repos/{owner}/{repo}/pulls', status: 200 };
    const body = JSON.parse(JSON.stringify([simplePullRequestObject(world, orphan)]));
    expect(contract.checkResponse({ ...pulls, body })).toEqual([]);
    expect(contract.checkResponse({ ...oneRun, status: 200, body: checkRunObject(world, stale) })).toEqual(
      [],
    );
    const suites = {
      method: 'GET',
      route: '/repos/{owner}/{repo}/check-suites/{check_suite_id}',
      status: 200,
    };
    const minimal = repositoryObject(world, suite.repository);
    const suiteBody = { ...checkSuiteObject(world, made), repository: minimal };
    expect(contract.checkResponse({ ...suites, body: suiteBody })).toEqual([]);
    for (const webhook of [
      checkSuiteWebhook(world, { suite: skipped, action: 'completed', sender: bot }),
      checkRunWebhook(world, { run: queued, action: 'rerequested', sender: person }),
      reviewWebhook(world, {
        review: { ...review, pullRequest: orphan },
        action: 'submitted',
        sender: person,
      }),
    ]) {
      expect(contract.checkWebhook(webhook)).toEqual([]);
    }
  });
});

function webhooks() {
  const { world, pullRequest, draft, person, bot, checkRun, suite, commit, ...rest } = createWorld();
  const { comment, review, installation, repository, closed } = rest;
  const event = { pullRequest, sender: person };
  const group = {
    repository,
    headRef: 'refs/heads/gh-readonly-queue/main/pr-7-abc',
    headSha: commit.sha,
    baseRef: 'refs/heads/main',
    baseSha: 'b'.repeat(40),
    headCommit: commit,
    pullRequests: [pullRequest],
    mergeCommits: ['b'.repeat(40)],
    enqueuedAt: commit.timestamp,
  };
  const push = { repository, ref: 'refs/heads/topic', before: 'b'.repeat(40), after: commit.sha };
  const pushed = { ...push, forced: false, pusher: person, commits: [commit], headCommit: commit };
  const deleted = {
    ...push,
    after: '0'.repeat(40),
    forced: false,
    pusher: person,
    commits: [],
    headCommit: null,
  };
  const all = [
    pullRequestWebhook(world, { ...event, action: 'opened' }),
    pullRequestWebhook(world, { ...event, action: 'reopened' }),
    pullRequestWebhook(world, { ...event, action: 'ready_for_review' }),
    pullRequestWebhook(world, { pullRequest: draft, sender: person, action: 'converted_to_draft' }),
    pullRequestWebhook(world, { pullRequest: closed, sender: person, action: 'closed' }),
    pullRequestWebhook(world, { ...event, action: 'synchronize', before: 'b'.repeat(40), after: commit.sha }),
    pullRequestWebhook(world, {
      ...event,
      action: 'edited',
      changes: { title: { from: 'old' }, base: { ref: { from: 'develop' }, sha: { from: 'c'.repeat(40) } } },
    }),
    ...pullRequest.labels.map((label) => pullRequestWebhook(world, { ...event, action: 'labeled', label })),
    pullRequestWebhook(world, { ...event, action: 'enqueued' }),
    pullRequestWebhook(world, { ...event, action: 'dequeued', reason: 'CI_TIMEOUT' }),
    reviewWebhook(world, { review, action: 'submitted', sender: person }),
    reviewWebhook(world, { review: { ...review, state: 'DISMISSED' }, action: 'dismissed', sender: person }),
    commentWebhook(world, { comment, action: 'created', sender: bot }),
    commentWebhook(world, { comment, action: 'edited', changes: { body: { from: 'x' } }, sender: bot }),
    commentWebhook(world, { comment, action: 'deleted', sender: bot }),
    checkRunWebhook(world, { run: checkRun, action: 'created', sender: bot }),
    checkRunWebhook(world, { run: checkRun, action: 'completed', sender: bot }),
    checkRunWebhook(world, { run: checkRun, action: 'rerequested', sender: person }),
    checkRunWebhook(world, {
      run: checkRun,
      action: 'requested_action',
      identifier: 'approve',
      sender: person,
    }),
    checkSuiteWebhook(world, { suite, action: 'requested', sender: person }),
    checkSuiteWebhook(world, { suite, action: 'completed', sender: bot }),
    checkSuiteWebhook(world, { suite, action: 'rerequested', sender: person }),
    mergeGroupWebhook(world, { group, action: 'checks_requested', sender: person }),
    mergeGroupWebhook(world, { group, action: 'destroyed', reason: 'invalidated', sender: person }),
    pushWebhook(world, pushed),
    pushWebhook(world, deleted),
    installationWebhook(world, { installation, action: 'created', sender: person }),
    installationWebhook(world, { installation, action: 'deleted', sender: person }),
    installationWebhook(world, {
      installation: { ...installation, suspendedAt: '2026-11-02T10:00:00Z' },
      action: 'suspend',
      sender: person,
    }),
    installationWebhook(world, { installation, action: 'unsuspend', sender: person }),
    installationWebhook(world, { installation, action: 'new_permissions_accepted', sender: person }),
    installationRepositoriesWebhook(world, {
      installation,
      action: 'added',
      repositories: [repository],
      sender: person,
    }),
    installationRepositoriesWebhook(world, {
      installation,
      action: 'removed',
      repositories: [repository],
      sender: person,
    }),
    pingWebhook(world, 'http://127.0.0.1:3000/api/github/webhooks'),
  ];
  return all.map((webhook) => [`${webhook.event} ${webhook.action ?? ''}`.trim(), webhook] as const);
}

function createWorld() {
  const at = '2026-11-01T10:00:00Z';
  const account = (kind: Account['kind'], id: number, login: string): Account => {
    return { kind, id, nodeId: `U_${id}`, login };
  };
  const acme = account('Organization', 1, 'acme');
  const person = account('User', 2, 'ada');
  const bot = account('Bot', 3, 'hatchet-sandbox[bot]');
  const events = ['pull_request', 'issue_comment', 'check_run', 'check_suite', 'push', 'merge_group'];
  const permissions = { metadata: 'read', checks: 'write', contents: 'read', merge_queues: 'read' } as const;
  const world: World = {
    url: 'http://127.0.0.1:4000',
    app: {
      id: 20,
      nodeId: 'A_20',
      clientId: 'Iv1.0123456789abcdef',
      slug: 'hatchet-sandbox',
      name: 'Hatchet',
      owner: acme,
      bot,
      privateKey: '',
      webhookSecret: 'secret',
      createdAt: at,
      permissions,
      events,
    },
    accounts: new Map(),
    teams: [],
    repositories: new Map(),
    installations: new Map(),
    nodes: new Map(),
  };
  const installation: Installation = {
    id: 31,
    nodeId: 'I_31',
    account: acme,
    createdAt: at,
    permissions,
    events,
    repositories: 'all',
    suspendedAt: null,
  };
  const repository: Repository = {
    id: 40,
    nodeId: 'R_40',
    owner: acme,
    name: 'infra',
    private: true,
    defaultBranch: 'main',
    parent: null,
    gitDir: '/nowhere',
    createdAt: at,
    updatedAt: at,
    pushedAt: at,
    collaborators: new Map([['ada', 'write']]),
    protections: new Map(),
    queueLimits: new Map(),
    mergeGroups: new Set(),
    labels: new Map(),
    pullRequests: new Map(),
    checkSuites: [],
    statuses: [],
    nextNumber: 8,
  };
  world.repositories.set(repository.id, repository);
  world.installations.set(installation.id, installation);
  const commit: Commit = {
    sha: 'a'.repeat(40),
    treeSha: 'd'.repeat(40),
    parents: ['b'.repeat(40)],
    message: 'Add a bucket',
    timestamp: '2026-11-01T10:00:00+00:00',
    author: { name: 'Ada', email: 'ada@example.com' },
    committer: { name: 'Ada', email: 'ada@example.com' },
    added: ['main.tf'],
    removed: [],
    modified: [],
  };
  const pullRequest: PullRequest = {
    id: 50,
    nodeId: 'PR_50',
    issueId: 51,
    issueNodeId: 'I_51',
    repository,
    number: 7,
    author: person,
    createdAt: at,
    title: 'Add a bucket',
    body: null,
    draft: false,
    locked: false,
    state: 'open',
    head: { repository, owner: acme, ref: 'topic', sha: commit.sha },
    base: { repository, owner: acme, ref: 'main', sha: 'b'.repeat(40) },
    size: { commits: 1, additions: 3, deletions: 0, changedFiles: 1 },
    mergeable: null,
    mergeCommitSha: null,
    labels: [{ id: 52, nodeId: 'LA_52', name: 'needs care', color: 'ededed', description: 'Look twice' }],
    updatedAt: at,
    closedAt: null,
    mergedAt: null,
    mergedBy: null,
    comments: [],
    reviews: [],
  };
  repository.pullRequests.set(pullRequest.number, pullRequest);
  const draft = { ...pullRequest, draft: true };
  const merged = { closedAt: at, mergedAt: at, mergedBy: person, mergeCommitSha: 'e'.repeat(40) };
  const closed: PullRequest = { ...pullRequest, ...merged, state: 'closed' };
  const comment: IssueComment = {
    id: 60,
    nodeId: 'IC_60',
    pullRequest,
    author: bot,
    viaApp: true,
    createdAt: at,
    updatedAt: at,
    body: 'Planned',
    lastEditedAt: null,
    minimizedReason: null,
    reactions: [{ id: 61, nodeId: 'RE_61', user: person, content: 'eyes', createdAt: at }],
  };
  const review: Review = {
    id: 70,
    nodeId: 'PRR_70',
    pullRequest,
    author: person,
    body: '',
    commitId: commit.sha,
    submittedAt: at,
    updatedAt: at,
    state: 'APPROVED',
  };
  const suite: CheckSuite = {
    id: 80,
    nodeId: 'CS_80',
    repository,
    headSha: commit.sha,
    headCommit: commit,
    headBranch: 'topic',
    before: 'b'.repeat(40),
    createdAt: at,
    updatedAt: at,
    status: 'completed',
    conclusion: 'action_required',
    runs: [],
  };
  const checkRun: CheckRun = {
    id: 90,
    nodeId: 'CR_90',
    suite,
    headSha: commit.sha,
    name: 'hatchet',
    externalId: 'run-1',
    detailsUrl: 'http://127.0.0.1:3000/runs/1',
    status: 'completed',
    conclusion: 'action_required',
    startedAt: at,
    completedAt: at,
    title: '1 to add',
    summary: 'A bucket',
    text: null,
    annotations: [],
    actions: [],
  };
  suite.runs.push(checkRun);
  const people = { person, bot };
  return {
    world,
    repository,
    installation,
    pullRequest,
    draft,
    closed,
    comment,
    review,
    suite,
    checkRun,
    commit,
    ...people,
  };
}
