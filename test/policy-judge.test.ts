// What do the built-in policies say to plans that Terraform itself made?
import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { beforeAll, describe, expect, test } from 'vitest';
import { createEvaluator, evaluationLimits } from '../activities/policy/evaluate.ts';
import type { Judge } from '../activities/policy/judge.ts';
import { createJudge } from '../activities/policy/judge.ts';
import { readVerdict } from '../activities/policy/result.ts';
import type { StoredPlan } from '../activities/run-store.ts';
import { configurationOf } from '../workflows/model/configuration.ts';
import { configurationSchema } from '../workflows/model/configuration-schema.ts';
import {
  parseInstallationId,
  parsePlanDigest,
  parsePlanId,
  parseRepositoryId,
  parseRunId,
  parseSha,
  parseSourceDigest,
} from '../workflows/model/identifiers.ts';
import type { Verdict } from '../workflows/model/verdict.ts';
import type { JudgeRequest } from '../workflows/port/judgement.ts';
import { bundleOf, emptyPlan, evaluationOf, toolPath, withFolder } from './policy-opa.ts';

const run = promisify(execFile);
const policiesDir = join(import.meta.dirname, '..', 'policies');
const sha = parseSha('a'.repeat(40));

const before = `
resource "terraform_data" "kept" { input = "one" }
resource "terraform_data" "replaced" { triggers_replace = ["one"] }
resource "terraform_data" "created_first" {
  triggers_replace = ["one"]
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "many" { for_each = toset(["a.b", "c"]) }
resource "terraform_data" "forgotten" {}
resource "terraform_data" "old" { triggers_replace = ["one"] }
`;
const after = `
resource "terraform_data" "kept" { input = "two" }
resource "terraform_data" "replaced" { triggers_replace = ["two"] }
resource "terraform_data" "created_first" {
  triggers_replace = ["two"]
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "many" { for_each = toset(["c"]) }
removed {
  from = terraform_data.forgotten
  lifecycle { destroy = false }
}
resource "terraform_data" "new" { triggers_replace = ["two"] }
moved {
  from = terraform_data.old
  to   = terraform_data.new
}
`;

/** `terraform show -json` of the step from one text to the next. */
async function planBetween(first: string, second: string): Promise<Buffer> {
  const terraform = await toolPath('terraform');
  return withFolder(async (folder) => {
    const call = (...args: readonly string[]) =>
      run(terraform, args, { cwd: folder, env: { HOME: folder, CHECKPOINT_DISABLE: '1' }, maxBuffer: 1e8 });
    await writeFile(join(folder, 'main.tf'), first);
    await call('init', '-input=false');
    await call('apply', '-input=false', '-auto-approve');
    await writeFile(join(folder, 'main.tf'), second);
    await call('plan', '-input=false', '-out=plan.bin');
    const { stdout } = await call('show', '-json', 'plan.bin');
    return Buffer.from(stdout);
  });
}

