// Does a reply say why, and what to do about it?
import { expect, test } from 'vitest';
import { renderReply } from '../activities/render/reply.ts';
import { statusWords } from '../activities/render/status.ts';
import type { Refusal } from '../workflows/model/apply.ts';
import type { ProjectStatus } from '../workflows/model/view.ts';
import type { CommandRefusal } from '../workflows/port/answer.ts';
import { destroyRule, head, someRun } from './render-example.ts';

test('a refusal', () => {
  const missing = (by: readonly string[], count = 1, author = false) => ({
    kind: 'approvals-missing' as const,
    project: 'prod',
    missing: [{ project: 'prod', rule: { ...destroyRule, by, count, author }, given: 0 }],
  });
  const refusals: readonly (Refusal | CommandRefusal)[] = [
    { kind: 'not-planned', project: 'prod' },
    { kind: 'plan-failed', project: 'prod' },
    { kind: 'stale', project: 'prod', reason: 'head moved' },
    { kind: 'stale', project: 'prod', reason: 'base moved' },
    { kind: 'stale', project: 'prod', reason: 'digest changed' },
    { kind: 'stale', project: 'prod', reason: 'state changed' },
    { kind: 'stale', project: 'prod', reason: 'policies changed' },
    { kind: 'not-judged', project: 'prod' },
    { kind: 'denied', project: 'prod', policies: ['protect'] },
    { kind: 'denied', project: 'prod', policies: ['protect', 'own'] },
    { kind: 'denied', project: 'prod', policies: ['protect'], overriders: ['@org/oncall', 'root'] },
    { kind: 'denied', project: 'prod', policies: ['protect', 'own'], unevaluated: true },
    { kind: 'rejected', project: 'prod', by: 'hubot' },
    missing([]),
    missing(['@octo-org/platform', 'ana'], 2),
    missing([], 1, true),
    { kind: 'draft' },
    { kind: 'closed' },
    { kind: 'already-applied', project: 'prod' },
    { kind: 'withdrawn', project: 'prod' },
    { kind: 'frozen', project: 'prod', reason: 'the outcome of an apply is unknown' },
    { kind: 'unknown-verb', word: 'aply', nearest: 'apply' },
    { kind: 'unknown-verb', word: 'dance', nearest: null },
    { kind: 'bad-arguments', problem: '`--force` is no flag of `apply`' },
    { kind: 'unknown-project', word: 'prdo', nearest: 'prod', projects: ['prod', 'staging', 'dns'] },
    { kind: 'unknown-project', word: 'x', nearest: null, projects: [] },
    { kind: 'not-allowed', needs: 'write' },
    { kind: 'not-supported', what: '--destroy' },
    { kind: 'own-approval' },
    { kind: 'plan-changed', project: 'prod' },
    { kind: 'still-planning' },
    { kind: 'fork-needs-sha', head },
    { kind: 'nothing-to-approve' },
    { kind: 'applying' },
    { kind: 'begun', project: 'network' },
    { kind: 'button-outdated' },
    { kind: 'newer-unfinished', project: 'network', by: 14 },
    { kind: 'pull-request-closed' },
  ];
  const replies = refusals.map((refusal) =>
    renderReply({ kind: 'refused', to: 'mona', verb: 'apply', refusal }),
  );
  expect(replies.join('\n')).toMatchInlineSnapshot(`
    "@mona \`/hatchet apply\` was refused: \`prod\` is not planned yet. Comment \`/hatchet plan\`, or wait for its plan.
    @mona \`/hatchet apply\` was refused: \`prod\` could not be planned. Fix the error on the hatchet/plan check and push.
    @mona \`/hatchet apply\` was refused: the plan of \`prod\` is out of date: a newer push has come. Look at the new plan, then ask again.
    @mona \`/hatchet apply\` was refused: the plan of \`prod\` is out of date: the base branch has moved. Look at the new plan, then ask again.
    @mona \`/hatchet apply\` was refused: the plan of \`prod\` is out of date: planning again gave another result than the one shown. Look at the new plan, then ask again.
    @mona \`/hatchet apply\` was refused: the plan of \`prod\` is out of date: the state has changed since. Look at the new plan, then ask again.
    @mona \`/hatchet apply\` was refused: the plan of \`prod\` is out of date: the policies have changed since. Look at the new plan, then ask again.
    @mona \`/hatchet apply\` was refused: the policies have not answered yet for \`prod\`. Ask again when hatchet/policy is done.
    @mona \`/hatchet apply\` was refused: \`protect\` denies \`prod\`. No approval can change that: see why on hatchet/policy, then push.
    @mona \`/hatchet apply\` was refused: \`protect\` and \`own\` deny \`prod\`. No approval can change that: see why on hatchet/policy, then push, or change the label or the title that it looks at. Where it looks at the time, comment \`/hatchet plan\` when that has come.
    @mona \`/hatchet apply\` was refused: \`protect\` denies \`prod\`. No approval can change that: see why on hatchet/policy, then push. Or @org/oncall or @root can set it aside: \`/hatchet override PROJECT --reason "…"\`.
    @mona \`/hatchet apply\` was refused: \`protect\` and \`own\` block \`prod\`. No approval can change that: see why on hatchet/policy, then remove the cause and push, or comment \`/hatchet plan\` when it is gone.
    @mona \`/hatchet apply\` was refused: @hubot rejected the plan of \`prod\`. It is blocked until @hubot approves or the plan changes.
    @mona \`/hatchet apply\` was refused: \`prod\` needs 1 approval by someone other than the author. Anyone else with write can give it.
    @mona \`/hatchet apply\` was refused: \`prod\` needs 2 approvals by someone other than the author. Ask @octo-org/platform or @ana.
    @mona \`/hatchet apply\` was refused: \`prod\` needs 1 approval. Anyone with write can give it.
    @mona \`/hatchet apply\` was refused: this is a draft. Mark it as ready for review first.
    @mona \`/hatchet apply\` was refused: the pull request is closed, so nothing more is planned or applied here.
    @mona \`/hatchet apply\` was refused: \`prod\` is applied already; there is nothing left to do.
    @mona \`/hatchet apply\` was refused: the request for \`prod\` was withdrawn before its turn came. Comment \`/hatchet apply\` to ask again.
    @mona \`/hatchet apply\` was refused: \`prod\` is frozen: the outcome of an apply is unknown. Someone with write has to look at what is there and decide.
    @mona there is no command \`aply\`. Did you mean \`apply\`? Comment \`/hatchet help\` for all commands.
    @mona there is no command \`dance\`. Comment \`/hatchet help\` for all commands.
    @mona \`--force\` is no flag of \`apply\`. Comment \`/hatchet help\` for all commands.
    @mona there is no project \`prdo\`. Did you mean \`prod\`? Projects here: \`prod\`, \`staging\`, \`dns\`.
    @mona there is no project \`x\`. This pull request changes no project.
    @mona \`/hatchet apply\` was refused: it takes write access to this repository. Ask someone who has it.
    @mona \`/hatchet apply\` was refused: \`--destroy\` is not there yet.
    @mona \`/hatchet apply\` was refused: your own pull request needs someone else's yes.
    @mona \`/hatchet apply\` was refused: the plan of \`prod\` changed after you wrote this, look again.
    @mona \`/hatchet apply\` was refused: the newest commit is still being planned. Look at the result, then ask again.
    @mona \`/hatchet apply\` was refused: this is not from somebody with write, so say which commit you looked at: \`/hatchet plan 3f2a1bc\`.
    @mona \`/hatchet apply\` was refused: nothing here waits for an approval.
    @mona \`/hatchet apply\` was refused: an apply is running. Ask again when it is done.
    @mona \`/hatchet apply\` was refused: \`network\` is being applied already: a runner has it, and Terraform is at work. Comment \`/hatchet cancel\` twice to stop that; what is done by then stays done.
    @mona \`/hatchet apply\` was refused: that button stood below an earlier state of things. Look at the newest checks, then decide there.
    @mona \`/hatchet apply\` was refused: the apply of the newer merge of #14 to \`network\` did not come to its end, and it contains this one. #14 has to be repaired first: comment \`/hatchet plan\` there and apply that; nothing is left to do here then.
    @mona \`/hatchet apply\` was refused: the pull request is closed, so nothing more is planned or applied here."
  `);
});

