// When may a merge group be merged, and what do its three checks say?
import { describe, expect, test } from 'vitest';
import type { Permission } from '../workflows/model/actor.ts';
import type { Approval } from '../workflows/model/approval.ts';
import { configurationOf, emptyFile, rulesFor } from '../workflows/model/configuration.ts';
import { parsePlanDigest, parseSha, parseSourceDigest } from '../workflows/model/identifiers.ts';
import type { GroupAnswer, GroupProject, GroupQuestion, MemberPlan } from '../workflows/model/merge-group.ts';
import { answerGroup, answerWithinMs, speakerFor } from '../workflows/model/merge-group.ts';
import type { GroupFindings } from '../workflows/model/merge-group-checks.ts';
import { groupChecks } from '../workflows/model/merge-group-checks.ts';
import type { AffectedProject } from '../workflows/model/project.ts';
import type { Review } from '../workflows/model/standing.ts';
import type { Verdict } from '../workflows/model/verdict.ts';
import { repository, somePlan } from './stored-plan.ts';

const rules = rulesFor(configurationOf(emptyFile), 'prod');
const onComment = { ...rules, apply: { ...rules.apply, on: 'comment' as const } };
const { plan } = somePlan({ dir: 'prod' });
const other = parsePlanDigest('9'.repeat(64));
const project: AffectedProject = {
  ...plan.project,
  sourceDigest: parseSourceDigest('b'.repeat(64)),
  varFiles: [],
  version: null,
  pool: 'default',
  dependsOn: ['network'],
  problems: [],
};
const pass: Verdict = {
  policy: 'destroy',
  level: 'mandatory',
  denials: [],
  warnings: [],
  approvals: [],
  error: null,
};
const rule = { count: 1, by: [], message: 'something is destroyed', author: false, source: 'destroy' };
const asks: Verdict = { ...pass, approvals: [rule] };
const denies: Verdict = { ...pass, policy: 'protect', denials: [{ message: 'no' }] };
const word = (login: string) => ({
  actor: { login, permission: 'write' as const, teams: [] },
  project: 'prod',
  digest: plan.digest,
  sourceDigest: project.sourceDigest,
  via: 'comment' as const,
  at: '2026-11-21T22:04:00Z',
});
const yes = (login: string): Approval => word(login);
const shows = (number: number, change: Partial<MemberPlan> = {}): MemberPlan => ({
  number,
  author: 'mona',
  pushers: [],
  project: 'prod',
  digest: plan.digest,
  shown: true,
  approvals: [],
  rejections: [],
  overrides: [],
  standing: { head: plan.head, reviews: [], decision: null },
  ...change,
});
const reviewed = { ...rules, apply: { ...rules.apply, require: ['approved' as const] } };
const lenient = { ...rules, overrides: { by: ['ann'], author: false } };
const lift = (permission: Permission) => ({
  ...{ project: 'prod', digest: plan.digest, bundle: 'one', policies: ['protect'] },
  actor: { login: 'ann', permission, teams: [] },
  ...{ reason: 'why not', at: '2026-11-21T22:04:00Z' },
});
const review: Review = {
  login: 'hubot',
  state: 'approved',
  commit: plan.head,
  submittedAt: '2026-11-21T22:04:00Z',
  mayWrite: true,
};
const standing = (change: Partial<Review> = {}) => ({
  standing: { head: plan.head, reviews: [{ ...review, ...change }], decision: null },
});
const planned = (verdict: Verdict = pass): GroupProject => ({
  project,
  result: { kind: 'planned', plan },
  verdicts: [verdict],
  bundle: 'one',
});
const unchanged: GroupProject = {
  ...planned(),
  result: { kind: 'planned', plan: { ...plan, hasChanges: false } },
};
const failed: GroupProject = {
  ...planned(),
  result: { kind: 'failed', runId: plan.runId, diagnostics: [], diagnosticCount: 1 },
};
const network = (of: GroupProject): GroupProject => ({
  ...of,
  project: { ...project, name: 'network', dependsOn: [] },
});

const early: GroupProject = {
  ...planned(),
  result: { kind: 'failed', runId: plan.runId, diagnostics: [], diagnosticCount: 1, validCode: true },
};
const between: GroupProject = {
  ...unchanged,
  project: { ...project, name: 'network', dependsOn: ['account'] },
};

