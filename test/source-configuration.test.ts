// Is every mistake in hatchet.yaml told, all of them together, each at its place?
import { describe, expect, test } from 'vitest';
import { type FileFound, judgeConfiguration, readConfiguration } from '../activities/source/configuration.ts';
import { configurationOf, rulesFor } from '../workflows/model/configuration.ts';
import { mapOf } from './source-map.ts';

const tree = mapOf([
  ...['network/main.tf', 'envs/prod/main.tf', 'envs/dev/main.tf', 'a b/main.tf', 'policies/deep/x.rego'],
  ...['docs/x.md', 'vendor/sub@', 'rego/x_test.rego', 'rego-link~'],
]);
const parse = (text: string | Buffer): FileFound =>
  judgeConfiguration(readConfiguration(Buffer.from(text)), tree);

/** `line:column-line:column summary` for each problem. */
function problems(text: string | Buffer): string[] {
  const found = parse(text);
  if (found.kind === 'valid') return [];
  return found.problems.map(
    ({ startLine, startColumn, endLine, endColumn, summary }) =>
      `${startLine}:${startColumn}-${endLine}:${endColumn} ${summary}`,
  );
}

describe('a valid file', () => {
  const rulesOf = (text: string, project = 'network') => {
    const found = parse(text);
    return found.kind === 'valid' ? rulesFor(configurationOf(found.file), project) : found.problems;
  };
  const defaults = {
    plan: { drafts: false, timeout: 1_800_000 },
    apply: { on: 'merge', require: [], timeout: 7_200_000, auto_merge: false },
    approvals: { count: 0, by: [], author: false, from: ['comment', 'button', 'review'] },
    ...{ protect: [], lock: 'apply', policies: [], overrides: { by: [], author: false } },
  };

  test('has defaults', () => {
    expect(rulesOf('version: 1\n')).toEqual(defaults);
    const text =
      'version: 1\napprovals: { count: 2, by: ["@org/team", ada] }\nprotect:\n  - aws_db_instance.*\n';
    expect(rulesOf(text)).toEqual({
      ...defaults,
      approvals: { ...defaults.approvals, count: 2, by: ['@org/team', 'ada'] },
      protect: ['aws_db_instance.*'],
    });
  });

  test('says more for a project than for all', () => {
    const text = `version: 1
plan: { timeout: 90s }
apply: { on: comment }
approvals: { count: 1, author: true }
projects:
  - dir: ./envs/prod/
    name: prod
    plan: { drafts: true }
    apply: { timeout: 30m }
    approvals: { count: 2 }
`;
    const common = {
      ...defaults,
      plan: { drafts: false, timeout: 90_000 },
      apply: { ...defaults.apply, on: 'comment' },
      approvals: { ...defaults.approvals, count: 1, author: true },
    };
    expect(rulesOf(text)).toEqual(common);
    expect(rulesOf(text, 'prod')).toEqual({
      ...common,
      plan: { drafts: true, timeout: 90_000 },
      apply: { ...common.apply, timeout: 1_800_000 },
      approvals: { ...common.approvals, count: 2 },
    });
  });

  test.each([
    [
      'every key of a project',
      '- { dir: envs/prod, name: "prod/eu@blue", workspace: eu, engine: tofu, version: "~> 1.9, != 1.9.3", var_files: [eu.tfvars, ../common.tfvars], when_modified: ["../shared/**/*.{json,tpl}"], depends_on: [network], pool: big }',
    ],
    [
      'two workspaces of one directory',
      '- { dir: envs/prod, workspace: eu }\n  - { dir: envs/prod, workspace: us }',
    ],
    ['an odd directory with a name', '- { dir: "a b", name: a-b }'],
    ['what is found as a dependency', '- { dir: network, depends_on: [envs/dev] }'],
    [
      'what asks for nothing yet',
      '- { dir: network, lock: apply, policies: [], apply: { require: [], auto_merge: false } }',
    ],
  ])('may have %s', (_, entries) => {
    expect(problems(`version: 1\nprojects:\n  ${entries}\n`)).toEqual([]);
  });

  test.each(['true', 'false', '{ include: [envs/**], exclude: [envs/dev] }', '{}'])(
    'may discover %s',
    (value) => {
      expect(problems(`version: 1\nautodiscover: ${value}\n`)).toEqual([]);
    },
  );
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
      [
        '2:1-2:4 unknown key `foo`: known here: `version`, `autodiscover`, `projects`, `branches`, `plan`, `apply`, `approvals`, `protect`, `lock`, `policies`, `overrides`',
      ],
    ],
    [
      'a nested word',
      'version: 1\napprovals:\n  cuont: 1\n',
      ['3:3-3:8 unknown key `approvals.cuont`: did you mean `count`?'],
    ],
    [
      'a prototype',
      'version: 1\n__proto__: { x: 1 }\n',
      [
        '2:1-2:10 unknown key `__proto__`: known here: `version`, `autodiscover`, `projects`, `branches`, `plan`, `apply`, `approvals`, `protect`, `lock`, `policies`, `overrides`',
      ],
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

  const inProject: readonly [string, string, string][] = [
    [
      'a misspelt key',
      '{ dir: network, worksapce: x }',
      '3:21-3:30 unknown key `projects.0.worksapce`: did you mean `workspace`?',
    ],
    [
      'a misspelt key in a block',
      '{ dir: network, plan: { timeuot: 3m } }',
      '3:29-3:36 unknown key `projects.0.plan.timeuot`: did you mean `timeout`?',
    ],
    ['no directory', '{ name: x }', '3:5-3:5 `projects.0.dir` is missing: expected string'],
    [
      'an absolute directory',
      '{ dir: /etc }',
      '3:12-3:16 `projects.0.dir`: expected a directory of this repository, without `..`',
    ],
    [
      'a directory outside',
      '{ dir: envs/../../x }',
      '3:12-3:24 `projects.0.dir`: expected a directory of this repository, without `..`',
    ],
    [
      'a directory that is not there',
      '{ dir: envs/prd }',
      '3:12-3:20 `projects.0.dir`: there is no directory `envs/prd`: did you mean `envs/prod`?',
    ],
    [
      'a directory without code',
      '{ dir: docs }',
      '3:12-3:16 `projects.0.dir`: `docs` has no Terraform files',
    ],
    [
      'a submodule',
      '{ dir: vendor/sub }',
      '3:12-3:22 `projects.0.dir`: `vendor/sub` is a Git submodule: Hatchet reads this repository only',
    ],
    [
      'a directory that cannot be typed',
      '{ dir: a b }',
      '3:12-3:15 `projects.0.dir`: `a b` cannot be typed in a command: give this project a `name`',
    ],
    [
      'a name that cannot be typed',
      '{ dir: network, name: "a c" }',
      '3:27-3:32 `projects.0.name`: expected a name of letters, digits and `._/@+=~-`, as it is typed in commands',
    ],
    [
      'a name like a flag',
      '{ dir: network, name: --destroy }',
      '3:27-3:36 `projects.0.name`: expected a name of letters, digits and `._/@+=~-`, as it is typed in commands',
    ],
    [
      'a name that cannot be seen',
      '{ dir: network, name: "a\\u202Eb" }',
      '3:27-3:37 `projects.0.name`: expected a name of letters, digits and `._/@+=~-`, as it is typed in commands',
    ],
    [
      'a name that is found elsewhere',
      '{ dir: envs/prod, name: network }',
      '3:29-3:36 `projects.0.name`: the project found in `network` is called so, too',
    ],
    [
      'a bad workspace',
      '{ dir: network, workspace: "-x" }',
      '3:32-3:36 `projects.0.workspace`: expected a name of letters, digits, `.`, `_`, `~` and `-`',
    ],
    [
      'an engine that is none',
      '{ dir: network, engine: pulumi }',
      '3:29-3:35 `projects.0.engine`: expected `terraform` or `tofu`',
    ],
    [
      'a bad version',
      '{ dir: network, version: ">> 1" }',
      '3:30-3:36 `projects.0.version`: expected a version or constraints such as `1.11.4`, `~> 1.9` or `>= 1.5, < 2.0`',
    ],
    [
      'a bad pool',
      '{ dir: network, pool: "a/b" }',
      '3:27-3:32 `projects.0.pool`: expected a name of letters, digits, `.`, `_` and `-`',
    ],
    [
      'values outside',
      '{ dir: network, var_files: [a.tfvars, ../../x.tfvars] }',
      '3:43-3:57 `projects.0.var_files.1`: leads out of the repository',
    ],
    [
      'a broken glob',
      '{ dir: network, when_modified: ["[x"] }',
      '3:37-3:41 `projects.0.when_modified.0`: is no glob: Missing closing: "]" - use "\\\\]" to match literal characters',
    ],
    [
      'a glob outside',
      '{ dir: network, when_modified: ["../../**"] }',
      '3:37-3:47 `projects.0.when_modified.0`: leads out of the repository',
    ],
    [
      'a glob that takes for ever',
      '{ dir: network, when_modified: ["*a*a*a*a*a*a*a*a*a*a*a"] }',
      '3:37-3:61 `projects.0.when_modified.0`: is no glob: more than 10 wildcards',
    ],
    [
      'a glob that takes long on a long path',
      '{ dir: network, when_modified: ["**/a/**/*-{x,y*-*}.tf"] }',
      '3:37-3:60 `projects.0.when_modified.0`: is no glob: more than 2 of `**` and of further stars in one name',
    ],
    [
      'an unknown dependency',
      '{ dir: envs/prod, depends_on: [netwrok] }',
      '3:36-3:43 `projects.0.depends_on.0`: there is no project `netwrok`: did you mean `network`?',
    ],
    [
      'itself as a dependency',
      '{ dir: envs/prod, depends_on: [envs/prod] }',
      '3:36-3:45 `projects.0.depends_on.0`: a circle: `envs/prod` → `envs/prod`',
    ],
    [
      'an unknown lock',
      '{ dir: network, lock: merge }',
      '3:27-3:32 `projects.0.lock`: expected `apply` or `plan` or `none`',
    ],
    [
      'policies that are not there',
      '{ dir: network, policies: [{ path: gone, level: advisory }] }',
      '3:40-3:44 `projects.0.policies.0.path`: `gone` is not there',
    ],
  ];
  test.each(inProject)('a project with %s', (_, entry, expected) => {
    expect(problems(`version: 1\nprojects:\n  - ${entry}\n`)).toEqual([expected]);
  });

  test.each<[string, string, string[]]>([
    [
      'a name twice',
      'projects:\n  - { dir: envs/prod, name: x }\n  - { dir: envs/dev, name: x }\n',
      ['4:28-4:29 `projects.1.name`: `projects.0` is called `x`, too'],
    ],
    [
      'a place twice',
      'projects:\n  - { dir: envs/prod }\n  - { dir: ./envs/prod/, name: other }\n',
      [
        '4:12-4:24 `projects.1.dir`: `envs/prod` with the workspace `default` is listed twice, first as `projects.0`',
      ],
    ],
    [
      'a circle, told once',
      'projects:\n  - { dir: network, depends_on: [envs/prod] }\n  - { dir: envs/prod, depends_on: [envs/dev] }\n  - { dir: envs/dev, depends_on: [network] }\n',
      ['3:34-3:43 `projects.0.depends_on.0`: a circle: `network` → `envs/prod` → `envs/dev` → `network`'],
    ],
    [
      'a dependency that is hidden from discovery',
      'autodiscover: { exclude: [envs/*] }\nprojects:\n  - { dir: network, depends_on: [envs/dev] }\n',
      ['4:34-4:42 `projects.0.depends_on.0`: there is no project `envs/dev`'],
    ],
    [
      'approvals that nobody could give',
      'approvals:\n  from: []\n',
      ['3:9-3:11 `approvals.from`: expected at least 1 entries'],
    ],
    [
      'policies that are missing or empty',
      `policies:\n${[
        'polices',
        'docs',
        'docs/x.md',
        'rego',
        'rego/x_test.rego',
        'rego-link',
        'vendor/sub',
        'policies/deep/',
        './policies/deep/x.rego',
      ]
        .map((path) => `  - { path: ${path}, level: mandatory }\n`)
        .join('')}`,
      [
        '3:13-3:20 `policies.0.path`: `polices` is not there',
        '4:13-4:17 `policies.1.path`: `docs` has no Rego files',
        '5:13-5:22 `policies.2.path`: `docs/x.md` is neither a Rego file nor a directory',
        '6:13-6:17 `policies.3.path`: `rego` has no Rego files but tests',
        '7:13-7:29 `policies.4.path`: `rego/x_test.rego` is a test, which judges nothing',
        '8:13-8:22 `policies.5.path`: `rego-link` is a symbolic link, which is not followed: name the place that it leads to',
        '9:13-9:23 `policies.6.path`: `vendor/sub` is a Git submodule: Hatchet reads this repository only',
      ],
    ],
    [
      'discovery that is neither',
      'autodiscover: maybe\n',
      ['2:15-2:20 `autodiscover`: expected `true` or `false` or keys and values'],
    ],
    [
      'discovery with a misspelt key',
      'autodiscover: { inclde: [x] }\n',
      ['2:17-2:23 unknown key `autodiscover.inclde`: did you mean `include`?'],
    ],
    [
      'discovery with broken globs',
      'autodiscover: { include: [1, "{a"], exclude: ["../x"] }\n',
      ['2:27-2:28 `autodiscover.include.0`: expected string'],
    ],
    [
      'discovery with a broken glob',
      'autodiscover: { include: ["{a"], exclude: ["../x"] }\n',
      [
        '2:27-2:31 `autodiscover.include.0`: is no glob: Missing closing: "}" - use "\\\\}" to match literal characters',
        '2:44-2:50 `autodiscover.exclude.0`: is no glob: directories of this repository',
      ],
    ],
    ['a bad duration', 'plan: { timeout: 30 }\n', ['2:18-2:20 `plan.timeout`: expected string']],
    [
      'a duration without a unit',
      'plan: { timeout: "30" }\n',
      ['2:18-2:22 `plan.timeout`: expected a duration such as `90s`, `30m` or `2h`'],
    ],
  ])('%s', (_, text, expected) => {
    expect(problems(`version: 1\n${text}`)).toEqual(expected);
  });

  test('of the schema and of the tree, together', () => {
    const text =
      'version: 1\nprojects:\n  - { dir: gone, depnds_on: [x] }\n  - { dir: network, workspace: 3, depends_on: [y] }\nlock: all\n';
    expect(problems(text).map((line) => line.split(':')[0])).toEqual(['3', '3', '4', '4', '5']);
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
