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
const moved = (name: string): StateManager => ({ kind: 'managed', project: name, number: null, moved: true });
const [own, other] = [use('old', 'a'), use('new', 'a')];

/** Pull request #1 ends `old`; `lineage` of that plan: null where it has none. */
test.each<[string, readonly StateUse[], readonly Project[], readonly Project[], StateManager | null]>([
  ['nobody else', [own], [project('b')], [], null],
  ['a rename that is planned', [own, other], [project('new')], [project('new')], moved('new')],
  ['a rename by an entry that was planned elsewhere', [own, other], [], [project('new')], moved('new')],
  [
    'a copy that it adds, of a state that was there before',
    [own, other, use('copy', 'a')],
    [project('copy'), project('new')],
    [project('copy')],
    managed('new'),
  ],
  [
    'a project that it adds beside it, on one state',
    [own, other],
    [project('new'), project('old')],
    [project('new')],
    managed('new'),
  ],
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
  [
    'a directory that it adds and that another pull request has planned with another state',
    [own, use('new', 'b', { number: 2 })],
    [project('new')],
    [project('new')],
    { kind: 'unplanned', project: 'new' },
  ],
  [
    'an entry that only the edited hatchet.yaml has',
    [own],
    [],
    [project('new', 'eu')],
    { kind: 'unplanned', project: 'new@eu', inactive: true },
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

test('whoever asks hears what is known, and what to do', () => {
  expect(managedSentence('old', moved('new'))).toBe(
    '`old` has moved to `new`: its state is managed there, so destroying it would destroy what `new` manages. If both are to end, delete the code of both.',
  );
  expect(managedSentence('old', managed('new', 3))).toBe(
    '`old` has the same state (lineage) as `new` (applied by #3, not merged): destroying it could destroy what `new` manages. Where that is one state, deleting the code of `old` is enough. Where it is a copy, end `old` by hand, or give it a state of its own (a new lineage) first.',
  );
  expect(managedSentence('old', { kind: 'unplanned', project: 'new' })).toBe(
    'the end of `old` is not planned before `new` is: that is new here, and may manage the same state. Comment `/hatchet plan` once `new` can be planned.',
  );
  expect(managedSentence('old', { kind: 'unplanned', project: 'new', inactive: true })).toBe(
    'the end of `old` is not planned before `new` is: that is new here, and may manage the same state. Only the edited `hatchet.yaml` has `new`, so this pull request cannot plan it: add its entry in an earlier pull request.',
  );
});

test.each<[StateManager | 'unknown', string, string]>([
  [moved('new'), 'Its state is managed by new.', 'delete the code of both'],
  [managed('new'), 'It has the same state (lineage) as new.', 'Where it is a copy, end old by hand'],
  [managed('new', 3), 'It has the same state (lineage) as new, as #3 has applied it.', 'a new lineage'],
  [
    { kind: 'unplanned', project: 'new' },
    'new may manage its state: it is new here, and not planned.',
    'Comment /hatchet plan once new can be planned.',
  ],
  [
    { kind: 'unplanned', project: 'new', inactive: true },
    'new may manage its state: it is new here, and not planned.',
    'add its entry in an earlier one',
  ],
  ['unknown', 'Whether another project manages its state could not be looked up.', 'Ask for the plan again'],
])('a plan of the end that must not come says why, and what to do: %j', (manager, summary, remedy) => {
  expect(refuseEnd('old', someRun(), manager)).toMatchObject({
    ...{ kind: 'failed', diagnosticCount: 1 },
    diagnostics: [{ summary, detail: expect.stringContaining(remedy) }],
  });
});
