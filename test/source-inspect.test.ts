// Which projects does a pull request touch, and what is planned for them?
import { beforeEach, describe, expect, test } from 'vitest';
import { findNewer } from '../activities/apply-order.ts';
import type { SourceFacts, SourceInspection } from '../activities/source/inspect.ts';
import type { LastChange } from '../activities/store/apply.ts';
import type { ApplyGrant } from '../workflows/model/apply.ts';
import type { Sha } from '../workflows/model/identifiers.ts';
import type { PullRequestRef } from '../workflows/model/repository.ts';
import type { Inspection } from '../workflows/port/inspection.ts';
import {
  backend,
  calls,
  deletedOf,
  type Files,
  names,
  projectsOf,
  useInspections,
} from './source-inspections.ts';
import type { FileChange } from './source-remote.ts';

const { inspect, inspectChange, origin, remote, source, number, headRef } = useInspections();
const oddName = `a b/'c' "d"`;

describe('what is planned', () => {
  test('the merge of the head into the base, as it is now', async () => {
    const fork = remote().commit(
      'refs/heads/main',
      { 'prod/main.tf': backend, 'prod/old.tf': '' },
      { parents: [] },
    );
    const head = remote().commit(headRef(), { 'prod/new.tf': '' }, { parents: [fork] });
    const base = remote().commit('refs/heads/main', { 'dev/main.tf': backend });
    const inspection = await inspect({ head, baseSha: base });
    expect(inspection.changedFiles).toEqual(['prod/new.tf']);
    expect(names(inspection)).toEqual(['prod']);
    const merged = remote().git('merge-tree', '--write-tree', base, head);
    expect(inspection.source).toMatchObject({ kind: 'merged', source: { head, base, tree: merged } });
  });

  test('nothing, when the merge has conflicts: they are named', async () => {
    const fork = remote().commit(
      'refs/heads/main',
      { 'prod/main.tf': backend, 'a "b".tf': 'x' },
      { parents: [] },
    );
    const change = { 'prod/main.tf': `${backend}# ours`, 'a "b".tf': 'y' };
    const head = remote().commit(headRef(), change, { parents: [fork] });
    const theirs = { 'prod/main.tf': `${backend}# theirs`, 'a "b".tf': 'z' };
    const base = remote().commit('refs/heads/main', theirs);
    const inspection = await inspect({ head, baseSha: base });
    expect(inspection.source).toEqual({ kind: 'conflict', files: ['a "b".tf', 'prod/main.tf'] });
    expect(inspection.configuration.kind).toBe('valid');
  });

  test('nothing, when the branches share no history', async () => {
    const base = remote().commit('refs/heads/main', { 'main.tf': backend }, { parents: [] });
    const head = remote().commit(headRef(), { 'main.tf': backend }, { parents: [] });
    await expect(inspect({ head, baseSha: base })).rejects.toMatchObject({ type: 'UserError' });
  });

  test('nothing, in a pull request without Terraform and in an empty one', async () => {
    const base = remote().commit('refs/heads/main', { 'prod/main.tf': backend }, { parents: [] });
    const head = remote().commit(headRef(), { 'README.md': 'hello' }, { parents: [base] });
    expect(projectsOf(await inspect({ head, baseSha: base }))).toEqual([]);
    const empty = remote().commit(`refs/pull/${number() + 1000}/head`, {}, { parents: [base] });
    expect(await inspect({ number: number() + 1000, head: empty, baseSha: base })).toMatchObject({
      changedFiles: [],
    });
  });
});

