// Which pull requests are in a merge group, and what does it plan?
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Candidate } from '../activities/source/group.ts';
import { createGroupInspector, type GroupInspector } from '../activities/source/group.ts';
import { createHclReader } from '../activities/source/hcl.ts';
import { createSourceInspector } from '../activities/source/inspect.ts';
import { createMirrors, type Mirrors } from '../activities/source/mirror.ts';
import type { Sha } from '../workflows/model/identifiers.ts';
import type { MergeGroup } from '../workflows/model/merge-group.ts';
import { type Remote, remoteToken, repositoryId, startRemote } from './source-remote.ts';
import { repository } from './stored-plan.ts';

const hcl = createHclReader();
let remote: Remote;
let directory: string;
let mirrors: Mirrors;
let groups: GroupInspector;
let base: Sha;

beforeAll(async () => {
  remote = await startRemote();
  directory = mkdtempSync(join(tmpdir(), 'hatchet-group-'));
  mirrors = createMirrors({ directory });
  groups = createGroupInspector({
    mirrors,
    source: createSourceInspector({
      ...{ mirrors, hcl, log: { info: () => undefined } },
      plannedModules: async () => [],
    }),
  });
  base = remote.commit('refs/heads/main', { 'a/main.tf': backend, 'b/main.tf': backend }, { parents: [] });
});
afterAll(async () => {
  await Promise.all([mirrors.close(), hcl.close()]);
  await remote.close();
  rmSync(directory, { recursive: true });
});

const backend = 'terraform {\n  backend "local" {}\n}\n';

/** The head of a pull request that adds one file. */
function open(number: number, path: string): Candidate {
  return { number, head: remote.commit(`refs/pull/${number}/head`, { [path]: '' }, { parents: [base] }) };
}

let queue = 0;

/** A commit of the queue on top of `onto`. */
function queued(path: string, onto: Sha, options: { readonly message?: string; readonly merges?: Sha }): Sha {
  const parents = [onto, ...(options.merges === undefined ? [] : [options.merges])];
  return remote.commit(
    `refs/heads/gh-readonly-queue/main/${++queue}`,
    { [path]: '' },
    { parents, message: options.message ?? 'Merge', author: 'GitHub <noreply@example.com> 1700000000 +0000' },
  );
}

async function inspect(group: Partial<MergeGroup> & { headSha: Sha }, candidates: readonly Candidate[]) {
  const facts = { repository, baseSha: base, number: 2, base: 'main', ...group };
  const origin = { repository: repositoryId, url: remote.url, token: remoteToken };
  return groups.inspect({ origin, group: facts, candidates });
}

test('those whose heads were merged, and the last one by the name of the branch', async () => {
  const [first, second, third] = [open(1, 'a/one.tf'), open(2, 'b/two.tf'), open(3, 'a/three.tf')];
  const below = queued('a/one.tf', base, { merges: first.head });
  const headSha = queued('b/two.tf', below, { merges: second.head });
  const found = await inspect({ headSha }, [first, third]);
  expect(found.members).toEqual([1, 2]);
  const tree = remote.git('rev-parse', `${headSha}^{tree}`);
  expect(found.source).toMatchObject({
    kind: 'merged',
    source: { head: headSha, base, tree },
    forkedAt: base,
    projects: [{ name: 'a' }, { name: 'b' }],
  });
});

test('a group on top of another one has only its own', async () => {
  const [first, second] = [open(1, 'a/one.tf'), open(2, 'b/two.tf')];
  const ahead = queued('a/one.tf', base, { merges: first.head });
  const headSha = queued('b/two.tf', ahead, { merges: second.head });
  const found = await inspect({ headSha, baseSha: ahead }, [first, second]);
  expect(found.members).toEqual([2]);
  expect(found.source).toMatchObject({ projects: [{ name: 'b' }] });
});

test('a squash is known by the number at its end, which a title cannot put there for another', async () => {
  const [first, second, third] = [open(1, 'a/one.tf'), open(2, 'b/two.tf'), open(3, 'a/three.tf')];
  const below = queued('a/one.tf', base, { message: 'As in (#3) (#1)\n\nCloses (#3)' });
  const headSha = queued('b/two.tf', below, { message: 'Two (#2)' });
  expect((await inspect({ headSha }, [first, second, third])).members).toEqual([1, 2]);
});

test('a rebased pull request is known by the copy of its head', async () => {
  const author = 'Ada <ada@example.com> 1700000100 +0000';
  const commit = { parents: [base], message: 'One\n', author };
  const head = remote.commit('refs/pull/1/head', { 'a/one.tf': '' }, commit);
  const onto = queued('b/two.tf', base, { message: 'Two (#2)' });
  const copy = { ...commit, parents: [onto] };
  const headSha = remote.commit('refs/heads/gh-readonly-queue/main/rebased', { 'a/one.tf': '' }, copy);
  expect((await inspect({ headSha }, [{ number: 1, head }])).members).toEqual([1, 2]);
});
