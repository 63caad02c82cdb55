// In which order are projects applied, and which plans live on when a pull request is looked at again?
import { describe, expect, test } from 'vitest';
import { assess } from '../workflows/assessing.ts';
import type { Again } from '../workflows/model/again.ts';
import { addAgain, againFor, againOf, nothingAgain } from '../workflows/model/again.ts';
import { defaultConfiguration } from '../workflows/model/configuration.ts';
import {
  inApplyOrder,
  isForWantOf,
  openDependencies,
  openDependents,
} from '../workflows/model/dependencies.ts';
import { dependenciesThrough, dependentsOf } from '../workflows/model/dependency-graph.ts';
import { nothingEdited } from '../workflows/model/edited-policies.ts';
import type { Sha } from '../workflows/model/identifiers.ts';
import {
  parseInstallationId,
  parsePlanDigest,
  parsePlanId,
  parseRepositoryId,
  parseRunId,
  parseSha,
  parseSourceDigest,
} from '../workflows/model/identifiers.ts';
import type { Continuation } from '../workflows/model/keep-plan.ts';
import { areWordsOld, continueProject, seesSame } from '../workflows/model/keep-plan.ts';
import { viewOf } from '../workflows/model/picture.ts';
import { deletedProjects, deletedTitle, isOpen } from '../workflows/model/picture-deleted.ts';
import type { Plan } from '../workflows/model/plan.ts';
import type { AffectedProject } from '../workflows/model/project.ts';
import type { PullRequest } from '../workflows/model/pull-request.ts';
import { newPullRequest } from '../workflows/model/pull-request-state.ts';
import type { Repository } from '../workflows/model/repository.ts';
import type { ApplyState, ProjectState, ProjectsFound } from '../workflows/model/round.ts';

const runId = parseRunId('00000000-0000-4000-8000-0000000000aa');
const sha = parseSha('1'.repeat(40));
const digest = parsePlanDigest('a'.repeat(64));
const source = (digit: string) => parseSourceDigest(digit.repeat(64));

function planFor(name: string): Plan {
  const project = { name, dir: name, workspace: 'default', engine: 'terraform' } as const;
  return {
    id: parsePlanId('00000000-0000-4000-8000-000000000001'),
    runId,
    project,
    digest,
    counts: { add: 1, change: 0, replace: 0, destroy: 0, import: 0, move: 0, forget: 0 },
    outputChanges: 0,
    hasChanges: true,
    risky: [],
    warnings: [],
    sourceDigest: source('b'),
    head: sha,
    base: sha,
    engineVersion: '1.11.4',
    destroy: false,
  };
}

function state(
  name: string,
  change: Partial<ProjectState> & { readonly after?: readonly string[] } = {},
): ProjectState {
  const { after = [], ...rest } = change;
  const project = { name, dir: name, workspace: 'default', engine: 'terraform' } as const;
  const plan = planFor(name);
  const inputs = {
    varFiles: [],
    version: null,
    pool: 'default',
    dependsOn: after,
    problems: [],
    sourceDigest: source('b'),
  };
  return {
    project: { ...project, ...inputs },
    tree: null,
    destroy: false,
    since: '2026-11-22T04:00:00Z',
    runId,
    result: { kind: 'planned', plan },
    verdicts: [],
    bundle: null,
    apply: null,
    turn: null,
    leftBehind: [],
    over: null,
    shownAt: '2026-11-22T04:01:00Z',
    replaced: false,
    voided: null,
    changedByMerge: false,
    ...rest,
  };
}

const apply = (phase: ApplyState['phase']): ApplyState => ({
  runId,
  digest,
  plan: planFor('any'),
  trigger: { kind: 'comment', actor: 'hubot' },
  phase,
});
const over = (outcome: Extract<ApplyState['phase'], { kind: 'over' }>['outcome']): ApplyState =>
  apply({ kind: 'over', startedAt: null, outcome });
