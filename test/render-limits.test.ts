// Does every text stay within GitHub's limits, and what is destroyed on it, however much there is to say?
import fc from 'fast-check';
import { Marked } from 'marked';
import { describe, expect, test } from 'vitest';
import { renderCheck } from '../activities/render/checks.ts';
import type { ChangesByPlan } from '../activities/render/comment.ts';
import { renderComment } from '../activities/render/comment.ts';
import type { Links } from '../activities/render/links.ts';
import { renderReply } from '../activities/render/reply.ts';
import type { PlanChanges, ResourceChange } from '../workflows/model/change.ts';
import type { Check } from '../workflows/model/check.ts';
import { projectOfCheck } from '../workflows/model/check.ts';
import type { Diagnostic } from '../workflows/model/diagnostic.ts';
import type { View } from '../workflows/model/view.ts';
import {
  absent,
  attribute,
  created,
  destroyed,
  known,
  links,
  needsApproval,
  noLinks,
  plan,
  project,
  resource,
  unknown,
  verdict,
  view,
} from './render-example.ts';

const maxComment = 65_535;
const maxOutput = 65_535;
const marked = new Marked({ gfm: true, breaks: true });

type Size = {
  readonly projects: number;
  readonly resources: number;
  readonly risky: number;
  readonly value?: string;
};

/** `resources` changes and `risky` destroys or replaces spread over `projects`. */
function picture({ projects, resources, risky, value = 'value' }: Size): {
  readonly view: View;
  readonly changes: ChangesByPlan;
} {
  const changes = new Map<ReturnType<typeof plan>['id'], PlanChanges>();
  const rows = Array.from({ length: projects }, (_, index) => {
    const name = `envs/region-${index}/network`;
    const share = (total: number): number =>
      Math.floor(total / projects) + (index < total % projects ? 1 : 0);
    const [own, dangerous] = [share(resources), share(risky)];
    const planned = plan(
      name,
      { add: own, destroy: dangerous },
      {
        risky: Array.from({ length: Math.min(5, dangerous) }, (_, at) => ({
          address: `aws_subnet.gone_${index}_${at}`,
          action: 'destroy',
        })),
      },
    );
    changes.set(planned.id, {
      resources: [...gone(index, dangerous, value), ...fresh(own, value)],
      outputs: [],
    });
    const missing = {
      project: name,
      rule: { count: 1, by: [], message: 'destroys', author: false, source: 'destroy' },
      given: 0,
    };
    return project(
      name,
      { kind: 'waiting-for-approval', missing: [missing] },
      { plan: planned, verdicts: [needsApproval] },
    );
  });
  const missing = rows.flatMap(({ status }) =>
    status.kind === 'waiting-for-approval' ? status.missing : [],
  );
  return { view: view({ kind: 'waiting-for-approval', missing }, rows), changes };
}

function gone(index: number, count: number, value: string): readonly ResourceChange[] {
  return Array.from({ length: count }, (_, at) =>
    at % 2 === 0
      ? resource(`aws_subnet.gone_${index}_${at}`, 'delete', destroyed({ cidr: known(`${value}${at}`) }))
      : resource(`aws_subnet.gone_${index}_${at}`, 'replace', [
          attribute('cidr', known(`${value}${at}`), unknown, true),
        ]),
  );
}

function fresh(count: number, value: string): readonly ResourceChange[] {
  return Array.from({ length: count }, (_, at) =>
    resource(
      `aws_instance.new["${at}"]`,
      'create',
      created({ name: known(`${value} ${at}`), note: known(`${value}\n${at}\n`), id: unknown }),
    ),
  );
}

function within(text: string): void {
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxComment);
  expect(text.length).toBeLessThanOrEqual(65_000);
  const html = marked.parse(text, { async: false });
  expect(html.match(/<details/g)?.length ?? 0).toBe(html.match(/<\/details>/g)?.length ?? 0);
  expect(html).toMatch(/<sub>.*<\/sub>/);
}

