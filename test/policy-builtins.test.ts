// Do the built-in functions of the host answer what OPA itself answers?
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createBuiltins } from '../activities/policy/builtins/builtins.ts';
import { allowedBuiltinNames } from '../activities/policy/capabilities.ts';
import { createEvaluator, evaluationLimits } from '../activities/policy/evaluate.ts';
import { bundleOf, evaluationOf, toolPath, withFolder } from './policy-opa.ts';

const formats: readonly (readonly [string, readonly unknown[]])[] = [
  ['plain', []],
  ['%s destroys %d', ['prod', 3]],
  ['%v %v %v %v', [true, false, null, 'x']],
  ['%v', [['a', 1, null, ['b']]]],
  ['%v', [{ b: 1, a: ['x', true], 'a b': {} }]],
  ['%s', [{ 'k"': 'é\n\u0001\u200b' }]],
  ['%t %t', [true, 'x']],
  ['%d', ['x']],
  ['%d %c', [1.5, 1.5]],
  ['%s', [5]],
  ['%q %q', ['a"b\\c\n\té\u0001\u007f\u200b\u{1f600}', 65]],
  ['%#q %#q', ['plain', 'a`b']],
  ['%d', []],
  ['%d and %d', [1]],
  ['a', [1, 'x', 1.5, true]],
  ['100%', [1]],
  ['100%', []],
  ['%%|%5%|', []],
  ['%z %!', [1]],
  ['%[2]d %[1]d', [1, 2]],
  ['%[3]d', [1, 2]],
  ['%[1]d', [1, 2]],
  ['%*d|%-5d|%05d|%+d|% d', [5, 1, 2, 3, 4, 5]],
  ['%05d|%+05d|%-05d|%5d', [-3, 3, 3, -3]],
  ['%.3d|%8.3d|%08.3d|%.0d', [5, 5, 5, 0]],
  ['%b %o %O %x %X %c %U', [5, 8, 8, 255, 255, 233, 233]],
  ['%#b %#o %#x %#X', [5, 8, 255, 255]],
  ['%x %x', [-255, 0]],
  ['%x|%X|% x|%#x|%# x', ['hi', 'hi', 'hi', 'hi', 'hi']],
  ['%.2s|%5s|%-5s|%05s|%.10s', ['abc', 'x', 'y', 'z', 'é']],
  ['%5v|%-8v|', ['é', [1]]],
  ['%#v %#v %+v', ['a', 7, 7]],
  ['%v %v %v %v %v', [0.5, 0.00001, 1e-7, 123456.5, 1234567.25]],
  ['%v %v', [123456789.125, 1e21]],
  ['%v %v', [-0.25, 1e300]],
  ['%f %.2f %.0f %.1f %8.3f|%-8.1f|%08.2f', [0.5, 3.125001, 2.5, 0.25, 3.125001, 2.5, -2.5]],
  ['%.0f %.1f %.20f', [3.5, 0.35, 0.1]],
  ['%.3g %.10g %.2g %g %g', [100.6, 1000.5, 1234.5, 1000000.5, 100000.5]],
  ['%e %.2e %E', [1234.5, 1234.5, 0.00012]],
  ['%g %g %.3g %.3g %G', [1234567.5, 0.00001, 1234.5, 0.00012345, 1e-7]],
  ['%+f % f %+.1e', [1.5, 1.5, -1.5]],
  ['%f', [3]],
  ['%T %T %T %T', [1, 1.5, 'x', []]],
  ['%5t|%v', [true, 9007199254740991]],
  ['%d %d', [-9007199254740991, 0]],
  ['é%sé', ['ü']],
];

const patterns: readonly string[] = [
  'a',
  '',
  'a*',
  '(a)(b)?',
  '(?i)AB',
  '(?P<first>a)b',
  '[[:alpha:]]+',
  '[^[:space:]]',
  '[]a]',
  '[a\\-z]',
  '\\.',
  'a{1,2}',
  'a{,2}',
  'x{',
  '^a',
  'b$',
  '(?m)^b',
  '(?m)a$',
  '(?s)a.b',
  'a.b',
  '\\bab\\b',
  '\\s+',
  '\\S',
  '\\Aab',
  'ab\\z',
  '\\pL+',
  '\\p{Greek}',
  '\\x41',
  '\\x{e9}',
  '(?i:AB)',
  'a|b|',
  '\\d{2,}',
  '(?:a)(b)',
  '(?=a)',
  'a{1001}',
  '[\\s]',
  '[\\d.]+',
  '\\_',
  '[\\]]',
  '(a+)+$',
  '-',
  '\\PL',
];
const texts: readonly string[] = [
  '',
  'a',
  'ab',
  'aab b',
  'xaAbB',
  'a\nb',
  'é\u00a0Ωω',
  '12.34 [x] a]',
  'a-z_A',
  'a{,2} x{',
];
const templates = ['-', '<$1>', `$\{first}!`, '$1x', '$$', '$9'];

