// Does the comment say in its first line what the state is and who acts next, and below it what will happen?

import { describe, expect, test } from 'vitest';
import { runnersFullDisk } from '../activities/full-disk.ts';
import { renderComment } from '../activities/render/comment.ts';
import { openingParagraphs } from '../activities/render/headline.ts';
import type { Diagnostic } from '../workflows/model/diagnostic.ts';
import type { Headline, View } from '../workflows/model/view.ts';
import {
  changes,
  destroyRule,
  dnsPlan,
  links,
  mergeCommit,
  missing,
  needsApproval,
  noLinks,
  passes,
  plan,
  prodPlan,
  project,
  someRun,
  stagingPlan,
  verdict,
  view,
  waitingView,
} from './render-example.ts';

const diagnostic: Diagnostic = {
  severity: 'error',
  summary: 'Unsupported argument',
  detail: 'An argument named "instnce_class" is not expected here. Did you mean "instance_class"?',
  path: 'envs/prod/main.tf',
  startLine: 14,
};
const failed = project('prod', { kind: 'failed', diagnostics: [diagnostic], diagnosticCount: 1 });
const withoutRoom = project('prod', {
  kind: 'failed',
  diagnostics: [runnersFullDisk('Then comment /hatchet plan.')],
  diagnosticCount: 1,
});
const ready = project('staging', { kind: 'ready' }, { plan: stagingPlan, verdicts: [passes] });
const readyFor = (applies: 'merge' | 'comment') =>
  project('prod', { kind: 'ready', applies }, { plan: stagingPlan, verdicts: [passes] });
const endOfDns = project(
  'dns',
  { kind: 'ready' },
  {
    plan: {
      ...plan('dns', { destroy: 3 }, { risky: [{ address: 'aws_route53_zone.a', action: 'destroy' }] }),
      destroy: true,
    },
  },
);
const appliedOnMerge = project(
  'staging',
  {
    kind: 'applied',
    at: '2026-11-21T22:29:40Z',
    startedAt: '2026-11-21T22:28:02Z',
    by: 'mona',
    on: 'merge',
    runId: someRun,
  },
  { plan: stagingPlan, verdicts: [passes] },
);
const appliedByHand = project(
  'prod',
  {
    kind: 'applied',
    at: '2026-11-21T22:31:14Z',
    startedAt: '2026-11-21T22:29:50Z',
    by: 'hubot',
    on: 'comment',
    runId: someRun,
  },
  { plan: prodPlan, verdicts: [needsApproval], approvedBy: ['hubot'] },
);

const managedBy = (name: string) => ({ kind: 'managed', project: name, number: null }) as const;

