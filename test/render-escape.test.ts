// Can a name, a value or a message from outside do anything on GitHub but be read?
import fc from 'fast-check';
import { Marked } from 'marked';
import { describe, expect, test } from 'vitest';
import { renderCheck } from '../activities/render/checks.ts';
import { renderComment } from '../activities/render/comment.ts';
import {
  fenced,
  htmlText,
  inlineCode,
  inlineText,
  person,
  plainTitle,
  tableCell,
} from '../activities/render/markdown.ts';
import { renderReply } from '../activities/render/reply.ts';
import type { PlanChanges } from '../workflows/model/change.ts';
import type { Check } from '../workflows/model/check.ts';
import type { Finding, ItemFate } from '../workflows/model/comparison.ts';
import type { Diagnostic } from '../workflows/model/diagnostic.ts';
import type { RunId } from '../workflows/model/identifiers.ts';
import type { Unmet } from '../workflows/model/requirement.ts';
import type { Headline, ProjectStatus, View } from '../workflows/model/view.ts';
import { fuzz } from './fuzz.ts';
import {
  attribute,
  known,
  links,
  plan,
  project,
  resource,
  sensitive,
  someRun,
  unknown,
  verdict,
  view,
} from './render-example.ts';

/** Of views: each holds dozens of texts, and is read as GitHub would. */
const runs = fuzz(300);
const textRuns = fuzz(2_000);
const marked = new Marked({ gfm: true, breaks: true });

/** What breaks Markdown, HTML, tables and fences, and what GitHub acts on. */
const nasty = fc
  .array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.constantFrom(
          '`',
          '``',
          '```',
          '````',
          '~~~',
          '@hubot',
          '@octo-org/all',
          '#1',
          'o/r#12',
          'GH-7',
          'deadbeef1',
          'https://evil.example/a',
          'www.evil.example',
          'a@evil.example',
          'mailto:a@b.co',
          '<b>',
          '</details>',
          '<!--',
          '-->',
          '<script>',
          '|',
          '\\',
          '\\|',
          '\n',
          '\n\n',
          '\r\n',
          '*',
          '_',
          '**',
          '__',
          '~~',
          '[x](https://evil.example)',
          '![i](https://evil.example)',
          '[^1]',
          '$x$',
          '$',
          ':x:',
          ':+1:',
          ':',
          '\u202e',
          '\u200b',
          '\u0000',
          '&lt;',
          '&#64;hubot',
          '- ',
          '1. ',
          '# ',
          '> ',
          '    ',
          '\t',
          '(',
          ')',
          '[',
          ']',
          "'",
          '"',
          ',',
          '.',
          '!',
          ' ',
        ),
      },
      { weight: 2, arbitrary: fc.constantFrom('a', 'prod', 'x y', 'é', '漢', '🚀', '0') },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
    ),
    { minLength: 1, maxLength: 14 },
  )
  .map((parts) => parts.join(''));

/** Rendered as GitHub would, without code: nothing in code is ever acted on. */
function withoutCode(markdown: string): string {
  return marked
    .parse(markdown, { async: false })
    .replace(/<pre>.*?<\/pre>/gs, '⌷')
    .replace(/<code>.*?<\/code>/gs, '⌷');
}

const ownTags =
  /^<(?:\/?(?:p|strong|table|thead|tbody|tr|ul|li|details|summary|b|sub)|br|details open|t[hd](?: align="(?:left|right)")?|\/t[hd]|!-- hatchet:pr --|a href="https:\/\/(?:github\.com\/octo-org|hatchet\.example)\/[^"]*"|\/a)>$/;
const ownNumber = 907;
const ownPullRequest = /#907\b/g;
const ownPeople = /@(?:mona|hubot-reviewer|octo-org\/platform)(?![\w/-])/g;