const applied = over({ kind: 'applied', runId, finishedAt: '2026-11-22T04:02:00Z' });
const failure = { kind: 'failed', runId, diagnostics: [], diagnosticCount: 0 } as const;
const failedApply = over({ ...failure, finishedAt: '', done: 0, total: 1, stateKept: false });
const refused = (refusal: Parameters<typeof over>[0] & { kind: 'refused' }): ApplyState => over(refusal);

describe('dependencies', () => {
  const chain = [state('web', { after: ['app'] }), state('app', { after: ['network'] }), state('network')];
  test.each([
    ['near and far', chain, 'web', ['app', 'network']],
    ['none', chain, 'network', []],
    ['not what is applied', [chain[0], chain[1], state('network', { apply: applied })], 'web', ['app']],
    ['not what is not here', [state('app', { after: ['elsewhere'] })], 'app', []],
    [
      'what failed',
      [state('app', { after: ['network'] }), state('network', { result: failure })],
      'app',
      ['network'],
    ],
    ['a circle', [state('a', { after: ['b'] }), state('b', { after: ['a'] })], 'a', ['b']],
  ])('%s', (_, projects, name, expected) =>
    expect(
      openDependencies(
        projects.filter((one) => one !== undefined),
        name,
      ),
    ).toEqual(expected),
  );

  test('whatever comes after an applied project may be another plan now', () => {
    expect(openDependents(chain, 'network')).toEqual(['web', 'app']);
    expect(openDependents(chain, 'web')).toEqual([]);
  });
  test('dependencies are applied first, and circles end', () => {
    const names = (projects: readonly ProjectState[]) =>
      inApplyOrder(projects).map(({ project }) => project.name);
    expect(names(chain)).toEqual(['network', 'app', 'web']);
    expect(names([state('a', { after: ['b'] }), state('b', { after: ['a'] })])).toEqual(['b', 'a']);
  });
  test('what is taken down goes the other way round', () => {
    const ends = [state('network', { destroy: true }), state('app', { destroy: true, after: ['network'] })];
    expect(openDependencies(ends, 'network')).toEqual(['app']);
    expect(openDependencies(ends, 'app')).toEqual([]);
  });
});

test.each<[string, Partial<ProjectState>, readonly string[], boolean]>([
  ['it is its own fault', { result: failure }, ['network'], false],
  ['something may not be there yet', { result: { ...failure, validCode: true } }, ['network'], true],
  ['nothing is to be applied before it', { result: { ...failure, validCode: true } }, [], false],
  ['it is planned', {}, ['network'], false],
])('does it wait for what it depends on? %s', (_, change, before, expected) =>
  expect(isForWantOf(state('app', change), before)).toBe(expected),
);

describe('by hatchet.yaml', () => {
  const graph = { web: ['app', 'dns'], app: ['network'], network: ['account'], a: ['b'], b: ['a'] };
  test.each<[string, string, readonly string[], readonly string[]]>([
    ['what is named', 'web', ['web', 'app', 'dns'], ['app', 'dns']],
    ['what stands behind what is not here', 'web', ['web', 'network'], ['app', 'dns', 'network']],
    ['near and far', 'web', ['web'], ['app', 'dns', 'network', 'account']],
    ['nothing', 'account', ['account'], []],
    ['in a circle, which is refused before, not itself', 'a', [], ['b']],
    ['a name of every object', 'constructor', [], []],
  ])('comes before a project: %s', (_, name, here, expected) =>
    expect(dependenciesThrough(graph, name, new Set(here))).toEqual(expected),
  );
  test.each([
    ['account', ['network', 'app', 'web']],
    ['dns', ['web']],
    ['web', []],
    ['a', ['b']],
  ])('comes after %s: %j', (name, expected) => expect(dependentsOf(graph, name)).toEqual(expected));
  test('two that hang together by one that nobody touches keep their order', () => {
    const here = new Set(['web', 'network']);
    const states = [...here].map((name) => state(name, { after: dependenciesThrough(graph, name, here) }));
    expect(openDependencies(states, 'web')).toEqual(['network']);
    expect(inApplyOrder(states).map(({ project }) => project.name)).toEqual(['network', 'web']);
  });
});

