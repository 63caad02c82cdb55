// When does a pull request meet what `apply.require` wants, and which review ends a yes?
import { describe, expect, test } from 'vitest';
import { mergeabilityOf } from '../activities/github/read-mergeability.ts';
import type { Approval } from '../workflows/model/approval.ts';
import { configurationOf, emptyFile } from '../workflows/model/configuration.ts';
import { parsePlanDigest, parseSha, parseSourceDigest } from '../workflows/model/identifiers.ts';
import { replacesWord } from '../workflows/model/last-word.ts';
import type { Mergeability } from '../workflows/model/mergeability.ts';
import { mergeBlocks } from '../workflows/model/mergeability.ts';
import type { Requirement, RequirementQuestion } from '../workflows/model/requirement.ts';
import { unmetRequirements } from '../workflows/model/requirement.ts';
import { lossByReview } from '../workflows/model/review.ts';
import type { Review, Standing } from '../workflows/model/standing.ts';
import { newerStanding } from '../workflows/model/standing.ts';

const head = parseSha('1'.repeat(40));
const review = (change: Partial<Review> = {}): Review => ({
  login: 'hubot',
  state: 'approved',
  commit: head,
  submittedAt: '2026-11-21T22:04:00Z',
  mayWrite: true,
  ...change,
});
const standing: Standing = {
  readAt: '2026-11-21T22:05:00.000Z',
  head,
  reviews: [],
  decision: null,
  pushers: ['lee'],
  authorMayWrite: true,
  mergeability: null,
};

describe('mergeable but for our own checks (S16)', () => {
  const own = { name: 'hatchet/apply', state: 'failed' } as const;
  const ci = { name: 'ci', state: 'missing' } as const;
  const blocked: Mergeability = {
    state: 'blocked',
    required: [own],
    strict: false,
    openConversations: false,
    unreadable: [],
  };
  const kinds = (change: Partial<Mergeability>, decision: Standing['decision'] = null, containsBase = true) =>
    mergeBlocks({ ...blocked, ...change }, { decision, containsBase }).map(({ kind }) => kind);
  test.each<[string, readonly string[], readonly string[]]>([
    ['our own check is all that is missing', kinds({}), []],
    ['GitHub says yes, whatever is not required', kinds({ state: 'unstable', required: [ci] }), []],
    ['a check of others is missing', kinds({ required: [own, ci] }), ['check']],
    ['a review is missing as well', kinds({}, 'review-required'), ['review required']],
    ['changes are requested', kinds({}, 'changes-requested'), ['changes requested']],
    ['it conflicts', kinds({ state: 'dirty' }), ['conflict']],
    ['GitHub does not know yet', kinds({ state: 'unknown' }), ['unknown']],
    ['our check hides that it is behind', kinds({ strict: true }, null, false), ['behind']],
    ['it is behind, and nothing else', kinds({ state: 'behind', required: [] }), ['behind']],
    ['a conversation is open', kinds({ openConversations: true }), ['open conversations']],
    ['our check hides a rule that cannot be read', kinds({ unreadable: ['workflows'] }), ['rules']],
    ['GitHub blocks it and nothing tells why', kinds({ required: [] }), ['rules']],
  ])('%s', (_, found, expected) => expect(found).toEqual(expected));
});

describe('what GitHub answers of merging', () => {
  const classicRule = {
    requiredStatusCheckContexts: ['hatchet/apply'],
    requiresConversationResolution: false,
    requiresSignatures: false,
  };
  const threads = { nodes: [{ isResolved: true }], pageInfo: { hasNextPage: false } };
  const answer = (classic: object | null, reviewThreads: object = threads) => ({
    repository: {
      pullRequest: {
        mergeStateStatus: 'BLOCKED',
        reviewThreads,
        baseRef: { refUpdateRule: classic },
        commits: { nodes: [{ commit: { statusCheckRollup: null } }] },
      },
    },
  });
  const ruleset = (parameters: object) => [
    { type: 'required_status_checks', parameters: { required_status_checks: [own], ...parameters } },
  ];
  const own = { context: 'hatchet/apply' };
  const kindsOf = (found: Mergeability, containsBase = true) =>
    mergeBlocks(found, { decision: null, containsBase }).map(({ kind }) => kind);
  const more = { nodes: [{ isResolved: true }], pageInfo: { hasNextPage: true } };

  test.each<[string, Mergeability, boolean, readonly string[]]>([
    ['only our check is missing, by a classic rule', mergeabilityOf(answer(classicRule), []), true, []],
    ['it may be behind, by a classic rule', mergeabilityOf(answer(classicRule), []), false, ['behind']],
    ['a ruleset says that it may be behind', mergeabilityOf(answer(null), ruleset({})), false, []],
    [
      'a ruleset says that it may not',
      mergeabilityOf(answer(null), ruleset({ strict_required_status_checks_policy: true })),
      false,
      ['behind'],
    ],
    [
      'a classic rule wants signatures, which nobody tells of',
      mergeabilityOf(answer({ ...classicRule, requiresSignatures: true }), []),
      true,
      ['rules'],
    ],
    ['the rulesets cannot be read', mergeabilityOf(answer(classicRule), null), true, ['rules']],
    [
      'more conversations than were looked at, and all have to be resolved',
      mergeabilityOf(answer({ ...classicRule, requiresConversationResolution: true }, more), []),
      true,
      ['open conversations'],
    ],
    ['more of them, and none has to be', mergeabilityOf(answer(classicRule, more), []), true, []],
  ])('%s (S16)', (_, found, containsBase, expected) =>
    expect(kindsOf(found, containsBase)).toEqual(expected),
  );
});

