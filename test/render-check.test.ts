// Do the checks say what they are for: the plan its diff, the policy its reasons, the apply what is missing?
import { expect, test } from 'vitest';
import { renderCheck } from '../activities/render/checks.ts';
import { renderGroupCheck } from '../activities/render/group.ts';
import type { Check } from '../workflows/model/check.ts';
import type { Diagnostic } from '../workflows/model/diagnostic.ts';
import {
  changes,
  destroyRule,
  links,
  needsApproval,
  noLinks,
  passes,
  plan,
  prodPlan,
  project,
  stagingPlan,
  verdict,
  view,
  waitingView,
} from './render-example.ts';

const check = (more: Partial<Check>): Check => ({
  name: 'hatchet/plan',
  state: { status: 'completed', conclusion: 'success' },
  title: '2 projects: 4 to add',
  buttons: [],
  annotations: [],
  project: null,
  ...more,
});

test('a project carries its whole diff', () => {
  const rendered = renderCheck(
    check({ name: 'hatchet/plan: staging', project: 'staging', buttons: ['replan'] }),
    waitingView,
    changes,
    links,
  );
  expect(rendered).toMatchInlineSnapshot(`
    {
      "actions": [
        {
          "description": "Plan again",
          "identifier": "replan:12",
          "label": "Re-plan",
        },
      ],
      "annotations": [],
      "summary": "\`staging\`: 1 to change, 2 to add; ready, applies on merge.

    [Whole plan and log](https://hatchet.example/runs/00000000-0000-4000-8000-0000000000aa)",
      "text": "\`\`\`diff
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
    \`\`\`",
      "title": "2 projects: 4 to add",
    }
  `);
});

test('the apply lists what is missing, who can give it and what is given', () => {
  const missing = [
    { project: 'prod', rule: { ...destroyRule, count: 2, by: ['@octo-org/platform'] }, given: 1 },
    {
      project: 'prod',
      rule: { count: 1, by: [], author: true, message: '', source: 'hatchet.yaml' },
      given: 0,
    },
  ];
  const picture = view({ kind: 'waiting-for-approval', missing }, [
    project(
      'prod',
      { kind: 'waiting-for-approval', missing },
      { plan: prodPlan, verdicts: [needsApproval], approvedBy: ['hubot'] },
    ),
    project('staging', { kind: 'ready' }, { plan: stagingPlan, verdicts: [passes] }),
  ]);
  const rendered = renderCheck(
    check({ name: 'hatchet/apply', buttons: ['approve', 'apply'] }),
    picture,
    new Map(),
    noLinks,
  );
  expect(rendered).toMatchInlineSnapshot(`
    {
      "actions": [
        {
          "description": "Say yes to the plans shown here",
          "identifier": "approve:12",
          "label": "Approve",
        },
        {
          "description": "Apply what is planned and approved",
          "identifier": "apply:12",
          "label": "Apply now",
        },
      ],
      "annotations": [],
      "summary": "**Waiting for 1 approval: \`prod\` destroys \`aws_sqs_queue.jobs\` and replaces \`aws_db_instance.main\`.**
    Those named below: **Approve** on the hatchet/apply check, or comment \`/hatchet approve\`. Then merging applies it.

    | Project | Add | Change | Destroy | Replace | Import | Move | Policy           | Status                  |
    | :------ | --: | -----: | ------: | ------: | -----: | ---: | :--------------- | :---------------------- |
    | prod    |   2 |      4 |   **1** |   **1** |      1 |    1 | needs 1 approval | waiting                 |
    | staging |   2 |      1 |         |         |        |      | passed           | ready, applies on merge |",
      "text": "- \`prod\` needs 1 more of 2 approvals by @octo-org/platform, except @mona: a database is replaced. Take a snapshot first.
    - \`prod\` needs 1 approval by anyone with write
    - \`prod\` is approved by @hubot",
      "title": "2 projects: 4 to add",
    }
  `);
});

test('the policy tells every reason', () => {
  const verdicts = [
    verdict('protect', { denials: [{ message: 'protected', address: 'aws_db_instance.main' }] }),
    verdict('own', { error: 'no answer within 5 s' }),
    verdict('tags', {
      level: 'advisory',
      denials: [{ message: 'no owner' }],
      warnings: [{ message: 'no cost centre' }],
    }),
    needsApproval,
  ];
  const picture = view({ kind: 'denied', projects: ['prod'] }, [
    project('prod', { kind: 'denied' }, { plan: prodPlan, verdicts }),
  ]);
  expect(
    renderCheck(check({ name: 'hatchet/policy' }), picture, new Map(), noLinks).text,
  ).toMatchInlineSnapshot(`
    "- \`prod\`: \`own\` could not be evaluated, which counts as a no: no answer within 5 s
    - \`prod\`: \`protect\` denies this: protected (\`aws_db_instance.main\`)
    - \`prod\`: \`destroy.rego\` needs approval: a database is replaced. Take a snapshot first.
    - \`prod\`: \`tags\` advises against this: no owner
    - \`prod\`: \`tags\` warns: no cost centre"
  `);
});

