// Do a repository's own policies judge its plans, as they are on its base branch and nowhere else?
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createChangedFilesReader } from '../activities/policy/changed-files.ts';
import type { Judge } from '../activities/policy/judge.ts';
import { createJudge } from '../activities/policy/judge.ts';
import { createPolicyReader } from '../activities/policy/policy-reader.ts';
import type { StoredPlan } from '../activities/run-store.ts';
import type { Mirrors } from '../activities/source/mirror.ts';
import { createMirrors } from '../activities/source/mirror.ts';
import { configurationOf } from '../workflows/model/configuration.ts';
import { configurationSchema } from '../workflows/model/configuration-schema.ts';
import {
  parseInstallationId,
  parsePlanDigest,
  parsePlanId,
  parseRunId,
  parseSha,
  parseSourceDigest,
  type Sha,
} from '../workflows/model/identifiers.ts';
import type { Repository } from '../workflows/model/repository.ts';
import type { Verdict } from '../workflows/model/verdict.ts';
import type { JudgeRequest } from '../workflows/port/judgement.ts';
import { emptyPlan, toolPath } from './policy-opa.ts';
import { type FileChange, type Remote, remoteToken, repositoryId, startRemote } from './source-remote.ts';

const naming = `package hatchet.naming
deny contains {"msg": "no public buckets", "address": r.address} if some r in input.plan.resource_changes
approve contains {"count": 2, "by": ["@octo-org/platform"], "msg": "two pairs of eyes"} if input.pr.author == "mona"`;
const conftest = `package main
deny contains msg if { some r in input.resource_changes; msg := sprintf("%s is %v", [r.address, r.change.actions]) }`;
/** One is known by the change that it stands in, the other was only read while it was planned. */
const secrets = { changed: 'p4ss"word\nand a second line', read: `read-${'long'.repeat(80)}` };
const planJson = Buffer.from(
  JSON.stringify({
    ...emptyPlan,
    resource_changes: [
      {
        address: 'x.y',
        change: { actions: ['create'], after: { key: secrets.changed }, after_sensitive: { key: true } },
      },
    ],
    prior_state: {
      values: {
        root_module: { resources: [{ values: { v: secrets.read }, sensitive_values: { v: true } }] },
      },
    },
  }),
);

/** What the operator gave Terraform; no plan says that it is a secret. */
const environmentSecret = 'from-the-environment';
/** What the plan's runner knew of its own environment and found in the plan. */
const runnerSecret = 'known-to-the-runner-alone';

let remote: Remote;
let directory: string;
let mirrors: Mirrors;
let judge: Judge;
let repository: Repository;
let branches = 0;

beforeAll(async () => {
  remote = await startRemote();
  directory = mkdtempSync(join(tmpdir(), 'hatchet-policy-repository-'));
  mirrors = createMirrors({ directory: join(directory, 'mirrors') });
  repository = {
    installationId: parseInstallationId(1),
    id: repositoryId,
    nodeId: 'R_1',
    owner: 'o',
    name: 'r',
    webUrl: 'https://github.example/o/r',
  };
  const github = { gitUrl: () => remote.url, gitToken: async () => remoteToken };
  judge = createJudge({
    store: {
      readPlan: async () => stored(),
      readPlanJson: async () => planJson,
      readPlanMasks: async () => [runnerSecret],
    },
    opaPath: await toolPath('opa'),
    policiesDir: join(import.meta.dirname, '..', 'policies'),
    cacheDir: join(directory, 'cache'),
    builtInCacheDir: join(directory, 'cache'),
    readPolicies: createPolicyReader({ mirrors, github }),
    readChangedFiles: createChangedFilesReader({ mirrors, github }),
    masks: [environmentSecret],
    log: pino({ enabled: false }),
  });
  await judge.warm();
});

afterAll(async () => {
  await judge.close();
  await mirrors.close();
  await remote.close();
  rmSync(directory, { recursive: true });
});

/** A base branch that begins with these files. */
function base(files: Readonly<Record<string, FileChange>>): Sha {
  branches += 1;
  return remote.commit(`refs/heads/base-${branches}`, { 'README.md': '#\n', ...files }, { parents: [] });
}

function requestFor(
  commit: Sha,
  policies: readonly { readonly path: string; readonly level: Verdict['level'] }[],
): JudgeRequest {
  return {
    planId: stored().plan.id,
    rules: { ...configurationOf(configurationSchema.parse({ version: 1 })), policies: [...policies] },
    base: commit,
    repository,
    pullRequest: {
      nodeId: 'PR_1',
      number: 7,
      title: 'Change everything',
      author: 'mona',
      state: 'open',
      draft: false,
      fork: false,
      head: commit,
      base: 'main',
      baseSha: commit,
      mergeCommit: null,
      mergedBy: null,
      mergedAt: null,
      labels: [],
    },
    changes: { from: commit, to: commit },
    trigger: 'pull_request',
  };
}