describe('which projects a change reaches', () => {
  test.each<[string, Files, Files, string[]]>([
    ['a file of its own', { 'a/main.tf': backend, 'b/main.tf': backend }, { 'a/x.json': '' }, ['a']],
    ['a file below it', { 'a/main.tf': backend }, { 'a/files/deep/x.tpl': '' }, ['a']],
    ['a deleted file', { 'a/main.tf': backend, 'a/x.tf': '' }, { 'a/x.tf': null }, ['a']],
    [
      'a moved file',
      { 'a/main.tf': backend, 'x.tf': 'variable "x" {}' },
      { 'x.tf': null, 'a/x.tf': 'variable "x" {}' },
      ['a'],
    ],
    [
      'a module, and a module of that module',
      {
        'a/main.tf': backend + calls('../m'),
        'b/main.tf': backend,
        'm/main.tf': calls('./n'),
        'm/n/main.tf': '',
      },
      { 'm/n/main.tf': '# changed' },
      ['a'],
    ],
    [
      'a deleted module',
      { 'a/main.tf': backend + calls('../m'), 'm/main.tf': '' },
      { 'm/main.tf': null },
      ['a'],
    ],
    [
      'modules in a circle',
      { 'a/main.tf': backend + calls('../m'), 'm/main.tf': calls('../n'), 'n/main.tf': calls('../m') },
      { 'n/x.tf': '' },
      ['a'],
    ],
    [
      'a link that reaches itself through a module',
      { 'a/main.tf': backend + calls('./self'), 'a/self': { mode: '120000', content: '.' } },
      { 'a/x.tf': '' },
      ['a'],
    ],
    [
      'what a link to a directory leads to',
      { 'a/main.tf': backend, 'a/tpl': { mode: '120000', content: '../common' }, 'common/x': '' },
      { 'common/x': 'changed' },
      ['a'],
    ],
    [
      'a file that is a link',
      {
        'a/main.tf': { mode: '120000', content: '../common/main.tf' },
        'common/main.tf': backend,
        'common/no.txt': '',
      },
      { 'common/main.tf': `${backend}# changed` },
      ['a', 'common'],
    ],
    [
      'a module behind a linked directory',
      {
        'a/main.tf': backend + calls('./m'),
        'a/m': { mode: '120000', content: '../mods/m' },
        'mods/m/main.tf': '',
      },
      { 'mods/m/main.tf': '# changed' },
      ['a'],
    ],
    [
      'a nested project, not the one around it',
      { 'main.tf': backend, 'a/main.tf': backend },
      { 'a/x.tf': '' },
      ['a'],
    ],
    ['the one around it', { 'main.tf': backend, 'a/main.tf': backend }, { 'docs/x.md': '' }, ['.']],
    [
      'a version file above it',
      { 'x/a/main.tf': backend, 'y/main.tf': backend },
      { 'x/.terraform-version': '1.11.4' },
      ['x/a'],
    ],
    [
      'a module in JSON',
      {
        'a/main.tf.json': '{"terraform":[{"backend":{"local":{}}}],"module":{"m":{"source":"../m"}}}',
        'm/x.tf': '',
      },
      { 'm/x.tf': '#' },
      ['a'],
    ],
    ['OpenTofu files', { 'a/main.tofu': backend }, { 'a/x.tofu': '' }, ['a']],
    ['a project that the pull request makes', {}, { 'new/main.tf': backend }, ['new']],
    ['HCL that cannot be parsed', { 'a/main.tf': backend }, { 'a/main.tf': `${backend}module "x" {` }, ['a']],
    [
      'broken HCL in a module',
      { 'a/main.tf': backend + calls('../m'), 'm/main.tf': '' },
      { 'm/main.tf': 'provider {{{' },
      ['a'],
    ],
    ['broken HCL that nobody uses', { 'README.md': '' }, { 'a/main.tf': 'module "x" {' }, ['a']],
    [
      'a directory with spaces and quotes',
      { [`${oddName}/main.tf`]: backend },
      { [`${oddName}/x.tf`]: '' },
      [oddName],
    ],
  ])('%s', async (_, before, changes, expected) => {
    expect(names(await inspectChange({ 'keep.txt': '', ...before }, changes))).toEqual(expected);
  });

  test.each<[string, Files, Files]>([
    ['a module that nobody uses', { 'm/main.tf': 'resource "terraform_data" "x" {}' }, { 'm/x.tf': '' }],
    [
      'a module of another project',
      { 'a/main.tf': backend, 'b/main.tf': calls('../m'), 'm/main.tf': '' },
      { 'm/x.tf': '' },
    ],
    [
      'what Terraform downloaded',
      { 'a/.terraform/modules/m/main.tf': backend },
      { 'a/.terraform/modules/m/x.tf': '' },
    ],
    ['a submodule', { 'README.md': '' }, { vendor: { mode: '160000', content: 'b'.repeat(40) } }],
    ['hidden and left-behind files', { 'a/.main.tf': backend, 'a/main.tf~': backend }, { 'a/x': '' }],
    [
      'sources that lead out or are computed',
      { 'a/main.tf': calls('../../../x') + calls(`./\${var.x}`) },
      { 'a/x': '' },
    ],
  ])('not %s', async (_, before, changes) => {
    expect(names(await inspectChange({ 'keep.txt': '', 'z/main.tf': backend, ...before }, changes))).toEqual(
      [],
    );
  });

  test.each<[string, Files]>([
    ['a provider block', { 'a/main.tf': 'provider "x" {}' }],
    ['a cloud block', { 'a/main.tf': 'terraform {\n cloud {}\n}' }],
    ['values of its own', { 'a/main.tf': '', 'a/prod.auto.tfvars': '' }],
    ['a lock file', { 'a/main.tf': '', 'a/.terraform.lock.hcl': '' }],
    [
      'a backend, even where another uses it as a module',
      { 'a/main.tf': backend, 'b/main.tf': calls('../a') },
    ],
  ])('a root module is told by %s', async (_, before) => {
    expect(names(await inspectChange(before, { 'a/x.txt': '' }))).toEqual(['a']);
  });

  test('a child is none, though it has a provider', async () => {
    const before = { 'a/main.tf': 'provider "x" {}', 'b/main.tf': backend + calls('../a') };
    expect(names(await inspectChange(before, { 'a/x.txt': '' }))).toEqual(['b']);
  });

  test('names that are no UTF-8: a file is carried, a project is refused with words', async () => {
    const inspection = await inspectChange({ 'a/main.tf': backend }, { 'a/\\xff\\xfe.txt': '' });
    expect(names(inspection)).toEqual(['a']);
    expect(inspection.changedFiles).toEqual(['a/��.txt']);
    const head = remote().commit(
      `refs/pull/${number() + 1000}/head`,
      { '\\xff/main.tf': backend },
      { parents: ['refs/heads/main'] },
    );
    const baseSha = remote().git('rev-parse', 'main') as Sha;
    await expect(inspect({ number: number() + 1000, head, baseSha })).rejects.toMatchObject({
      type: 'UserError',
    });
  });

  test('the engine is OpenTofu where there are only its files', async () => {
    const inspection = await inspectChange(
      {},
      { 'a/main.tofu': backend, 'b/main.tf': backend, 'b/x.tofu': '' },
    );
    expect(projectsOf(inspection)).toMatchObject([
      { name: 'a', dir: 'a', workspace: 'default', engine: 'tofu' },
      { name: 'b', dir: 'b', workspace: 'default', engine: 'terraform' },
    ]);
  });

  test('a project that is deleted is told apart', async () => {
    const before = { 'dns/main.tf': backend, 'prod/main.tf': backend };
    const inspection = await inspectChange(before, { 'dns/main.tf': null });
    expect(names(inspection)).toEqual([]);
    expect(deletedOf(inspection).map(({ name }) => name)).toEqual(['dns']);
  });

  test('a tree that unfolds to billions of files is refused', async () => {
    const base = remote().commit('refs/heads/main', { 'main.tf': backend, 'bomb/f': '' }, { parents: [] });
    let tree = remote().git('rev-parse', 'main:bomb');
    for (let level = 0; level < 10; level++)
      tree = remote().tree(
        Array.from({ length: 10 }, (_, index) => `d${index}`),
        tree,
      );
    const head = remote().commitTree(remote().tree(['bomb'], tree), base);
    remote().git('update-ref', headRef(), head);
    await expect(inspect({ head, baseSha: base })).rejects.toMatchObject({ type: 'UserError' });
  });
});

