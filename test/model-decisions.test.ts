// Who may do what, whose yes counts, and when may a plan be applied?
import { describe, expect, test } from 'vitest';
import type { Actor, Permission } from '../workflows/model/actor.ts';
import { nothingAgain } from '../workflows/model/again.ts';
import type { ApplyQuestion } from '../workflows/model/apply.ts';
import { grantApply, isGrant, refusalByWords } from '../workflows/model/apply.ts';
import type { Approval } from '../workflows/model/approval.ts';
import { admits, missingApprovals } from '../workflows/model/approval.ts';
import { defaultConfiguration } from '../workflows/model/configuration.ts';
import { nothingEdited } from '../workflows/model/edited-policies.ts';
import {
  parsePlanDigest,
  parsePlanId,
  parseRunId,
  parseSha,
  parseSourceDigest,
} from '../workflows/model/identifiers.ts';
import { headlineOf } from '../workflows/model/picture-headline.ts';
import type { Plan } from '../workflows/model/plan.ts';
import { isAsOrdered } from '../workflows/model/plan.ts';
import type { PullRequest } from '../workflows/model/pull-request.ts';
import { newPullRequest } from '../workflows/model/pull-request-state.ts';
import type { ProjectsFound, Round } from '../workflows/model/round.ts';
import type { ApprovalRule, Verdict } from '../workflows/model/verdict.ts';
import type { ProjectView } from '../workflows/model/view.ts';
import { project, view } from './render-example.ts';

const actor = (login: string, permission: Permission = 'write', teams: readonly string[] = []): Actor => ({
  login,
  permission,
  teams,
});
const digest = parsePlanDigest('a'.repeat(64));
const sourceDigest = parseSourceDigest('b'.repeat(64));
const head = parseSha('1'.repeat(40));
const rule = (change: Partial<ApprovalRule> = {}): ApprovalRule => ({
  count: 1,
  by: [],
  message: '',
  author: false,
  source: 'destroy',
  ...change,
});
const yes = (by: Actor, change: Partial<Approval> = {}): Approval => ({
  actor: by,
  project: 'prod',
  digest,
  sourceDigest,
  via: 'comment',
  at: '2026-11-21T22:04:00Z',
  ...change,
});

describe('whose yes counts for a rule', () => {
  test.each([
    ['anyone with write', rule(), actor('hubot'), true],
    ['not a reader', rule(), actor('reader', 'read'), false],
    ['not the author', rule(), actor('MONA'), false],
    ['the author where allowed', rule({ author: true }), actor('mona'), true],
    ['a named login, whatever its case', rule({ by: ['HuBot'] }), actor('hubot'), true],
    ['a named login with @', rule({ by: ['@hubot'] }), actor('hubot'), true],
    ['nobody else then', rule({ by: ['octocat'] }), actor('hubot'), false],
    [
      'a member of a named team',
      rule({ by: ['@org/platform'] }),
      actor('hubot', 'write', ['@org/platform']),
      true,
    ],
    [
      'not a member of another team',
      rule({ by: ['@org/platform'] }),
      actor('hubot', 'write', ['@org/web']),
      false,
    ],
  ])('%s', (_, asked, who, expected) => expect(admits(asked, who, ['mona'])).toBe(expected));

  const missing = (rules: readonly ApprovalRule[], approvals: readonly Approval[]) =>
    missingApprovals({ project: 'prod', digest, rules, approvals, authors: ['mona'] }).map(
      ({ given }) => given,
    );
  test('one person counts once per rule and for every rule that admits them', () => {
    expect(missing([rule({ count: 2 })], [yes(actor('hubot')), yes(actor('Hubot'))])).toEqual([1]);
    expect(missing([rule(), rule({ by: ['hubot'] })], [yes(actor('hubot'))])).toEqual([]);
  });
  test('a yes to another digest or project counts for nothing (S17)', () => {
    expect(missing([rule()], [yes(actor('hubot'), { digest: parsePlanDigest('c'.repeat(64)) })])).toEqual([
      0,
    ]);
    expect(missing([rule()], [yes(actor('hubot'), { project: 'staging' })])).toEqual([0]);
  });
});