/** GitHub looks at one run of text at a time, so what stands between two tags is judged alone. */
function problemsIn(markdown: string): readonly string[] {
  const html = withoutCode(markdown);
  const foreign = (html.match(/<[^>]*>/g) ?? []).filter((tag) => !ownTags.test(tag));
  const text = html
    .replace(/<[^>]*>/g, '⌷')
    .replace(ownPeople, '')
    .replace(ownPullRequest, '')
    .replace(/&[#a-z0-9]+;/g, decode);
  const acted = [/@\w/, /#\d/, /\bgh-\d/i, /:\/\/|www\./, /:[a-z0-9_+-]+:/, /\$/, /[0-9a-f]{7}/].flatMap(
    (pattern) => pattern.exec(text)?.[0] ?? [],
  );
  const hidden = markdown.match(/(?![\n\t])[\p{Cc}\p{Cf}]/gu) ?? [];
  return [...foreign, ...acted, ...hidden];
}

function decode(entity: string): string {
  const named: Record<string, string> = {
    '&lt;': '<',
    '&gt;': '>',
    '&amp;': '&',
    '&quot;': '"',
    '&#39;': "'",
  };
  return named[entity] ?? String.fromCodePoint(Number(/\d+/.exec(entity)?.[0] ?? 63));
}

describe('each way to write text from outside', () => {
  test('a sentence', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(problemsIn(inlineText(text))).toEqual([]);
      }),
      textRuns,
    );
  });
  test('a sentence in bold, between code', () => {
    fc.assert(
      fc.property(nasty, nasty, (one, two) => {
        expect(
          problemsIn(`${inlineCode(one)} **${inlineText(two)}**: ${inlineText(one)} (${inlineCode(two)})`),
        ).toEqual([]);
      }),
      textRuns,
    );
  });
  test('code says exactly the text, whatever backticks are in it', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const html = marked.parseInline(inlineCode(text), { async: false });
        expect(html).toMatch(/^<code>[^<]*<\/code>$/);
      }),
      textRuns,
    );
  });
  test('a cell stays one cell', () => {
    fc.assert(
      fc.property(nasty, nasty, (one, two) => {
        const table = `| a | b | c |\n| - | - | - |\n| ${tableCell(inlineText(one))} | ${tableCell(inlineCode(two))} | end |\n`;
        const [token] = marked.lexer(table);
        expect(token?.type).toBe('table');
        expect(
          token?.type === 'table' ? token.rows.map((row: { text: string }[]) => row[2]?.text) : [],
        ).toEqual(['end']);
        expect(problemsIn(table)).toEqual([]);
      }),
      textRuns,
    );
  });
  test('a line of HTML', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(problemsIn(`<details><summary><b>${htmlText(text)}</b></summary>\n\nx\n\n</details>`)).toEqual(
          [],
        );
      }),
      textRuns,
    );
  });
  test('a block is one block', () => {
    fc.assert(
      fc.property(fc.array(nasty), (lines) => {
        const tokens = marked.lexer(fenced('diff', lines));
        expect(tokens.map((token) => token.type)).toEqual(['code']);
      }),
      textRuns,
    );
  });
  test('a title is one line of at most its length', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const title = plainTitle(text, 10);
        expect(title.length).toBeLessThanOrEqual(10);
        expect(title).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
      textRuns,
    );
  });
});

