// Is every mistake in hatchet.yaml told, all of them together, each at its place?
import { describe, expect, test } from 'vitest';
import { parseConfiguration } from '../activities/source/configuration.ts';

/** `line:column-line:column summary` for each problem. */
function problems(text: string | Buffer): string[] {
  const found = parseConfiguration(Buffer.from(text));
  if (found.kind === 'valid') return [];
  return found.problems.map(
    ({ startLine, startColumn, endLine, endColumn, summary }) =>
      `${startLine}:${startColumn}-${endLine}:${endColumn} ${summary}`,
  );
}

test('a valid file, with its defaults', () => {
  const text =
    'version: 1\napprovals: { count: 2, by: ["@org/team", ada] }\nprotect:\n  - aws_db_instance.*\n';
  expect(parseConfiguration(Buffer.from(text))).toEqual({
    kind: 'valid',
    configuration: {
      version: 1,
      approvals: { count: 2, by: ['@org/team', 'ada'], author: false, from: ['comment', 'button', 'review'] },
      protect: ['aws_db_instance.*'],
    },
  });
});

test('anchors are allowed where they stay small', () => {
  const text = 'version: 1\nprotect: &list [a.b]\napprovals:\n  by: *list\n';
  expect(problems(text)).toEqual(['2:17-2:20 `approvals.by.0`: expected a login or @org/team']);
});

describe('problems', () => {
  test('all together, in the order of the file', () => {
    const text =
      'version: 2\nprotects: [a]\napprovals:\n  count: many\n  bye: [x]\n  from: [mail]\nprotect: [1, ""]\n';
    expect(problems(text)).toMatchInlineSnapshot(`
      [
        "1:10-1:11 \`version\`: expected \`1\`",
        "2:1-2:9 unknown key \`protects\`: did you mean \`protect\`?",
        "4:10-4:14 \`approvals.count\`: expected number",
        "5:3-5:6 unknown key \`approvals.bye\`: did you mean \`by\`?",
        "6:10-6:14 \`approvals.from.0\`: expected \`comment\` or \`button\` or \`review\`",
        "7:11-7:12 \`protect.0\`: expected string",
        "7:14-7:16 \`protect.1\`: expected at least 1 characters",
      ]
    `);
  });

  test.each<[string, string | Buffer, string[]]>([
    ['empty', '', ['1:1-1:1 hatchet.yaml: expected keys and values, first of all `version: 1`']],
    [
      'only a comment',
      '# nothing\n',
      ['1:1-1:1 hatchet.yaml: expected keys and values, first of all `version: 1`'],
    ],
    ['a list', '- a\n', ['1:1-1:4 hatchet.yaml: expected keys and values, first of all `version: 1`']],
    ['no version', 'protect: []\n', ['1:1-1:1 `version` is missing: expected `1`']],
    ['a key twice', 'version: 1\nprotect: [a]\nprotect: []\n', ['3:1-3:2 `protect` is there twice']],
    [
      'a far word',
      'version: 1\nfoo: 1\n',
      ['2:1-2:4 unknown key `foo`: known here: `version`, `approvals`, `protect`'],
    ],
    [
      'a nested word',
      'version: 1\napprovals:\n  cuont: 1\n',
      ['3:3-3:8 unknown key `approvals.cuont`: did you mean `count`?'],
    ],
    [
      'a prototype',
      'version: 1\n__proto__: { x: 1 }\n',
      ['2:1-2:10 unknown key `__proto__`: known here: `version`, `approvals`, `protect`'],
    ],
    [
      'a large number',
      'version: 1\napprovals: { count: 11 }\n',
      ['2:21-2:23 `approvals.count`: expected at most 10'],
    ],
    [
      'a fraction',
      'version: 1\napprovals: { count: 1.5 }\n',
      ['2:21-2:24 `approvals.count`: expected a whole number'],
    ],
    ['no UTF-8', Buffer.from([0x76, 0xff]), ['1:1-1:1 hatchet.yaml is not valid UTF-8']],
    ['an unknown anchor', 'version: 1\nprotect: *x\n', ['2:10-2:12 `*x` is named nowhere before']],
  ])('%s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  test('broken syntax says where, beside unknown keys', () => {
    expect(problems('version: 1\nprotects: []\nprotect: [a, b\n')).toMatchInlineSnapshot(`
      [
        "2:1-2:9 unknown key \`protects\`: did you mean \`protect\`?",
        "3:15-3:15 Flow sequence in block collection must be sufficiently indented and end with a ]",
      ]
    `);
  });

  test('a second document', () => {
    expect(problems('version: 1\n---\nversion: 1\n')).toHaveLength(1);
  });

  test('a tag that is not YAML', () => {
    expect(problems('version: 1\nprotect: !!js/function "x"\n').length).toBeGreaterThan(0);
  });

  test('aliases that unfold to gigabytes', () => {
    const lines = ['version: 1', 'a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (const [name, of] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf'])
      lines.push(`${name}: &${name} [${`*${of},`.repeat(10)}]`);
    expect(problems(lines.join('\n'))).toEqual(['1:1-1:1 aliases (`*name`) unfold to too much']);
  });

  test('more aliases than anybody writes', () => {
    const text = `version: 1\na: &a x\nprotect: [${'*a,'.repeat(5_000)}]\n`;
    expect(problems(text)).toEqual(['3:311-3:313 more than 100 aliases']);
  });

  test('a file of many mistakes is told in full', () => {
    const text = `version: 1\n${Array.from({ length: 100 }, (_, index) => `k${index}: 1`).join('\n')}\n`;
    expect(problems(text)).toHaveLength(100);
  });
});