describe('the source digest', () => {
  const before = {
    'a/main.tf': backend + calls('../m'),
    'a/nested/main.tf': backend,
    'm/main.tf': '',
    'm/x.txt': '',
  };
  const digestOf = async (changes: Files) => {
    const inspection = await inspectChange(
      { ...before, 'a/touched': String(Math.random()) },
      { 'a/touched': '', ...changes },
    );
    return projectsOf(inspection).find((project) => project.name === 'a')?.sourceDigest;
  };

  test('is the same for the same files, whatever else the repository holds', async () => {
    const digest = await digestOf({});
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(await digestOf({ 'other.txt': 'x', 'a/nested/more.tf': '' })).toBe(digest);
  });

  test.each<[string, Files]>([
    ['a file', { 'a/main.tf': `${backend}${calls('../m')}#` }],
    ['a mode', { 'a/main.tf': { mode: '100755', content: backend + calls('../m') } }],
    ['a file of a module', { 'm/x.txt': 'changed' }],
    ['the version that it asks for', { '.terraform-version': '1.11.4' }],
  ])('changes with %s', async (_, changes) => {
    expect(await digestOf(changes)).not.toBe(await digestOf({}));
  });
});

describe('hatchet.yaml', () => {
  const strict = 'version: 1\nprotect: ["aws_db_instance.*"]\n';

  test('counts as it stands on the base branch', async () => {
    const before = { 'hatchet.yaml': strict, 'a/main.tf': backend };
    const inspection = await inspectChange(before, { 'hatchet.yaml': 'version: 1\n', 'a/x.tf': '' });
    expect(inspection.configuration).toMatchObject({
      kind: 'valid',
      configuration: { protect: ['aws_db_instance.*'] },
    });
    expect(inspection.edited).toEqual({ problems: [] });
  });

  test('of the pull request is checked, too', async () => {
    const inspection = await inspectChange(
      { 'a/main.tf': backend },
      { 'hatchet.yaml': 'version: 1\nprotects: []\n' },
    );
    expect(inspection.configuration).toMatchObject({ kind: 'valid' });
    expect(inspection.edited?.problems).toMatchObject([
      {
        summary: 'unknown key `protects`: did you mean `protect`?',
        path: 'hatchet.yaml',
        startLine: 2,
        startColumn: 1,
      },
    ]);
  });

  test.each<[string, FileChange, string]>([
    ['a link', { mode: '120000', content: 'other.yaml' }, 'hatchet.yaml is no regular file'],
    ['too large', `# ${'x'.repeat(300_000)}\nversion: 1\n`, 'hatchet.yaml is larger than 256 KiB'],
  ])('that is %s is broken', async (_, file, summary) => {
    const inspection = await inspectChange({ 'hatchet.yaml': file }, { 'a.txt': '' });
    expect(inspection.configuration).toMatchObject({ kind: 'broken', problems: [{ summary }] });
    expect(inspection.edited).toBeNull();
  });
});