test('what it looks like', () => {
  const texts = [
    'ask @octo-org/platform (see https://example.com/a_b), #12 or deadbeef1!',
    'use `t3.micro`, not `a`@hubot',
    '<b>bold</b> & **stars** | a_b _c_ ~~d~~ [e](f)',
    '1. one',
    'rm \u202egpj.exe \u200b\u0000',
    '⚠️ careful 👍🏽',
    '',
  ];
  expect(
    texts.map((text) => [inlineText(text), inlineCode(text), htmlText(text)].join('\n')).join('\n\n'),
  ).toMatchInlineSnapshot(`
    "ask \`@octo-org/platform\` (see \`https://example.com/a_b\`), \`#12\` or \`deadbeef1\`!
    \`ask @octo-org/platform (see https://example.com/a_b), #12 or deadbeef1!\`
    ask <code>@octo-org/platform</code> (see <code>https://example.com/a_b),</code> <code>#12</code> or <code>deadbeef1!</code>

    use \`t3.micro\`, not \`\` \`a\`@hubot \`\`
    \`\`use \`t3.micro\`, not \`a\`@hubot\`\`
    use \`t3.micro\`, not <code>\`a\`@hubot</code>

    &lt;b&gt;bold&lt;/b&gt; &amp; \\*\\*stars\\*\\* \\| a_b \\_c\\_ \\~\\~d\\~\\~ \\[e\\](f)
    \`<b>bold</b> & **stars** | a_b _c_ ~~d~~ [e](f)\`
    &#60;b&#62;bold&#60;/b&#62; &#38; **stars** | a_b _c_ ~~d~~ [e](f)

    1\\. one
    \`1. one\`
    1. one

    rm ⟨U+202E⟩gpj.exe ⟨U+200B⟩⟨U+0000⟩
    \`rm ⟨U+202E⟩gpj.exe ⟨U+200B⟩⟨U+0000⟩\`
    rm ⟨U+202E⟩gpj.exe ⟨U+200B⟩⟨U+0000⟩

    ⚠️ careful 👍🏽
    \`⚠️ careful 👍🏽\`
    ⚠️ careful 👍🏽


    \`(empty)\`
    "
  `);
});

test('only what can be a login or a team is a mention', () => {
  expect(
    ['mona', '@octo-org/platform', 'a b', 'x`y', '', '@@all', 'dependabot[bot]'].map(person),
  ).toMatchInlineSnapshot(`
    [
      "@mona",
      "@octo-org/platform",
      "\`a b\`",
      "\`\`x\`y\`\`",
      "\`(empty)\`",
      "\`@@all\`",
      "\`dependabot[bot]\`",
    ]
  `);
});