describe('the comment', () => {
  const sizes: readonly Size[] = [
    { projects: 1, resources: 1, risky: 0 },
    { projects: 1, resources: 5_000, risky: 0 },
    { projects: 1, resources: 5_000, risky: 200 },
    { projects: 1, resources: 0, risky: 5_000 },
    { projects: 10, resources: 5_000, risky: 40 },
    { projects: 50, resources: 5_000, risky: 300 },
    { projects: 300, resources: 5_000, risky: 0 },
    { projects: 300, resources: 5_000, risky: 5_000 },
    { projects: 2_000, resources: 2_000, risky: 2_000 },
    { projects: 3, resources: 30, risky: 3, value: '漢字🚀`'.repeat(400) },
    { projects: 1, resources: 1, risky: 1, value: '`'.repeat(70_000) },
    { projects: 1, resources: 1, risky: 1, value: `${'a\n'.repeat(70_000)}` },
  ];
  test.each(sizes)('fits: $projects projects, $resources created, $risky destroyed or replaced', (size) => {
    const { view, changes } = picture(size);
    within(renderComment(view, changes, links));
    within(renderComment(view, changes, noLinks));
  });

  test('all that is destroyed is named, whatever else there is', () => {
    const { view, changes } = picture({ projects: 20, resources: 5_000, risky: 400 });
    const comment = renderComment(view, changes, links);
    for (let index = 0; index < 20; index++) {
      for (let at = 0; at < 20; at++) expect(comment).toContain(`aws_subnet.gone_${index}_${at} `);
    }
    expect(comment).toMatch(/More: \d+ to add not shown/);
  });

  test('what cannot even be named is counted', () => {
    const { view, changes } = picture({ projects: 1, resources: 10, risky: 5_000 });
    const comment = renderComment(view, changes, links);
    const named = new Set(comment.match(/gone_0_\d+(?= )/g)).size;
    const [, destroys = '', replaces = ''] =
      /More: (\d+) to destroy, (\d+) to replace, 10 to add not shown/.exec(comment) ?? [];
    expect(named).toBeGreaterThan(500);
    expect(named + Number(destroys) + Number(replaces)).toBe(5_000);
  });

  test('projects that do not fit into the table are those without need for attention', () => {
    const { view } = picture({ projects: 1_000, resources: 0, risky: 0 });
    const failed = project('the-broken-one', { kind: 'failed', diagnostics: [], diagnosticCount: 0 });
    const comment = renderComment({ ...view, projects: [...view.projects, failed] }, new Map(), noLinks);
    expect(comment).toContain('| the-broken-one |');
    expect(comment).toMatch(/\d+ more projects, see hatchet\/plan\./);
  });

  test('what does not fit is counted, project by project', () => {
    const { view, changes } = picture({ projects: 2_000, resources: 0, risky: 4_000 });
    const comment = renderComment(view, changes, noLinks);
    const [, projects = '', counts = ''] =
      /Not shown: (\d+) more projects \((\d+) to destroy\); see the hatchet\/plan check/.exec(comment) ?? [];
    const lines = comment.match(
      /^- `envs\/region-\d+\/network`: destroys `aws_subnet.gone_\d+_0` and 1 more$/gm,
    );
    const blocks = comment.match(/<details open>/g)?.length ?? 0;
    expect((lines?.length ?? 0) + blocks).toBe(2_000 - Number(projects));
    expect(Number(counts)).toBe(2 * Number(projects));
  });

  test('300 projects that destroy thousands are each named, with the first address', () => {
    const { view, changes } = picture({ projects: 300, resources: 300, risky: 5_000 });
    const comment = renderComment(view, changes, links);
    for (let index = 0; index < 300; index++) expect(comment).toContain(`aws_subnet.gone_${index}_0`);
    expect(comment).not.toContain('Not shown');
  });

  test('texts without measure', () => {
    const long = '\u202e'.repeat(20_000);
    const rule = {
      count: 3,
      by: Array.from({ length: 500 }, (_, index) => `${long}${index}`),
      message: long,
      author: false,
      source: long,
    };
    const diagnostic: Diagnostic = {
      severity: 'error',
      summary: long,
      detail: long,
      path: long,
      address: long,
    };
    const planned = {
      ...plan(long, { destroy: 2 }, { risky: [{ address: long, action: 'destroy' }] }),
      engineVersion: long,
      warnings: Array.from({ length: 10 }, () => diagnostic),
    };
    const verdicts = Array.from({ length: 40 }, () =>
      verdict(long, {
        approvals: [rule],
        warnings: [{ message: long, address: long }],
        denials: [{ message: long }],
        error: long,
      }),
    );
    const missing = Array.from({ length: 40 }, () => ({ project: long, rule, given: 1 }));
    const rows = [
      project(
        long,
        { kind: 'waiting-for-approval', missing },
        { plan: planned, verdicts, approvedBy: rule.by, voided: long },
      ),
      project(`${long}2`, {
        kind: 'failed',
        diagnostics: Array.from({ length: 10 }, () => diagnostic),
        diagnosticCount: 10,
      }),
    ];
    const hostile = view({ kind: 'waiting-for-approval', missing }, rows, { base: long });
    const changes = new Map([
      [planned.id, { resources: [resource(long, 'delete'), resource(`${long}b`, 'delete')], outputs: [] }],
    ]);
    within(renderComment(hostile, changes, links));
    for (const name of [null, long, `${long}2`]) {
      const rendered = renderCheck(
        {
          name: 'hatchet/apply',
          state: { status: 'queued' },
          title: long,
          buttons: [],
          annotations: [diagnostic],
          project: name,
        },
        hostile,
        changes,
        links,
      );
      expect(Buffer.byteLength(rendered.summary)).toBeLessThanOrEqual(maxOutput);
      expect(Buffer.byteLength(rendered.text ?? '')).toBeLessThanOrEqual(maxOutput);
    }
    const reply = renderReply({
      kind: 'refused',
      to: 'mona',
      verb: long,
      refusal: { kind: 'approvals-missing', project: long, missing },
    });
    expect(Buffer.byteLength(reply)).toBeLessThanOrEqual(maxComment);
  });

  test('any number of anything', () => {
    const size = fc.record({
      projects: fc.integer({ min: 1, max: 80 }),
      resources: fc.integer({ min: 0, max: 400 }),
      risky: fc.integer({ min: 0, max: 400 }),
      value: fc.oneof(
        fc.string({ maxLength: 200 }),
        fc.constant('é'.repeat(300)),
        fc.constant('\u202e'.repeat(200)),
      ),
    });
    fc.assert(
      fc.property(size, (size) => {
        const { view, changes } = picture(size);
        within(renderComment(view, changes, links));
      }),
      { numRuns: 15, seed: 20261121 },
    );
  });
});

