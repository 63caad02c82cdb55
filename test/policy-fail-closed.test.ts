// Does every way in which a policy can fail to answer block the plan? (S12)
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PolicyBundle } from '../activities/policy/bundle.ts';
import { compilePolicies } from '../activities/policy/compile.ts';
import type { EvaluationLimits } from '../activities/policy/evaluate.ts';
import { createEvaluator, evaluationLimits } from '../activities/policy/evaluate.ts';
import type { PackageAnswer } from '../activities/policy/result.ts';
import { readVerdict } from '../activities/policy/result.ts';
import type { Verdict } from '../workflows/model/verdict.ts';
import { blocks } from '../workflows/model/verdict.ts';
import type { Asked } from './policy-opa.ts';
import { bundleOf, compileRego, emptyPlan, evaluationOf, toolPath, withFolder } from './policy-opa.ts';

const evaluator = createEvaluator(evaluationLimits);
afterAll(evaluator.close);

/** Advisory, because what a policy cannot say must block even then. */
function verdictOf(answer: PackageAnswer | undefined): Verdict {
  if (answer === undefined) throw new Error('there is no such answer');
  const verdict = readVerdict(answer, 'advisory');
  expect(blocks(verdict)).toBe(verdict.error !== null);
  return verdict;
}

/** What the one package of `bundle` fails with. */
async function errorOf(
  bundle: PolicyBundle,
  asked?: Asked,
  limits?: Partial<EvaluationLimits>,
): Promise<string | null> {
  if (limits === undefined)
    return verdictOf((await evaluator.evaluate(evaluationOf(bundle, asked)))[0]).error;
  const limited = createEvaluator({ ...evaluationLimits, ...limits });
  const answers = await limited.evaluate(evaluationOf(bundle, asked)).finally(limited.close);
  return verdictOf(answers[0]).error;
}

const silent = 'package hatchet.silent\ndeny contains "no" if input.plan.never';
let silentBundle: PolicyBundle;
beforeAll(async () => {
  silentBundle = await bundleOf(silent);
});

describe('a policy that does not answer clearly blocks (S12)', () => {
  const cases = [
    [
      'a clear answer, to know that the others fail for their own reason',
      'deny contains "no" if input.plan.never',
      null,
    ],
    ['undefined', 'deny := "no" if input.plan.never', 'its rule deny is undefined'],
    [
      'undefined beside an answer',
      'warn contains "hm"\ndeny := ["x"] if input.plan.never',
      'its rule deny is undefined',
    ],
    ['a boolean', 'deny := false', 'its rule deny is not a set'],
    ['a text', 'deny := "no"', 'its rule deny is not a set'],
    ['an object', 'deny["a"] := "no"', 'its rule deny is not a set'],
    ['null', 'warn := null', 'its rule warn is not a set'],
    ['numbers', 'deny contains 1', 'its rule deny holds something'],
    ['an empty text', 'deny contains ""', 'its rule deny holds something'],
    [
      'objects without a message',
      'violation contains {"address": "a.b"}',
      'its rule violation holds something',
    ],
    [
      'an address that is none',
      'deny_x contains {"msg": "m", "address": 1}',
      'its rule deny_x holds something',
    ],
    [
      'an approval of nobody',
      'approve contains {"msg": "m", "count": 0}',
      'its rule approve holds something',
    ],
    ['half an approval', 'approve contains {"msg": "m", "count": 1.5}', 'its rule approve holds something'],
    ['a misspelt approval', 'approve contains {"msg": "m", "cuont": 2}', 'its rule approve holds something'],
    [
      'more approvals than can be shown',
      'approve contains {"msg": sprintf("%d", [n])} if some n in numbers.range(1, 11)',
      'its rule approve holds something',
    ],
    [
      'a conflict',
      'x := 1 if input.plan\nx := 2 if input.plan\ndeny contains "no" if x == 3',
      'var assignment conflict',
    ],
    [
      'a built-in function that cannot know the answer of OPA',
      'deny contains "no" if regex.replace("a", input.plan.pattern, "") == "x"',
      'not supported',
    ],
    [
      'an answer without end',
      `warn contains {"msg": "m", "n": n, "x": long} if some n in numbers.range(1, 500)
       long := concat("", [s | some i in numbers.range(1, 1000); s := sprintf("%010d", [i])])`,
      'its answer has 5',
    ],
  ] as const;
  let answers: readonly PackageAnswer[];

  beforeAll(async () => {
    const bundle = await bundleOf(...cases.map(([, rules], index) => `package hatchet.p${index}\n${rules}`));
    answers = await evaluator.evaluate(evaluationOf(bundle, { plan: { ...emptyPlan, pattern: 'a(?U)b' } }));
  });

  test.each(cases.map(([what, , error], index) => ({ what, error, name: `hatchet.p${index}` })))(
    '$what',
    ({ name, error }) => {
      const verdict = verdictOf(answers.find((answer) => answer.package.name === name));
      expect(verdict.error).toEqual(error === null ? null : expect.stringContaining(error));
    },
  );

  test.each([
    ['no result', [], 'it gave no answer'],
    ['two results', [{ result: {} }, { result: {} }], 'it gave no answer'],
    ['nothing at all', undefined, 'it gave no answer'],
    ['a result without the mark of its input', [{ result: { deny: [] } }], 'the plan did not reach it'],
    ['a result without its rule', [{ result: { '#input': true } }], 'its rule deny is undefined'],
  ])('%s', (_, resultSet, error) => {
    const pkg = { name: 'hatchet.a', rules: ['deny'], entrypoint: 'x' };
    expect(verdictOf({ kind: 'answered', package: pkg, resultSet }).error).toBe(error);
  });
});