const now = '2026-11-22T01:04:05Z';

test('of what runs and what waits, a status says for what and how long', () => {
  const missing = [{ project: 'prod', rule: { ...destroyRule, by: [], count: 2, author: false }, given: 1 }];
  const [late, plannedAt] = ['2026-11-22T01:00:53Z', '2026-11-21T22:04:00Z'] as const;
  const statuses: readonly ProjectStatus[] = [
    { kind: 'planning', since: late },
    { kind: 'planning', since: late, waitsFor: 'default' },
    { kind: 'planning', since: late, waitsFor: 'gpu' },
    { kind: 'after', projects: ['network'], since: late },
    { kind: 'locked', project: 'prod', owner: 7, position: 2, since: '2026-11-20T22:04:00Z' },
    { kind: 'waiting-for-approval', missing, plannedAt },
    { kind: 'waiting-for-requirements', unmet: [{ kind: 'approved', why: 'no review' }], plannedAt },
    { kind: 'held', projects: ['network'], since: late },
    { kind: 'queued', behind: 12, position: 1, since: late },
    { kind: 'applying', since: null, askedAt: late, runId: someRun },
    { kind: 'applying', since: late, runId: someRun },
  ];
  const lines = [
    ...statuses.map((status, index) => ({ project: String.fromCodePoint(97 + index), status })),
    { project: 'z', status: { kind: 'no-changes' }, owned: true } as const,
  ];
  expect(renderReply({ kind: 'status', findings: 'projects', lines, at: now })).toMatchInlineSnapshot(`
    "| Project | Status                                                          |
    | :------ | :-------------------------------------------------------------- |
    | a       | planning since 01:00 UTC (3m 12s)                               |
    | b       | waiting for a runner since 01:00 UTC (3m 12s)                   |
    | c       | waiting for a runner of the pool \`gpu\` since 01:00 UTC (3m 12s) |
    | d       | after \`network\` since 01:00 UTC (3m 12s)                        |
    | e       | waiting for #7, 2nd in line, since 22:04 UTC (27h 0m)           |
    | f       | waiting for 1 approval, planned 22:04 UTC (3h 0m ago)           |
    | g       | waiting for an approving review, planned 22:04 UTC (3h 0m ago)  |
    | h       | waits for \`network\` since 01:00 UTC (3m 12s)                    |
    | i       | waiting for #12, 1st in line, since 01:00 UTC (3m 12s)          |
    | j       | waiting for a runner since 01:00 UTC (3m 12s)                   |
    | k       | applying since 01:00 UTC (3m 12s)                               |
    | z       | no changes; locked by this pull request                         |"
  `);
});

