// Does a comment of Hatchet's read well on a terminal, with and without colours?
import { afterEach, expect, test, vi } from 'vitest';
import { readableMarkdown } from '../fixtures/demo/markdown.ts';

const comment = `<!-- hatchet:pr -->
**Waiting for 1 approval: \`prod\` replaces \`aws_db_instance.main\`.**
Anyone with write except @mona: **Approve** on the [hatchet/apply](http://127.0.0.1/checks) check, or comment \`/hatchet approve\`.

| Project      | Add | Replace | Policy           |
| :----------- | --: | ------: | :--------------- |
| [prod](http://127.0.0.1/1) | 12 | **1** | needs 1 approval |
| staging      |   2 |         | passed           |

- \`prod\` is approved by @hubot
- a &lt;second&gt; line

<details open><summary><b>prod</b>: 1 to replace, <code>&#60;&#64;x&#62;</code></summary>

\`\`\`diff
-/+ aws_db_instance.main
!     engine_version   "14.7" → "16.3"
\`\`\`

<details><summary>Also 1 to add</summary>

\`\`\`diff
+ aws_route53_record.app
\`\`\`

</details>

\`destroy\` needs approval.

</details>

<sub>Planned \`3f2a1bc\` · [run](http://127.0.0.1/2)</sub>`;

afterEach(() => {
  vi.unstubAllEnvs();
});

test('shows what GitHub would show, folded as it is there', () => {
  expect(readableMarkdown(comment, { width: 60, unfold: false }).join('\n')).toMatchInlineSnapshot(`
    "Waiting for 1 approval: prod replaces aws_db_instance.main.
    Anyone with write except @mona: Approve on the hatchet/apply
    check, or comment /hatchet approve.

    Project   Add   Replace   Policy
    prod       12         1   needs 1 approval
    staging     2             passed

    • prod is approved by @hubot
    • a <second> line

    ▾ prod: 1 to replace, <@x>

    -/+ aws_db_instance.main
    !     engine_version   "14.7" → "16.3"

    ▸ Also 1 to add

    destroy needs approval.

    Planned 3f2a1bc · run"
  `);
});

test('unfolds everything when asked', () => {
  const lines = readableMarkdown(comment, { width: 60, unfold: true });
  expect(lines).toContain('▾ Also 1 to add');
  expect(lines).toContain('+ aws_route53_record.app');
});

test('paints where the terminal takes it, every line for itself', () => {
  vi.stubEnv('FORCE_COLOR', '1');
  const lines = readableMarkdown('**a bold line that wraps**\n\n```diff\n- gone\n+ new\n```', {
    width: 12,
    unfold: false,
  });
  expect(lines).toEqual([
    '\u001b[1ma bold line\u001b[22m',
    '\u001b[1mthat wraps\u001b[22m',
    '',
    '\u001b[31m- gone\u001b[39m',
    '\u001b[32m+ new\u001b[39m',
  ]);
});