describe('what stands between a project and the merge', () => {
  const answer = (
    group: GroupProject,
    plans: readonly MemberPlan[],
    all: readonly GroupProject[] = [group],
    held = rules,
    barred: GroupQuestion['barred'] = null,
  ): GroupAnswer => answerGroup({ group, all, plans, rules: held, barred });
  const relaxed = { kind: 'not-listed', base: 'relaxed', defaultBranch: 'main' } as const;

  test.each<[string, GroupAnswer, Partial<GroupAnswer>]>([
    ['the same plan, no approval needed', answer(planned(), [shows(4)]), { kind: 'approved', number: 4 }],
    ['no changes, whatever anybody showed', answer(unchanged, []), { kind: 'no-changes' }],
    [
      'a branch that may not be applied from, whatever was approved (S11)',
      answer(planned(), [shows(4)], [planned()], rules, relaxed),
      { kind: 'barred', bar: relaxed },
    ],
    ['no pull request planned it', answer(planned(), []), { kind: 'never-shown' }],
    [
      'planned, but nobody could see it',
      answer(planned(), [shows(4, { shown: false })]),
      { kind: 'never-shown' },
    ],
    [
      'another plan',
      answer(planned(), [shows(4, { digest: other }), shows(5, { digest: other })]),
      { kind: 'differs', numbers: [4, 5] },
    ],
    [
      'one of two pull requests shows it',
      answer(planned(), [shows(4, { digest: other }), shows(5)]),
      { kind: 'approved', number: 5 },
    ],
    [
      'an approval is missing',
      answer(planned(asks), [shows(4)]),
      {
        kind: 'approvals-missing',
        number: 4,
        author: 'mona',
        missing: [{ project: 'prod', rule, given: 0 }],
      },
    ],
    [
      'the author’s own yes is none',
      answer(planned(asks), [shows(4, { approvals: [yes('mona')] })]),
      { kind: 'approvals-missing', number: 4 },
    ],
    [
      'approved by somebody else',
      answer(planned(asks), [shows(4, { approvals: [yes('hubot')] })]),
      { kind: 'approved', number: 4 },
    ],
    [
      'approved on the other pull request that shows the same',
      answer(planned(asks), [shows(4), shows(5, { approvals: [yes('hubot')] })]),
      { kind: 'approved', number: 5 },
    ],
    [
      'a yes to another plan counts for nothing (S17)',
      answer(planned(asks), [shows(4, { approvals: [{ ...yes('hubot'), digest: other }] })]),
      { kind: 'approvals-missing', number: 4 },
    ],
    [
      'somebody who may write no longer has said nothing (S10)',
      answer(planned(asks), [
        shows(4, { approvals: [{ ...yes('hubot'), actor: { ...yes('hubot').actor, permission: 'read' } }] }),
      ]),
      { kind: 'approvals-missing', number: 4 },
    ],
    [
      'overridden',
      answer(planned(denies), [shows(4, { overrides: [lift('write')] })], [planned()], lenient),
      { kind: 'approved', number: 4 },
    ],
    [
      'overridden by somebody who may not any more (S10)',
      answer(planned(denies), [shows(4, { overrides: [lift('read')] })], [planned()], lenient),
      { kind: 'denied', policies: ['protect'] },
    ],
    [
      'a review is required and there',
      answer(planned(), [shows(4, standing())], [planned()], reviewed),
      { kind: 'approved', number: 4 },
    ],
    [
      'a review is required and of another commit (S17)',
      answer(planned(), [shows(4, standing({ commit: null }))], [planned()], reviewed),
      { kind: 'unreviewed', number: 4, unmet: { kind: 'approved', why: 'no review' } },
    ],
    [
      'rejected',
      answer(planned(), [shows(4, { rejections: [word('hubot')] })]),
      { kind: 'rejected', number: 4, by: 'hubot' },
    ],
    ['denied', answer(planned(denies), [shows(4)]), { kind: 'denied', policies: ['protect'] }],
    [
      'to be applied by a comment, and is not',
      answer(planned(), [shows(4)], [planned()], onComment),
      { kind: 'not-applied' },
    ],
    ['to be applied by a comment, and is', answer(unchanged, [], [], onComment), { kind: 'no-changes' }],
    ['the plan failed', answer(failed, [shows(4)]), { kind: 'failed', diagnosticCount: 1 }],
    [
      'the plan failed before its dependency is applied',
      answer(early, [], [early, network(planned())]),
      { kind: 'after', projects: ['network'], diagnosticCount: 1 },
    ],
    [
      'the plan failed by its own fault before its dependency is applied',
      answer(failed, [], [failed, network(planned())]),
      { kind: 'failed', diagnosticCount: 1 },
    ],
    [
      'the plan failed before what its dependency depends on is applied',
      answer(
        early,
        [],
        [early, between, { ...network(planned()), project: { ...project, name: 'account' } }],
      ),
      { kind: 'after', projects: ['account'] },
    ],
    [
      'the plan failed, and its dependency does not change',
      answer(early, [], [early, network(unchanged)]),
      { kind: 'failed' },
    ],
    ['nothing is there yet', answer({ ...planned(), result: null }, []), { kind: 'planning' }],
  ])('%s', (_, found, expected) => expect(found).toMatchObject(expected));
});