const cases = {
  sprintf: formats,
  'regex.find_n': patterns.flatMap((pattern) =>
    texts.flatMap((text) => [-1, 1, 0].map((n) => [pattern, text, n])),
  ),
  'regex.split': patterns.flatMap((pattern) => texts.map((text) => [pattern, text])),
  'regex.replace': patterns.flatMap((pattern) =>
    texts.flatMap((text) => templates.map((template) => [text, pattern, template])),
  ),
  'semver.compare': pairs([
    '1.2.3',
    '1.10.0',
    '01.2.3',
    'v1.2.3',
    '1.2',
    '1.2.3-a',
    '1.2.3-a.1',
    '1.2.3-1',
    '1.2.3+b',
    '',
    'x',
  ]),
  'semver.is_valid': ['1.2.3', '01.2.3', '1.2.3-a.b+c', 'v1.2.3', '1.2', '1.2.3.4', ' 1.2.3', ''].map(
    (text) => [text],
  ),
  'strings.any_prefix_match': pairs(['abc', 'b', '', ['abc', 'xyz'], [], ['x', 'ab']]),
  'strings.any_suffix_match': pairs(['abc', 'c', '', ['abc', 'xyz'], [], ['z', 'bc']]),
  'strings.count': pairs(['cheese', 'e', 'ee', '', 'é', 'aé']),
  'time.parse_rfc3339_ns': [
    '2026-11-22T01:02:03Z',
    '2026-11-22T01:02:03.123456789Z',
    '2026-11-22T01:02:03.1234567891Z',
    '2026-11-22T01:02:03,5Z',
    '2026-11-22T01:02:03+02:00',
    '2026-11-22T01:02:03-11:30',
    '2026-11-22T1:02:03Z',
    '2026-02-30T01:02:03Z',
    '2026-11-22T24:00:00Z',
    '2026-11-22T23:59:60Z',
    '2026-11-22T01:02:03+25:00',
    '2026-11-22T01:02:03+01:60',
    '2026-11-22t01:02:03z',
    '2026-11-22',
    '1969-12-31T23:59:59.5Z',
    '1678-01-01T00:00:00Z',
    '2262-01-01T00:00:00Z',
    '2263-01-01T00:00:00Z',
    '9999-02-20T01:02:03Z',
    'now',
  ].map((text) => [text]),
  'units.parse_bytes': [
    '10',
    '10k',
    '10KB',
    '10KiB',
    '10Ki',
    '1.5Mi',
    '10 MB',
    '"10MB"',
    '10B',
    '-5k',
    '+5k',
    '1e3',
    '1e3k',
    '',
    'MB',
    '10x',
    '10P',
    '1E',
    '7EiB',
    '1TB',
    '10m',
    '1_000',
    '.5k',
    '5.k',
    '0.1k',
    '1.0001k',
    '1.5',
    '1.9k',
    '-1.9',
    '1e-2k',
    '100e-1',
    '1i',
    '1e',
    '.',
    '-',
  ].map((text) => [text]),
  'object.subset': pairs([
    {},
    { a: 1 },
    { a: 1, b: { c: [1, 2, 3] } },
    { b: { c: [1, 2] } },
    { b: { c: [] } },
    { b: null },
    [],
    [2, 3],
    [1, 2, 3],
    [{ a: 1, b: 2 }],
    [{ a: 1 }],
    [[1], [2]],
    1,
    'a',
  ]),
} satisfies Readonly<Record<string, readonly (readonly unknown[])[]>>;

function pairs(values: readonly unknown[]): readonly (readonly unknown[])[] {
  return values.flatMap((left) => values.map((right) => [left, right]));
}

/** `json.marshal` keeps integers exact on their way out. */
const rego = `package hatchet.table
${Object.entries(cases)
  .map(([name, rows]) => {
    const args = (rows[0] ?? []).map((_, index) => `row[${index}]`).join(', ');
    return `warn contains {"msg": "${name}", "answers": answers} if {
      answers := {format_int(i, 10): json.marshal(answer) | some i, row in input.plan.cases["${name}"]; answer := ${name}(${args})}
    }`;
  })
  .join('\n')}`;