describe('after the merge', () => {
  const before = {
    'hatchet.yaml': 'version: 1\nprotect: ["a.*"]\n',
    'a/main.tf': backend,
    'b/main.tf': backend,
  };

  /** A pull request of two commits, the first of which changes the configuration; and a base that went on. */
  function openPullRequest() {
    const fork = remote().commit('refs/heads/main', before, { parents: [] });
    const first = remote().commit(
      headRef(),
      { 'hatchet.yaml': 'version: 1\n' },
      { parents: [fork], message: 'one' },
    );
    const head = remote().commit(headRef(), { 'a/x.tf': '# x' }, { message: 'two' });
    const base = remote().commit('refs/heads/main', { 'b/x.tf': '# b' });
    const tree = remote().git('merge-tree', '--write-tree', base, head) as Sha;
    return { first, head, base, tree };
  }

  async function inspectMerged(head: Sha, mergeCommit: Sha) {
    remote().git('update-ref', 'refs/heads/main', mergeCommit);
    const baseSha = remote().commit('refs/heads/main', { 'later.txt': '' });
    return inspect({ state: 'merged', head, baseSha, mergeCommit });
  }

  function expectSame(
    inspection: SourceInspection,
    { head, base, tree }: { head: Sha; base: Sha; tree: Sha },
  ) {
    expect(inspection.source).toMatchObject({
      kind: 'merged',
      source: { head, base, tree },
      projects: [{ name: 'a' }],
    });
    expect(inspection.configuration).toMatchObject({ configuration: { protect: ['a.*'] } });
    expect(inspection.changedFiles).toEqual(['a/x.tf', 'hatchet.yaml']);
  }

  test('a merge commit: its tree, onto its first parent', async () => {
    const opened = openPullRequest();
    const merge = remote().commitTree(opened.tree, opened.base, opened.head);
    expectSame(await inspectMerged(opened.head, merge), opened);
  });

  test('that was looked at when it still counted as open, and its base branch held it already (S2)', async () => {
    const opened = openPullRequest();
    const merge = remote().commitTree(opened.tree, opened.base, opened.head);
    remote().git('update-ref', 'refs/heads/main', merge);
    const facts = { head: opened.head, baseSha: merge };
    const early = await inspect({ ...facts, state: 'open', mergeCommit: null });
    expect(early.source).toMatchObject({ kind: 'merged', projects: [] });
    expectSame(await inspect({ ...facts, state: 'merged', mergeCommit: merge }), opened);
  });

  test('a squash: its tree, onto its parent', async () => {
    const opened = openPullRequest();
    expectSame(await inspectMerged(opened.head, remote().commitTree(opened.tree, opened.base)), opened);
  });

  test('a rebase: the tree of the last, onto what was below the first', async () => {
    const opened = openPullRequest();
    let onto: string = opened.base;
    for (const original of [opened.first, opened.head]) onto = copyOnto(original, onto);
    expectSame(await inspectMerged(opened.head, onto as Sha), opened);
  });

  /** `first` weakens the configuration, `second` came by a merge of another branch, `third` is the head. */
  function openWithMerge() {
    const fork = remote().commit('refs/heads/main', before, { parents: [] });
    const commit = (ref: string, path: string, text: string, options: { parents: Sha[]; message: string }) =>
      remote().commit(ref, { [path]: text }, options);
    const first = commit(headRef(), 'hatchet.yaml', 'version: 1\n', { parents: [fork], message: 'one' });
    const second = commit('refs/heads/side', 'a/y.tf', '# y', { parents: [fork], message: 'two' });
    const tree = remote().git('merge-tree', '--write-tree', first, second) as Sha;
    const joined = remote().commitTree(tree, first, second);
    const third = commit(headRef(), 'a/x.tf', '# x', { parents: [joined], message: 'three' });
    const base = remote().commit('refs/heads/main', { 'b/x.tf': '# b' }, { parents: [fork] });
    return { fork, first, second, third, base };
  }

  test('a rebase that went into a merge: never a base that holds a commit of its own (S11)', async () => {
    const { first, second, third, base } = openWithMerge();
    let onto: string = base;
    for (const original of [first, second, third]) onto = copyOnto(original, onto);
    const { source: found, configuration } = await inspectMerged(third, onto as Sha);
    expect(found).toMatchObject({ source: { base } });
    expect(configuration).toMatchObject({ configuration: { protect: ['a.*'] } });
  });

  test('a rebase with a commit that is none of its own: what both sides stand on (S11)', async () => {
    const { fork, first, third, base } = openWithMerge();
    const [weakened, head] = [copyOnto(first, base), third];
    const foreign = remote().commit('refs/heads/rebased', { 'c.txt': '' }, { parents: [weakened] });
    const { source: found, configuration } = await inspectMerged(head, copyOnto(third, foreign));
    expect(found).toMatchObject({ source: { base: fork } });
    expect(configuration).toMatchObject({ configuration: { protect: ['a.*'] } });
  });

  test('a base branch that is gone since', async () => {
    const opened = openPullRequest();
    const merge = remote().commitTree(opened.tree, opened.base, opened.head);
    remote().git('update-ref', 'refs/heads/other', merge);
    remote().git('update-ref', '-d', 'refs/heads/main');
    const facts = { state: 'merged' as const, head: opened.head, baseSha: opened.base, mergeCommit: merge };
    expectSame(await inspect(facts), opened);
  });

  test('a head that was pushed to the base branch', async () => {
    const base = remote().commit('refs/heads/main', before, { parents: [] });
    const head = remote().commit(headRef(), { 'a/x.tf': '' }, { parents: [base] });
    const inspection = await inspectMerged(head, head);
    expect(inspection.source).toMatchObject({ source: { head, base }, projects: [{ name: 'a' }] });
  });

  /** The same author, date and message on another parent, as a rebase makes it. */
  function copyOnto(original: string, onto: string): Sha {
    const files = remote().git('diff-tree', '-r', '--name-only', `${original}^`, original).split('\n');
    const changes = Object.fromEntries(
      files.map((path) => [path, remote().git('show', `${original}:${path}`)]),
    );
    const author = remote().git('show', '-s', '--format=%an <%ae> %at +0000', original);
    const message = remote().git('show', '-s', '--format=%B', original);
    const newline = Object.entries(changes).map(([path, text]) => [
      path,
      path === 'hatchet.yaml' ? `${text}\n` : text,
    ]);
    return remote().commit('refs/heads/rebased', Object.fromEntries(newline), {
      parents: [onto],
      message,
      author,
    });
  }
});