test('problems stand on their lines, the others in the text', () => {
  const onLine: Diagnostic = {
    severity: 'error',
    summary: 'Unsupported argument',
    detail: 'Did you mean "instance_class"?',
    path: 'envs/prod/main.tf',
    startLine: 14,
    endLine: 14,
    startColumn: 3,
    endColumn: 16,
  };
  const block: Diagnostic = { ...onLine, summary: 'Missing block', endLine: 20 };
  const outside: Diagnostic = {
    ...onLine,
    summary: 'In a module from elsewhere',
    path: '../modules/main.tf',
  };
  const nowhere: Diagnostic = { severity: 'error', summary: 'No credentials', detail: 'Set AWS_PROFILE.' };
  const warning: Diagnostic = {
    severity: 'warning',
    summary: 'Deprecated',
    detail: '',
    path: 'envs/prod/main.tf',
  };
  const all = [warning, onLine, block, outside, nowhere];
  const picture = view({ kind: 'plan-failed', projects: ['prod'] }, [
    project('prod', { kind: 'failed', diagnostics: [onLine], diagnosticCount: 1 }),
  ]);
  const rendered = renderCheck(
    check({ name: 'hatchet/plan: prod', project: 'prod', title: 'Unsupported argument', annotations: all }),
    picture,
    new Map(),
    noLinks,
  );
  expect(rendered).toMatchInlineSnapshot(`
    {
      "actions": [],
      "annotations": [
        {
          "endColumn": 16,
          "endLine": 14,
          "level": "failure",
          "message": "Did you mean "instance_class"?",
          "path": "envs/prod/main.tf",
          "startColumn": 3,
          "startLine": 14,
          "title": "Unsupported argument",
        },
        {
          "endLine": 20,
          "level": "failure",
          "message": "Did you mean "instance_class"?",
          "path": "envs/prod/main.tf",
          "startLine": 14,
          "title": "Missing block",
        },
        {
          "endLine": 1,
          "level": "warning",
          "message": "Deprecated",
          "path": "envs/prod/main.tf",
          "startLine": 1,
          "title": "Deprecated",
        },
      ],
      "summary": "\`prod\` could not be planned.

    \`envs/prod/main.tf:14\` **Unsupported argument**: Did you mean "instance_class"?",
      "text": "\`../modules/main.tf:14\` **In a module from elsewhere**: Did you mean "instance_class"?

    **No credentials**: Set AWS_PROFILE.",
      "title": "Unsupported argument",
    }
  `);
});

test('what cannot be planned yet says why, in its check, in that of all plans and nowhere else', () => {
  const diagnostics: readonly Diagnostic[] = [
    {
      ...{ severity: 'error', summary: 'Unsupported attribute', detail: 'There is no "id".' },
      ...{ path: 'app/main.tf', startLine: 9 },
    },
  ];
  const after = { kind: 'after', projects: ['network'], diagnostics, diagnosticCount: 3 } as const;
  const picture = view({ kind: 'ready', applies: 'merge' }, [project('app', after)]);
  const textOf = (more: Partial<Check>) => renderCheck(check(more), picture, new Map(), noLinks).text;
  const said = `\`app\` could not be planned yet: \`app/main.tf:9\` **Unsupported attribute**: There is no "id".

2 more problems of \`app\`.`;
  expect(textOf({ name: 'hatchet/plan: app', project: 'app' })).toBe(said);
  expect(textOf({ name: 'hatchet/plan' })).toContain(said);
  expect(textOf({ name: 'hatchet/apply' })).toBeNull();
  const answer = { name: 'app', plan: null, verdicts: [], answer: after };
  const group = { repository: picture.repository, headSha: picture.sha, number: 5, baseSha: picture.sha };
  const inQueue = (name: string) =>
    renderGroupCheck(check({ name }), {
      ...{ group: { ...group, base: 'main' }, runId: picture.roundId, checks: [] },
      findings: { kind: 'projects', projects: [answer] },
    }).text;
  expect(inQueue('hatchet/plan')).toBe(said);
  expect(inQueue('hatchet/apply')).toBeNull();
});

test('a plan without changes, and one whose changes cannot be read', () => {
  const none = plan('dns', {});
  const lost = plan('lost', { add: 1 });
  const picture = view({ kind: 'ready', applies: 'merge' }, [
    project('dns', { kind: 'no-changes' }, { plan: none }),
    project('lost', { kind: 'ready' }, { plan: lost }),
  ]);
  expect(
    ['dns', 'lost'].map((name) => renderCheck(check({ project: name }), picture, new Map(), noLinks)),
  ).toMatchInlineSnapshot(`
    [
      {
        "actions": [],
        "annotations": [],
        "summary": "\`dns\`: no changes.",
        "text": null,
        "title": "2 projects: 4 to add",
      },
      {
        "actions": [],
        "annotations": [],
        "summary": "\`lost\`: 1 to add; ready, applies on merge.",
        "text": "The diff is not here; whole plans have a page each where \`HATCHET_URL\` is set.",
        "title": "2 projects: 4 to add",
      },
    ]
  `);
});
