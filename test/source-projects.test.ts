// Which projects does hatchet.yaml make, and what can change each of them?
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how Terraform writes its expressions
import { describe, expect, test } from 'vitest';
import type { Sha } from '../workflows/model/identifiers.ts';
import {
  backend,
  calls,
  deletedOf,
  type Files,
  names,
  projectsOf,
  useInspections,
} from './source-inspections.ts';

const { inspect, inspectChange, findLiving, remote, headRef, logged } = useInspections();

const yaml = (...entries: string[]) =>
  `version: 1\nprojects:\n${entries.map((entry) => `  - ${entry}\n`).join('')}`;
const requires = (version: string) =>
  `terraform {\n  required_version = "${version}"\n  backend "local" {}\n}\n`;

describe('projects of hatchet.yaml', () => {
  test('have what it says of them, beside those that are found', async () => {
    const before = {
      'hatchet.yaml': yaml(
        '{ dir: envs/app, name: app-eu, workspace: eu, engine: tofu, version: "~> 1.9", var_files: [eu.tfvars], depends_on: [net], pool: big }',
        '{ dir: envs/app, workspace: us }',
      ),
      'envs/app/main.tf': '',
      'net/main.tf': backend,
    };
    const inspection = await inspectChange(before, { 'envs/app/x.tf': '', 'net/x.tf': '' });
    expect(projectsOf(inspection)).toMatchObject([
      {
        ...{ name: 'app-eu', dir: 'envs/app', workspace: 'eu', engine: 'tofu', pool: 'big', problems: [] },
        ...{ version: { constraint: '~> 1.9', source: 'hatchet.yaml' }, varFiles: ['eu.tfvars'] },
        dependsOn: ['net'],
      },
      {
        ...{ name: 'envs/app@us', dir: 'envs/app', workspace: 'us', engine: 'terraform', pool: 'default' },
        ...{ version: null, varFiles: [], dependsOn: [], problems: [] },
      },
      { name: 'net', dir: 'net', workspace: 'default' },
    ]);
  });

  test('come after what stands behind one that is not touched, or that is deleted', async () => {
    const before = {
      'hatchet.yaml': yaml('{ dir: app, depends_on: [net] }', '{ dir: web, depends_on: [app] }'),
      ...{ 'app/main.tf': backend, 'net/main.tf': backend, 'web/main.tf': backend },
    };
    const changes = { 'web/x.tf': '', 'net/x.tf': '' };
    const dependencies = (inspection: Parameters<typeof projectsOf>[0]) =>
      projectsOf(inspection).map(({ name, dependsOn }) => [name, dependsOn]);
    const expected = [
      ['net', []],
      ['web', ['app', 'net']],
    ];
    expect(dependencies(await inspectChange(before, changes))).toEqual(expected);
    expect(dependencies(await inspectChange(before, { ...changes, 'app/main.tf': null }))).toEqual(expected);
  });

  test.each<[string, string, string[]]>([
    ['none is discovered', 'autodiscover: false\n', []],
    ['some are', 'autodiscover: { include: [envs/*] }\n', ['envs/a', 'envs/b']],
    ['some are not', 'autodiscover: { exclude: [envs/**] }\n', ['.', 'x/y']],
    ['some of some', 'autodiscover: { include: ["**"], exclude: [envs/b, "."] }\n', ['envs/a', 'x/y']],
  ])('where %s', async (_, discovery, expected) => {
    const dirs = ['', 'envs/a/', 'envs/b/', 'x/y/'];
    const before = Object.fromEntries(dirs.map((dir) => [`${dir}main.tf`, backend]));
    const changes = Object.fromEntries(dirs.map((dir) => [`${dir}x.tf`, '']));
    const inspection = await inspectChange(
      { 'hatchet.yaml': `version: 1\n${discovery}`, ...before },
      changes,
    );
    expect(names(inspection)).toEqual(expected);
  });

  test('are those of the base branch', async () => {
    const before = { 'hatchet.yaml': yaml('{ dir: a, name: old }'), 'a/main.tf': backend };
    const inspection = await inspectChange(before, {
      'hatchet.yaml': yaml('{ dir: a, name: new }'),
      'a/x.tf': '',
    });
    expect(names(inspection)).toEqual(['old']);
    expect(inspection.edited).toEqual({ problems: [], entries: ['new'] });
    expect(deletedOf(inspection)).toEqual([]);
  });

  test('are not changed by an edit of hatchet.yaml, also in the root directory', async () => {
    const before = { 'hatchet.yaml': 'version: 1\n', 'main.tf': backend, 'a/main.tf': backend };
    expect(names(await inspectChange(before, { 'hatchet.yaml': 'version: 1\n# new\n' }))).toEqual([]);
  });
});