describe('hostile HCL', () => {
  test('harms neither the parser nor the other projects', async () => {
    const deep = `module "x" {\n  a = ${'['.repeat(20_000)}${']'.repeat(20_000)}\n}\n`;
    const before = {
      'a/main.tf': backend,
      'a/deep.tf': deep,
      'b/main.tf': backend + calls('../m'),
      'm/main.tf': '',
    };
    const inspection = await inspectChange(before, { 'a/x.txt': '', 'm/main.tf': '# changed' });
    expect(names(inspection)).toEqual(['a', 'b']);
  });

  test('too large to be parsed is looked over', async () => {
    const large = `${backend}${calls('../m')}${'# comment\n'.repeat(40_000)}`;
    const before = { 'a/main.tf': large, 'm/main.tf': '' };
    expect(names(await inspectChange(before, { 'm/main.tf': '# changed' }))).toEqual(['a']);
  });

  test('JSON that is none makes a candidate', async () => {
    expect(names(await inspectChange({ 'z.txt': '' }, { 'a/main.tf.json': '{"provider"' }))).toEqual(['a']);
  });
});

describe('how often git fetches', () => {
  const fetches = () => remote().requests.filter((request) => request.includes('/info/refs')).length;

  beforeEach(() => {
    remote().requests.length = 0;
  });

  test('not at all, when everything is there', async () => {
    const base = remote().commit('refs/heads/main', { 'a/main.tf': backend }, { parents: [] });
    const head = remote().commit(headRef(), { 'a/x.tf': '' }, { parents: [base] });
    await inspect({ head, baseSha: base });
    expect(fetches()).toBe(1);
    await inspect({ head, baseSha: base });
    expect(fetches()).toBe(1);
  });

  test('once, when it was begun before the facts were known', async () => {
    const base = remote().commit('refs/heads/main', { 'a/main.tf': backend }, { parents: [] });
    const head = remote().commit(headRef(), { 'a/x.tf': '' }, { parents: [base] });
    const begun = source().begin(origin(), { number: number(), base: 'main' });
    const pullRequest: SourceFacts = {
      number: number(),
      state: 'open',
      head,
      base: 'main',
      baseSha: base,
      mergeCommit: null,
    };
    const inspection = await source().inspect({ origin: origin(), pullRequest, begun });
    expect(names(inspection)).toEqual(['a']);
    expect(fetches()).toBe(1);
  });

  test('again, when a push came between', async () => {
    const base = remote().commit('refs/heads/main', { 'a/main.tf': backend }, { parents: [] });
    remote().commit(headRef(), { 'a/x.tf': '' }, { parents: [base] });
    const begun = source().begin(origin(), { number: number(), base: 'wrong-guess' });
    await begun.catch(() => undefined);
    const head = remote().commit(headRef(), { 'a/y.tf': '' });
    const pullRequest: SourceFacts = {
      number: number(),
      state: 'open',
      head,
      base: 'main',
      baseSha: base,
      mergeCommit: null,
    };
    const inspection = await source().inspect({ origin: origin(), pullRequest, begun });
    expect(inspection.changedFiles).toEqual(['a/x.tf', 'a/y.tf']);
  });

  test('a head that GitHub does not serve yet is worth another try', async () => {
    const base = remote().commit('refs/heads/main', { 'a/main.tf': backend }, { parents: [] });
    remote().commit(headRef(), {}, { parents: [base] });
    const failure = await inspect({ head: 'd'.repeat(40) as Sha, baseSha: base }).catch(
      (error: unknown) => error,
    );
    expect((failure as Error).name).toBe('Error');
  });
});