test('policies are asked as on the pull request that shows the plan, else on the last', () => {
  expect(speakerFor('prod', plan.digest, [shows(4, { digest: other }), shows(5)], 6)).toBe(5);
  expect(speakerFor('prod', plan.digest, [shows(5, { shown: false })], 6)).toBe(6);
});

describe('the three checks', () => {
  const sha = parseSha('a'.repeat(40));
  const group = { repository, headSha: sha, baseSha: sha, number: 5, base: 'main' };
  const faces = (findings: GroupFindings): readonly string[] =>
    groupChecks({ group, findings }).map(({ state, title }) =>
      state.status === 'completed' ? `${state.conclusion}, ${title}` : `${state.status}, ${title}`,
    );
  const view = (answer: GroupAnswer, name = 'prod', verdict = pass) => ({
    name,
    plan: answer.kind === 'failed' || answer.kind === 'after' ? null : plan,
    verdicts: answer.kind === 'failed' || answer.kind === 'after' ? [] : [verdict],
    answer,
  });
  const approved = view({ kind: 'approved', number: 4 });
  const differs = view({ kind: 'differs', numbers: [4, 5] }, 'dns');
  const broken = view({ kind: 'failed', diagnostics: [], diagnosticCount: 1 }, 'dns');
  const later = view({ kind: 'after', projects: ['network'] }, 'dns');

  test.each<[string, GroupFindings, readonly string[]]>([
    [
      'while it is planned',
      { kind: 'inspecting' },
      ['in_progress, Planning the merge group', 'queued, Waits for the plan', 'queued, Waits for the plan'],
    ],
    [
      'nothing affected',
      { kind: 'projects', projects: [] },
      ['neutral, No Terraform project is affected', 'neutral, Nothing to judge', 'neutral, Nothing to apply'],
    ],
    [
      'approved, and one that waits for its dependency',
      { kind: 'projects', projects: [approved, later] },
      [
        'success, 2 projects: 1 to add, 1 to replace',
        'success, All policies answered',
        'success, Approved, applies on merge',
      ],
    ],
    [
      'a plan that is not the approved one',
      { kind: 'projects', projects: [approved, differs] },
      [
        'success, 2 projects: 2 to add, 2 to replace',
        'success, All policies answered',
        'failure, dns: the plan is not the one on #4, #5',
      ],
    ],
    [
      'a plan that failed, and one that differs',
      { kind: 'projects', projects: [broken, { ...differs, name: 'prod' }] },
      [
        'failure, dns could not be planned',
        'success, All policies answered',
        'failure, dns: the plan failed (and 1 more)',
      ],
    ],
    [
      'denied',
      { kind: 'projects', projects: [view({ kind: 'denied', policies: ['protect'] }, 'prod', denies)] },
      [
        'success, 1 project: 1 to add, 1 to replace',
        'failure, protect: no',
        'failure, prod: denied by protect',
      ],
    ],
    [
      'a broken hatchet.yaml',
      { kind: 'config-broken', where: 'base', problems: [] },
      [
        'failure, hatchet.yaml is broken on main',
        'neutral, Nothing to judge',
        'failure, hatchet.yaml is broken',
      ],
    ],
    [
      'a fork',
      { kind: 'fork', numbers: [7] },
      [
        'failure, Nobody allowed the plan of a fork: #7',
        'neutral, Nothing to judge',
        'failure, The plan failed',
      ],
    ],
    [
      'destroyed',
      { kind: 'destroyed' },
      Array.from({ length: 3 }, () => 'cancelled, The merge group is gone'),
    ],
    [
      'overdue',
      { kind: 'overdue' },
      [
        'failure, The plans were not there in time',
        'failure, The policies did not answer in time',
        'failure, Nothing could be compared in time',
      ],
    ],
  ])('%s', (_, findings, expected) => expect(faces(findings)).toEqual(expected));
});

test.each([
  [360, 350],
  [60, 50],
  [6, 5],
  [null, 50],
])('of a queue that waits %s minutes a group is answered within %s', (limit, expected) => {
  expect(answerWithinMs(limit)).toBe(expected * 60_000);
});