describe('what changes a project', () => {
  const before = {
    'hatchet.yaml': yaml(
      '{ dir: app, workspace: eu, var_files: [eu.tfvars, ../vars/eu.tfvars], when_modified: ["../shared/**/*.{json,tpl}", "*.md"] }',
      '{ dir: app, workspace: us, var_files: [us.tfvars, terraform.tfvars] }',
    ),
    'app/main.tf': '',
  };
  test.each<[string, string[]]>([
    ['app/main.tf', ['app@eu', 'app@us']],
    ['app/eu.tfvars', ['app@eu']],
    ['app/us.tfvars', ['app@us']],
    ['app/terraform.tfvars', ['app@eu', 'app@us']],
    ['vars/eu.tfvars', ['app@eu']],
    ['shared/deep/x.json', ['app@eu']],
    ['shared/.x.tpl', ['app@eu']],
    ['shared/x.txt', []],
    ['vars/other.tfvars', []],
  ])('%s: %j', async (path, expected) => {
    expect(names(await inspectChange(before, { [path]: '# changed' }))).toEqual(expected);
    // Gone is changed, too.
    expect(names(await inspectChange({ ...before, [path]: '# there' }, { [path]: null }))).toEqual(
      path === 'app/main.tf' ? [] : expected,
    );
  });

  test('the digest follows the settings and those files, and nothing else', async () => {
    const digestOf = async (entry: string, more: Files = {}) => {
      const files = { 'hatchet.yaml': yaml(entry), 'app/main.tf': '', 'shared/x.json': '{}', ...more };
      const inspection = await inspectChange(files, { 'app/touched.tf': '' });
      return projectsOf(inspection)[0]?.sourceDigest;
    };
    const plain = '{ dir: app, name: a, var_files: [x.tfvars], when_modified: ["../shared/*.json"] }';
    const digest = await digestOf(plain);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    const same: [string, Files?][] = [
      [plain, { 'shared/x.txt': '' }],
      [plain.replace('name: a', 'name: b')],
      [plain, { 'other/main.tf': backend }],
    ];
    for (const [entry, more] of same) expect(await digestOf(entry, more), entry).toBe(digest);
    const different: [string, Files?][] = [
      [plain.replace('name: a', 'workspace: eu')],
      [plain.replace('name: a', 'engine: tofu')],
      [plain.replace('name: a', 'pool: big')],
      [plain.replace('name: a', 'version: "1.9"')],
      [plain.replace('x.tfvars', 'y.tfvars')],
      [plain, { 'shared/x.json': '{"a":1}' }],
      [plain, { 'shared/y.json': '{}' }],
      [plain, { 'app/x.tfvars': '' }],
      [plain, { '.terraform-version': '1.9.0' }],
    ];
    for (const [entry, more] of different) expect(await digestOf(entry, more), entry).not.toBe(digest);
  });
});