const answers = z.array(z.object({ msg: z.string(), answers: z.record(z.string(), z.string()) }));
type Table = ReadonlyMap<string, Readonly<Record<string, string>>>;
/** Go writes these three letters as escapes into JSON, WebAssembly does not. */
const unescaped = (json: string): string =>
  json.replaceAll('\\u003c', '<').replaceAll('\\u003e', '>').replaceAll('\\u0026', '&');
const tableOf = (value: unknown): Table =>
  new Map(
    answers
      .parse(value)
      .map(({ msg, answers: all }) => [
        msg,
        Object.fromEntries(Object.entries(all).map(([key, json]) => [key, unescaped(json)])),
      ]),
  );

let here: Table;
let opa: Table;

async function askOpa(plan: unknown): Promise<Table> {
  return withFolder(async (folder) => {
    await writeFile(join(folder, 'table.rego'), rego);
    await writeFile(join(folder, 'input.json'), JSON.stringify({ plan }));
    const args = [
      'eval',
      '--format',
      'json',
      '--data',
      'table.rego',
      '--input',
      'input.json',
      'data.hatchet.table.warn',
    ];
    const options = { cwd: folder, maxBuffer: 64 * 1024 * 1024 };
    const { stdout } = await promisify(execFile)(await toolPath('opa'), args, options);
    return tableOf(JSON.parse(stdout).result[0].expressions[0].value);
  });
}

beforeAll(async () => {
  const plan = { format_version: '1.2', cases };
  const evaluator = createEvaluator(evaluationLimits);
  const [answer] = await evaluator.evaluate(evaluationOf(await bundleOf(rego), { plan }));
  await evaluator.close();
  if (answer?.kind !== 'answered') throw new Error(answer?.reason);
  here = tableOf(
    z.tuple([z.object({ result: z.looseObject({ warn: z.unknown() }) })]).parse(answer.resultSet)[0].result
      .warn,
  );
  opa = await askOpa(plan);
});

describe.each(Object.entries(cases))('%s', (name, rows) => {
  test('answers as OPA does', () => {
    const answersOf = (table: Table) =>
      rows.map((row, index) => [row, table.get(name)?.[index] ?? 'undefined']);
    const [ours, theirs] = [answersOf(here), answersOf(opa)];
    const different = ours.filter(([, answer], index) => answer !== theirs[index]?.[1]);
    expect(different).toEqual(theirs.filter(([, answer], index) => answer !== ours[index]?.[1]));
    expect(new Set(theirs.map(([, answer]) => answer)).size).toBeGreaterThan(1);
  });
});

test('what policies may call is translated or provided, nothing else', async () => {
  const { stdout } = await promisify(execFile)(await toolPath('opa'), ['capabilities', '--current'], {
    maxBuffer: 1e8,
  });
  const callable = capabilities.parse(JSON.parse(stdout)).builtins.filter(({ name, infix, decl }) => {
    const isSyntax = infix !== undefined || /^(?:internal\.|rego\.metadata\.|print$|assign$|eq$)/.test(name);
    return allowedBuiltinNames.has(name) && !isSyntax && decl.result !== undefined;
  });
  const calls = callable.map(({ name, decl }, index) => {
    const args = decl.args.map((_, place) => `input.plan.a${place}`).join(', ');
    return `warn contains {"msg": "m", "x${index}": ${name}(${args})}`;
  });
  const bundle = await bundleOf(`package hatchet.all\n${calls.join('\n')}`);
  const called = neededBy(bundle.module).filter((name) => !name.startsWith('yaml.'));
  const provided = Object.keys(createBuiltins(() => ''));
  expect(called.sort()).toEqual(provided.sort());
});

const capabilities = z.object({
  builtins: z.array(
    z.object({
      name: z.string(),
      infix: z.string().optional(),
      decl: z.object({ args: z.array(z.unknown()).default([]), result: z.unknown().optional() }),
    }),
  ),
});

/** The built-in functions that a module calls on its host. Source: openpolicyagent.org/docs/wasm#exports */
function neededBy(module: WebAssembly.Module): string[] {
  const memory = new WebAssembly.Memory({ initial: 5 });
  const calls = ['opa_abort', 'opa_println', ...[0, 1, 2, 3, 4].map((count) => `opa_builtin${count}`)];
  const env = { memory, ...Object.fromEntries(calls.map((name) => [name, () => 0])) };
  const { builtins, opa_json_dump } = new WebAssembly.Instance(module, { env }).exports;
  if (typeof builtins !== 'function' || typeof opa_json_dump !== 'function')
    throw new Error('no module of OPA');
  const bytes = new Uint8Array(memory.buffer, opa_json_dump(builtins()));
  return Object.keys(JSON.parse(new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)))));
}
