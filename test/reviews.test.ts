// Does a review on GitHub count as a yes, and what takes a yes away although the plan is the same?
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import type { Team } from '../fixtures/sandbox/model.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { inDatabase } from './postgres.ts';
import {
  appliesOf,
  ask,
  database,
  everyBranch,
  mainComment,
  openOn,
  order,
  patienceMs,
  refusalsOf,
  seedDatabase,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
  untilSecondAfter,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;
let reviewers: Team;

beforeAll(async () => {
  const people = ['lee', 'ann', 'ben', 'eve', 'tom'];
  world = await createWorld({ files: () => everyBranch, people });
  const { sandbox, repository } = world;
  reviewers = sandbox.createTeam('octo-org', 'reviewers', ['ben']);
  const team = "version: 1\napprovals:\n  count: 1\n  by: ['@octo-org/reviewers']\n";
  const elsewhere = 'version: 1\napprovals:\n  count: 1\n  from: [comment]\n';
  await repository.commit('team', { files: { 'hatchet.yaml': team } });
  await repository.commit('by-comment', { files: { 'hatchet.yaml': elsewhere } });
});
afterAll(() => world.close());

/** A pull request of @mona's that replaces a database that is there, when its plan can be seen. */
async function openReplace(dir: string, base = 'main'): Promise<PullRequestHandle> {
  await seedDatabase(world, dir, '1');
  const pullRequest = await openOn(world, { dir, base, body: database('2') });
  await untilCheck(pullRequest, 'hatchet/apply', missing(dir));
  await untilComment(pullRequest, 'Waiting for 1 approval');
  return pullRequest;
}

const missing = (dir: string): string => `1 approval missing: ${dir}`;
const approved = 'Approved, applies on merge';

describe.concurrent('reviews', () => {
  test('one counts for the plan that was on show for its commit, and a push with another plan ends that (S17)', async ({
    expect,
  }) => {
    const pullRequest = await openReplace('reviewed');
    pullRequest.review('reader', 'APPROVE');
    pullRequest.review('hubot', 'APPROVE');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    expect(mainComment(pullRequest)).toContain('`reviewed` is approved by @hubot');
    await pullRequest.push({ 'reviewed/main.tf': world.project('reviewed', database('3')) });
    await untilCheck(pullRequest, 'hatchet/apply', missing('reviewed'));
    const shown = await untilComment(pullRequest, 'no longer counts: the project');
    await untilSecondAfter(shown);
    pullRequest.review('hubot', 'APPROVE');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied', merge);
  });

  test('one that is dismissed or followed by a request for changes is gone, and the comment says why', async ({
    expect,
  }) => {
    const pullRequest = await openReplace('dismissed');
    const review = pullRequest.review('hubot', 'APPROVE');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    pullRequest.dismissReview(review, 'mona');
    await untilCheck(pullRequest, 'hatchet/apply', missing('dismissed'));
    await untilComment(pullRequest, 'Waiting for 1 approval');
    expect(mainComment(pullRequest)).toContain(
      '`dismissed`: the approval of @hubot no longer counts: the review was dismissed',
    );
    pullRequest.review('hubot', 'APPROVE');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    pullRequest.review('hubot', 'REQUEST_CHANGES', 'not this one');
    await untilCheck(pullRequest, 'hatchet/apply', missing('dismissed'));
    await untilComment(pullRequest, 'a later review requests changes');
    expect((await ask(pullRequest, 'mona', '/hatchet apply')).reply).toContain('needs 1 approval');
    expect(await appliesOf(world, 'dismissed')).toEqual([]);
    const said = (event: object) => expect.objectContaining(event);
    const dismissed = await inDatabase(
      world.databaseUrl,
      (sql) =>
        sql`select actor, action, reason from event
          where repository_id = ${world.repository.id} and number = ${pullRequest.number}
            and action in ('withdraw', 'dismiss-review') order by id`,
    );
    expect([...dismissed]).toEqual([
      said({ actor: 'mona', action: 'dismiss-review' }),
      said({ actor: 'hatchet', action: 'withdraw', reason: 'review dismissed: the approval of hubot' }),
      said({ actor: 'hubot', action: 'withdraw', reason: 'changes requested' }),
    ]);
  });

  test('one counts for nothing where hatchet.yaml takes approvals by comment only', async ({ expect }) => {
    const pullRequest = await openOn(world, { dir: 'elsewhere', base: 'by-comment', body: database('1') });
    await untilComment(pullRequest, 'Waiting for 1 approval');
    pullRequest.review('hubot', 'APPROVE');
    // What is answered after the review was heard of shows that it changed nothing.
    expect((await ask(pullRequest, 'mona', '/hatchet apply')).reply).toContain('needs 1 approval');
    await order(pullRequest, 'hubot', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
  });

  test('whoever pushed the head counts as an author, by comment and by review', async ({ expect }) => {
    const pullRequest = await openReplace('pushed');
    pullRequest.review('lee', 'APPROVE');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    await pullRequest.push({ 'pushed/notes.tf': '# the same plan\n' }, 'lee');
    await untilCheck(pullRequest, 'hatchet/apply', missing('pushed'));
    // What replaced another picture counts as seen from the next second on.
    await untilSecondAfter(
      await untilComment(pullRequest, 'whoever pushed the newest commit counts as an author'),
    );
    const refused = await ask(pullRequest, 'lee', '/hatchet approve');
    expect(refused.reply).toContain("your own pull request needs someone else's yes");
    pullRequest.review('lee', 'APPROVE');
    pullRequest.review('hubot', 'APPROVE');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    expect(mainComment(pullRequest)).toContain('`pushed` is approved by @hubot');
  });
});

describe.concurrent('rights that are lost between the yes and the apply (S10)', () => {
  test('whoever may write no longer has said nothing', async ({ expect }) => {
    const pullRequest = await openReplace('demoted');
    await order(pullRequest, 'ann', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    world.repository.collaborator('ann', 'read');
    pullRequest.comment('mona', '/hatchet apply');
    await untilCheck(pullRequest, 'hatchet/apply', missing('demoted'));
    await untilComment(pullRequest, 'the approval of @ann no longer counts: the right to give it is gone');
    const reply = pullRequest.comments().find(({ body }) => body.includes('was refused'))?.body;
    expect(reply).toContain('the approval of @ann no longer counts: the right to give it is gone');
    expect(await appliesOf(world, 'demoted')).toEqual([]);
    await order(pullRequest, 'hubot', '/hatchet approve');
    await order(pullRequest, 'mona', '/hatchet apply');
    await untilCheck(pullRequest, 'hatchet/apply', 'Applied');
  });

  test('nor has whoever left the team that a rule names', async ({ expect }) => {
    const pullRequest = await openReplace('left', 'team');
    await order(pullRequest, 'ben', '/hatchet approve');
    await untilCheck(pullRequest, 'hatchet/apply', approved);
    reviewers.members.delete('ben');
    const merge = await pullRequest.merge({ by: 'mona' });
    await untilCheck(pullRequest, 'hatchet/apply', missing('left'), merge);
    await untilComment(pullRequest, 'the approval of @ben no longer counts');
    expect(await appliesOf(world, 'left')).toEqual([]);
  });
});

describe.concurrent('rights that are lost between the wish and its turn (S10)', () => {
  /** Two pull requests on one project: the first owns it, and the wish of the second waits. */
  async function openTwo(dir: string) {
    const open = (version: string) =>
      openOn(world, { dir, body: database(version), head: `${dir}-${version}` });
    const [first, second] = await Promise.all([open('1'), open('2')]);
    await Promise.all([first, second].map((one) => untilCheck(one, 'hatchet/apply', ready)));
    await Promise.all([first, second].map((one) => untilComment(one, 'Ready')));
    await order(first, 'hubot', '/hatchet apply');
    await untilCheck(first, 'hatchet/apply', 'Applied');
    return { first, second };
  }
  const ready = 'Approved, applies on merge';
  const untilWaiting = (one: PullRequestHandle, first: PullRequestHandle, sha?: string) =>
    one.waitForCheck('hatchet/apply', {
      matching: (run) => run.title?.startsWith(`Waiting for #${first.number} to apply`) === true,
      timeoutMs: patienceMs,
      ...(sha === undefined ? {} : { sha }),
    });

  test('whoever asked may not apply any more', async ({ expect }) => {
    const { first, second } = await openTwo('asked-in-vain');
    await order(second, 'eve', '/hatchet apply');
    await untilWaiting(second, first);
    world.repository.collaborator('eve', 'read');
    await order(first, 'hubot', '/hatchet unlock');
    await second.waitForComment(({ body }) => body.includes('@eve may not apply `asked-in-vain` any more'), {
      timeoutMs: patienceMs,
    });
    expect((await appliesOf(world, 'asked-in-vain')).map(({ number }) => number)).toEqual([first.number]);
  });

  test('nor may whoever merged', async ({ expect }) => {
    const { first, second } = await openTwo('merged-in-vain');
    const merge = await second.merge({ by: 'tom' });
    await untilWaiting(second, first, merge);
    world.repository.collaborator('tom', null);
    await order(first, 'hubot', '/hatchet unlock');
    await untilCheck(second, 'hatchet/apply', 'Not applied yet', merge);
    expect((await appliesOf(world, 'merged-in-vain')).map(({ number }) => number)).toEqual([first.number]);
    expect(await refusalsOf(world, second.number)).toContainEqual({
      actor: 'tom',
      action: 'begin',
      reason: 'asker-denied',
    });
  });
});

test('no check is left open (S14)', () => untilNoneOpen(world));