describe('files that code reads by name', () => {
  const reading = (expression: string) => `${backend}locals {\n  x = ${expression}\n}\n`;
  test.each<[string, string, string]>([
    ['file, from the module', 'file("${path.module}/../data/x.json")', 'data/x.json'],
    ['file, as a plain path', 'file("../data/x.json")', 'data/x.json'],
    ['file, from the root', 'file("${path.root}/../data/x.json")', 'data/x.json'],
    ['templatefile', 'templatefile("${path.module}/../data/x.tpl", { a = 1 })', 'data/x.tpl'],
    ['one inside another', 'templatefile("x", { a = file("../data/y") })', 'data/y'],
    ['filesha256', 'filesha256("../data/x.zip")', 'data/x.zip'],
    ['filebase64sha512', 'filebase64sha512("../data/x.zip")', 'data/x.zip'],
    ['fileset', 'fileset("${path.module}/../data", "**/*.json")', 'data/deep/x.json'],
    ['fileset of path.module', 'fileset(path.module, "../data/*.json")', 'data/x.json'],
    ['a name that ends computed', 'file("../data/${var.x}.json")', 'data/x.json'],
    ['a text around it', '"a ${file("../data/x")} b"', 'data/x'],
    ['a heredoc', '<<EOT\n${file("../data/x")}\nEOT', 'data/x'],
    ['lines in between', 'file(\n    "../data/x"\n  )', 'data/x'],
  ])('%s', async (_, expression, path) => {
    const before = { 'a/main.tf': reading(expression), 'b/main.tf': backend, [path]: '' };
    expect(names(await inspectChange(before, { [path]: 'changed' }))).toEqual(['a']);
  });

  test.each<[string, string]>([
    ['a comment', '1 # file("../data/x")'],
    ['a plain text', '"file(\\"../data/x\\")"'],
    ['a function of another name', 'profile("../data/x")'],
    ['a place outside', 'file("../../data/x")'],
    ['an absolute place', 'file("/data/x")'],
    ['a computed name', 'file(var.x)'],
  ])('not %s', async (_, expression) => {
    expect(
      names(await inspectChange({ 'a/main.tf': reading(expression), 'data/x': '' }, { 'data/x': '#' })),
    ).toEqual([]);
  });

  test('in a module, in JSON, through a link, inside another project', async () => {
    const before = {
      'a/main.tf': backend + calls('../m'),
      'm/main.tf': 'locals {\n  x = file("${path.module}/../data/x")\n  y = file("root.txt")\n}\n',
      'j/main.tf.json': '{"terraform":{"backend":{"local":{}}},"locals":{"x":"${file(\\"../data/x\\")}"}}',
      'l/main.tf': reading('file("../linked/x")'),
      linked: { mode: '120000', content: 'data' },
      'n/main.tf': reading('file("inner/x.txt")'),
      'n/inner/main.tf': backend,
    };
    expect(names(await inspectChange(before, { 'data/x': 'changed' }))).toEqual(['a', 'j', 'l']);
    expect(names(await inspectChange(before, { 'a/root.txt': 'changed' }))).toEqual(['a']);
    expect(names(await inspectChange(before, { 'n/inner/x.txt': 'changed' }))).toEqual(['n', 'n/inner']);
  });
});