/** A picture in which every text from outside is one of `texts`; `chosen` says which headline, status and finding. */
function hostileView(
  texts: readonly string[],
  chosen: { readonly headline: number; readonly status: number; readonly finding: number },
): {
  readonly view: View;
  readonly changes: Map<ReturnType<typeof plan>['id'], PlanChanges>;
} {
  let next = 0;
  const text = (): string => texts[next++ % texts.length] ?? '';
  // A login or team is mentioned on purpose; what cannot be one must not be.
  const nobody = (): string => `${text()} ?`;
  const diagnostic = (): Diagnostic => ({
    severity: 'error',
    summary: text(),
    detail: text(),
    path: text(),
    startLine: 3,
    address: text(),
  });
  const rule = {
    count: 2,
    by: ['@octo-org/platform', nobody()],
    message: text(),
    author: false,
    source: text(),
  };
  const name = text();
  const missing = { project: name, rule, given: 0 };
  const unmet: readonly Unmet[] = [
    { kind: 'approved', why: 'no review' },
    {
      kind: 'mergeable',
      blocks: [
        { kind: 'check', check: { name: text(), state: 'failed' } },
        { kind: 'rules', rules: [text()] },
      ],
    },
    { kind: 'up_to_date', base: text() },
  ];
  const lock = { id: text(), operation: text(), who: nobody(), created: '2026-11-21T22:04:00Z' };
  const fates: readonly ItemFate[] = [
    { address: text(), approved: 'create', now: null, fate: 'done' },
    { address: text(), approved: 'replace', now: 'replace', fate: 'not done' },
    { address: text(), approved: null, now: 'delete', fate: 'different' },
  ];
  const comparison = {
    ...{ total: 2, done: 1, items: fates },
    counts: { done: 1, 'not done': 1, different: 1 },
  };
  const finding = pick<Finding | undefined>(
    [
      undefined,
      { kind: 'compared', same: false, comparison },
      { kind: 'compared', same: false, comparison, atWorkUntil: '2026-11-21T22:04:00Z' },
      { kind: 'state-locked', lock, own: true },
      { kind: 'state-locked', lock, own: false },
      { kind: 'unwritten', state: { runId: someRun, number: ownNumber, kept: true } },
      { kind: 'not-compared', diagnostics: [diagnostic()] },
    ],
    chosen.finding,
  );
  const statuses: Record<ProjectStatus['kind'], ProjectStatus> = {
    planning: { kind: 'planning', since: null },
    after: { kind: 'after', projects: [name], diagnostics: [diagnostic()], diagnosticCount: 2 },
    held: { kind: 'held', projects: [name] },
    stopped: { kind: 'stopped', projects: [name] },
    superseded: { kind: 'superseded', by: ownNumber },
    locked: { kind: 'locked', project: name, owner: ownNumber, position: 2, since: '2026-11-21T22:04:00Z' },
    cancelled: { kind: 'cancelled' },
    failed: { kind: 'failed', diagnostics: [diagnostic(), diagnostic()], diagnosticCount: 5 },
    'no-changes': { kind: 'no-changes' },
    judging: { kind: 'judging' },
    barred: { kind: 'barred' },
    denied: { kind: 'denied' },
    rejected: { kind: 'rejected', by: 'hubot-reviewer' },
    'waiting-for-approval': { kind: 'waiting-for-approval', missing: [missing] },
    'waiting-for-requirements': { kind: 'waiting-for-requirements', unmet },
    ready: { kind: 'ready' },
    queued: { kind: 'queued', behind: null, position: 2, since: null },
    applying: { kind: 'applying', since: null, runId: someRun },
    applied: { kind: 'applied', at: '2026-11-21T22:31:00Z', by: nobody(), on: 'button' },
    'apply-failed': {
      kind: 'apply-failed',
      diagnostics: [diagnostic()],
      diagnosticCount: 1,
      done: 1,
      total: 3,
    },
    'state-unwritten': { kind: 'state-unwritten', state: { runId: someRun, number: ownNumber, kept: true } },
    unknown: {
      ...{ kind: 'unknown', reason: text() },
      ...(finding === undefined ? {} : { finding }),
    },
  };
  const headlines: Record<Headline['kind'], Headline> = {
    planning: { kind: 'planning', projects: [name, text()] },
    cancelled: { kind: 'cancelled' },
    'no-projects': { kind: 'no-projects' },
    'no-changes': { kind: 'no-changes' },
    draft: { kind: 'draft' },
    fork: { kind: 'fork' },
    conflict: { kind: 'conflict', base: text(), files: [text(), text()] },
    'config-broken': { kind: 'config-broken', where: 'head', diagnostics: [diagnostic()] },
    'operator-error': { kind: 'operator-error', runId: text() as RunId },
    'plan-failed': { kind: 'plan-failed', projects: [name] },
    barred: {
      kind: 'barred',
      projects: [name],
      bar: { kind: 'not-listed', base: text(), defaultBranch: text() },
    },
    denied: { kind: 'denied', projects: [name] },
    locked: { kind: 'locked', projects: [name] },
    superseded: { kind: 'superseded', projects: [name] },
    rejected: { kind: 'rejected', by: nobody(), projects: [name] },
    'waiting-for-approval': { kind: 'waiting-for-approval', missing: [missing] },
    'waiting-for-requirements': { kind: 'waiting-for-requirements', projects: [name], unmet },
    ready: { kind: 'ready', applies: 'merge' },
    applying: { kind: 'applying', projects: [name] },
    'apply-failed': { kind: 'apply-failed', projects: [name] },
    'state-unwritten': { kind: 'state-unwritten', projects: [name] },
    unknown: { kind: 'unknown', projects: [name] },
    applied: { kind: 'applied' },
    'partly-applied': { kind: 'partly-applied', applied: [name], open: [text()] },
    closed: { kind: 'closed' },
  };
  const planned = {
    ...plan('x', { replace: 1, add: 1, destroy: 1 }, { risky: [{ address: text(), action: 'replace' }] }),
    engineVersion: text(),
  };
  const changes: PlanChanges = {
    resources: [
      resource(text(), 'replace', [
        attribute(text(), known(text()), known(text()), true),
        attribute(text(), sensitive, unknown),
      ]),
      resource(text(), 'delete', [attribute(text(), known({ [text()]: [text()] }), { kind: 'absent' })], {
        reason: text(),
      }),
      resource(text(), 'create', [
        attribute(text(), { kind: 'absent' }, known([text(), { [text()]: text() }])),
      ]),
      resource(text(), 'move', [], { previousAddress: text(), importId: text() }),
    ],
    outputs: [{ name: text(), before: known(text()), after: known(text()) }],
  };
  const verdicts = [
    verdict(text(), {
      denials: [{ message: text(), address: text() }],
      warnings: [{ message: text() }],
      approvals: [rule],
      error: text(),
    }),
  ];
  const row = project(name, pick(Object.values(statuses), chosen.status), {
    plan: planned,
    verdicts,
    required: [
      { requirement: 'approved', unmet: null },
      ...unmet.map((each) => ({ requirement: each.kind, unmet: each })),
    ],
    approvedBy: ['hubot-reviewer'],
    lost: [{ login: nobody(), why: 'review dismissed' }],
    voided: text(),
  });
  return {
    view: view(pick(Object.values(headlines), chosen.headline), [row, project(text(), { kind: 'ready' })], {
      base: text(),
      editsConfiguration: true,
      inactiveEntries: [text(), text()],
      deleted: [
        { name: text(), resources: 1, manager: { kind: 'managed', project: text(), number: null } },
        {
          name: text(),
          resources: 1,
          manager: { kind: 'managed', project: text(), number: null, moved: true },
        },
        { name: text(), resources: 1, manager: { kind: 'unplanned', project: text(), inactive: true } },
      ],
      counting: [text(), text()],
    }),
    changes: new Map([[planned.id, changes]]),
  };
}