describe('grantApply', () => {
  const pullRequest: PullRequest = {
    nodeId: 'PR_1',
    number: 1,
    title: '',
    author: 'mona',
    state: 'open',
    draft: false,
    fork: false,
    head,
    base: 'main',
    baseSha: head,
    mergeCommit: null,
    mergedBy: null,
    mergedAt: null,
    labels: [],
  };
  const plan: Plan = {
    id: parsePlanId('00000000-0000-4000-8000-000000000001'),
    runId: parseRunId('00000000-0000-4000-8000-0000000000aa'),
    project: { name: 'prod', dir: 'prod', workspace: 'default', engine: 'terraform' },
    digest,
    counts: { add: 1, change: 0, replace: 0, destroy: 0, import: 0, move: 0, forget: 0 },
    outputChanges: 0,
    hasChanges: true,
    risky: [],
    warnings: [],
    sourceDigest,
    head,
    base: head,
    engineVersion: '1.11.4',
    destroy: false,
  };
  const verdict: Verdict = {
    policy: 'destroy',
    level: 'mandatory',
    denials: [],
    warnings: [],
    approvals: [],
    error: null,
  };
  const ready: ApplyQuestion = {
    project: 'prod',
    plan,
    planFailed: false,
    verdicts: [verdict],
    approvals: [],
    over: null,
    rejections: [],
    rules: [],
    unmet: [],
    pullRequest,
    barred: null,
    authors: [pullRequest.author],
    head,
    trigger: { kind: 'comment', actor: 'hubot' },
    pool: 'default',
    timeoutMs: 7_200_000,
    poolWaitMs: 900_000,
    roundId: null,
  };

  test('when every rule holds, the grant names the plan and the digest', () => {
    const grant = grantApply({ ...ready, rules: [rule()], approvals: [yes(actor('hubot'))] });
    expect(isGrant(grant) && grant).toMatchObject({
      planId: plan.id,
      digest,
      head,
      number: 1,
      approvals: [{ actor: { login: 'hubot' } }],
    });
  });

  const no = { ...yes(actor('ben')), via: 'comment' as const };
  const granted = [yes(actor('hubot')), yes(actor('lee'))];
  test.each<[string, Parameters<typeof refusalByWords>[1], string | null]>([
    ['nobody took anything back', { approvals: granted, rejections: [] }, null],
    ['a yes that is not needed is taken back', { approvals: granted.slice(1), rejections: [] }, null],
    ['the last yes is taken back', { approvals: [], rejections: [] }, 'approvals-missing'],
    ['somebody says no', { approvals: granted, rejections: [no] }, 'rejected'],
    [
      'only the author still says yes',
      { approvals: [yes(actor('mona'))], rejections: [] },
      'approvals-missing',
    ],
  ])('a grant that waits, when %s (S17)', (_case, said, refusal) => {
    const grant = grantApply({ ...ready, rules: [rule()], approvals: granted });
    expect(isGrant(grant) ? (refusalByWords(grant, said)?.kind ?? null) : grant).toBe(refusal);
  });

  test.each<[string, Partial<ApplyQuestion>, object]>([
    ['a closed pull request', { pullRequest: { ...pullRequest, state: 'closed' } }, { kind: 'closed' }],
    ['a draft', { pullRequest: { ...pullRequest, draft: true } }, { kind: 'draft' }],
    ['a failed plan', { planFailed: true }, { kind: 'plan-failed' }],
    [
      'a base branch that may not be applied from, whoever approved it (S11)',
      { barred: { kind: 'not-listed', base: 'relaxed', defaultBranch: 'main' } },
      { kind: 'branch-barred', bar: { base: 'relaxed' } },
    ],
    ['no plan', { plan: null }, { kind: 'not-planned' }],
    [
      'what was looked at on another head (S1)',
      { head: parseSha('2'.repeat(40)) },
      { kind: 'stale', reason: 'head moved' },
    ],
    ['no verdicts (S12)', { verdicts: null }, { kind: 'not-judged' }],
    [
      'a denial',
      { verdicts: [{ ...verdict, denials: [{ message: 'no' }] }] },
      { kind: 'denied', policies: ['destroy'] },
    ],
    [
      'a policy that could not be evaluated (S12)',
      { verdicts: [{ ...verdict, level: 'advisory', error: 'timeout' }] },
      { kind: 'denied' },
    ],
    [
      'a denial that somebody could set aside',
      { verdicts: [{ ...verdict, denials: [{ message: 'no' }] }], overriders: ['root'] },
      { kind: 'denied', project: 'prod', policies: ['destroy'], overriders: ['root'] },
    ],
    [
      'a denial beside a policy that gave no answer: nobody is named who could set that aside',
      {
        verdicts: [
          { ...verdict, denials: [{ message: 'no' }] },
          { ...verdict, policy: 'own', error: 'timeout' },
        ],
        overriders: ['root'],
      },
      { kind: 'denied', project: 'prod', policies: ['destroy', 'own'], unevaluated: true },
    ],
    [
      'a rejection',
      { rejections: [{ ...yes(actor('hubot')), via: 'comment' }] },
      { kind: 'rejected', by: 'hubot' },
    ],
    [
      'a missing approval',
      { rules: [rule({ count: 2 })], approvals: [yes(actor('hubot'))] },
      { kind: 'approvals-missing' },
    ],
  ])('%s is refused', (_, change, refusal) =>
    expect(grantApply({ ...ready, ...change })).toMatchObject(refusal),
  );

  test('a plan of another project, source or run than was asked for is none of ours (S1)', () => {
    const { plan } = ready;
    if (plan === null) expect.fail();
    const strange: readonly Partial<Plan>[] = [
      { project: { ...plan.project, name: 'dev' } },
      { project: { ...plan.project, dir: 'dev' } },
      { project: { ...plan.project, workspace: 'dev' } },
      { project: { ...plan.project, engine: 'tofu' } },
      { runId: parseRunId('00000000-0000-4000-8000-0000000000ff') },
      { sourceDigest: parseSourceDigest('c'.repeat(64)) },
      { head: parseSha('9'.repeat(40)) },
      { base: parseSha('9'.repeat(40)) },
      { destroy: true },
    ];
    expect(isAsOrdered({ ...plan }, plan)).toBe(true);
    for (const change of strange) expect(isAsOrdered({ ...plan, ...change }, plan)).toBe(false);
  });

  test('an advisory denial blocks nothing', () => {
    expect(
      isGrant(
        grantApply({ ...ready, verdicts: [{ ...verdict, level: 'advisory', denials: [{ message: 'hm' }] }] }),
      ),
    ).toBe(true);
  });
});