describe('which code counts', () => {
  test('x.tofu takes the place of x.tf for OpenTofu, and is nothing to Terraform', async () => {
    const code = {
      'a/main.tf': backend + calls('../old'),
      'a/main.tofu': backend + calls('../new'),
      'new/x.tf': '',
      'old/x.tf': '',
    };
    const changes = { 'new/x.tf': '#' };
    const tofu = { ...code, 'hatchet.yaml': yaml('{ dir: a, engine: tofu }') };
    expect(names(await inspectChange(tofu, changes))).toEqual(['a']);
    expect(names(await inspectChange(tofu, { 'old/x.tf': '#' }))).toEqual([]);
    expect(names(await inspectChange(code, changes))).toEqual([]);
    expect(names(await inspectChange(code, { 'old/x.tf': '#' }))).toEqual(['a']);
  });

  test('an override file takes the place of a source', async () => {
    const code = {
      'a/main.tf': backend + calls('../old'),
      'a/x_override.tf': calls('../new'),
      'new/x.tf': '',
    };
    expect(names(await inspectChange(code, { 'new/x.tf': '#' }))).toEqual(['a']);
    expect(names(await inspectChange(code, { 'old/x.tf': '#' }))).toEqual([]);
  });

  test.each<[string, string, string[]]>([
    ['below a directory', '"../mods/${var.x}"', ['mods/b/deep/x.txt']],
    ['anywhere', 'var.source', ['mods/b/x.tf', 'elsewhere/x.tf']],
  ])('a computed source means every module %s', async (_, source, paths) => {
    const before = {
      'a/main.tofu': `${backend}module "late" {\n  source = ${source}\n}\n`,
      'b/main.tf': backend,
      'mods/b/main.tf': calls('../../outer'),
      'elsewhere/main.tf': '',
      'outer/main.tf': '',
    };
    for (const path of [...paths, 'outer/x.tf']) {
      expect(names(await inspectChange(before, { [path]: '#' })), path).toEqual(['a']);
    }
    expect(logged().some((line) => line.includes('late in a'))).toBe(true);
    expect(names(await inspectChange(before, { 'b/x.tf': '#' }))).toEqual(['b']);
  });

  test('a source outside the repository is left to Terraform', async () => {
    const before = {
      'a/main.tf': backend + calls('../../../etc') + calls('/etc', 'n') + calls('x/y/z', 'r'),
    };
    expect(names(await inspectChange(before, { 'a/x.tf': '' }))).toEqual(['a']);
  });
});