const stored: StoredPlan = {
  plan: {
    id: parsePlanId('00000000-0000-0000-0000-000000000001'),
    runId: parseRunId('00000000-0000-4000-8000-0000000000aa'),
    project: { name: 'prod', dir: 'envs/prod', workspace: 'default', engine: 'terraform' },
    digest: parsePlanDigest('b'.repeat(64)),
    counts: { add: 0, change: 0, replace: 0, destroy: 0, import: 0, move: 0, forget: 0 },
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
  repository: {
    installationId: parseInstallationId(1),
    id: parseRepositoryId(1),
    nodeId: 'R_1',
    owner: 'octo-org',
    name: 'infra',
    webUrl: 'https://github.example/octo-org/infra',
  },
  number: 7,
  source: { head: sha, base: sha, tree: sha },
  state: null,
  planFileSha256: 'd'.repeat(64),
  varFiles: [],
  moduleDirs: [],
  missedModules: [],
};

function requestWith(protect: readonly string[]): JudgeRequest {
  return {
    planId: stored.plan.id,
    rules: configurationOf(configurationSchema.parse({ version: 1, protect, approvals: { count: 2 } })),
    base: sha,
    repository: stored.repository,
    pullRequest: {
      nodeId: 'PR_1',
      number: 7,
      title: 'Change everything',
      author: 'mona',
      state: 'open',
      draft: false,
      fork: false,
      head: sha,
      base: 'main',
      baseSha: sha,
      mergeCommit: null,
      mergedBy: null,
      mergedAt: null,
      labels: [],
    },
    changes: { from: sha, to: sha },
    trigger: 'pull_request',
  };
}

type Installation = { readonly policiesDir?: string; readonly cacheDir: string; readonly planJson: Buffer };

async function judgeFor({ policiesDir: dir, cacheDir, planJson }: Installation): Promise<Judge> {
  const store = {
    readPlan: async () => stored,
    readPlanJson: async () => planJson,
    readPlanMasks: async () => [],
  };
  const log = pino({ enabled: false });
  return createJudge({
    store,
    opaPath: await toolPath('opa'),
    policiesDir: dir ?? policiesDir,
    cacheDir,
    builtInCacheDir: cacheDir,
    readPolicies: async () => ({ kind: 'unusable', problem: 'the repository has none' }),
    readChangedFiles: async () => [],
    masks: [],
    log,
  });
}

const emptyPlanJson = Buffer.from(JSON.stringify(emptyPlan));

describe('a plan that destroys, replaces, moves and forgets', () => {
  let verdicts: readonly Verdict[];

  beforeAll(async () => {
    const planJson = await planBetween(before, after);
    const protect = ['terraform_data.old', 'terraform_data.many', 'terraform_data.kept', 'aws_db_instance.*'];
    verdicts = await withFolder(async (cacheDir) => {
      const judge = await judgeFor({ cacheDir, planJson });
      return judge.judge(requestWith(protect)).finally(judge.close);
    });
  });

  test('destroy asks for one yes and names what is at stake', () => {
    expect(verdicts[0]).toMatchInlineSnapshot(`
      {
        "approvals": [
          {
            "author": false,
            "by": [],
            "count": 1,
            "message": "replaces 3 resources and destroys 1 resource, the first: terraform_data.created_first",
            "source": "destroy",
          },
        ],
        "denials": [],
        "error": null,
        "level": "mandatory",
        "policy": "destroy",
        "warnings": [
          {
            "address": "terraform_data.forgotten",
            "message": "forgets terraform_data.forgotten: it lives on, but is no longer managed here",
          },
        ],
      }
    `);
  });

  test('protect denies what the configuration lists, moved or not', () => {
    expect(verdicts[1]).toMatchInlineSnapshot(`
      {
        "approvals": [],
        "denials": [
          {
            "address": "terraform_data.many["a.b"]",
            "message": "destroys terraform_data.many["a.b"], which is protected by terraform_data.many",
          },
          {
            "address": "terraform_data.new",
            "message": "replaces terraform_data.new, which is protected by terraform_data.old",
          },
        ],
        "error": null,
        "level": "mandatory",
        "policy": "protect",
        "warnings": [],
      }
    `);
  });

  test('there are no other verdicts', () => {
    expect(verdicts.map(({ policy }) => policy)).toEqual(['destroy', 'protect']);
  });
});

test('a plan that only creates passes', async () => {
  const planJson = await planBetween('', before);
  const verdicts = await withFolder(async (cacheDir) => {
    const judge = await judgeFor({ cacheDir, planJson });
    return judge.judge(requestWith(['**'])).finally(judge.close);
  });
  const pass = { level: 'mandatory', denials: [], warnings: [], approvals: [], error: null };
  expect(verdicts).toEqual([
    { policy: 'destroy', ...pass },
    { policy: 'protect', ...pass },
  ]);
});

test('the bundle has one digest, whoever compiled it, and none before it is compiled', async () => {
  const digests = await Promise.all(
    [1, 2].map(() =>
      withFolder(async (cacheDir) => {
        const judge = await judgeFor({ cacheDir, planJson: emptyPlanJson });
        await expect(judge.policyDigest(requestWith([]))).rejects.toThrow('not compiled yet');
        await judge.warm();
        const cached = await readdir(cacheDir);
        const second = await judgeFor({ cacheDir, planJson: emptyPlanJson });
        await second.warm();
        expect(await readdir(cacheDir)).toEqual(cached);
        const digest = await judge.policyDigest(requestWith([]));
        expect(await second.policyDigest(requestWith([]))).toBe(digest);
        await Promise.all([judge.close(), second.close()]);
        return digest;
      }),
    ),
  );
  expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(digests[1]).toBe(digests[0]);
});

describe('S12: an installation whose built-in policies are', () => {
  const good = 'deny contains "x" if input.plan.never';

  test.each([
    ['missing', {}],
    [
      'broken',
      {
        'destroy.rego': 'package hatchet.destroy\ndeny contains',
        'protect.rego': `package hatchet.protect\n${good}`,
      },
    ],
    ['incomplete', { 'destroy.rego': `package hatchet.destroy\n${good}` }],
  ])('%s', async (_, files) => {
    await withFolder(async (folder) => {
      const dir = join(folder, 'policies');
      await mkdir(dir);
      for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
      const judge = await judgeFor({
        policiesDir: dir,
        cacheDir: join(folder, 'cache'),
        planJson: emptyPlanJson,
      });
      await expect(judge.warm()).rejects.toMatchObject({ type: 'OperatorError' });
      const verdicts = await judge.judge(requestWith([]));
      expect(verdicts.map(({ policy, level }) => [policy, level])).toEqual([
        ['destroy', 'mandatory'],
        ['protect', 'mandatory'],
      ]);
      for (const { error } of verdicts) expect(error).toContain('cannot be evaluated');

      await judge.close();
    });
  });

  test('mended, without a restart', async () => {
    await withFolder(async (folder) => {
      const dir = join(folder, 'policies');
      const judge = await judgeFor({
        policiesDir: dir,
        cacheDir: join(folder, 'cache'),
        planJson: emptyPlanJson,
      });
      await expect(judge.warm()).rejects.toMatchObject({ type: 'OperatorError' });
      await mkdir(dir);
      for (const name of ['destroy', 'protect']) {
        await writeFile(join(dir, `${name}.rego`), `package hatchet.${name}\n${good}`);
      }
      const verdicts = await judge.judge(requestWith([])).finally(judge.close);
      expect(verdicts.map(({ error }) => error)).toEqual([null, null]);
    });
  });
});

describe('packages that others wrote', () => {
  const conftest = `package main
    deny contains msg if { some r in input.resource_changes; msg := sprintf("%s is %v", [r.address, r.change.actions]) }
    deny_size contains {"msg": "big", "size": 12345678901234567890, "address": "a.b"}
    violation contains {"msg": "violated"}
    warn_style contains "style"
    warn contains {"msg": sprintf("%d", [n])} if some n in numbers.range(1, 30)`;
  const spacelift = `package hatchet.more
    approve contains {"count": 2, "by": ["@org/platform", "@org/dba"], "msg": "b"} if input.plan
    approve contains "a" if input.pr.author == "mona"
    warn contains json.marshal(input.plan.serial)
    warn contains time_and_project if time_and_project := sprintf("%s at %d", [input.project.name, time.now_ns()])`;

  test('are understood', async () => {
    const evaluator = createEvaluator(evaluationLimits);
    const plan = {
      ...emptyPlan,
      resource_changes: [{ address: 'x.y', change: { actions: ['delete', 'create'] } }],
    };
    // No JavaScript number holds it.
    const planJson = Buffer.from(JSON.stringify(plan).replace('{', '{"serial":12345678901234567890,'));
    const evaluation = evaluationOf(await bundleOf(conftest, spacelift), { planJson, shape: 'flat' });
    const answers = await evaluator.evaluate(evaluation).finally(evaluator.close);
    const [more, main] = answers.map((answer) => readVerdict(answer, 'advisory'));
    expect(main?.denials).toEqual([
      { message: 'violated' },
      { message: 'x.y is ["delete", "create"]' },
      { message: 'big', address: 'a.b' },
    ]);
    expect(main?.warnings).toHaveLength(21);
    expect(main?.warnings.at(-1)).toEqual({ message: 'and 11 more' });
    expect(more).toEqual({
      policy: 'more',
      level: 'advisory',
      denials: [],
      warnings: [{ message: '12345678901234567890' }, { message: 'prod at 1795309323004000000' }],
      approvals: [
        { count: 1, by: [], message: 'a', author: false, source: 'more' },
        { count: 2, by: ['@org/dba', '@org/platform'], message: 'b', author: false, source: 'more' },
      ],
      error: null,
    });
  });
});