test('of many projects those in which nothing happens are only counted, unless others wait for them', () => {
  const idle = Array.from({ length: 30 }, (_, index) => ({
    project: `idle-${index}`,
    status: { kind: 'no-changes' } as const,
  }));
  const lines = [...idle, { project: 'mine', status: { kind: 'no-changes' }, owned: true } as const];
  expect(renderReply({ kind: 'status', findings: 'projects', lines, at: now })).toMatchInlineSnapshot(`
    "| Project | Status                                  |
    | :------ | :-------------------------------------- |
    | mine    | no changes; locked by this pull request |

    30 projects with nothing to do; see the comment above."
  `);
});

test('what stands until it changes says since when instead, with the day where it may be days', () => {
  const context = { merged: false, links: null, bare: false, alone: false, now: null };
  const [since, missing] = ['2026-11-21T22:04:00Z', []] as const;
  const statuses: readonly ProjectStatus[] = [
    { kind: 'planning', since },
    { kind: 'planning', since, waitsFor: 'gpu' },
    { kind: 'after', projects: ['network'], since },
    { kind: 'locked', project: 'prod', owner: 7, position: 2, since },
    { kind: 'waiting-for-approval', missing, plannedAt: since },
    { kind: 'held', projects: ['network'], since },
    { kind: 'queued', behind: null, position: 1, since },
    { kind: 'applying', since: null, askedAt: since, runId: someRun },
    { kind: 'applying', since, runId: someRun },
  ];
  expect(statuses.map((status) => statusWords(status, context))).toMatchInlineSnapshot(`
    [
      "planning since 22:04 UTC",
      "waiting for a runner of the pool \`gpu\` since 22:04 UTC",
      "after \`network\` since 2026-11-21 22:04 UTC",
      "waiting for #7, 2nd in line, since 2026-11-21 22:04 UTC",
      "waiting",
      "waits for \`network\` since 2026-11-21 22:04 UTC",
      "waiting for its turn, 1st in line, since 2026-11-21 22:04 UTC",
      "waiting for a runner since 2026-11-21 22:04 UTC",
      "applying since 22:04 UTC",
    ]
  `);
});

test('help, status and what is done', () => {
  const replies = [
    renderReply({ kind: 'help' }),
    renderReply({ kind: 'status', findings: 'projects', lines: [], at: now }),
    renderReply({
      kind: 'status',
      findings: 'projects',
      at: now,
      lines: [
        { project: 'prod', status: { kind: 'queued', behind: 12, position: 2, since: null } },
        { project: 'staging', status: { kind: 'applying', since: null, runId: someRun } },
      ],
    }),
    renderReply({ kind: 'done', to: 'mona', text: 'nothing to apply' }),
    renderReply({ kind: 'done', to: 'mona', text: 'locks given up' }),
    renderReply({ kind: 'done', to: 'mona', text: 'nothing to cancel' }),
  ];
  expect(replies.join('\n\n')).toMatchInlineSnapshot(`
    "| Comment                                   | To                                                        |
    | :---------------------------------------- | :-------------------------------------------------------- |
    | \`/hatchet plan [project…] [--destroy]\`    | plan again, or plan the end of projects                   |
    | \`/hatchet apply [project…]\`               | apply what is planned and approved                        |
    | \`/hatchet approve [project…]\`             | say yes to the plans shown                                |
    | \`/hatchet reject [project…]\`              | take a yes back, or refuse                                |
    | \`/hatchet override project… --reason "…"\` | lift the denial of a policy, where hatchet.yaml names you |
    | \`/hatchet cancel\`                         | stop plans and what waits; a running apply if said twice  |
    | \`/hatchet unlock [project…]\`              | give up this pull request's locks                         |
    | \`/hatchet status\`                         | what is running, waiting and locked                       |
    | \`/hatchet help\`                           | this list                                                 |

    Without a project it means all of them; \`*\` matches within a path segment, \`**\` across them. The first line of a new comment counts.

    No Terraform project is affected.

    | Project | Status                       |
    | :------ | :--------------------------- |
    | prod    | waiting for #12, 2nd in line |
    | staging | waiting for a runner         |

    @mona there is nothing to apply.

    @mona the locks of this pull request are given up.

    @mona there is nothing to cancel."
  `);
});