describe('the version that a project wants', () => {
  test.each<[string, Files, { constraint: string; source: string } | null]>([
    ['nothing', {}, null],
    [
      'a file of its own',
      { 'e/a/.terraform-version': '1.9.0\n' },
      { constraint: '1.9.0', source: 'e/a/.terraform-version' },
    ],
    [
      'the nearest file above',
      { '.terraform-version': '1.8.0', 'e/.terraform-version': '# why\nv1.9.0' },
      { constraint: '1.9.0', source: 'e/.terraform-version' },
    ],
    [
      '.tool-versions',
      { '.tool-versions': 'nodejs 24\nterraform  1.7.1 1.6.0 # two\n' },
      { constraint: '1.7.1', source: '.tool-versions' },
    ],
    [
      'its own file before .tool-versions',
      { '.terraform-version': '1.8.0', 'e/a/.tool-versions': 'terraform 1.7.1' },
      { constraint: '1.8.0', source: '.terraform-version' },
    ],
    ['.tool-versions of others only', { '.tool-versions': 'nodejs 24\nterragrunt 0.9' }, null],
    [
      '.tool-versions of both engines',
      { '.tool-versions': 'opentofu 1.7.0', 'e/.tool-versions': 'opentofu 1.8.0\nterraform 1.9.0' },
      { constraint: '1.9.0', source: 'e/.tool-versions' },
    ],
    [
      'the code',
      { 'e/a/main.tf': requires('>= 1.5, < 2.0'), 'e/a/more.tf': requires('!= 1.7.0') },
      { constraint: '>= 1.5, < 2.0, != 1.7.0', source: 'required_version' },
    ],
    ['latest', { '.terraform-version': 'latest' }, null],
    [
      'latest, with a bound in the code',
      { '.terraform-version': 'latest', 'e/a/main.tf': requires('< 1.9') },
      { constraint: '< 1.9', source: 'required_version' },
    ],
    [
      'latest of a series',
      { '.terraform-version': 'latest:^1.9' },
      { constraint: '~> 1.9.0', source: '.terraform-version' },
    ],
    [
      'a word that nobody knows',
      { '.terraform-version': 'newest' },
      { constraint: 'newest', source: '.terraform-version' },
    ],
    [
      'a link',
      { '.terraform-version': { mode: '120000', content: 'v' }, v: '1.6.6' },
      { constraint: '1.6.6', source: '.terraform-version' },
    ],
  ])('%s', async (_, files, expected) => {
    const inspection = await inspectChange({ 'e/a/main.tf': backend, ...files }, { 'e/a/x.txt': '' });
    expect(projectsOf(inspection)).toMatchObject([{ engine: 'terraform', version: expected }]);
  });

  test.each<[string, Files, object]>([
    [
      'only .tool-versions says so',
      { '.tool-versions': 'nodejs 24\nopentofu 1.8.0 # why\n' },
      { engine: 'tofu', version: { constraint: '1.8.0', source: '.tool-versions' } },
    ],
    [
      'the nearest .tool-versions says so',
      { '.tool-versions': 'terraform 1.7.1', 'e/.tool-versions': 'opentofu 1.8.0' },
      { engine: 'tofu', version: { constraint: '1.8.0', source: 'e/.tool-versions' } },
    ],
    [
      'it is Terraform that the nearest names',
      { '.tool-versions': 'opentofu 1.8.0', 'e/.tool-versions': 'terraform 1.7.1' },
      { engine: 'terraform', version: { constraint: '1.7.1', source: 'e/.tool-versions' } },
    ],
    [
      "Terraform's own version file wins",
      { '.terraform-version': '1.9.0', 'e/a/.tool-versions': 'opentofu 1.8.0' },
      { engine: 'terraform', version: { constraint: '1.9.0', source: '.terraform-version' } },
    ],
    [
      'hatchet.yaml wins',
      { '.tool-versions': 'opentofu 1.8.0', 'hatchet.yaml': yaml('{ dir: e/a, engine: terraform }') },
      { engine: 'terraform', version: null },
    ],
  ])('of which engine: %s', async (_, files, expected) => {
    const inspection = await inspectChange({ 'e/a/main.tf': backend, ...files }, { 'e/a/x.txt': '' });
    expect(projectsOf(inspection)).toMatchObject([expected]);
  });

  test('of OpenTofu, which its version file asks for', async () => {
    const files = {
      '.opentofu-version': '1.8.0',
      'b/.terraform-version': '1.9.0',
      '.tool-versions': 'opentofu 1.7.0',
    };
    const inspection = await inspectChange(
      { ...files, 'a/main.tf': backend, 'b/main.tf': backend, 'b/c/main.tofu': backend },
      { 'a/x': '', 'b/x': '', 'b/c/x': '' },
    );
    expect(projectsOf(inspection)).toMatchObject([
      { name: 'a', engine: 'tofu', version: { constraint: '1.8.0', source: '.opentofu-version' } },
      { name: 'b', engine: 'terraform', version: { constraint: '1.9.0', source: 'b/.terraform-version' } },
      { name: 'b/c', engine: 'tofu', version: { constraint: '1.8.0', source: '.opentofu-version' } },
    ]);
  });
});