describe('what is planned again', () => {
  const asked = (only: readonly string[], as: 'plain' | 'destroy' | 'same' = 'plain'): Again =>
    againFor({ kind: 'asked', only, as });
  test.each<[string, Again, string, unknown]>([
    ['nothing of its own accord', againFor({ kind: 'changed' }), 'app', null],
    ['all', asked([]), 'app', 'plain'],
    ['one', asked(['app']), 'app', 'plain'],
    ['not another', asked(['web']), 'app', null],
    ['what was applied elsewhere', againFor({ kind: 'refresh', applied: ['app'] }), 'app', 'same'],
    ['what an overtaken round owed', addAgain(asked(['app'], 'destroy'), nothingAgain), 'app', 'destroy'],
    ['the newest word', addAgain(asked(['app'], 'destroy'), asked(['app'])), 'app', 'plain'],
    [
      'a refresh does not take a wish back',
      addAgain(asked(['app'], 'destroy'), againFor({ kind: 'refresh', applied: ['app'] })),
      'app',
      'destroy',
    ],
    ['all take every end back', addAgain(asked(['app'], 'destroy'), asked([])), 'app', 'plain'],
    ['a name of every object', asked(['toString']), 'constructor', null],
  ])('%s', (_, again, name, expected) => expect(againOf(again, name)).toBe(expected));
});