describe('the first line', () => {
  const waitsFor = (more: Partial<typeof destroyRule>, given = 0): Headline => ({
    kind: 'waiting-for-approval',
    missing: [{ project: 'prod', rule: { ...destroyRule, ...more }, given }],
  });
  const prod = (risky: typeof prodPlan.risky, counts: Partial<typeof prodPlan.counts>) =>
    project(
      'prod',
      { kind: 'waiting-for-approval', missing: [missing] },
      { plan: plan('prod', counts, { risky }) },
    );
  const cases: readonly [string, View][] = [
    ['planning', view({ kind: 'planning', projects: ['prod', 'staging'] }, [])],
    ['planning many', view({ kind: 'planning', projects: ['a', 'b', 'c', 'd', 'e'] }, [])],
    ['planning, nothing known', view({ kind: 'planning', projects: [] }, [])],
    ['cancelled', view({ kind: 'cancelled' }, [])],
    ['no projects', view({ kind: 'no-projects' }, [])],
    ['no changes', view({ kind: 'no-changes' }, [project('dns', { kind: 'no-changes' }, { plan: dnsPlan })])],
    ['draft', view({ kind: 'draft' }, [])],
    ['fork', view({ kind: 'fork' }, [])],
    [
      'conflict',
      view({ kind: 'conflict', base: 'main', files: ['envs/prod/main.tf', 'envs/prod/vars.tf'] }, []),
    ],
    ['configuration on base', view({ kind: 'config-broken', where: 'base', diagnostics: [] }, [])],
    [
      'configuration in the pull request',
      view({ kind: 'config-broken', where: 'head', diagnostics: [] }, []),
    ],
    ['operator error', view({ kind: 'operator-error', runId: someRun }, [])],
    ['full disk', view({ kind: 'operator-error', runId: someRun, why: 'full disk' }, [])],
    ['plan failed', view({ kind: 'plan-failed', projects: ['prod'] }, [failed])],
    ['plan failed, others not', view({ kind: 'plan-failed', projects: ['prod'] }, [failed, ready])],
    ['no room to plan', view({ kind: 'plan-failed', projects: ['prod'] }, [withoutRoom, ready])],
    [
      'denied',
      view({ kind: 'denied', projects: ['prod'] }, [
        project(
          'prod',
          { kind: 'denied' },
          { verdicts: [passes, verdict('protect', { denials: [{ message: 'x' }] })] },
        ),
      ]),
    ],
    ['denied twice', view({ kind: 'denied', projects: ['prod', 'dns'] }, [])],
    ['denied, unless', view({ kind: 'denied', projects: ['prod'], overriders: ['root'] }, [])],
    [
      'denied, and another policy gave no answer',
      view({ kind: 'denied', projects: ['prod'] }, [
        project(
          'prod',
          { kind: 'denied' },
          {
            verdicts: [
              verdict('labels', { denials: [{ message: 'x' }] }),
              verdict('protect', { error: 'no answer' }),
            ],
          },
        ),
      ]),
    ],
    ['rejected', view({ kind: 'rejected', by: 'hubot', projects: ['prod'] }, [])],
    [
      'waiting',
      view(waitsFor({}), [prod([{ address: 'aws_db_instance.main', action: 'replace' }], { replace: 1 })]),
    ],
    [
      'waiting for two',
      view(waitsFor({ count: 3, by: ['@octo-org/platform', 'ana'] }, 1), [
        prod([{ address: 'aws_sqs_queue.jobs', action: 'destroy' }], { destroy: 4, forget: 2 }),
      ]),
    ],
    ['waiting for one person', view(waitsFor({ by: ['ana'] }), [prod([], { add: 1 })])],
    [
      'waiting after the merge',
      view(waitsFor({ author: true }), [prod([], { add: 1 })], { sha: mergeCommit }),
    ],
    ['ready', view({ kind: 'ready', applies: 'merge' }, [ready])],
    ['ready for a comment', view({ kind: 'ready', applies: 'comment' }, [readyFor('comment')])],
    ['ready for one or the other', view({ kind: 'ready', applies: 'merge' }, [ready, readyFor('comment')])],
    [
      'waiting, applied by a comment',
      view(waitsFor({}), [
        project('prod', { kind: 'waiting-for-approval', missing: [missing], applies: 'comment' }),
      ]),
    ],
    ['one project deleted', view({ kind: 'no-projects' }, [], { deleted: [{ name: 'dns', resources: 3 }] })],
    [
      'several projects deleted',
      view({ kind: 'ready', applies: 'merge' }, [ready], {
        deleted: [
          { name: 'dns', resources: 1 },
          { name: 'envs/old', resources: 0 },
        ],
      }),
    ],
    [
      'many projects deleted, not all counted',
      view({ kind: 'no-projects' }, [], {
        deleted: ['a', 'b', 'c', 'd'].map((name, resources) => ({ name, resources: resources || null })),
      }),
    ],
    [
      'an empty project deleted',
      view({ kind: 'no-projects' }, [], { deleted: [{ name: 'dns', resources: 0 }] }),
    ],
    [
      'a project deleted whose end is planned',
      view({ kind: 'ready', applies: 'merge' }, [endOfDns], { deleted: [{ name: 'dns', resources: 3 }] }),
    ],
    [
      'a project deleted, another taken out of hatchet.yaml',
      view({ kind: 'no-projects' }, [], {
        deleted: [
          { name: 'dns', resources: 3 },
          { name: 'prod', resources: 2, unlisted: true },
        ],
      }),
    ],
    [
      'an empty project that leaves hatchet.yaml',
      view({ kind: 'no-projects' }, [], { deleted: [{ name: 'dns', resources: 0, unlisted: true }] }),
    ],
    [
      'projects that leave hatchet.yaml, one of them planned here',
      view({ kind: 'ready', applies: 'merge' }, [ready], {
        deleted: [
          { name: 'dns', resources: 2, unlisted: true },
          { name: 'staging', resources: null, unlisted: true },
        ],
      }),
    ],
    [
      'projects that moved, or may have',
      view({ kind: 'no-projects' }, [], {
        deleted: [
          { name: 'old', resources: 2, manager: { ...managedBy('new'), moved: true } },
          { name: 'a', resources: 2, manager: { ...managedBy('b'), number: 7 } },
          { name: 'dns', resources: 1, manager: { kind: 'unplanned', project: 'net/dns' } },
        ],
      }),
    ],
    [
      'many projects that moved',
      view({ kind: 'no-projects' }, [], {
        deleted: ['a', 'b', 'c', 'd'].map((name) => ({
          ...{ name, resources: 1, manager: { ...managedBy(`x/${name}`), moved: true } },
        })),
      }),
    ],
    [
      'many projects with the states of others',
      view({ kind: 'no-projects' }, [], {
        deleted: ['a', 'b', 'c', 'd'].map((name) => ({ name, resources: 1, manager: managedBy('prod') })),
      }),
    ],
    [
      'an end that waits for what only the edited hatchet.yaml has',
      view({ kind: 'no-projects' }, [], {
        deleted: [
          { name: 'dns', resources: 1, manager: { kind: 'unplanned', project: 'cdn', inactive: true } },
        ],
      }),
    ],
    ['a deletion that is being counted', view({ kind: 'planning', projects: [] }, [], { counting: ['dns'] })],
    [
      'a deletion that is being counted, beside what is ready',
      view({ kind: 'ready', applies: 'merge' }, [ready], { counting: ['a', 'b', 'c', 'd'] }),
    ],
    ['ready after the merge', view({ kind: 'ready', applies: 'merge' }, [ready], { sha: mergeCommit })],
    [
      'applying',
      view({ kind: 'applying', projects: ['dns', 'prod'] }, [
        project('dns', { kind: 'queued', behind: 12, position: 1, since: null }),
        project('prod', { kind: 'applying', since: '2026-11-21T22:31:00Z', runId: someRun }),
      ]),
    ],
    [
      'not taken yet',
      view({ kind: 'applying', projects: ['prod'] }, [
        project('prod', { kind: 'applying', since: null, runId: someRun }),
      ]),
    ],
    [
      'apply failed',
      view({ kind: 'apply-failed', projects: ['prod'] }, [
        project('prod', { kind: 'apply-failed', diagnostics: [], diagnosticCount: 0, done: 0, total: 4 }),
      ]),
    ],
    [
      'half applied',
      view({ kind: 'apply-failed', projects: ['prod'] }, [
        project('prod', { kind: 'apply-failed', diagnostics: [], diagnosticCount: 0, done: 2, total: 4 }),
      ]),
    ],
    ['unknown', view({ kind: 'unknown', projects: ['prod'] }, [])],
    ['applied', view({ kind: 'applied' }, [appliedByHand, appliedOnMerge])],
    ['partly applied', view({ kind: 'partly-applied', applied: ['staging'], open: ['prod'] }, [])],
    [
      'partly applied after the merge',
      view({ kind: 'partly-applied', applied: ['staging'], open: ['prod'] }, [], { sha: mergeCommit }),
    ],
    ['closed', view({ kind: 'closed' }, [])],
  ];

  test('for every state', () => {
    const lines = cases.map(
      ([name, picture]) => `${name}:\n${openingParagraphs(picture, noLinks).join('\n\n')}`,
    );
    expect(lines.join('\n\n')).toMatchInlineSnapshot(`
      "planning:
      **Planning \`prod\` and \`staging\`.** Nothing to do yet: the plans appear here.

      planning many:
      **Planning \`a\`, \`b\`, \`c\` and 2 more.** Nothing to do yet: the plans appear here.

      planning, nothing known:
      **Planning.** Nothing to do yet: the plans appear here.

      cancelled:
      **Planning was cancelled.** Comment \`/hatchet plan\` to plan again.

      no projects:
      **No Terraform project is affected.** Nothing to review or to apply.

      no changes:
      **No changes.** 1 project planned, nothing to apply.

      draft:
      **A draft is not planned.** It is planned when it is marked as ready for review.

      fork:
      **Not planned: this comes from a fork, and planning runs its code.**
      Anyone with write, after a look at the code: **Allow plan** on the hatchet/plan check, or comment \`/hatchet plan 3f2a1bc\`.

      conflict:
      **Conflict with \`main\` in \`envs/prod/main.tf\` and \`envs/prod/vars.tf\`.** Merge \`main\` into this branch or rebase it, then push.

      configuration on base:
      **\`hatchet.yaml\` on \`main\` is broken.** Nothing is planned until it is mended on \`main\`.

      configuration in the pull request:
      **\`hatchet.yaml\` is broken in this pull request.** Merging it would stop every pull request. Mend it and push.

      operator error:
      **Hatchet could not finish.**
      Your code is not the cause. Whoever runs Hatchet finds it in the log under \`00000000-0000-4000-8000-0000000000aa\`; then comment \`/hatchet plan\`.

      full disk:
      **Hatchet's disk is full.** Your code is not the cause. Whoever runs Hatchet makes room on the disk of \`HATCHET_DATA_DIR\`; then comment \`/hatchet plan\`.

      plan failed:
      **\`prod\` could not be planned.** Fix the error below and push.

      plan failed, others not:
      **\`prod\` could not be planned.** Fix the error below and push; other projects are not held up.

      no room to plan:
      **\`prod\` could not be planned.** The runner's disk is full, see below; then comment \`/hatchet plan\`; other projects are not held up.

      denied:
      **\`protect\` blocks \`prod\`.** No approval can change that: see the reason below, then push.

      denied twice:
      **A policy blocks \`prod\` and \`dns\`.** No approval can change that: see the reason below, then push.

      denied, unless:
      **A policy blocks \`prod\`.**
      No approval can change that: see the reason below, then push. Or @root can set it aside: \`/hatchet override PROJECT --reason "…"\`.

      denied, and another policy gave no answer:
      **\`labels\` and \`protect\` block \`prod\`.**
      No approval can change that: see the reason below, then remove the cause and push, or comment \`/hatchet plan\` when it is gone.

      rejected:
      **Rejected by @hubot: \`prod\`.** Blocked until @hubot approves or a push changes the plan.

      waiting:
      **Waiting for 1 approval: \`prod\` replaces \`aws_db_instance.main\`.**
      Anyone with write except @mona: **Approve** on the hatchet/apply check, or comment \`/hatchet approve\`. Then merging applies it.

      waiting for two:
      **Waiting for 2 approvals: \`prod\` destroys 4 resources and forgets 2 resources.**
      @octo-org/platform or @ana, except @mona: **Approve** on the hatchet/apply check, or comment \`/hatchet approve\`. Then merging applies it.

      waiting for one person:
      **Waiting for 1 approval: \`prod\`.** @ana: **Approve** on the hatchet/apply check, or comment \`/hatchet approve\`. Then merging applies it.

      waiting after the merge:
      **Waiting for 1 approval: \`prod\`.**
      Anyone with write: **Approve** on the hatchet/apply check, or comment \`/hatchet approve\`. The last yes starts the apply.

      ready:
      **Ready: 1 project, 1 to change, 2 to add.** Merging applies it.

      ready for a comment:
      **Ready: 1 project, 1 to change, 2 to add.** Comment \`/hatchet apply\` to apply it.

      ready for one or the other:
      **Ready: 2 projects, 2 to change, 4 to add.** Merging applies it; the table says which need \`/hatchet apply\`.

      waiting, applied by a comment:
      **Waiting for 1 approval: \`prod\`.**
      Anyone with write except @mona: **Approve** on the hatchet/apply check, or comment \`/hatchet approve\`. Then comment \`/hatchet apply\` to apply it.

      one project deleted:
      **\`dns\` is deleted: 3 resources would stay.** \`/hatchet plan dns --destroy\` plans their destruction; merging alone leaves them untouched.

      several projects deleted:
      **Ready: 1 project, 1 to change, 2 to add.** Merging applies it.

      **\`dns\` and \`envs/old\` are deleted: 1 resource would stay.** \`/hatchet plan dns envs/old --destroy\` plans the destruction; merging alone leaves them untouched.

      many projects deleted, not all counted:
      **\`a\`, \`b\`, \`c\` and 1 more are deleted, and what they manage would stay.** \`/hatchet plan NAME --destroy\` plans the destruction; merging alone leaves them untouched.

      <details><summary>4 deleted projects</summary>

      - \`a\`
      - \`b\`: 1 resource
      - \`c\`: 2 resources
      - \`d\`: 3 resources

      </details>

      an empty project deleted:
      **\`dns\` is deleted and left nothing to manage.** Nothing stays behind.

      a project deleted whose end is planned:
      **Ready: 1 project, 3 to destroy.** Merging applies it.

      a project deleted, another taken out of hatchet.yaml:
      **\`dns\` is deleted: 3 resources would stay.** \`/hatchet plan dns --destroy\` plans their destruction; merging alone leaves them untouched.

      **\`prod\` leaves Hatchet’s care: 2 resources would stay.** \`/hatchet plan prod --destroy\` plans their destruction; merging alone lets go of them: they stay as they are, and nothing here is planned or applied for them.

      an empty project that leaves hatchet.yaml:
      **\`dns\` leaves Hatchet’s care with nothing to manage.** Nothing stays behind.

      projects that leave hatchet.yaml, one of them planned here:
      **Ready: 1 project, 1 to change, 2 to add.** Merging applies it.

      **\`dns\` leaves Hatchet’s care: 2 resources would stay.** \`/hatchet plan dns --destroy\` plans their destruction; merging alone lets go of them: they stay as they are, and nothing here is planned or applied for them.

      **\`staging\` leaves Hatchet’s care, and what it manages would stay.** \`/hatchet plan staging --destroy\` plans their destruction; merging alone lets go of them: what is planned here is still applied, then they stay as they are.

      projects that moved, or may have:
      **\`old\` moved to \`new\`: its state is managed there.**

      **\`a\` is deleted and has the same state (lineage) as \`b\` (applied by #7, not merged).** Where that is one state, nothing is left to do. Where it is a copy, end \`a\` by hand, or give it a state of its own (a new lineage) first.

      **\`dns\` is deleted: 1 resource would stay.** Their destruction is not planned before \`net/dns\` is: that is new here, and may manage the same state. Comment \`/hatchet plan\` once \`net/dns\` can be planned; merging alone leaves them untouched.

      many projects that moved:
      **4 projects moved: their state is managed elsewhere.**

      <details><summary>4 projects that moved</summary>

      - \`a\` moved to \`x/a\`: its state is managed there.
      - \`b\` moved to \`x/b\`: its state is managed there.
      - \`c\` moved to \`x/c\`: its state is managed there.
      - \`d\` moved to \`x/d\`: its state is managed there.

      </details>

      many projects with the states of others:
      **4 projects have the same states (lineages) as others.** Where that is one state, nothing is left to do. Where it is a copy, end the project by hand, or give it a state of its own (a new lineage) first.

      <details><summary>4 projects with the states of others</summary>

      - \`a\` is deleted and has the same state (lineage) as \`prod\`
      - \`b\` is deleted and has the same state (lineage) as \`prod\`
      - \`c\` is deleted and has the same state (lineage) as \`prod\`
      - \`d\` is deleted and has the same state (lineage) as \`prod\`

      </details>

      an end that waits for what only the edited hatchet.yaml has:
      **\`dns\` is deleted: 1 resource would stay.** Their destruction is not planned before \`cdn\` is: that is new here, and may manage the same state. Only the edited \`hatchet.yaml\` has \`cdn\`, so this pull request cannot plan it: add its entry in an earlier pull request; merging alone leaves them untouched.

      a deletion that is being counted:
      **Counting what merging would leave behind: \`dns\`.** Nothing to do yet: the answer appears here.

      a deletion that is being counted, beside what is ready:
      **Ready: 1 project, 1 to change, 2 to add.** Merging applies it.

      **Counting what merging would leave behind: \`a\`, \`b\`, \`c\` and 1 more.**

      ready after the merge:
      **Not applied yet: 1 project, 1 to change, 2 to add.** **Apply now** on the hatchet/apply check, or comment \`/hatchet apply\`.

      applying:
      **Applying \`prod\`.** Nothing to do: the result appears here.

      not taken yet:
      **Waiting to be applied: \`prod\`.** Nothing to do: the result appears here.

      apply failed:
      **\`prod\` could not be applied: none of its changes is done.**
      To go on: remove the cause below, then **Re-plan** on the hatchet/apply check or comment \`/hatchet plan\` (a new plan, a new approval).

      half applied:
      **\`prod\` is half applied: 2 of 4 changes are done.**
      To go on: remove the cause below, then **Re-plan** on the hatchet/apply check or comment \`/hatchet plan\` (a new plan, a new approval).

      unknown:
      **Outcome unknown: \`prod\`.**
      Nobody heard how the apply ended. Hatchet starts nothing else on \`prod\` until someone with write decides; where contact with a runner was lost, Terraform may still be at work there. In a moment a new plan tells what is done. **Unlock** on the hatchet/apply check, or comment \`/hatchet unlock\`, gives the lock up.

      applied:
      **Applied.** 2 projects, 4 added, 5 changed, 1 replaced, 1 destroyed, 1 imported, 1 moved, in 3m 12s.

      partly applied:
      **\`staging\` applied, \`prod\` not yet.** Merging applies the rest.

      partly applied after the merge:
      **\`staging\` applied, \`prod\` not yet.** **Apply now** on the hatchet/apply check, or comment \`/hatchet apply\`.

      closed:
      **Closed without a merge.** Nothing more is planned or applied here."
    `);
  });
});

