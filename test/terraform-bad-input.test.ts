// Does a runner stand what no person would commit, and say what is wrong?
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parsePlanJson } from '../activities/terraform/plan-json.ts';
import { readSecrets, reportPlan } from '../activities/terraform/read-plan.ts';
import type { SourceDigest } from '../workflows/model/identifiers.ts';
import type { TerraformRunner } from './terraform-runner.ts';
import { createTerraformRunner, planned, project } from './terraform-runner.ts';

let runner: TerraformRunner;
beforeEach(async () => {
  runner = await createTerraformRunner();
});
afterEach(() => runner.close());

test('a directory with spaces, quotes and a leading hyphen', async () => {
  const dir = `-envs/it's "prod" $(x)`;
  const backend = `terraform {\n  backend "local" {\n    path = "${runner.stateDir}/odd.tfstate"\n  }\n}\n`;
  runner.files.set(`${dir}/main.tf`, `${backend}module "m" {\n  source = "./a b"\n}\n`);
  runner.files.set(`${dir}/a b/main.tf`, 'resource "terraform_data" "x" {}\n');
  const odd = { ...project, dir };
  const result = await runner.plan('start', { project: odd });
  expect(result).toMatchObject({ kind: 'planned', moduleDirs: [`${dir}/a b`], plan: { counts: { add: 1 } } });
  expect(await runner.apply(planned(result))).toMatchObject({ kind: 'applied' });
  expect(planned(await runner.plan('start', { project: odd })).hasChanges).toBe(false);
});

test('values and output lines of 64 KiB and more', async () => {
  const long = 'x'.repeat(70_000);
  runner.files.set('envs/prod/long.tf', `resource "terraform_data" "long" {\n  input = "${long}"\n}\n`);
  const plan = planned(await runner.plan('start'));
  expect(JSON.stringify(await runner.store.readPlanChanges(plan.id))).toContain(long);
  // Terraform drops such a line of a provisioner; of its own words it prints all.
  runner.files.set(
    'envs/prod/wordy.tf',
    `check "wordy" {\n  assert {\n    condition     = terraform.workspace == ""\n    error_message = "${long}"\n  }\n}\n`,
  );
  const wordy = planned(await runner.plan('start'));
  expect(wordy.warnings.map(({ detail }) => detail.length)).toEqual([4_001]);
  expect(runner.store.plans.get(wordy.id)?.bytes.log.toString()).toContain(long);
});

test('a file that is no UTF-8 is told by its name and line', async () => {
  runner.bytes.set('envs/prod/latin.tf', Buffer.from('output "x" {\n  value = "gr\xfc\xdfe"\n}\n', 'latin1'));
  const result = await runner.plan('start');
  expect(result).toMatchObject({
    kind: 'failed',
    diagnostics: expect.arrayContaining([
      expect.objectContaining({
        summary: 'Invalid character encoding',
        path: 'envs/prod/latin.tf',
        startLine: 2,
      }),
    ]),
  });
});

test('a file of 5 MB is planned', async () => {
  const filler = `# ${'x'.repeat(97)}\n`.repeat(30_000);
  const locals = Array.from({ length: 50 }, (_, index) => `  v${index} = "${'y'.repeat(40_000)}"`).join('\n');
  runner.files.set('envs/prod/large.tf', `${filler}locals {\n${locals}\n}\n`);
  expect(planned(await runner.plan('start')).counts.add).toBe(2);
});

/** What `show -json` says of `count` new buckets: some 1.1 KB each. */
function planOf(count: number): Buffer {
  const after = { name: 'x', tags: { a: 'b', n: 1 }, list: [1, 2, 3], policy: 'p'.repeat(700) };
  const resources = Array.from({ length: count }, (_, index) => ({
    address: `aws_s3_bucket.b[${index}]`,
    mode: 'managed',
    type: 'aws_s3_bucket',
    name: 'b',
    change: {
      actions: ['create'],
      before: null,
      after: { ...after, id: index, secret: `secret number ${index % 3}` },
      after_unknown: {},
      before_sensitive: false,
      after_sensitive: { secret: true },
    },
  }));
  return Buffer.from(
    JSON.stringify({ format_version: '1.2', terraform_version: '1.11.4', resource_changes: resources }),
  );
}