describe('which plans live on', () => {
  const question = (change: Partial<Continuation>): Continuation => {
    const prior = change.prior ?? state('app');
    const { project } = prior;
    return {
      project,
      tree: null,
      prior,
      again: nothingAgain,
      onlyNamed: false,
      merged: false,
      leftBehind: [],
      reviewed: [],
      now: 'now',
      ...change,
    };
  };
  const keeps = (change: Partial<Continuation>): boolean => continueProject(question(change)).result !== null;
  const again = againFor({ kind: 'asked', only: ['app'], as: 'plain' });
  const moved = { ...state('app').project, sourceDigest: source('c') };
  test.each<[string, Partial<Continuation>, boolean]>([
    ['the same files', {}, true],
    ['other files', { project: moved }, false],
    ['asked for', { again }, false],
    [
      'not asked for',
      { again: againFor({ kind: 'asked', only: ['web'], as: 'plain' }), onlyNamed: true },
      true,
    ],
    ['failed, and something changed elsewhere', { prior: state('app', { result: failure }) }, false],
    [
      'failed, and only others are asked for',
      { prior: state('app', { result: failure }), onlyNamed: true },
      true,
    ],
    ['applied', { prior: state('app', { apply: applied }) }, true],
    ['applied, merged and asked for', { prior: state('app', { apply: applied }), merged: true, again }, true],
    ['an apply that failed', { prior: state('app', { apply: failedApply }) }, false],
    [
      'an apply that failed before the merge',
      { prior: state('app', { apply: failedApply }), merged: true },
      true,
    ],
    [
      'refused as stale',
      {
        prior: state('app', {
          apply: refused({
            kind: 'refused',
            refusal: { kind: 'stale', project: 'app', reason: 'state changed' },
          }),
        }),
      },
      false,
    ],
    [
      'taken back',
      {
        prior: state('app', {
          apply: refused({ kind: 'refused', refusal: { kind: 'withdrawn', project: 'app' } }),
        }),
      },
      true,
    ],
    ['being planned', { prior: state('app', { result: null }) }, false],
  ])('%s', (_, change, expected) => expect(keeps(change)).toBe(expected));

  test('a wish to apply lives on over a new plan, and is compared with it later', () => {
    const held = apply({ kind: 'held', after: ['network'] });
    const next = continueProject(question({ prior: state('app', { apply: held }), again }));
    expect(next).toMatchObject({ result: null, apply: held, shownAt: null, replaced: true, since: 'now' });
  });
  test('after a merge a plan that nobody saw asks for a look', () => {
    expect(continueProject(question({ merged: true })).changedByMerge).toBe(true);
    expect(continueProject(question({ merged: true, reviewed: [digest] })).changedByMerge).toBe(false);
  });
  test.each<[string, Partial<Continuation>, boolean]>([
    ['a deleted project can only end', { prior: null, tree: sha }, true],
    [
      'the end is planned when asked for',
      { again: againFor({ kind: 'asked', only: ['app'], as: 'destroy' }) },
      true,
    ],
    [
      'and again when the world changed',
      { prior: state('app', { destroy: true }), again: againFor({ kind: 'refresh', applied: ['app'] }) },
      true,
    ],
    ['until an ordinary plan is asked for', { prior: state('app', { destroy: true }), again }, false],
    ['or the files change', { prior: state('app', { destroy: true }), project: moved }, false],
  ])('%s', (_, change, expected) => {
    const asked = { ...question(change), ...('prior' in change ? { prior: change.prior ?? null } : {}) };
    expect(continueProject(asked).destroy).toBe(expected);
  });

  test('policies are asked again when anything that they see has changed', () => {
    const facts = {
      source: { head: sha, base: sha, tree: sha },
      configuration: defaultConfiguration,
      forkedAt: sha,
      words: { title: 'A title', labels: ['prod-ok'], base: 'main' },
      editedPolicies: nothingEdited,
    };
    const before = {
      kind: 'projects',
      editsConfiguration: false,
      poolWaitMs: 1,
      projects: [],
      deleted: [],
      ...facts,
    } as const;
    expect(seesSame(before, facts)).toBe(true);
    expect(seesSame(null, facts)).toBe(false);
    const { words } = facts;
    const policies = [{ path: 'policies', level: 'mandatory' as const }];
    const judged = {
      ...before,
      projects: [state('app')],
      configuration: { ...defaultConfiguration, policies },
    };
    expect(areWordsOld(judged, words)).toBe(false);
    expect(areWordsOld(judged, { ...words, labels: [] })).toBe(true);
    expect(areWordsOld(judged, { ...words, title: 'Another' })).toBe(true);
    expect(areWordsOld({ ...judged, configuration: defaultConfiguration }, { ...words, labels: [] })).toBe(
      false,
    );
    expect(
      areWordsOld({ ...judged, words: { ...words, labels: ['a', 'b'] } }, { ...words, labels: ['b', 'a'] }),
    ).toBe(false);
    expect(seesSame(before, { ...facts, words: { ...words, labels: [] } })).toBe(false);
    expect(seesSame(before, { ...facts, words: { ...words, title: 'Another' } })).toBe(false);
    expect(seesSame(before, { ...facts, words: { ...words, base: 'release' } })).toBe(false);
    expect(seesSame(before, { ...facts, forkedAt: parseSha('3'.repeat(40)) })).toBe(false);
    expect(seesSame(before, { ...facts, source: { ...facts.source, base: parseSha('2'.repeat(40)) } })).toBe(
      false,
    );
  });
});

const managed = (project: string) => ({ kind: 'managed' as const, project, number: null });