describe('a check', () => {
  const check = (more: Partial<Check>): Check => ({
    name: 'hatchet/plan',
    state: { status: 'completed', conclusion: 'failure' },
    title: 'title',
    buttons: ['approve', 'apply', 'replan', 'allow-plan', 'unlock'],
    annotations: [],
    project: null,
    ...more,
  });
  const diagnostic = (index: number): Diagnostic => ({
    severity: index % 3 === 0 ? 'warning' : 'error',
    summary: `problem ${index} ${'long '.repeat(100)}`,
    detail: '漢'.repeat(index === 1 ? 30_000 : 30),
    path: `envs/${index}.tf`,
    startLine: 3,
    endLine: index % 2 === 0 ? 3 : 9,
    startColumn: 5,
    endColumn: 9,
  });

  test.each([
    { projects: 1, resources: 5_000, risky: 400 },
    { projects: 300, resources: 300, risky: 300 },
    { projects: 2_000, resources: 2_000, risky: 0 },
    { projects: 1, resources: 3, risky: 3, value: '漢字🚀`\n'.repeat(20_000) },
  ])('fits: $projects projects, $resources created, $risky destroyed or replaced', (size) => {
    const { view, changes } = picture(size);
    const first = view.projects[0]?.name ?? '';
    const annotations = Array.from({ length: 120 }, (_, index) => diagnostic(index));
    for (const [name, project] of [
      ['hatchet/plan', null],
      ['hatchet/policy', null],
      ['hatchet/apply', null],
      [`hatchet/plan: ${first}`, first],
    ] as const) {
      const rendered = renderCheck(
        check({ name, project, annotations, title: 'x\n'.repeat(900) }),
        view,
        changes,
        links,
      );
      expect(rendered.title).toMatch(/^[^\n]{1,200}$/);
      expect(Buffer.byteLength(rendered.summary)).toBeLessThanOrEqual(maxOutput);
      expect(Buffer.byteLength(rendered.text ?? '')).toBeLessThanOrEqual(maxOutput);
      expect(rendered.summary).not.toBe('');
      expect(rendered.annotations.length).toBe(50);
      for (const annotation of rendered.annotations) {
        expect(annotation.title.length).toBeLessThanOrEqual(255);
        expect(Buffer.byteLength(annotation.message)).toBeLessThanOrEqual(64 * 1024);
        expect(annotation.startColumn === undefined).toBe(annotation.startLine !== annotation.endLine);
      }
      expect(rendered.actions.length).toBe(3);
      for (const action of rendered.actions) {
        expect([
          action.label.length <= 20,
          action.description.length <= 40,
          action.identifier.length <= 20,
        ]).toEqual([true, true, true]);
      }
    }
  });

  /** As above 25 projects, where only the three aggregates are posted. */
  const aggregates: Links = { ...noLinks, check: (name) => (projectOfCheck(name) === null ? 'x' : null) };
  const planText = (size: Size, at: Links): string => {
    const { view, changes } = picture(size);
    const rendered = renderCheck(check({}), view, changes, at);
    expect(Buffer.byteLength(rendered.summary)).toBeLessThanOrEqual(maxOutput);
    expect(Buffer.byteLength(rendered.text ?? '')).toBeLessThanOrEqual(maxOutput);
    const html = marked.parse(rendered.text ?? '', { async: false });
    expect(html.match(/<details/g)?.length ?? 0).toBe(html.match(/<\/details>/g)?.length ?? 0);
    return rendered.text ?? '';
  };

  test('hatchet/plan has the diffs of projects that have neither a check nor a page', () => {
    const size = { projects: 40, resources: 40, risky: 80 };
    const text = planText(size, aggregates);
    expect(text.match(/<summary><b>envs\/region-\d+\/network<\/b>/g)?.length).toBe(40);
    expect(text.match(/^- aws_subnet\.gone_\d+_0 /gm)?.length).toBe(40);
    expect(text.match(/^\+ {5}name/gm)?.length).toBe(40);
    expect(text).not.toMatch(/HATCHET_URL|hatchet\/plan/);
    expect(planText(size, links)).toBe('');
    expect(planText(size, { ...aggregates, run: links.run })).toBe('');
  });

  test.each([
    { projects: 30, resources: 5_000, risky: 60 },
    { projects: 300, resources: 5_000, risky: 300 },
    { projects: 900, resources: 0, risky: 1_800 },
  ])('hatchet/plan says of $projects projects what does not fit, and how to see it', (size) => {
    const text = planText(size, aggregates);
    expect(text.length).toBeGreaterThan(30_000);
    const unseen = /^(?:More: .* not shown|More: .* by name only|Not shown: .*); (.*)$/gm;
    const where = new Set([...text.matchAll(unseen)].map(([, rest]) => rest));
    expect([...where]).toEqual(['whole plans have a page each where `HATCHET_URL` is set.']);
  });

  test('links the names of all projects where there are pages and room, those of none where there is not', () => {
    const linked = (projects: number): number => {
      const { view, changes } = picture({ projects, resources: projects, risky: projects });
      const planned = view.projects.map((one) => ({ ...one, runId: one.plan?.runId ?? null }));
      const pages: Links = { ...aggregates, run: links.run };
      const { summary } = renderCheck(check({}), { ...view, projects: planned }, changes, pages);
      expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(maxOutput);
      expect(renderComment({ ...view, projects: planned }, changes, pages)).not.toMatch(/^\| \[envs/m);
      return summary.match(/^\| \[envs\/region-\d+\/network\]\(https:/gm)?.length ?? 0;
    };
    expect([linked(100), linked(300), linked(700)]).toEqual([100, 300, 0]);
  });

  test('of a project names all that is destroyed', () => {
    const { view, changes } = picture({ projects: 1, resources: 5_000, risky: 600 });
    const { text } = renderCheck(check({ project: view.projects[0]?.name ?? '' }), view, changes, links);
    expect(new Set(text?.match(/gone_0_\d+(?= )/g)).size).toBe(600);
  });

  test('leaves nothing out while it fits', () => {
    const { view, changes } = picture({ projects: 1, resources: 300, risky: 5 });
    const { text } = renderCheck(check({ project: view.projects[0]?.name ?? '' }), view, changes, links);
    expect(text?.match(/^\+ aws_instance/gm)?.length).toBe(300);
    expect(text).not.toContain('More:');
  });

  test('a giant does not hide what follows it', () => {
    const giant = Array.from({ length: 200 }, (_, index) =>
      attribute(`key_${index}`, absent, known(`${index} ${'x'.repeat(600)}`)),
    );
    const planned = plan('prod', { add: 2 });
    const row = project('prod', { kind: 'ready' }, { plan: planned, verdicts: [verdict('destroy')] });
    const changes = new Map([
      [
        planned.id,
        {
          resources: [
            resource('big.one', 'create', [...giant, ...giant]),
            resource('small.one', 'create', created({ name: known('small') })),
          ],
          outputs: [],
        },
      ],
    ]);
    const { text } = renderCheck(
      check({ project: 'prod' }),
      view({ kind: 'ready', applies: 'merge' }, [row]),
      changes,
      noLinks,
    );
    expect(text).toMatchInlineSnapshot(`
      "\`\`\`diff
      + big.one

      + small.one
      +     name   "small"
      \`\`\`

      More: 1 shown by name only; whole plans have a page each where \`HATCHET_URL\` is set."
    `);
  });
});
