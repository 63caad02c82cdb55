// Does a module that only init can find change a project, and does the code alone tell of every other one?
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how Terraform writes its expressions
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readModuleDirs } from '../activities/terraform/module-dirs.ts';
import { backend, calls, type Files, names, projectsOf, useInspections } from './source-inspections.ts';
import { findTestTools } from './tools.ts';

const { inspectChange, planned, logged } = useInspections();
let tree: string;
beforeEach(() => {
  tree = realpathSync(mkdtempSync(join(tmpdir(), 'hatchet-modules-')));
});
afterEach(() => rmSync(tree, { recursive: true, force: true }));

/** The library is a project by itself, which is not guessed to be anybody's module. */
const files: Files = {
  'app/main.tofu': `${backend}variable "lib" {\n  default = "../lib"\n}\n${calls('${var.lib}')}`,
  'lib/main.tf': backend,
  'other/main.tf': backend,
};
const change = { 'lib/more.tf': '# more\n' };

test('what the newest plan used changes a project whose source is computed', async () => {
  const before = await inspectChange(files, change);
  expect(names(before)).toEqual(['lib']);
  planned().push(
    { dir: 'app', workspace: 'default', moduleDirs: ['lib'], missedModules: [] },
    { dir: 'other', workspace: 'default', moduleDirs: ['lib'], missedModules: [] },
  );
  const inspection = await inspectChange(files, change);
  expect(names(inspection)).toEqual(['app', 'lib']);
  expect(logged().filter((line) => line.includes('only init found'))).toEqual([
    expect.stringContaining('"project":"app","modules":["lib"]'),
  ]);
});

test('and is a part of what the project is planned from', async () => {
  planned().push({ dir: 'app', workspace: 'default', moduleDirs: ['lib'], missedModules: [] });
  const digest = async (lib: string) => {
    const changes = { 'lib/more.tf': lib, 'app/x.txt': '' };
    const [app] = projectsOf(await inspectChange(files, changes));
    return app?.sourceDigest;
  };
  expect(await digest('# one\n')).toBe(await digest('# one\n'));
  expect(await digest('# one\n')).not.toBe(await digest('# two\n'));
});

describe('where the code can be followed', () => {
  const sure: Files = { ...files, 'sure/main.tf': backend + calls('../named'), 'named/main.tf': '' };
  const newest = (missedModules: readonly string[]) =>
    planned().push({
      ...{ dir: 'sure', workspace: 'default', moduleDirs: ['lib', 'named'], missedModules },
    });

  test('what init found beyond it changes the project, and is told', async () => {
    newest(['lib']);
    expect(names(await inspectChange(sure, change))).toEqual(['lib', 'sure']);
    expect(logged().filter((line) => line.includes('only init found'))).toEqual([
      expect.stringContaining('"project":"sure","modules":["lib"]'),
    ]);
  });

  test('what a plan of other code called does not', async () => {
    newest([]);
    expect(names(await inspectChange(sure, change))).toEqual(['lib']);
  });

  test('what the code names is known to whoever plans it; what only init found is not named by it', async () => {
    newest(['lib']);
    const [project] = projectsOf(await inspectChange(sure, { 'sure/more.tf': '# more\n' }));
    expect(project).toMatchObject({ name: 'sure', modules: ['named'] });
  });
});

const link = (content: string) => ({ mode: '120000', content });

test.each<[string, Record<string, string | { mode: string; content: string }>]>([
  [
    'a chain',
    {
      'p/main.tf': calls('../a'),
      'a/main.tf': calls('./b'),
      'a/b/main.tf': calls('../../c'),
      'c/main.tf': '',
    },
  ],
  [
    'JSON',
    {
      'p/main.tf.json': '{"module": {"m": {"source": "../a"}}}',
      'a/main.tf.json': '{"module": {"n": {"source": "./b"}}}',
      'a/b/main.tf': '',
    },
  ],
  [
    'an override',
    { 'p/main.tf': calls('../a'), 'p/override.tf': calls('../b'), 'a/main.tf': '', 'b/main.tf': '' },
  ],
  [
    'links',
    { 'p/main.tf': calls('./l/b'), 'p/l': link('../a'), 'a/b/main.tf': calls('../../c'), 'c/main.tf': '' },
  ],
  ['a linked file', { 'p/main.tf': link('../a/code.tf'), 'a/code.tf': calls('../b'), 'b/main.tf': '' }],
  [
    'odd names',
    { 'p/main.tf': calls("../a b/it's ü"), "a b/it's ü/main.tf": calls('../$x'), 'a b/$x/main.tf': '' },
  ],
  ['escapes', { 'p/main.tf': 'module "m" {\n  source = "\\u002e./a"\n}\n', 'a/main.tf': '' }],
  [
    'a heredoc',
    {
      'p/main.tf':
        'module "m" {\n  source = "../a" # here\n}\nlocals {\n  x = <<-E\n    module "n" { source = "../b" }\n  E\n}\n',
      'a/main.tf': '',
      'b/main.tf': '',
    },
  ],
])('every module that init finds is found in the code: %s', async (_, repository) => {
  for (const [path, content] of Object.entries(repository)) {
    mkdirSync(join(tree, dirname(path)), { recursive: true });
    if (typeof content === 'string') writeFileSync(join(tree, path), content);
    else symlinkSync(content.content, join(tree, path));
  }
  const { terraform } = await findTestTools();
  const [projectDir, dataDir] = [join(tree, 'p'), join(tree, '.data')];
  execFileSync(terraform, ['init', '-backend=false', '-input=false'], {
    cwd: projectDir,
    env: { TF_DATA_DIR: dataDir, CHECKPOINT_DISABLE: '1' },
  });
  const dirs = await readModuleDirs({ dataDir, tree, projectDir });
  expect(dirs.length).toBeGreaterThan(0);
  for (const dir of dirs) {
    const inspection = await inspectChange(
      { ...repository, 'p/backend.tf': backend },
      { [`${dir}/touched.txt`]: '' },
    );
    expect(names(inspection), dir).toEqual(['p']);
  }
});