/** What the repository's own policies said. */
async function own(
  files: Readonly<Record<string, FileChange>>,
  path: string,
  level: Verdict['level'] = 'mandatory',
): Promise<readonly Verdict[]> {
  const verdicts = await judge.judge(requestFor(base(files), [{ path, level }]));
  expect(verdicts.slice(0, 2).map(({ policy }) => policy)).toEqual(['destroy', 'protect']);
  return verdicts.slice(2);
}

test('every package below the path speaks, in its own words, and tests do not', async () => {
  const verdicts = await own(
    {
      'policies/naming.rego': naming,
      'policies/deep/er/conftest.rego': conftest,
      'policies/naming_test.rego': 'package hatchet.naming_test\ntest_it if false\nthis is no rego',
      'policies/README.md': 'not rego',
      'other/no.rego': 'package hatchet.other\nbroken(',
    },
    './policies/',
  );
  expect(verdicts).toEqual([
    {
      policy: 'naming',
      level: 'mandatory',
      denials: [{ message: 'no public buckets', address: 'x.y' }],
      warnings: [],
      approvals: [
        {
          count: 2,
          by: ['@octo-org/platform'],
          message: 'two pairs of eyes',
          author: false,
          source: 'naming',
        },
      ],
      error: null,
    },
    {
      policy: 'main',
      level: 'mandatory',
      denials: [{ message: 'x.y is ["create"]' }],
      warnings: [],
      approvals: [],
      error: null,
    },
  ]);
});

test('what policies say of secrets is masked in all its parts (S7)', async () => {
  const leaky = `package hatchet.leaky
key := input.plan.resource_changes[0].change.after.key
read := input.plan.prior_state.values.root_module.resources[0].values.v
deny contains sprintf("%s must not be %v", [r.address, r.change.after]) if some r in input.plan.resource_changes
deny contains concat(" ", ["cut here", read])
warn contains {"msg": base64.encode(concat("", ["user:", key])), "address": sprintf("x[%q]", [key])}
warn contains "${environmentSecret}"
warn contains "of the runner: ${runnerSecret}"
approve contains {"msg": read, "by": [key]}`;
  const conflict = `package hatchet.thrown
x[input.plan.prior_state.values.root_module.resources[0].values.v] := n if some n in [1, 2]
deny contains "never" if x`;
  const verdicts = await own({ 'policies/leaky.rego': leaky, 'policies/thrown.rego': conflict }, 'policies');
  expect(verdicts[0]).toMatchObject({
    denials: [{ message: 'cut here ***' }, { message: 'x.y must not be {"key": "***"}' }],
    warnings: [{ message: '***' }, { message: 'of the runner: ***' }, { address: 'x["***"]' }],
    approvals: [{ message: '***', by: ['***'] }],
  });
  expect(verdicts[1]?.error).toContain('conflict');
  const said = JSON.stringify(verdicts);
  for (const part of ['p4ss', 'second line', 'longlong', environmentSecret, runnerSecret])
    expect(said).not.toContain(part);
  expect(said).not.toContain(Buffer.from('second line').toString('base64').slice(2, -4));
});

test('advisory policies are heard and block nothing', async () => {
  const [verdict] = await own({ 'advice/naming.rego': naming }, 'advice', 'advisory');
  expect(verdict).toMatchObject({
    level: 'advisory',
    denials: [{ message: 'no public buckets' }],
    warnings: [{ message: 'asks for 2 approvals: two pairs of eyes' }],
    approvals: [],
    error: null,
  });
  const [broken] = await own(
    { 'advice/naming.rego': 'package hatchet.x\ndeny contains' },
    'advice',
    'advisory',
  );
  expect(broken?.error).toBeNull();
  expect(broken?.warnings[0]?.message).toMatch(/^could not be evaluated: advice\/naming\.rego:2: /);
});

test('a policy that is called like a built-in one does not pass for it', async () => {
  const rego = 'package hatchet.destroy\napprove contains "mine" if true';
  const [verdict] = await own({ 'policies/destroy.rego': rego }, 'policies');
  expect(verdict?.policy).toBe('destroy (of the repository)');
  expect(verdict?.approvals[0]?.source).toBe('destroy (of the repository)');
});