test.each([
  [[], ''],
  [[{ name: 'dns', resources: 3 }], 'dns is deleted: 3 resources would stay'],
  [[{ name: 'dns', resources: 1 }], 'dns is deleted: 1 resource would stay'],
  [[{ name: 'dns', resources: 0 }], 'dns is deleted: nothing would stay'],
  [[{ name: 'dns', resources: null }], 'dns is deleted: what it manages would stay'],
  [
    [
      { name: 'dns', resources: 3 },
      { name: 'vpc', resources: 2 },
    ],
    'dns and vpc are deleted: 5 resources would stay',
  ],
  [
    [
      { name: 'a', resources: 1 },
      { name: 'b', resources: null },
      { name: 'c', resources: 1 },
    ],
    '3 projects are deleted: what they manage would stay',
  ],
  [
    [
      { name: 'dns', resources: 3 },
      { name: 'prod', resources: 2, unlisted: true as const },
    ],
    "dns is deleted, prod leaves Hatchet's care: 5 resources would stay",
  ],
  [
    [
      { name: 'prod', resources: null, unlisted: true as const },
      { name: 'test', resources: 1, unlisted: true as const },
    ],
    "prod and test leave Hatchet's care: what they manage would stay",
  ],
  [[{ name: 'old', resources: 3, manager: { ...managed('new'), moved: true as const } }], 'old moved to new'],
  [[{ name: 'old', resources: 3, manager: managed('new') }], 'old has the same state as new'],
  [
    [
      { name: 'a', resources: 3, manager: managed('b') },
      { name: 'c', resources: 3, manager: managed('d') },
      { name: 'old', resources: 3, manager: { ...managed('new'), moved: true as const } },
    ],
    'old moved to new; a and c have the same states as others',
  ],
  [
    [
      { name: 'a', resources: 1, manager: { ...managed('b'), moved: true as const } },
      { name: 'c', resources: 1, manager: { ...managed('d'), moved: true as const } },
      { name: 'dns', resources: 1, manager: { kind: 'unplanned' as const, project: 'e' } },
    ],
    'a and c moved; dns is deleted: 1 resource would stay',
  ],
])('deleted: %j', (deleted, title) => expect(deletedTitle(deleted)).toBe(title));

test('of what is still open nothing is said: it may only have moved', () => {
  const { project } = state('dns');
  const manager = managed('net');
  const deleted = [
    { project, resources: null, open: true as const },
    { project, resources: 'unknown' as const, open: true as const },
    { project, resources: 'unknown' as const },
    { project, resources: 2, manager },
  ];
  expect(deletedProjects({ deleted })).toEqual([
    { name: 'dns', resources: null },
    { name: 'dns', resources: 2, manager },
  ]);
});