describe('limits (S12)', () => {
  /** Long enough for a good policy on a busy machine. */
  const hasty = { ...evaluationLimits, timeoutMs: 2500 };

  test('an endless policy is stopped, what answered before is kept, the next plan gets a new thread', async () => {
    const endless = await bundleOf(
      'package hatchet.a\ndeny contains "first"',
      `package hatchet.b
       all := numbers.range(1, 100000)
       deny contains "found" if { some a in all; some b in all; a * b == -1 }`,
    );
    const good = await bundleOf('package hatchet.a\ndeny contains "again"');
    const limited = createEvaluator(hasty);
    const answers = await Promise.all([
      limited.evaluate(evaluationOf(endless)),
      limited.evaluate(evaluationOf(good)),
    ]).finally(limited.close);
    const said = answers.flat().map(verdictOf);
    expect(
      said.map(({ policy, denials, error }) => [policy, denials.map(({ message }) => message), error]),
    ).toEqual([
      ['a', ['first'], null],
      ['b', [], 'it took longer than 2.5 s'],
      ['a', ['again'], null],
    ]);
  });

  test('a regular expression that backtracks for ever is stopped too', async () => {
    const bundle = await bundleOf(
      'package hatchet.a\ndeny contains "no" if regex.replace(input.plan.text, "(a+)+$", "") == "x"',
    );
    const plan = { ...emptyPlan, text: `${'a'.repeat(40)}b` };
    expect(await errorOf(bundle, { plan }, hasty)).toBe('it took longer than 2.5 s');
  });

  test('a plan that does not fit into the memory', async () => {
    const text = 'x'.repeat(1000);
    const plan = { ...emptyPlan, list: Array.from({ length: 5000 }, (_, index) => ({ index, text })) };
    expect(await errorOf(silentBundle, { plan }, { memoryPages: 64 })).toBe(
      'it needs more memory than it may have',
    );
    expect(await errorOf(silentBundle, { plan })).toBeNull();
  });

  test('a policy that fills the memory', async () => {
    const bundle = await bundleOf(`package hatchet.a
      deny contains msg if { some n in numbers.range(1, 1000000); msg := sprintf("%d", [n]) }`);
    expect(await errorOf(bundle, {}, { memoryPages: 128 })).toBe('it needs more memory than it may have');
  });

  test('a plan that is too big', async () => {
    const plan = { ...emptyPlan, filler: 'x'.repeat(50_000_000) };
    expect(await errorOf(silentBundle, { plan })).toBe(
      'the plan is too big: its JSON has 47.7 MiB, and a policy is given at most 32 MiB. Divide the project, or change fewer resources at a time',
    );
    const { byteLength } = evaluationOf(silentBundle).planJson;
    expect(await errorOf(silentBundle, {}, { planBytes: byteLength })).toBeNull();
    expect(await errorOf(silentBundle, {}, { planBytes: byteLength - 1 })).toContain('the plan is too big');
  });

  test('a plan that fills the thread: the next one gets a new thread', async () => {
    const list = Array.from({ length: 400_000 }, (_, index) => ({ index, a: { b: [index] } }));
    const limited = createEvaluator({ ...evaluationLimits, heapMb: 40 });
    const answers = await Promise.all([
      limited.evaluate(evaluationOf(silentBundle, { plan: { ...emptyPlan, list } })),
      limited.evaluate(evaluationOf(silentBundle)),
    ]).finally(limited.close);
    const errors = answers.flat().map((answer) => verdictOf(answer).error);
    expect(errors).toEqual(['it needs more memory than it may have', null]);
  });

  test('what was asked before the end is answered, what is asked after it is refused', async () => {
    const closed = createEvaluator(evaluationLimits);
    const asked = closed.evaluate(evaluationOf(silentBundle));
    await closed.close();
    expect((await asked).map((answer) => verdictOf(answer).error)).toEqual([null]);
    await expect(closed.evaluate(evaluationOf(silentBundle))).rejects.toThrow('no longer evaluated');
  });
});