describe('the first line of what is denied names who could set that aside', () => {
  const said = (policy: string, more: Partial<Verdict>): Verdict => ({
    ...{ policy, level: 'mandatory', denials: [], warnings: [], approvals: [], error: null },
    ...more,
  });
  const no = said('protect', { denials: [{ message: 'x' }] });
  const unclear = said('own', { error: 'timeout' });
  const pullRequest: PullRequest = {
    ...{ nodeId: 'PR_1', number: 1, title: '', author: 'mona', state: 'open', draft: false, fork: false },
    ...{ head, base: 'main', baseSha: head, mergeCommit: null, mergedBy: null, mergedAt: null, labels: [] },
  };
  const findings: ProjectsFound = {
    kind: 'projects',
    source: { head, base: head, tree: head },
    configuration: { ...defaultConfiguration, overrides: { by: ['root'], author: false } },
    forkedAt: head,
    words: { title: '', labels: [], base: 'main' },
    editedPolicies: nothingEdited,
    ...{ editsConfiguration: false, poolWaitMs: 0, containsBase: true, projects: [], deleted: [] },
  };
  const runId = parseRunId('00000000-0000-4000-8000-0000000000aa');
  const round: Round = {
    ...{ id: runId, shownId: runId, head, findings, before: null, again: nothingAgain },
    ...{ shownBase: null, plannedAt: null, lasting: false },
  };
  const { repository } = view({ kind: 'draft' }, []);
  const state = { ...newPullRequest({ repository, number: 1 }), pullRequest, round };
  const denied = (...verdicts: readonly Verdict[]) => project('prod', { kind: 'denied' }, { verdicts });
  test.each<[string, readonly ProjectView[], object]>([
    ['where policies say no', [denied(no)], { overriders: ['root'] }],
    ['not where one gave no answer', [denied(no, unclear)], {}],
    ['not where one of another project gave none', [denied(no), denied(unclear)], {}],
    [
      'also where a plan that is blocked by nothing stands beside it',
      [denied(no), project('dns', { kind: 'ready' }, { verdicts: [said('destroy', {})] })],
      { overriders: ['root'] },
    ],
  ])('%s', (_, projects, aside) => {
    const names = projects.filter(({ status }) => status.kind === 'denied').map(({ name }) => name);
    expect(headlineOf({ state, round, pullRequest, projects })).toEqual({
      ...{ kind: 'denied', projects: names },
      ...aside,
    });
  });
});

test('identifiers are checked at the door', () => {
  expect(() => parseSha('main')).toThrow('not a git object name');
  expect(() => parseRunId('../../etc/passwd')).toThrow('not a run id');
  expect(() => parsePlanDigest('A'.repeat(64))).toThrow('not a plan digest');
});
