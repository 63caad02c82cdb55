// Does every odd file lead to a clear word about it, and never to a project that is silently missing?
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how Terraform writes its expressions
import { describe, expect, test } from 'vitest';
import { backend, calls, type Files, names, projectsOf, useInspections } from './source-inspections.ts';

const { inspectChange } = useInspections();

const lfs = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 1234\n`;
const link = (content: string) => ({ mode: '120000', content });
const submodule = { mode: '160000', content: 'b'.repeat(40) };
const reading = (expression: string) => `${backend}locals {\n  x = ${expression}\n}\n`;
const touch: Files = { 'a/touched.txt': '' };

async function problemsOf(files: Files, changes: Files = touch): Promise<string[]> {
  const inspection = await inspectChange(files, changes);
  expect(names(inspection)).toEqual(['a']);
  return projectsOf(inspection).flatMap(({ problems }) =>
    problems.map(({ path, summary }) => [...(path === undefined ? [] : [path]), summary].join(': ')),
  );
}

describe('a project is not planned, and says why, with', () => {
  test.each<[string, Files, string[]]>([
    [
      'a Git LFS pointer for its code',
      { 'a/main.tf': lfs },
      ['a/main.tf: A Git LFS pointer stands here instead of the file'],
    ],
    [
      'one in a module',
      { 'a/main.tf': backend + calls('../m'), 'm/main.tf': lfs },
      ['m/main.tf: A Git LFS pointer stands here instead of the file'],
    ],
    [
      'one for its values',
      { 'a/main.tf': backend, 'a/terraform.tfvars': lfs, 'a/other.tfvars': lfs },
      ['a/terraform.tfvars: A Git LFS pointer stands here instead of the file'],
    ],
    [
      'one among its var files',
      {
        'hatchet.yaml': 'version: 1\nprojects: [{ dir: a, name: a, var_files: [../v/x.tfvars] }]\n',
        ...{ 'a/main.tf': backend, 'v/x.tfvars': lfs },
      },
      ['v/x.tfvars: A Git LFS pointer stands here instead of the file'],
    ],
    [
      'one that its code reads',
      { 'a/main.tf': reading('filebase64("lambda.zip")'), 'a/lambda.zip': lfs },
      ['a/lambda.zip: A Git LFS pointer stands here instead of the file'],
    ],
    [
      'code behind a link out of the repository',
      { 'a/main.tf': link('../../../etc/main.tf') },
      ['a/main.tf: A link leads out of the repository'],
    ],
    [
      'values behind a link that goes in a circle',
      { 'a/main.tf': backend, 'a/x.auto.tfvars': link('x.auto.tfvars') },
      ['a/x.auto.tfvars: A link leads out of the repository'],
    ],
    [
      'files behind a link out of the repository',
      { 'a/main.tf': reading('fileset("conf", "*")'), 'a/conf': link('/etc') },
      ['a/conf: A link leads out of the repository'],
    ],
    [
      'a module outside the repository',
      { 'a/main.tf': backend + calls('./b'), 'a/b/main.tf': calls('../../../gone') },
      ['The module "m" is outside the repository'],
    ],
    [
      'a module behind a link outside',
      { 'a/main.tf': backend + calls('./m'), 'a/m': link('../../x') },
      ['a/m: A link leads out of the repository'],
    ],
    [
      'a submodule as a module',
      { 'a/main.tf': backend + calls('../vendor/m'), 'vendor/m': submodule },
      ['vendor/m: A Git submodule is not read'],
    ],
    [
      'a module in a submodule',
      { 'a/main.tf': backend + calls('../vendor/m/deep'), 'vendor/m': submodule },
      ['vendor/m: A Git submodule is not read'],
    ],
    [
      'files of a submodule',
      { 'a/main.tf': reading('fileset(path.module, "conf/**")'), 'a/conf/sub': submodule },
      ['a/conf/sub: A Git submodule is not read'],
    ],
  ])('%s', async (_, files, expected) => {
    expect(await problemsOf({ 'a/keep.txt': '', ...files })).toEqual(expected);
  });

  test('and the word names the file and the remedy', async () => {
    const inspection = await inspectChange({ 'a/main.tf': lfs }, touch);
    expect(projectsOf(inspection)[0]?.problems).toEqual([
      {
        severity: 'error',
        summary: 'A Git LFS pointer stands here instead of the file',
        detail: expect.stringContaining('git lfs untrack'),
        path: 'a/main.tf',
      },
    ]);
  });
});

describe('a project is found, and what is wrong is Terraform’s to say, with', () => {
  test.each<[string, Files]>([
    ['a submodule that nobody reads', { 'a/main.tf': backend, 'a/vendor': submodule }],
    ['a module that is not there', { 'a/main.tf': backend + calls('../gone') }],
    ['a module with a computed source', { 'a/main.tf': `${backend}module "m" {\n  source = var.x\n}\n` }],
    [
      'directories that are links to each other',
      { 'a/main.tf': backend, 'a/x': link('y'), 'a/y': link('x') },
    ],
    ['a link to the directory above', { 'a/main.tf': backend + calls('./up/a'), 'a/up': link('..') }],
    ['code that is no UTF-8', { 'a/main.tf': Buffer.from(`${backend}# \xff\xfe\n`, 'latin1') }],
    ['a line of 64 KiB', { 'a/main.tf': `${backend}locals {\n  x = "${'y'.repeat(65_536)}"\n}\n` }],
    ['nothing but spaces in a long line', { 'a/main.tf': `${backend}${' '.repeat(200_000)}\n` }],
    ['quotes that never end', { 'a/main.tf': `${backend}${'file("'.repeat(40_000)}` }],
  ])('%s', async (_, files) => {
    expect(await problemsOf({ 'a/keep.txt': '', ...files })).toEqual([]);
  });

  test('code of 5 MB: also what it uses is found', async () => {
    const block = 'resource "terraform_data" "x" {\n  input = { a = 1, b = "two" }\n}\n';
    const large = `${backend}${calls('../m')}${block.repeat(80_000)}${reading('file("../data/x")')}`;
    expect(Buffer.byteLength(large)).toBeGreaterThan(5_000_000);
    const files = { 'a/main.tf': large, 'm/main.tf': '', 'data/x': '' };
    expect(await problemsOf(files, { 'm/main.tf': '# changed' })).toEqual([]);
    expect(await problemsOf(files, { 'data/x': 'changed' })).toEqual([]);
  });
});

test('odd names: spaces, quotes and bytes that are no text', async () => {
  const odd = `a b/'c' "d"`;
  const files: Files = {
    'hatchet.yaml': `version: 1\nprojects:\n  - dir: 'a b/''c'' "d"'\n    name: odd\n    var_files: ["x y.tfvars"]\n`,
    [`${odd}/main.tf`]: backend + calls('../mod $x'),
    'a b/mod $x/main.tf': '',
    'a b/mod $x/\\xff.txt': '',
  };
  const inspection = await inspectChange(files, { 'a b/mod $x/\\xff.txt': 'changed' });
  expect(projectsOf(inspection)).toMatchObject([{ name: 'odd', dir: odd, varFiles: ['x y.tfvars'] }]);
});