describe('a plan that is none (S12)', () => {
  const malformed = 'the plan is no well-formed JSON';
  const strange = 'the plan does not look like a Terraform plan';

  test.each([
    ['nothing', '', malformed],
    ['half a plan', '{"format_version":"1.2","resource_ch', malformed],
    ['more than a plan', '{"format_version":"1.2"},"config":{"protect":[]},"x":{}', malformed],
    ['a list', '[]', strange],
    ['no version', '{}', strange],
    ['a version of another time', '{"format_version":"2.0"}', strange],
    ['changes that are no list', '{"format_version":"1.2","resource_changes":{}}', strange],
    [
      'a change without actions',
      '{"format_version":"1.2","resource_changes":[{"address":"a.b","change":{}}]}',
      strange,
    ],
    ['a key of ours', '{"format_version":"1.2","config":{}}', strange],
    [
      'JSON that only OPA cannot read',
      '{"format_version":"1.2","x":"\\ud800"}',
      'illegal string escape character',
    ],
  ])('%s', async (_, text, error) => {
    expect(await errorOf(silentBundle, { planJson: Buffer.from(text) })).toBe(error);
    expect(await errorOf(silentBundle, { planJson: Buffer.from(text), shape: 'flat' })).toBe(error);
  });

  test('bytes that are no UTF-8', async () => {
    const planJson = Buffer.from('{"format_version":"1.2","x":"\xff"}', 'latin1');
    expect(await errorOf(silentBundle, { planJson })).toBe(malformed);
  });
});

describe('policies that do not compile (S12)', () => {
  test.each([
    [
      'a package that can say nothing',
      'package hatchet.a\ndenied contains "x"',
      'has no rule named deny, warn or approve',
    ],
    ['no package that judges', 'package elsewhere\ndeny contains "x"', 'there is no package hatchet'],
    ['a mistake', 'package hatchet.a\n\ndeny contains msg if { msg := }', 'unexpected }'],
    [
      'opa.runtime',
      'package hatchet.a\ndeny contains "x" if opa.runtime().env',
      'undefined function opa.runtime',
    ],
    ['a name that means nothing', 'package hatchet.a\ndeny contains "x" if nothing', 'var nothing is unsafe'],
  ])('%s', async (_, rego, summary) => {
    const result = await compileRego({ 'sub/a.rego': rego });
    if (result.kind === 'compiled') throw new Error('it compiled');
    expect(result.problems[0].summary).toContain(summary);
  });

  test('a built-in function that cannot work here, shown on its line', async () => {
    const rego = 'package hatchet.a\n\ndeny contains "x" if http.send({}).status';
    expect(await compileRego({ 'sub/a.rego': rego })).toEqual({
      kind: 'broken',
      problems: [
        {
          severity: 'error',
          summary: 'undefined function http.send',
          detail: 'rego_type_error',
          path: 'sub/a.rego',
          startLine: 3,
          startColumn: 22,
        },
      ],
    });
  });

  test('a path that leaves its folder', async () => {
    const failure = compileRego({ '../a.rego': 'package hatchet.a\ndeny contains "x"' });
    await expect(failure).rejects.toMatchObject({ type: 'OperatorError' });
  });

  test('a missing binary', async () => {
    await withFolder(async (cacheDir) => {
      const failure = compilePolicies({ opaPath: join(cacheDir, 'opa'), cacheDir, sources: [] });
      await expect(failure).rejects.toMatchObject({
        type: 'OperatorError',
        message: 'opa version could not be run',
      });
    });
  });

  test('a damaged cache is compiled anew, to the same bytes', async () => {
    await withFolder(async (cacheDir) => {
      const sources = [{ path: 'a.rego', text: 'package hatchet.a\ndeny contains "x"' }];
      const compile = async () => compilePolicies({ opaPath: await toolPath('opa'), cacheDir, sources });
      const first = await compile();
      const [name = ''] = await readdir(cacheDir);
      const whole = await readFile(join(cacheDir, name), 'utf8');
      for (const damage of ['', whole.slice(0, 5000), whole.replace('"deny"', '"warn"')]) {
        await writeFile(join(cacheDir, name), damage);
        const again = await compile();
        if (first.kind === 'broken' || again.kind === 'broken') throw new Error('does not compile');
        expect(again.bundle.digest).toBe(first.bundle.digest);
        expect(await readFile(join(cacheDir, name), 'utf8')).toBe(whole);
      }
    });
  });
});