describe('what an apply may go over (S4)', () => {
  /** What `number` 2 may do after 1 has applied: each stands on a commit of the base branch, or on one of another. */
  async function ask(now: {
    readonly mine: Sha;
    readonly other: Sha;
    readonly state: 'open' | 'merged';
    readonly over?: number;
    readonly last?: number;
    readonly ended?: LastChange['state'];
  }) {
    const { mine, other, state, over = null, last = 1, ended = 'applied' } = now;
    const pullRequest = { state, base: 'main', mergeCommit: state === 'merged' ? mine : null };
    const found = { kind: 'merged', source: { base: mine } };
    return findNewer(
      {
        relate: ({ base, ...commits }) =>
          source().relate({ origin: origin(), pullRequest: { number: number(), base }, ...commits }),
      },
      {
        ref: { number: 2 } as PullRequestRef,
        grant: { number: 2, project: { name: 'prod' }, over } as unknown as ApplyGrant,
        inspection: { pullRequest, source: found } as unknown as Inspection,
        last: { number: last, baseCommit: other, state: ended },
      },
    );
  }

  test('what it stands on, never a newer merge, and another history only when somebody agrees', async () => {
    const fork = remote().commit('refs/heads/main', { 'prod/main.tf': backend }, { parents: [] });
    const older = remote().commit('refs/heads/main', { 'prod/a.tf': '' }, { parents: [fork] });
    const newer = remote().commit('refs/heads/main', { 'prod/b.tf': '' }, { parents: [older] });
    const aside = remote().commit('refs/heads/aside', { 'prod/c.tf': '' }, { parents: [older] });
    remote().commit(headRef(), { 'prod/d.tf': '' }, { parents: [fork] });
    expect(await ask({ mine: newer, other: older, state: 'merged' })).toBeNull();
    expect(await ask({ mine: older, other: older, state: 'merged' })).toBeNull();
    const superseded = { kind: 'superseded', project: 'prod', by: 1 };
    expect(await ask({ mine: older, other: newer, state: 'merged' })).toEqual(superseded);
    expect(await ask({ mine: older, other: newer, state: 'merged', over: 1 })).toEqual(superseded);
    const unfinished = { kind: 'newer-unfinished', project: 'prod', by: 1 };
    expect(await ask({ mine: older, other: newer, state: 'merged', ended: 'failed' })).toEqual(unfinished);
    expect(await ask({ mine: older, other: newer, state: 'merged', ended: 'unknown' })).toEqual(unfinished);
    expect(await ask({ mine: newer, other: older, state: 'merged', ended: 'failed' })).toBeNull();
    const moved = { kind: 'stale', project: 'prod', reason: 'base moved' };
    expect(await ask({ mine: older, other: newer, state: 'open' })).toEqual(moved);
    expect(await ask({ mine: older, other: newer, state: 'merged', last: 2 })).toBeNull();
    const diverged = { kind: 'diverged', project: 'prod', by: 1 };
    expect(await ask({ mine: newer, other: aside, state: 'merged' })).toEqual(diverged);
    expect(await ask({ mine: newer, other: aside, state: 'merged', over: 9 })).toEqual(diverged);
    expect(await ask({ mine: newer, other: aside, state: 'merged', over: 1 })).toBeNull();
  });
});