describe('projects that end', () => {
  const names = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name);

  test('one that is renamed is ended under its old name and planned under its new one', async () => {
    const inspection = await inspectChange(
      { 'old/main.tf': backend, 'old/x.tfvars': '' },
      { 'old/main.tf': null, 'old/x.tfvars': null, 'new/main.tf': backend, 'new/x.tfvars': '' },
    );
    expect(names(projectsOf(inspection))).toEqual(['new']);
    expect(names(deletedOf(inspection))).toEqual(['old']);
  });

  test('one that is listed, with all that it was planned with', async () => {
    const entry = '{ dir: a, name: dns, workspace: eu, var_files: [eu.tfvars], version: "1.9", pool: big }';
    const before = { 'hatchet.yaml': yaml(entry), 'a/main.tf': backend, 'a/eu.tfvars': '' };
    const changes = { 'hatchet.yaml': 'version: 1\n', 'a/main.tf': null, 'a/eu.tfvars': null };
    const inspection = await inspectChange(before, changes);
    expect(inspection.edited).toEqual({ problems: [] });
    expect(names(projectsOf(inspection))).toEqual([]);
    expect(deletedOf(inspection)).toMatchObject([
      {
        ...{ name: 'dns', dir: 'a', workspace: 'eu', varFiles: ['eu.tfvars'], pool: 'big' },
        version: { constraint: '1.9', source: 'hatchet.yaml' },
        sourceDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    const { source } = inspection;
    expect(source.kind === 'merged' && source.deleted.tree).toBe(remote().git('rev-parse', 'main^{tree}'));
  });

  test('one that stays listed is ended, and its entry is a mistake that merging would bring', async () => {
    const before = { 'hatchet.yaml': yaml('{ dir: dns }'), 'dns/main.tf': backend, 'b/main.tf': backend };
    const inspection = await inspectChange(before, { 'dns/main.tf': null, 'b/x.tf': '' });
    expect(names(deletedOf(inspection))).toEqual(['dns']);
    expect(inspection.configuration.kind).toBe('valid');
    expect(inspection.edited?.problems).toMatchObject([
      {
        summary: '`projects.0.dir`: there is no directory `dns`',
        path: 'hatchet.yaml',
        startLine: 3,
        startColumn: 12,
      },
    ]);
  });

  test.each<[string, Files, Files, readonly string[], readonly string[]]>([
    [
      'a rename',
      { 'old/main.tf': backend },
      { 'old/main.tf': null, 'new/main.tf': backend },
      ['new'],
      ['new'],
    ],
    [
      'an entry that moves, with its workspace',
      { 'hatchet.yaml': yaml('{ dir: old, workspace: eu }'), 'old/main.tf': backend, 'b/main.tf': backend },
      {
        'hatchet.yaml': yaml('{ dir: new, workspace: eu }'),
        ...{ 'old/main.tf': null, 'new/main.tf': backend },
      },
      ['b', 'new'],
      ['new', 'new@eu'],
    ],
    [
      'a deletion beside a hatchet.yaml that is broken',
      { 'old/main.tf': backend },
      { 'old/main.tf': null, 'hatchet.yaml': 'version: 2\n' },
      [],
      [],
    ],
  ])('what lives on after it: %s', async (_, before, changes, living, added) => {
    const found = await findLiving(before, changes);
    expect(names(found.projects).toSorted()).toEqual(living);
    expect(names(found.added)).toEqual(added);
  });

  const entries = [
    '{ dir: a }',
    '{ dir: a, workspace: eu }',
    '{ dir: b, name: dns, version: "1.9" }',
    '{ dir: c/d }',
  ] as const;
  const listed = {
    'hatchet.yaml': yaml(...entries),
    ...{ 'a/main.tf': backend, 'b/main.tf': backend, 'c/d/main.tf': backend, 'found/main.tf': backend },
  };
  test.each<[string, Files, readonly string[] | undefined]>([
    [
      'nothing, where only the order is another',
      { 'hatchet.yaml': yaml(...entries.toReversed()) },
      undefined,
    ],
    [
      'a workspace, a version and values, and what is found no longer under its own name',
      {
        'hatchet.yaml': yaml(
          ...entries.slice(0, 2),
          '{ dir: a, workspace: us }',
          '{ dir: b, name: dns, version: "1.10" }',
          '{ dir: c/d, var_files: [eu.tfvars] }',
          '{ dir: found, name: live }',
        ),
        'c/d/eu.tfvars': '',
      },
      ['a@us', 'c/d', 'dns', 'live'],
    ],
    ['no rules', { 'hatchet.yaml': `${yaml(...entries)}approvals: { count: 2 }\n` }, undefined],
    [
      'not what is planned here as it will be',
      { 'hatchet.yaml': yaml(...entries, '{ dir: x }'), 'x/main.tf': backend },
      undefined,
    ],
  ])('what an edited hatchet.yaml adds and changes: %s', async (_, changes, expected) => {
    expect((await inspectChange(listed, changes)).edited).toEqual({ problems: [], entries: expected });
  });

  const unlistedOf = ({ source }: Awaited<ReturnType<typeof inspectChange>>) =>
    source.kind === 'merged' ? (source.deleted.unlisted ?? []) : [];
  const without = (...left: readonly string[]) => ({ 'hatchet.yaml': yaml(...left) });

  test.each([
    ['nothing is, where only the order is another', without(...entries.toReversed()), []],
    ['a project that is found without its entry stays', without(...entries.slice(0, 3)), []],
    ['a workspace that nothing names any more', without(entries[0], entries[2]), ['a@eu']],
    ['another workspace in its place', without('{ dir: a, workspace: us }'), ['a', 'a@eu']],
    [
      'another name for the same directory is no end',
      without(...entries.slice(0, 2), '{ dir: b, name: x }'),
      [],
    ],
    [
      'what is no longer found, listed or not',
      { 'hatchet.yaml': 'version: 1\nautodiscover: { exclude: [b, found] }\n' },
      ['a@eu', 'dns', 'found'],
    ],
    [
      'everything',
      { 'hatchet.yaml': 'version: 1\nautodiscover: false\n' },
      ['a', 'a@eu', 'c/d', 'dns', 'found'],
    ],
    [
      'a directory that is deleted is deleted, the others are let go',
      { 'hatchet.yaml': 'version: 1\nautodiscover: false\n', 'b/main.tf': null, 'c/d/main.tf': null },
      ['a', 'a@eu', 'found'],
      ['c/d', 'dns'],
    ],
    ['a file that is broken lets go of nothing', { 'hatchet.yaml': 'version: 2\n' }, []],
    ['what another file says', { 'other.yaml': 'version: 1\n' }, []],
  ] as [string, Files, string[], string[]?][])(
    'let go by hatchet.yaml: %s',
    async (_, changes, unlisted, deleted = []) => {
      const inspection = await inspectChange(listed, changes);
      expect(unlistedOf(inspection)).toEqual(unlisted);
      expect(names(deletedOf(inspection))).toEqual([...deleted, ...unlisted]);
      expect(names(projectsOf(inspection))).toEqual([]);
    },
  );

  test('let go by hatchet.yaml and changed once more: it is planned a last time, and named', async () => {
    const changes = { 'hatchet.yaml': 'version: 1\nautodiscover: false\n', 'b/x.tf': '' };
    const inspection = await inspectChange(
      { 'hatchet.yaml': yaml(entries[2]), 'b/main.tf': backend },
      changes,
    );
    expect(names(projectsOf(inspection))).toEqual(['dns']);
    expect(unlistedOf(inspection)).toEqual(['dns']);
  });

  test('let go by hatchet.yaml: the merged pull request says the same, with what it was planned with', async () => {
    const before = { 'hatchet.yaml': yaml(entries[2]), 'b/main.tf': backend };
    const open = await inspectChange(before, { 'hatchet.yaml': 'version: 1\nautodiscover: false\n' });
    const baseSha = remote().git('rev-parse', 'refs/heads/main') as Sha;
    const head = remote().git('rev-parse', headRef()) as Sha;
    const mergeCommit = remote().commitTree(remote().git('rev-parse', `${head}^{tree}`), baseSha, head);
    remote().git('update-ref', 'refs/heads/main', mergeCommit);
    const merged = await inspect({ head, baseSha: mergeCommit, state: 'merged', mergeCommit });
    expect(deletedOf(merged)).toEqual(deletedOf(open));
    expect(deletedOf(merged)).toMatchObject([{ name: 'dns', version: { constraint: '1.9' } }]);
    expect(unlistedOf(merged)).toEqual(['dns']);
  });

  test('the base went on: what it ended is not ended by the pull request', async () => {
    const fork = remote().commit(
      'refs/heads/main',
      { 'a/main.tf': backend, 'b/main.tf': backend },
      { parents: [] },
    );
    const head = remote().commit(headRef(), { 'b/x.tf': '' }, { parents: [fork] });
    const baseSha = remote().commit('refs/heads/main', { 'a/main.tf': null });
    const inspection = await inspect({ head, baseSha });
    expect(names(projectsOf(inspection))).toEqual(['b']);
    expect(names(deletedOf(inspection))).toEqual([]);
  });
});