const pick = <Each>(all: readonly Each[], index: number): Each => all[index % all.length] as Each;

const hostile = fc
  .record({
    texts: fc.array(nasty, { minLength: 3, maxLength: 11 }),
    headline: fc.nat(),
    status: fc.nat(),
    finding: fc.nat(),
  })
  .map(({ texts, ...chosen }) => hostileView(texts, chosen));

describe('everything from outside at once (S9)', () => {
  test('in the comment', () => {
    fc.assert(
      fc.property(hostile, ({ view, changes }) => {
        const comment = renderComment(view, changes, links);
        expect(problemsIn(comment)).toEqual([]);
        expect(withoutCode(comment).match(/<details/g)?.length).toBe(2);
        expect(withoutCode(comment)).toMatch(/<sub>.*<\/sub>/);
        const table = marked.lexer(comment).find((token) => token.type === 'table');
        expect(table?.type === 'table' ? table.rows.length : 0).toBe(2);
      }),
      runs,
    );
  });

  test('in the checks', () => {
    fc.assert(
      fc.property(hostile, nasty, ({ view, changes }, title) => {
        for (const name of ['hatchet/plan', 'hatchet/policy', 'hatchet/apply', 'one']) {
          const check: Check = {
            name,
            title,
            state: { status: 'completed', conclusion: 'failure' },
            buttons: [],
            annotations: [{ severity: 'error', summary: title, detail: title }],
            project: name === 'one' ? (view.projects[0]?.name ?? '') : null,
          };
          const { summary, text } = renderCheck(check, view, changes, links);
          expect(problemsIn(summary)).toEqual([]);
          expect(problemsIn(text ?? '')).toEqual([]);
        }
      }),
      runs,
    );
  });

  test('in a reply', () => {
    fc.assert(
      fc.property(nasty, nasty, (word, nearest) => {
        const replies = [
          { kind: 'unknown-project', word, nearest, projects: [nearest, word] },
          { kind: 'unknown-verb', word, nearest },
          { kind: 'bad-arguments', problem: `\`${word}\` is no flag of \`${nearest}\`` },
          { kind: 'frozen', project: word, reason: nearest },
        ] as const;
        for (const refusal of replies) {
          expect(problemsIn(renderReply({ kind: 'refused', to: 'mona', verb: word, refusal }))).toEqual([]);
        }
        expect(
          problemsIn(
            renderReply({
              kind: 'status',
              findings: 'projects',
              at: '2026-11-21T22:04:00Z',
              lines: [{ project: word, status: { kind: 'ready' } }],
            }),
          ),
        ).toEqual([]);
      }),
      runs,
    );
  });
});