describe('a project that leaves hatchet.yaml', () => {
  const dns = state('dns').project;
  const pullRequest: PullRequest = {
    ...{ nodeId: 'PR_1', number: 1, title: '', author: 'mona', state: 'open', draft: false, fork: false },
    ...{
      head: sha,
      base: 'main',
      baseSha: sha,
      mergeCommit: null,
      mergedBy: null,
      mergedAt: null,
      labels: [],
    },
  };
  const repository: Repository = {
    installationId: parseInstallationId(1),
    id: parseRepositoryId(2),
    ...{ nodeId: 'R_1', owner: 'octo-org', name: 'infra', webUrl: 'https://github.com/octo-org/infra' },
  };
  type Deletion = {
    readonly deleted?: readonly AffectedProject[];
    readonly unlisted?: readonly string[];
    readonly head?: Sha;
    readonly before?: ProjectsFound | null;
  };
  const found = (
    projects: readonly AffectedProject[],
    again: Again = nothingAgain,
    { deleted = [dns], unlisted = ['dns'], head = sha, before = null }: Deletion = {},
  ) =>
    assess({
      state: newPullRequest({ repository, number: 1 }),
      inspection: {
        pullRequest,
        standing: {
          ...{ readAt: '', head: sha, reviews: [], decision: null, pushers: [] },
          ...{ authorMayWrite: true, mergeability: null },
        },
        editedPolicies: nothingEdited,
        configuration: { kind: 'valid', configuration: defaultConfiguration },
        ...{ barred: null, edited: { problems: [] }, containsBase: true, poolWaitMs: 0, leftBehind: [] },
        source: {
          kind: 'merged',
          source: { head, base: sha, tree: sha },
          forkedAt: sha,
          projects,
          deleted: { tree: sha, projects: deleted, unlisted },
        },
      },
      reason: { kind: 'asked', only: [], as: 'plain' },
      again,
      before,
      now: '2026-11-22T04:05:00Z',
    });
  const end = { all: null, projects: { dns: 'destroy' } } as const;
  test.each<[string, readonly AffectedProject[], Again, readonly string[], readonly object[]]>([
    ['is counted', [], nothingAgain, [], [{ resources: null, unlisted: true }]],
    ['is planned a last time, and named', [dns], nothingAgain, ['dns'], [{ resources: 'unknown' }]],
    ['is ended', [], end, ['dns'], []],
    ['is ended, and its code changes as well', [dns], end, ['dns'], []],
  ])('%s', (_, projects, again, planned, deleted) => {
    const findings = found(projects, again);
    if (findings.kind !== 'projects') expect.fail();
    expect(findings.projects.map(({ project }) => project.name)).toEqual(planned);
    expect(findings.deleted).toMatchObject(deleted);
  });

  test('is open until it is known whether it moved, and again after a push', () => {
    const names = Array.from({ length: 12 }, (_, index) => `p${index}`);
    const deletion: Deletion = { deleted: names.map((name) => state(name).project), unlisted: [] };
    const first = found([], nothingAgain, deletion);
    if (first.kind !== 'projects') expect.fail();
    expect(first.deleted.filter(isOpen).map(({ project }) => project.name)).toEqual(names);
    expect(first.deleted.map(({ resources }) => resources).slice(9)).toEqual([null, 'unknown', 'unknown']);
    const before = {
      ...first,
      deleted: first.deleted.map(({ open: _, ...each }) => ({ ...each, resources: 1 })),
    };
    const [same, pushed] = [sha, parseSha('2'.repeat(40))].map((head) =>
      found([], nothingAgain, { ...deletion, before, head }),
    );
    if (same?.kind !== 'projects' || pushed?.kind !== 'projects') expect.fail();
    expect(same.deleted.some(isOpen)).toBe(false);
    expect(pushed.deleted.every((each) => isOpen(each) && each.resources === 1)).toBe(true);
  });

  test.each<[string, readonly AffectedProject[], string]>([
    ['nothing else is planned', [], 'planning'],
    ['something is planned', [state('web').project], 'no-changes'],
  ])('is not passed over while it is being counted, however long: %s', (_, projects, headline) => {
    const findings = found(projects, nothingAgain, { unlisted: [] });
    if (findings.kind !== 'projects') expect.fail();
    const plan = { ...planFor('web'), hasChanges: false };
    const planned = findings.projects.map((each) => ({
      ...each,
      ...{ result: { kind: 'planned' as const, plan }, verdicts: [] },
    }));
    const viewed = (deleted: ProjectsFound['deleted'], lasting: boolean) =>
      viewOf({
        ...newPullRequest({ repository, number: 1 }),
        pullRequest,
        round: {
          ...{ id: runId, shownId: runId, head: sha, findings: { ...findings, projects: planned, deleted } },
          ...{ before: null, again: nothingAgain, shownBase: null, plannedAt: null, lasting },
        },
      });
    const counting = { headline: { kind: headline }, deleted: [], counting: ['dns'] };
    expect(viewed(findings.deleted, true)).toMatchObject({ ...counting, comment: true });
    expect(viewed(findings.deleted, false)).toMatchObject({ ...counting, comment: false });
    const known = findings.deleted.map(({ open: _, ...each }) => ({ ...each, resources: 3 }));
    expect(viewed(known, false)).toMatchObject({
      headline: { kind: projects.length === 0 ? 'no-projects' : headline },
      ...{ deleted: [{ name: 'dns', resources: 3 }], counting: [], comment: true },
    });
  });
});
