// Is whoever may not do something refused by every way in, with the reason, on the record, and with nothing done?
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { faces } from './normalize.ts';
import { knock } from './raw-webhook.ts';
import type { RecordedRefusal } from './story.ts';
import {
  appliesOf,
  click,
  countPlans,
  database,
  openOn,
  openReady,
  patienceMs,
  refusalsOf,
  replies,
  seedDatabase,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;
let places: Readonly<Record<Place, PullRequestHandle>>;

/** Waits for a yes of somebody else than @mona; could be applied at once; comes from a fork, and waits for a writer. */
type Place = 'guarded' | 'ready' | 'forked';
type Reason = 'not-allowed' | 'own-approval' | 'no-override';

/** One way to want something; `verb` is what the record and the answer call it. */
type Way = {
  readonly by: string;
  readonly place: Place;
  readonly verb: string;
  readonly go: (pullRequest: PullRequestHandle, who: string) => void;
};

/** Somebody who must not, and what of: all the ways by which they try it. */
type Row = {
  readonly who: string;
  readonly ways: readonly Way[];
  readonly reason: Reason;
  readonly words: string;
};

const says = (place: Place, verb: string, rest = ''): Way => ({
  by: `/hatchet ${verb}`,
  place,
  verb,
  go: (pullRequest, who) => pullRequest.comment(who, `/hatchet ${verb}${rest}`),
});
const clicks = (place: Place, check: string, label: string, verb: string): Way => ({
  by: label,
  place,
  verb,
  go: (pullRequest, who) => click(pullRequest, pullRequest.check(check), label, who),
});
const reruns = (place: Place): readonly Way[] => [
  {
    by: 're-run of a check',
    place,
    verb: 'plan',
    go: (pullRequest, who) => pullRequest.rerunCheck(pullRequest.check('hatchet/plan'), who),
  },
  {
    by: 're-run of all checks',
    place,
    verb: 'plan',
    go: (pullRequest, who) => world.repository.rerunSuite(pullRequest.headSha, who),
  },
];

const deciding: readonly Way[] = [
  says('guarded', 'approve'),
  clicks('guarded', 'hatchet/apply', 'Approve', 'approve'),
  says('guarded', 'reject'),
  says('guarded', 'override', ' guarded --reason "please"'),
  says('ready', 'apply'),
  clicks('ready', 'hatchet/apply', 'Apply now', 'apply'),
  says('ready', 'cancel'),
  says('ready', 'unlock'),
  says('ready', 'plan', ' ready --destroy'),
];
const looking: readonly Way[] = [
  says('ready', 'plan'),
  clicks('ready', 'hatchet/plan', 'Re-plan', 'plan'),
  ...reruns('ready'),
  says('ready', 'status'),
];
const running: readonly Way[] = [
  says('forked', 'plan'),
  clicks('forked', 'hatchet/plan', 'Allow plan', 'plan'),
  ...reruns('forked'),
  says('forked', 'apply'),
  says('forked', 'approve'),
];
const approving = deciding.filter(({ verb }) => verb === 'approve');
const overriding = deciding.filter(({ verb }) => verb === 'override');

const writes = { reason: 'not-allowed', words: 'it takes write access' } as const;
const reads = { reason: 'not-allowed', words: 'it takes read access' } as const;
const own = { reason: 'own-approval', words: "your own pull request needs someone else's yes" } as const;
const unnamed = { reason: 'no-override', words: 'hatchet.yaml names nobody who may override' } as const;

/** @gone may write no longer, @lost is a user of GitHub's no longer, when what they wanted is heard. */
const table: readonly Row[] = [
  { who: 'reader', ways: [...deciding, ...running], ...writes },
  ...['gone', 'lost'].map((who) => ({ who, ways: deciding, ...writes })),
  { who: 'stranger', ways: looking, ...reads },
  { who: 'stranger', ways: approving, ...writes },
  { who: 'lost', ways: looking.slice(-2), ...reads },
  { who: 'mona', ways: approving, ...own },
  { who: 'mona', ways: overriding, ...unnamed },
  { who: 'hubot', ways: overriding, ...unnamed },
];
/** Apps get no answer, whatever they may: two of them would talk for ever. */
const unanswered = [...deciding, ...looking, ...running];

beforeAll(async () => {
  world = await createWorld({
    environment: { HATCHET_HEAL_INTERVAL: '5s', HATCHET_URL: 'https://hatchet.test' },
  });
  const { sandbox, repository } = world;
  for (const login of ['gone', 'lost', 'merger', 'queuer']) {
    sandbox.createUser(login);
    repository.collaborator(login, 'write');
  }
  sandbox.createBot('ci[bot]');
  repository.collaborator('ci[bot]', 'write');
  await seedDatabase(world, 'guarded', '1');
  const fromFork = await repository.fork('reader');
  const body = database('2');
  const [guarded, ready] = await Promise.all([
    openOn(world, { dir: 'guarded', body }),
    openReady(world, { dir: 'ready', body }),
  ]);
  await untilCheck(guarded, 'hatchet/apply', '1 approval missing: guarded');
  await untilComment(guarded, 'Waiting for 1 approval');
  // Only the schedule finds it, which may not do more than whoever opened it.
  sandbox.faults.dropNext({ event: 'pull_request', action: 'opened' });
  const forked = await openOn(world, { dir: 'forked', body, author: 'reader', fromFork });
  await untilCheck(forked, 'hatchet/plan', 'A fork is planned when a writer allows this commit');
  await untilComment(forked, 'Not planned');
  places = { guarded, ready, forked };
});
afterAll(() => world.close());

const all = (): readonly PullRequestHandle[] => Object.values(places);

/** Everything that shows whether something was begun or said yes to. */
async function whatWasDone(): Promise<unknown> {
  const sql = postgres(world.databaseUrl, { max: 1 });
  try {
    const dirs = Object.keys(places);
    return {
      plans: await Promise.all(dirs.map((dir) => countPlans(world, dir))),
      applies: await Promise.all(dirs.map((dir) => appliesOf(world, dir))),
      approvals: [...(await sql`select login from approval`)],
      overrides: [...(await sql`select login from policy_override`)],
      runs: [...(await sql`select number, kind from run order by number`)],
      checks: all().map((one) => faces(one.checks())),
      rounds: all().map((one) => one.allChecks().length),
    };
  } finally {
    await sql.end();
  }
}

test('way in × person: whoever may not is refused, told why, recorded, and nothing is done (S10)', async () => {
  const before = await whatWasDone();
  const { faults, deleteUser } = world.sandbox;
  // What they may is asked for when it is heard, not when they wished it.
  faults.hold();
  for (const { who, ways } of table) for (const { place, go } of ways) go(places[place], who);
  for (const { place, go } of unanswered) go(places[place], 'ci[bot]');
  for (const who of ['reader', 'stranger', 'ci[bot]']) places.guarded.review(who, 'APPROVE');
  world.repository.collaborator('gone', null);
  deleteUser('lost');
  await faults.release();
  const wanted = (place: Place) =>
    table.flatMap(({ who, ways, reason, words }) =>
      ways
        .filter((way) => way.place === place)
        .map(({ verb }) => ({
          refusal: `${who} ${verb}: ${reason}`,
          answer: `@${who} \`/hatchet ${verb}\` was refused: ${words}`,
        })),
    );
  for (const place of ['guarded', 'ready', 'forked'] as const) {
    const cells = wanted(place);
    const pullRequest = places[place];
    const answered = () => replies(pullRequest).length >= cells.length;
    await vi.waitUntil(answered, { timeout: patienceMs, interval: 100 });
    const [answers, expected] = [[...replies(pullRequest)].sort(), cells.map(({ answer }) => answer).sort()];
    expect(answers.map((text, index) => text.slice(0, expected[index]?.length))).toEqual(expected);
    await vi.waitUntil(async () => (await refusalsOf(world, pullRequest.number)).length >= cells.length, {
      timeout: patienceMs,
      interval: 100,
    });
    const recorded = (await refusalsOf(world, pullRequest.number)).map(inWords).sort();
    expect(recorded).toEqual(cells.map(({ refusal }) => refusal).sort());
  }
  expect(await whatWasDone()).toEqual(before);
});

const inWords = ({ actor, action, reason }: RecordedRefusal): string => `${actor} ${action}: ${reason}`;

test('merge × person: what somebody merged who may write no longer is not applied, from the queue either (S10)', async () => {
  const { repository, sandbox } = world;
  const open = (dir: string) => openReady(world, { dir, body: database('1') });
  const [queued, merged] = await Promise.all([open('queued'), open('merged')]);
  const group = await repository.createMergeGroup([queued], 'queuer');
  const passed = (): boolean =>
    repository.checks(group.headSha).some((run) => run.title === 'Approved, applies on merge');
  await vi.waitUntil(passed, { timeout: patienceMs, interval: 50 });
  sandbox.faults.hold();
  await group.destroy('merged');
  repository.collaborator('queuer', 'read');
  const mergeCommit = await merged.merge({ by: 'merger' });
  sandbox.deleteUser('merger');
  await sandbox.faults.release();
  for (const [one, who, sha] of [
    [queued, 'queuer', group.headSha],
    [merged, 'merger', mergeCommit],
  ] as const) {
    const check = await untilCheck(one, 'hatchet/apply', 'Not applied yet', sha);
    await one.waitForComment(({ body }) => body.includes(`@${who} may not apply`), { timeoutMs: patienceMs });
    expect(check.conclusion).toBe('action_required');
    expect((await refusalsOf(world, one.number)).map(inWords)).toEqual([`${who} begin: asker-denied`]);
    expect(await appliesOf(world, who === 'queuer' ? 'queued' : 'merged')).toEqual([]);
  }
});

test('HTTP × anybody: no address takes a wish without the secret of the App (S10)', async () => {
  const { number } = places.ready;
  const body = JSON.stringify({ action: 'created', issue: { number, pull_request: {} } });
  const knocks = [null, 'guessed'].map((secret) =>
    knock(world.app.url, { event: 'issue_comment', body, secret }),
  );
  expect(await Promise.all(knocks)).toEqual([400, 400]);
  const link = new URL(places.ready.check('hatchet/plan: ready').detailsUrl);
  const page = `${world.app.url}${link.pathname}`;
  const orders = ['POST', 'PUT', 'PATCH', 'DELETE'].map((method) =>
    fetch(`${page}${link.search}`, { method }),
  );
  expect((await Promise.all(orders)).map(({ status }) => status)).toEqual([405, 405, 405, 405]);
  expect((await fetch(page)).status).toBe(404);
});

test('no check is left open (S14)', () => untilNoneOpen(world));