const about = {
  project: { dir: 'p', workspace: 'default', engine: 'terraform' },
  lock: { committed: null, selected: [] },
  sourceDigest: 'a'.repeat(64) as SourceDigest,
  configuration: null,
  masks: [],
} as const;

test('a plan of 50 MB is read while everything else goes on', async () => {
  const large = planOf(50_000);
  expect(large.length).toBeGreaterThan(50_000_000);
  let beats = 0;
  const timer = setInterval(() => {
    beats += 1;
  }, 10);
  const { report, secrets } = await reportPlan(large, about);
  clearInterval(timer);
  expect(report).toMatchObject({ counts: { add: 50_000 }, engineVersion: '1.11.4' });
  expect(report.changes.resources).toHaveLength(50_000);
  expect(secrets).toHaveLength(3);
  expect(report.digest).toMatch(/^[0-9a-f]{64}$/);
  // Reading it in this thread would let none through.
  expect(beats).toBeGreaterThan(10);
}, 240_000);

test('small and large plans are read the same way', async () => {
  const large = planOf(2_500);
  const inThread = await reportPlan(large, about);
  const small = await reportPlan(planOf(100), about);
  expect(inThread.report.changes.resources.slice(0, 100)).toEqual(small.report.changes.resources);
  expect(await readSecrets(large)).toEqual(inThread.secrets);
});

test('a plan that the store could not take is a failed one, told with its size, the limit and what to do', async () => {
  const small = await createTerraformRunner({ maxPlanBytes: 1024 });
  try {
    const result = await small.plan('start');
    expect(result).toMatchObject({
      kind: 'failed',
      diagnosticCount: 1,
      diagnostics: [
        {
          severity: 'error',
          summary: expect.stringMatching(
            /^The plan is too large: its JSON has \d\.\d MiB, and Hatchet takes at most 0 MiB\.$/,
          ),
          detail:
            'It can be neither shown nor applied here. Divide the project into several root modules, or keep large values out of its resources, then push.',
        },
      ],
    });
    expect(small.store.plans.size).toBe(0);
    // What Terraform itself said of it is there to be read.
    expect([...small.store.logs.values()].join('')).toContain('Plan: ');
  } finally {
    await small.close();
  }
});

test('a plan that there is not enough memory for is told with its size and what to do', async () => {
  const [diagnostic] = (await reportPlan(planOf(2_500), about, 8).catch(({ details }) => details))?.[0] ?? [];
  expect(diagnostic).toMatchObject({
    summary: expect.stringMatching(
      /^The plan is too large: its JSON has [23]\.\d MiB, and to read it takes more memory/,
    ),
    detail: expect.stringMatching(
      /Divide the project .* push; or whoever runs Hatchet gives the runner more/,
    ),
  });
});

test('what is no plan is the operator’s to see, large or small, and is not quoted', async () => {
  for (const size of [10, 3_000_000]) {
    const text = Buffer.from(`{"secret": "${'s'.repeat(size)}"`);
    await expect(reportPlan(text, about)).rejects.toMatchObject({
      type: 'OperatorError',
      message: "the plan's JSON cannot be parsed",
    });
  }
});

test.for([
  ['1.0', '1.0'],
  ['-0', '-0'],
  ['1e3', '1e3'],
  ['9007199254740993', '9007199254740993'],
  ['[ 12345678901234567890 ]', '[12345678901234567890]'],
  ['"1.0 and 12345678901234567890"', '"1.0 and 12345678901234567890"'],
  ['[1,-2,300]', '[1,-2,300]'],
])('no digit of %s is lost', ([json, expected]) => {
  const document = parsePlanJson(
    `{"format_version":"1.2","terraform_version":"1.11.4","resource_changes":[{"address":"a","mode":"m","type":"t","name":"n","change":{"actions":["create"],"after":{"v":${json}}}}]}`,
  );
  expect(JSON.stringify(document.resource_changes[0]?.change.after)).toBe(`{"v":${expected}}`);
});