describe('what is unmet', () => {
  const rules = configurationOf(emptyFile);
  const unmet = (require: readonly Requirement[], change: Partial<RequirementQuestion> = {}) =>
    unmetRequirements({
      rules: { ...rules, apply: { ...rules.apply, require: [...require] } },
      pullRequest: { state: 'open', head, base: 'main' },
      standing,
      containsBase: false,
      authors: ['mona', 'lee'],
      ...change,
    }).map((each) => (each.kind === 'approved' ? each.why : each.kind));
  const reviewed = (one: Partial<Review>, decision: Standing['decision'] = null) =>
    unmet(['approved'], { standing: { ...standing, decision, reviews: [review(one)] } });
  const merged = { pullRequest: { state: 'merged', head, base: 'main' } } as const;
  test.each<[string, readonly string[], readonly string[]]>([
    ['nothing is required', unmet([]), []],
    [
      'everything is, and nothing is there',
      unmet(['approved', 'mergeable', 'up_to_date']),
      ['no review', 'mergeable', 'up_to_date'],
    ],
    ['a review of this head by a writer', reviewed({}), []],
    ['of an older head (S17)', reviewed({ commit: parseSha('2'.repeat(40)) }), ['no review']],
    ['by somebody without write', reviewed({ mayWrite: false }), ['no review']],
    ['by whoever pushed the head', reviewed({ login: 'Lee' }), ['no review']],
    ['one that was dismissed', reviewed({ state: 'dismissed' }), ['no review']],
    ['GitHub wants more', reviewed({}, 'review-required'), ['review required']],
    ['GitHub counts a no', reviewed({}, 'changes-requested'), ['changes requested']],
    [
      'a merged one is asked for the review only',
      unmet(['approved', 'mergeable', 'up_to_date'], merged),
      ['no review'],
    ],
    ['nothing was read yet', unmet(['approved'], { standing: null }), ['no review']],
  ])('%s', (_, found, expected) => expect(found).toEqual(expected));
});

describe('which review ends a yes', () => {
  const yes = (via: Approval['via'], notBefore?: string): Approval => ({
    actor: { login: 'Hubot', permission: 'write', teams: [] },
    project: 'prod',
    digest: parsePlanDigest('a'.repeat(64)),
    sourceDigest: parseSourceDigest('b'.repeat(64)),
    via,
    at: '2026-11-21T22:04:00Z',
    notBefore,
  });
  const later = '2026-11-21T22:10:00Z';
  const earlier = '2026-11-21T22:00:00Z';
  test.each<[string, readonly Review[], Approval['via'], string | null]>([
    ['its own stands', [review()], 'review', null],
    ['its own was dismissed', [review({ state: 'dismissed' })], 'review', 'review dismissed'],
    ['its own is gone', [], 'review', 'review withdrawn'],
    [
      'a later one requests changes',
      [review({ state: 'changes-requested', submittedAt: later })],
      'review',
      'changes requested',
    ],
    [
      'a later one ends a comment, too',
      [review({ state: 'changes-requested', submittedAt: later })],
      'comment',
      'changes requested',
    ],
    [
      'an earlier one does not',
      [review({ state: 'changes-requested', submittedAt: earlier })],
      'comment',
      null,
    ],
    ['a dismissed one ends no comment', [review({ state: 'dismissed' })], 'button', null],
    [
      'that of somebody else does not',
      [review({ login: 'ann', state: 'changes-requested', submittedAt: later })],
      'comment',
      null,
    ],
  ])('%s', (_, reviews, via, expected) => expect(lossByReview(reviews, yes(via))).toBe(expected));

  test('of a click nobody knows more than that the plan was there', () => {
    const against = [review({ state: 'changes-requested', submittedAt: earlier })];
    expect(lossByReview(against, yes('button', '2026-11-21T21:59:00Z'))).toBe('changes requested');
    expect(lossByReview(against, yes('button', '2026-11-21T22:01:00Z'))).toBeNull();
    expect(lossByReview(against, yes('button'))).toBe('changes requested');
  });
});

const [first, second] = ['2026-11-21T22:04:00Z', '2026-11-21T22:04:01Z'];
describe('a yes and a no of one person', () => {
  type Case = [string, { via: Approval['via']; at: string; notBefore?: string }, string, 'yes' | 'no'];
  test.each<Case>([
    ['a comment after the no', { via: 'comment', at: second }, first, 'yes'],
    ['a review after the no', { via: 'review', at: second }, first, 'yes'],
    ['a comment before the no', { via: 'comment', at: first }, second, 'no'],
    ['a comment in the second of the no', { via: 'comment', at: first }, first, 'no'],
    ['a click that was heard after the no', { via: 'button', at: second }, first, 'no'],
    ['a click on a plan that was there before', { via: 'button', at: second, notBefore: first }, first, 'no'],
    ['a click on a plan made since', { via: 'button', at: second, notBefore: second }, first, 'yes'],
  ])('%s, whichever arrives first', (_, said, against, expected) => {
    const [yes, no] = [
      { kind: 'approval' as const, ...said },
      { kind: 'rejection' as const, at: against },
    ];
    expect(replacesWord(yes, no)).toBe(expected === 'yes');
    expect(replacesWord(no, yes)).toBe(expected === 'no');
  });

  test('of two of a kind the later holds', () => {
    const [early, late] = [first, second].map((at) => ({ kind: 'rejection' as const, at }));
    if (early === undefined || late === undefined) throw new Error('two words');
    expect([replacesWord(late, early), replacesWord(early, late)]).toEqual([true, false]);
  });
});

test('of two readings that cross the later one holds, with what only the earlier one asked for', () => {
  const late = { ...standing, readAt: '2026-11-21T22:06:00.000Z', authorMayWrite: null };
  expect(newerStanding(standing, late)).toEqual({ ...late, authorMayWrite: true });
  expect(newerStanding(late, standing)).toBe(late);
});