describe('the comment', () => {
  test('while an approval is missing', () => {
    expect(renderComment(waitingView, changes, links)).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **Waiting for 1 approval: \`prod\` destroys \`aws_sqs_queue.jobs\` and replaces \`aws_db_instance.main\`.**
      Anyone with write except @mona: **Approve** on the [hatchet/apply](https://github.com/octo-org/infra/runs/8334) check, or comment \`/hatchet approve\`. Then merging applies it.

      | Project                                                | Add | Change | Destroy | Replace | Import | Move | Policy           | Status                  |
      | :----------------------------------------------------- | --: | -----: | ------: | ------: | -----: | ---: | :--------------- | :---------------------- |
      | [prod](https://github.com/octo-org/infra/runs/8738)    |   2 |      4 |   **1** |   **1** |      1 |    1 | needs 1 approval | waiting                 |
      | [staging](https://github.com/octo-org/infra/runs/9050) |   2 |      1 |         |         |        |      | passed           | ready, applies on merge |
      | [dns](https://github.com/octo-org/infra/runs/8626)     |     |        |         |         |        |      |                  | no changes              |

      <details open><summary><b>prod</b>: 1 to destroy, 1 to replace, 4 to change, 2 to add, 1 to move, 1 to import</summary>

      \`\`\`diff
      - aws_sqs_queue.jobs                       destroyed: no longer in the configuration
      -     name   "octo-jobs"
      -     url    "https://sqs.eu-west-1.amazonaws.com/123456789012/octo-jobs"

      -/+ aws_db_instance.main                   replaced: engine_version cannot be changed in place
      !     engine_version   "14.7" → "16.3"     forces replacement
      !     password         (sensitive)
      !     known after apply: address, arn, endpoint, id
      \`\`\`

      \`destroy.rego\` needs approval: a database is replaced. Take a snapshot first.

      <details><summary>Also 4 to change, 2 to add, 1 to move, 1 to import</summary>

      \`\`\`diff
      ~ aws_ecs_service.web
      !     desired_count     2 → 4
      +     tags["release"]   "2026-11"
      -     tags["team"]      "web"

      ~ aws_iam_role_policy.app
      !     policy
              … 11 unchanged lines
                    "Action": [
                      "s3:GetObject"
      +               "s3:PutObject"
      +               "s3:DeleteObject"
                    ]
                    "Effect": "Allow"
              … 5 unchanged lines

      ~ aws_launch_template.web
      !     user_data
              #!/bin/bash
              set -euo pipefail
      -       yum install -y nginx
      +       dnf install -y nginx
              cat > /etc/nginx/conf.d/app.conf <<CONF
              server {
      -         listen 80;
      +         listen 8080;
                location / { proxy_pass http://127.0.0.1:3000; }
              }
              … 6 unchanged lines
      !     latest_version   7 → known after apply

      ~ aws_security_group.web
      !     ingress
              … 7 unchanged lines
                  "to_port": 443
                }
      +         {
      +           "cidr_blocks": [
      +             "0.0.0.0/0"
      +           ]
      +           "from_port": 8080
      +           "protocol": "tcp"
      +           "to_port": 8080
      +         }
              ]

      + aws_route53_record.app["eu"]
      + aws_route53_record.app["us"]
      +     name      "app.example.com"
      +     records   ["10.0.0.1"]
      +     ttl       300
      +     type      "A"
      +     known after apply: fqdn, id

      → aws_s3_bucket.uploads                    moved from aws_s3_bucket.files
      ← aws_cloudwatch_log_group.app             imported: /ecs/octo-app

      ~ outputs
      !     database_endpoint   "octo-prod.c9akciq32.eu-west-1.rds.amazonaws.com:5432" → known after apply
      \`\`\`

      </details>

      [Whole plan and log](https://hatchet.example/runs/00000000-0000-4000-8000-0000000000aa)

      </details>

      <details><summary><b>staging</b>: 1 to change, 2 to add</summary>

      \`\`\`diff
      ~ aws_ecs_service.web
      !     desired_count     2 → 4
      +     tags["release"]   "2026-11"
      -     tags["team"]      "web"

      + aws_route53_record.app["eu"]
      + aws_route53_record.app["us"]
      +     name      "app.example.com"
      +     records   ["10.0.0.1"]
      +     ttl       300
      +     type      "A"
      +     known after apply: fqdn, id
      \`\`\`

      [Whole plan and log](https://hatchet.example/runs/00000000-0000-4000-8000-0000000000aa)

      </details>

      <sub>Planned [\`3f2a1bc\`](https://github.com/octo-org/infra/commit/3f2a1bc4d5e6f708192a3b4c5d6e7f8091a2b3c4) merged into \`main\` at [\`9d0e77a\`](https://github.com/octo-org/infra/commit/9d0e77ab1c2d3e4f5061728394a5b6c7d8e9f0a1), 2026-11-21 22:04 UTC · Terraform 1.11.4 · [hatchet/plan](https://github.com/octo-org/infra/runs/8211) · [hatchet/policy](https://github.com/octo-org/infra/runs/8440) · [hatchet/apply](https://github.com/octo-org/infra/runs/8334)</sub>"
    `);
  });

  test('when several approvals are missing, one is given and earlier ones no longer count', () => {
    const rules = [
      { project: 'prod', rule: { ...destroyRule, count: 2, by: ['@octo-org/platform'] }, given: 1 },
      {
        project: 'prod',
        rule: { count: 1, by: [], author: true, message: '', source: 'hatchet.yaml' },
        given: 0,
      },
    ];
    const picture = view(
      { kind: 'waiting-for-approval', missing: rules },
      [
        project(
          'prod',
          { kind: 'waiting-for-approval', missing: rules },
          {
            plan: plan(
              'prod',
              { replace: 1 },
              { risky: [{ address: 'aws_db_instance.main', action: 'replace' }] },
            ),
            verdicts: [
              needsApproval,
              verdict('tags', {
                level: 'advisory',
                denials: [{ message: 'no owner', address: 'aws_sqs_queue.jobs' }],
              }),
            ],
            approvedBy: ['hubot'],
            voided: '1 approval no longer counts: aws_db_instance.main changed.',
          },
        ),
      ],
      { editsConfiguration: true, inactiveEntries: ['prod@eu', 'dns'] },
    );
    expect(renderComment(picture, new Map(), noLinks)).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **Waiting for 1 approval: \`prod\` replaces \`aws_db_instance.main\`.**
      Those named below: **Approve** on the hatchet/apply check, or comment \`/hatchet approve\`. Then merging applies it.

      \`hatchet.yaml\` is changed here: inactive until merged. \`prod@eu\` and \`dns\` are new or changed there. Nothing plans them that way here, nor when this is merged: the next pull request that changes their files does.

      | Project | Add | Change | Destroy | Replace | Policy           | Status  |
      | :------ | --: | -----: | ------: | ------: | :--------------- | :------ |
      | prod    |     |        |         |   **1** | needs 1 approval | waiting |

      - \`prod\` needs 1 more of 2 approvals by @octo-org/platform, except @mona: a database is replaced. Take a snapshot first.
      - \`prod\` needs 1 approval by anyone with write
      - \`prod\` is approved by @hubot
      - \`prod\`: 1 approval no longer counts: aws_db_instance.main changed.

      <details open><summary><b>prod</b>: 1 to replace</summary>

      \`destroy.rego\` needs approval: a database is replaced. Take a snapshot first.

      \`tags\` advises against this: no owner (\`aws_sqs_queue.jobs\`)

      The diff is not here; see the hatchet/plan check.

      </details>

      <sub>Planned \`3f2a1bc\` merged into \`main\` at \`9d0e77a\`, 2026-11-21 22:04 UTC · Terraform 1.11.4</sub>"
    `);
  });

  test('when a plan failed', () => {
    const untold: Diagnostic = {
      severity: 'error',
      summary: 'Invalid provider configuration',
      detail: 'The provider says:\n\n  - region is missing\n  - token is missing',
    };
    const picture = view({ kind: 'plan-failed', projects: ['prod'] }, [
      project('prod', { kind: 'failed', diagnostics: [diagnostic, untold], diagnosticCount: 5 }),
      ready,
    ]);
    expect(renderComment(picture, new Map(), noLinks)).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **\`prod\` could not be planned.** Fix the errors below and push; other projects are not held up.

      | Project | Add | Change | Destroy | Replace | Policy | Status                  |
      | :------ | --: | -----: | ------: | ------: | :----- | :---------------------- |
      | prod    |     |        |         |         |        | failed                  |
      | staging |   2 |      1 |         |         | passed | ready, applies on merge |

      \`envs/prod/main.tf:14\` **Unsupported argument**: An argument named "instnce_class" is not expected here. Did you mean "instance_class"?

      \`prod\`: **Invalid provider configuration**

      \`\`\`
      The provider says:

        - region is missing
        - token is missing
      \`\`\`

      3 more problems of \`prod\`.

      <details><summary><b>staging</b>: 1 to change, 2 to add</summary>

      The diff is not here; see the hatchet/plan check.

      </details>

      <sub>Planned \`3f2a1bc\` merged into \`main\` at \`9d0e77a\`, 2026-11-21 22:04 UTC · Terraform 1.11.4</sub>"
    `);
  });

  test('after the merge', () => {
    const picture = view({ kind: 'applied' }, [appliedByHand, appliedOnMerge], { sha: mergeCommit });
    const comment = renderComment(picture, changes, links);
    expect(comment.slice(0, comment.indexOf('```'))).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **Applied.** 2 projects, 4 added, 5 changed, 1 replaced, 1 destroyed, 1 imported, 1 moved, in 3m 12s.

      | Project                                                | Add | Change | Destroy | Replace | Import | Move | Applied                                                                                       |
      | :----------------------------------------------------- | --: | -----: | ------: | ------: | -----: | ---: | :-------------------------------------------------------------------------------------------- |
      | [prod](https://github.com/octo-org/infra/runs/8738)    |   2 |      4 |       1 |       1 |      1 |    1 | 22:31 UTC by @hubot, [log](https://hatchet.example/runs/00000000-0000-4000-8000-0000000000aa) |
      | [staging](https://github.com/octo-org/infra/runs/9050) |   2 |      1 |         |         |        |      | 22:29 UTC on merge, [log](https://hatchet.example/runs/00000000-0000-4000-8000-0000000000aa)  |

      - \`prod\` is approved by @hubot

      <details><summary><b>prod</b>: 2 added, 4 changed, 1 replaced, 1 destroyed, 1 imported, 1 moved</summary>

      "
    `);
  });

  test('when it is half applied', () => {
    const cause: Diagnostic = {
      severity: 'error',
      summary: 'creating DB Instance (octo-prod)',
      detail: 'operation error RDS: CreateDBInstance, InstanceQuotaExceeded',
      address: 'aws_db_instance.main',
    };
    const picture = view(
      { kind: 'apply-failed', projects: ['prod'] },
      [
        project(
          'prod',
          { kind: 'apply-failed', diagnostics: [cause], diagnosticCount: 1, done: 2, total: 4 },
          { plan: prodPlan, verdicts: [needsApproval], approvedBy: ['hubot'] },
        ),
      ],
      { sha: mergeCommit },
    );
    const comment = renderComment(picture, new Map(), noLinks);
    expect(comment).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **\`prod\` is half applied: 2 of 4 changes are done.**
      To go on: remove the cause below, then **Re-plan** on the hatchet/apply check or comment \`/hatchet plan\` (a new plan, a new approval).

      | Project | Add | Change | Destroy | Replace | Import | Move | Policy   | Status               |
      | :------ | --: | -----: | ------: | ------: | -----: | ---: | :------- | :------------------- |
      | prod    |   2 |      4 |   **1** |   **1** |      1 |    1 | approved | half applied, 2 of 4 |

      - \`prod\` is approved by @hubot

      \`aws_db_instance.main\` **creating DB Instance (octo-prod)**: operation error RDS: CreateDBInstance, InstanceQuotaExceeded

      <details open><summary><b>prod</b>: 1 to destroy, 1 to replace, 4 to change, 2 to add, 1 to move, 1 to import</summary>

      \`destroy.rego\` needs approval: a database is replaced. Take a snapshot first.

      The diff is not here; see the hatchet/plan check.

      </details>

      <sub>Planned \`3f2a1bc\` merged into \`main\` at \`9d0e77a\`, 2026-11-21 22:04 UTC · Terraform 1.11.4</sub>"
    `);
  });

  test('when a policy denies or fails', () => {
    const verdicts = [
      verdict('protect', {
        denials: [{ message: 'protected by hatchet.yaml', address: 'aws_db_instance.main' }],
      }),
      verdict('own', { error: 'no answer within 5 s' }),
      needsApproval,
    ];
    const picture = view({ kind: 'denied', projects: ['staging'] }, [
      project('staging', { kind: 'denied' }, { plan: stagingPlan, verdicts }),
    ]);
    expect(renderComment(picture, changes, noLinks)).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **\`protect\` and \`own\` block \`staging\`.**
      No approval can change that: see the reason below, then remove the cause and push, or comment \`/hatchet plan\` when it is gone.

      | Project | Add | Change | Destroy | Replace | Policy                 | Status |
      | :------ | --: | -----: | ------: | ------: | :--------------------- | :----- |
      | staging |   2 |      1 |         |         | could not be evaluated | denied |

      \`staging\`: \`own\` could not be evaluated, which counts as a no: no answer within 5 s

      \`staging\`: \`protect\` denies this: protected by hatchet.yaml (\`aws_db_instance.main\`)

      <details><summary><b>staging</b>: 1 to change, 2 to add</summary>

      \`destroy.rego\` needs approval: a database is replaced. Take a snapshot first.

      \`\`\`diff
      ~ aws_ecs_service.web
      !     desired_count     2 → 4
      +     tags["release"]   "2026-11"
      -     tags["team"]      "web"

      + aws_route53_record.app["eu"]
      + aws_route53_record.app["us"]
      +     name      "app.example.com"
      +     records   ["10.0.0.1"]
      +     ttl       300
      +     type      "A"
      +     known after apply: fqdn, id
      \`\`\`

      </details>

      <sub>Planned \`3f2a1bc\` merged into \`main\` at \`9d0e77a\`, 2026-11-21 22:04 UTC · Terraform 1.11.4</sub>"
    `);
  });

  test('when hatchet.yaml is broken', () => {
    const problem: Diagnostic = {
      severity: 'error',
      summary: 'Unknown key "approval"',
      detail: 'Did you mean "approvals"?',
      path: 'hatchet.yaml',
      startLine: 3,
    };
    const picture = view({ kind: 'config-broken', where: 'head', diagnostics: [problem] }, [], {
      plannedAt: null,
      baseSha: null,
    });
    expect(renderComment(picture, new Map(), noLinks)).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **\`hatchet.yaml\` is broken in this pull request.** Merging it would stop every pull request. Mend it and push.

      \`hatchet.yaml:3\` **Unknown key "approval"**: Did you mean "approvals"?

      <sub>Head \`3f2a1bc\`</sub>"
    `);
  });

  test('with every status and every verdict in the table', () => {
    const planned = { plan: plan('p', { add: 1, forget: 1 }) };
    const rows = [
      project('a', { kind: 'planning', since: null }),
      project('b', { kind: 'cancelled' }),
      project('c', { kind: 'judging' }, planned),
      project(
        'd',
        { kind: 'denied' },
        { ...planned, verdicts: [verdict('protect', { denials: [{ message: 'protected' }] })] },
      ),
      project('e', { kind: 'denied' }, { ...planned, verdicts: [verdict('own', { error: 'timed out' })] }),
      project('f', { kind: 'rejected', by: 'hubot' }, { ...planned, verdicts: [needsApproval] }),
      project('g', { kind: 'ready' }, { ...planned, verdicts: [needsApproval], approvedBy: ['hubot'] }),
      project(
        'h',
        { kind: 'ready' },
        { ...planned, verdicts: [verdict('w', { warnings: [{ message: 'x' }, { message: 'y' }] })] },
      ),
      project('i', { kind: 'queued', behind: 12, position: 2, since: null }, planned),
      project('j', { kind: 'queued', behind: null, position: 1, since: null }, planned),
      project('k', { kind: 'applying', since: null, runId: someRun }, planned),
      project('l', { kind: 'applied', at: '2026-11-21T22:31:00Z', by: 'hubot', on: 'button' }, planned),
      project('m', { kind: 'apply-failed', diagnostics: [], diagnosticCount: 0, done: 0, total: 2 }, planned),
      project('n', { kind: 'unknown', reason: 'no heartbeat for 45 s' }, planned),
    ];
    expect(
      renderComment(view({ kind: 'unknown', projects: ['n'] }, rows), new Map(), noLinks),
    ).toMatchInlineSnapshot(`
      "<!-- hatchet:pr -->
      **Outcome unknown: \`n\`.**
      Nobody heard how the apply ended. Hatchet starts nothing else on \`n\` until someone with write decides; where contact with a runner was lost, Terraform may still be at work there. In a moment a new plan tells what is done. **Unlock** on the hatchet/apply check, or comment \`/hatchet unlock\`, gives the lock up.

      | Project | Add | Change | Destroy | Replace | Forget | Policy                 | Status                            |
      | :------ | --: | -----: | ------: | ------: | -----: | :--------------------- | :-------------------------------- |
      | a       |     |        |         |         |        |                        | planning                          |
      | b       |     |        |         |         |        |                        | cancelled                         |
      | c       |   1 |        |         |         |  **1** |                        | asking the policies               |
      | d       |   1 |        |         |         |  **1** | denied                 | denied                            |
      | e       |   1 |        |         |         |  **1** | could not be evaluated | denied                            |
      | f       |   1 |        |         |         |  **1** | asks for approval      | rejected by @hubot                |
      | g       |   1 |        |         |         |  **1** | approved               | ready, applies on merge           |
      | h       |   1 |        |         |         |  **1** | passed, 2 warnings     | ready, applies on merge           |
      | i       |   1 |        |         |         |  **1** |                        | waiting for #12, 2nd in line      |
      | j       |   1 |        |         |         |  **1** |                        | waiting for its turn, 1st in line |
      | k       |   1 |        |         |         |  **1** |                        | waiting for a runner              |
      | l       |   1 |        |         |         |      1 |                        | applied 22:31 UTC by @hubot       |
      | m       |   1 |        |         |         |  **1** |                        | apply failed, nothing changed     |
      | n       |   1 |        |         |         |  **1** |                        | outcome unknown                   |

      - \`g\` is approved by @hubot

      \`d\`: \`protect\` denies this: protected

      \`e\`: \`own\` could not be evaluated, which counts as a no: timed out

      \`n\`: no heartbeat for 45 s

      <details><summary><b>d</b>: 1 to forget, 1 to add</summary>

      The diff is not here; see the hatchet/plan check.

      </details>

      <details><summary><b>e</b>: 1 to forget, 1 to add</summary>

      The diff is not here; see the hatchet/plan check.

      </details>

      <details><summary><b>f</b>: 1 to forget, 1 to add</summary>

      \`destroy.rego\` needs approval: a database is replaced. Take a snapshot first.

      The diff is not here; see the hatchet/plan check.

      </details>

      <details><summary><b>m</b>: 1 to forget, 1 to add</summary>

      The diff is not here; see the hatchet/plan check.

      </details>

      <details><summary><b>n</b>: 1 to forget, 1 to add</summary>

      The diff is not here; see the hatchet/plan check.

      </details>

      <details><summary><b>c</b>: 1 to forget, 1 to add</summary>

      The diff is not here; see the hatchet/plan check.

      </details>

      <details><summary><b>i</b>: 1 to forget, 1 to add</summary>

      The diff is not here; see the hatchet/plan check.

      </details>

      <details><summary><b>j</b>: 1 to forget, 1 to add</summary>

      The diff is not here; see the hatchet/plan check.

      </details>

      <details><summary><b>k</b>: 1 to forget, 1 to add</summary>

      The diff is not here; see the hatchet/plan check.

      </details>

      <details><summary><b>g</b>: 1 to forget, 1 to add</summary>

      \`destroy.rego\` needs approval: a database is replaced. Take a snapshot first.

      The diff is not here; see the hatchet/plan check.

      </details>

      <details><summary><b>h</b>: 1 to forget, 1 to add</summary>

      \`w\` warns: x

      \`w\` warns: y

      The diff is not here; see the hatchet/plan check.

      </details>

      <details><summary><b>l</b>: 1 added, 1 forgotten</summary>

      The diff is not here; see the hatchet/plan check.

      </details>

      <sub>Planned \`3f2a1bc\` merged into \`main\` at \`9d0e77a\`, 2026-11-21 22:04 UTC · Terraform 1.11.4</sub>"
    `);
  });
});