describe('S12: what cannot be used denies', () => {
  const files = { 'policies/naming.rego': naming, 'docs/a.md': 'a' };
  const link = { mode: '120000', content: 'policies' };
  test.each<readonly [string, Readonly<Record<string, FileChange>>, string, RegExp]>([
    ['a path that is not there', files, 'polices', /^there is no polices on the base branch$/],
    ['a path without Rego', files, 'docs', /^there is no Rego file below docs on the base branch$/],
    ['a path out of the repository', files, '../policies', /^\.\.\/policies leads out of the repository$/],
    ['a symbolic link', { ...files, linked: link }, 'linked', /^linked is no directory of Rego files/],
    [
      'a link to a file',
      { 'policies/a.rego': { mode: '120000', content: '/etc/passwd' } },
      'policies',
      /^there is no Rego/,
    ],
    [
      'a file that is too large',
      { 'p/a.rego': '#'.repeat(300 * 1024) },
      'p',
      /^p\/a\.rego is larger than 256 KiB$/,
    ],
    ['no text', { 'p/a.rego': Buffer.from([0xff, 0xfe]) }, 'p', /^p\/a\.rego is not valid UTF-8$/],
    [
      'a mistake',
      { 'p/a.rego': 'package hatchet.a\n\ndeny contains x if {' },
      'p',
      /^p\/a\.rego:\d+: .*(unexpected|rego)/,
    ],
    ['a misspelt rule', { 'p/a.rego': 'package hatchet.a\ndenny contains "x"' }, 'p', /would judge nothing$/],
    ['no package of ours', { 'p/a.rego': 'package terraform\ndeny contains "x"' }, 'p', /no package hatchet/],
  ])('%s', async (_, content, path, expected) => {
    const [verdict, ...others] = await own(content, path);
    expect(others).toEqual([]);
    expect(verdict).toMatchObject({ policy: path, level: 'mandatory', denials: [] });
    expect(verdict?.error).toMatch(expected);
  });
});

test('one file may be named, and the same file as several sets', async () => {
  const commit = base({ 'policies/naming.rego': naming, 'policies/broken.rego': 'package hatchet.b\n(' });
  const path = 'policies/naming.rego';
  const request = requestFor(commit, [
    { path, level: 'mandatory' },
    { path, level: 'advisory' },
  ]);
  const verdicts = await judge.judge(request);
  expect(verdicts.map(({ policy, level, error }) => [policy, level, error])).toEqual([
    ['destroy', 'mandatory', null],
    ['protect', 'mandatory', null],
    ['naming', 'mandatory', null],
    ['naming', 'advisory', null],
  ]);
});

test('the digest follows the texts: an apply under changed policies is stale (S12)', async () => {
  const digest = (commit: Sha, ...paths: readonly string[]) =>
    judge.policyDigest(
      requestFor(
        commit,
        paths.map((path) => ({ path, level: 'mandatory' })),
      ),
    );
  const first = base({ 'policies/naming.rego': naming });
  const ref = `refs/heads/base-${branches}`;
  const before = await digest(first, 'policies');
  const elsewhere = remote.commit(ref, { 'main.tf': '# changed', 'policies/naming_test.rego': 'package x' });
  expect(await digest(elsewhere, 'policies')).toBe(before);
  const changed = remote.commit(ref, { 'policies/naming.rego': naming.replace('public', 'open') });
  expect(await digest(changed, 'policies')).not.toBe(before);
  const gone = remote.commit(ref, { 'policies/naming.rego': null });
  expect(await digest(gone, 'policies')).not.toBe(before);
  expect(await digest(gone)).not.toBe(before);
  expect(await digest(first, 'policies')).toBe(before);
});

test('a commit that the mirror does not have and cannot get is tried again, not judged without', async () => {
  const nowhere = parseSha('ab'.repeat(20));
  const request = requestFor(nowhere, [{ path: 'policies', level: 'mandatory' }]);
  await expect(judge.judge(request)).rejects.toThrow();
});

function stored(): StoredPlan {
  const sha = parseSha('a'.repeat(40));
  return {
    plan: {
      id: parsePlanId('00000000-0000-0000-0000-000000000001'),
      runId: parseRunId('00000000-0000-4000-8000-0000000000aa'),
      project: { name: 'prod', dir: 'envs/prod', workspace: 'default', engine: 'terraform' },
      digest: parsePlanDigest('b'.repeat(64)),
      counts: { add: 1, change: 0, replace: 0, destroy: 0, import: 0, move: 0, forget: 0 },
      outputChanges: 0,
      hasChanges: true,
      risky: [],
      warnings: [],
      sourceDigest: parseSourceDigest('c'.repeat(64)),
      head: sha,
      base: sha,
      engineVersion: '1.11.4',
      destroy: false,
    },
    repository,
    number: 7,
    source: { head: sha, base: sha, tree: sha },
    state: null,
    planFileSha256: 'd'.repeat(64),
    varFiles: [],
    moduleDirs: [],
    missedModules: [],
  };
}
