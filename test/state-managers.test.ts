// Which project keeps another one from being destroyed?
import { expect, test } from 'vitest';
import { managerOf } from '../activities/find-state-managers.ts';
import { managedSentence } from '../activities/render/state-manager.ts';
import type { StateUse } from '../activities/store/state-use.ts';
import type { Project } from '../workflows/model/project.ts';
import type { StateManager } from '../workflows/model/state-manager.ts';
import { refuseEnd } from '../workflows/model/state-manager.ts';
import { someRun } from './stored-plan.ts';

const project = (dir: string, workspace = 'default'): Project => ({
  ...{ name: workspace === 'default' ? dir : `${dir}@${workspace}`, dir, workspace, engine: 'terraform' },
});
const use = (dir: string, lineage: string | null, change: Partial<StateUse> = {}): StateUse => ({
  ...{ name: dir, dir, workspace: 'default', number: 1, lineage, appliedUnmerged: false },
  ...change,
});
const managed = (name: string, number: number | null = null): StateManager => ({
  ...{ kind: 'managed', project: name, number },
});
const [own, other] = [use('old', 'a'), use('new', 'a')];

/** Pull request #1 ends `old`; `lineage` of that plan: null where it has none. */
test.each<[string, readonly StateUse[], readonly Project[], readonly Project[], StateManager | null]>([
  ['nobody else', [own], [project('b')], [], null],
  ['a rename that is planned', [own, other], [project('new')], [project('new')], managed('new')],
  ['a project that was there before', [own, other], [project('new')], [], managed('new')],
  ['another state', [own, use('new', 'b')], [project('new')], [project('new')], null],
  ['a project that has no state yet', [own, use('new', null)], [project('new')], [project('new')], null],
  ['one that was deleted long ago', [own, other], [], [], null],
  ['another workspace of its directory', [own], [project('old', 'eu')], [project('old', 'eu')], null],
  [
    'a workspace that has the same state all the same',
    [own, use('old', 'a', { workspace: 'eu' })],
    [project('old', 'eu')],
    [],
    managed('old@eu'),
  ],
  [
    'what another pull request applied',
    [own, use('new', 'a', { number: 2, appliedUnmerged: true })],
    [],
    [],
    managed('new', 2),
  ],
  ['what another pull request only planned', [own, use('new', 'a', { number: 2 })], [], [], null],
  ['what it applied itself, and took back', [own, use('new', 'a', { appliedUnmerged: true })], [], [], null],
  [
    'of several plans of one project one is enough',
    [own, use('new', 'b', { number: 3 }), other],
    [project('new')],
    [],
    managed('new'),
  ],
  [
    'a directory that it adds and that could not be planned',
    [own],
    [project('new')],
    [project('new')],
    { kind: 'unplanned', project: 'new' },
  ],
  ['beside its own directory, which stays', [own], [project('new'), project('old')], [project('new')], null],
])('the end of a project is kept back by who manages its state: %s', (_, uses, projects, added, manager) => {
  const place = { dir: 'old', workspace: 'default' };
  expect(managerOf({ place, lineage: 'a', number: 1 }, uses, { projects, added })).toEqual(manager);
  expect(managerOf({ place, lineage: null, number: 1 }, uses, { projects, added })).toEqual(manager);
});

test('where nothing tells the state, what is known of its project does', () => {
  const living = { projects: [project('new')], added: [] };
  const place = { dir: 'old', workspace: 'default' };
  expect(managerOf({ place, lineage: 'b', number: 1 }, [own, other], living)).toBeNull();
  expect(managerOf({ place, lineage: null, number: 1 }, [other], living)).toBeNull();
});

test('whoever asks hears who manages it, and what to do', () => {
  expect(managedSentence('old', managed('new', 3))).toBe(
    '`old` has moved to `new` (applied by #3, not merged): its state is managed there, so destroying it would destroy what `new` manages. If both are to end, delete the code of both.',
  );
  expect(managedSentence('old', { kind: 'unplanned', project: 'new' })).toBe(
    'the end of `old` is not planned before `new` is: that is new here, and may manage the same state.',
  );
  const managers = [managed('new', 3), { kind: 'unplanned', project: 'new' }, 'unknown'] as const;
  const told = managers.map((manager) => refuseEnd('old', someRun(), manager));
  expect(told).toMatchObject([
    {
      kind: 'failed',
      diagnosticCount: 1,
      diagnostics: [{ summary: 'Its state is managed by new, as #3 has applied it.' }],
    },
    {
      kind: 'failed',
      diagnostics: [{ summary: 'new may manage its state: it is new here, and not planned.' }],
    },
    { kind: 'failed', diagnostics: [{ summary: expect.stringContaining('could not be looked up') }] },
  ]);
});
