// Does each kind of change read as what it is?
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitDiffs } from '../activities/render/fit-diffs.ts';
import { groupChanges } from '../activities/render/plan-diff.ts';
import { attributeLines } from '../activities/render/value-diff.ts';
import type { PlanChanges, ResourceChange } from '../workflows/model/change.ts';
import {
  absent,
  attribute,
  created,
  destroyed,
  known,
  resource,
  sensitive,
  unknown,
} from './render-example.ts';

const roomy = 1_000_000;

function shown(resources: readonly ResourceChange[], outputs: PlanChanges['outputs'] = []): string {
  const [diff] = fitDiffs([groupChanges({ resources, outputs })], roomy);
  return [...(diff?.risky ?? []), '---', ...(diff?.rest ?? [])].join('\n');
}

const changed = (path: string, before: unknown, after: unknown) =>
  attribute(path, known(before), known(after));

describe('a resource', () => {
  test('every kind of change, what cannot be taken back first', () => {
    expect(
      shown([
        resource('data.aws_ami.x', 'read', created({ id: unknown })),
        resource('aws_s3_bucket.i', 'import', [], { importId: 'octo-bucket' }),
        resource('aws_s3_bucket.m', 'move', [], { previousAddress: 'aws_s3_bucket.old' }),
        resource(
          'aws_instance.c',
          'create',
          created({ ami: known('ami-1'), id: unknown, arn: unknown, password: sensitive }),
        ),
        resource(
          'aws_instance.u',
          'update',
          [changed('count', 1, 2), attribute('arn', known('a'), unknown)],
          { previousAddress: 'aws_instance.was' },
        ),
        resource('aws_s3_bucket.f', 'forget'),
        resource(
          'aws_instance.r',
          'replace',
          [attribute('ami', known('ami-1'), known('ami-2'), true), attribute('id', known('i-1'), unknown)],
          { reason: 'replace_because_cannot_update' },
        ),
        resource('aws_instance.t', 'replace', [attribute('id', known('i-2'), unknown)], {
          reason: 'replace_because_tainted',
          createFirst: true,
        }),
        resource(
          'aws_instance.d',
          'delete',
          destroyed({ id: known('i-3'), tags: known({}), ebs: known(null) }),
          { reason: 'delete_because_no_resource_config' },
        ),
        resource('aws_instance.e', 'delete', [], { deposed: '4f2a' }),
      ]),
    ).toMatchInlineSnapshot(`
      "- aws_instance.d                           destroyed: no longer in the configuration
      -     id   "i-3"

      - aws_instance.e                           destroyed; left over from an earlier replacement (deposed 4f2a)

      -/+ aws_instance.r                         replaced: ami cannot be changed in place
      !     ami   "ami-1" → "ami-2"              forces replacement
      !     id    "i-1" → known after apply

      +/- aws_instance.t                         replaced: marked as tainted, an earlier creation failed (the new one is created first)
      !     id   "i-2" → known after apply

      ! aws_s3_bucket.f                          forgotten: leaves the state, the real object stays
      ---
      ~ aws_instance.u                           moved from aws_instance.was
      !     count   1 → 2
      !     arn     "a" → known after apply

      + aws_instance.c
      +     ami        "ami-1"
      +     password   (sensitive)
      +     known after apply: id, arn

      → aws_s3_bucket.m                          moved from aws_s3_bucket.old
      ← aws_s3_bucket.i                          imported: octo-bucket"
    `);
  });

  test('only outputs change', () => {
    expect(
      shown(
        [],
        [
          { name: 'url', before: known('http://a'), after: known('http://b') },
          { name: 'new', before: absent, after: known([1, 2]) },
          { name: 'gone', before: known(true), after: absent },
          { name: 'secret', before: sensitive, after: sensitive },
        ],
      ),
    ).toMatchInlineSnapshot(`
      "---
      ~ outputs
      !     url      "http://a" → "http://b"
      +     new      [1, 2]
      -     gone     true
      !     secret   (sensitive)"
    `);
  });

  test('many that change alike are told once', () => {
    const records = Array.from({ length: 40 }, (_, index) =>
      resource(`aws_route53_record.app[${index}]`, 'create', created({ name: known('app'), id: unknown })),
    );
    const queues = Array.from({ length: 5 }, (_, index) =>
      resource(`aws_sqs_queue.q[${index}]`, 'delete', destroyed({ fifo: known(true) })),
    );
    expect(shown([...records, ...queues])).toMatchInlineSnapshot(`
      "- aws_sqs_queue.q[0]                       destroyed
      - aws_sqs_queue.q[1]                       destroyed
      - aws_sqs_queue.q[2]                       destroyed
      - aws_sqs_queue.q[3]                       destroyed
      - aws_sqs_queue.q[4]                       destroyed
      -     fifo   true
      ---
      + aws_route53_record.app[0]
      + aws_route53_record.app[1]
      + aws_route53_record.app[2]
      + … 37 more like these, ×40 in all
      +     name   "app"
      +     known after apply: id"
    `);
  });

  test('no change at all', () => {
    expect(shown([])).toBe('---');
  });
});

describe('a value', () => {
  const lines = (before: unknown, after: unknown): string =>
    attributeLines(changed('x', before, after), { width: 1, noteColumn: 20 })
      .map(({ mark, text }) => `${mark} ${text}`.trimEnd())
      .join('\n');

  test('short ones stand side by side', () => {
    expect(
      [lines('a', 'b'), lines(1, null), lines([], ['a']), lines({ a: 1 }, { a: 2 })].join('\n'),
    ).toMatchInlineSnapshot(`
      "! x   "a" → "b"
      ! x   1 → null
      ! x   [] → ["a"]
      ! x   { "a": 1 } → { "a": 2 }"
    `);
  });

  test('numbers keep every digit', () => {
    const large = attribute(
      'id',
      { kind: 'known', json: '9007199254740993' },
      { kind: 'known', json: '{"n":12345678901234567890.10}' },
    );
    expect(attributeLines(large, { width: 2, noteColumn: 0 })[0]?.text).toBe(
      'id   9007199254740993 → { "n": 12345678901234567890.10 }',
    );
  });

  test('a long line is cut around what differs', () => {
    const long = (word: string): string => `${'begin '.repeat(60)}${word}${' end'.repeat(90)}`;
    expect(lines(long('old'), long('new'))).toMatchInlineSnapshot(`
      "! x
      -   …begin begin begin begin begin old end end end end end end end e…
      +   …begin begin begin begin begin new end end end end end end end e…"
    `);
  });

  test('a change at the end of a long line is never cut away', () => {
    const key = 'A'.repeat(2_000);
    expect(lines(`${key}\nx\n`, `${key}B\nx\n`)).toMatchInlineSnapshot(`
      "! x
      -   …AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
      +   …AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB
          x"
    `);
  });

  test('a heredoc line by line', () => {
    const script = (port: number): string => `#!/bin/bash\nset -e\na\nb\nc\nlisten ${port}\nd\ne\nf\ng\n`;
    expect(lines(script(80), script(8080))).toMatchInlineSnapshot(`
      "! x
          … 3 unchanged lines
          b
          c
      -   listen 80
      +   listen 8080
          d
          e
          … 2 unchanged lines"
    `);
  });

  test('JSON in a string by its structure', () => {
    const policy = (...actions: string[]): string =>
      JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions }] });
    expect(lines(policy('s3:Get'), policy('s3:Get', 's3:Put'))).toMatchInlineSnapshot(`
      "! x
          … 5 unchanged lines
                "Action": [
                  "s3:Get"
      +           "s3:Put"
                ]
              }
          … 2 unchanged lines"
    `);
    expect(lines('{"a":1,"b":[1,2]}', '{ "a": 1, "b": [1, 2] }')).toMatchInlineSnapshot(`
      "! x
          only white space or layout differs"
    `);
  });

  test('a rule added between others reads as one block', () => {
    const rule = (port: number) => ({ cidr: '10.0.0.0/8', from_port: port, to_port: port });
    expect(lines([rule(80), rule(443)], [rule(80), rule(8080), rule(443)])).toMatchInlineSnapshot(`
      "! x
          … 4 unchanged lines
              "to_port": 80
            }
      +     {
      +       "cidr": "10.0.0.0/8"
      +       "from_port": 8080
      +       "to_port": 8080
      +     }
            {
              "cidr": "10.0.0.0/8"
          … 4 unchanged lines"
    `);
  });

  test('created from several lines', () => {
    const script = attribute('user_data', absent, known('#!/bin/bash\necho hi\n'));
    expect(attributeLines(script, { width: 9, noteColumn: 0 })).toMatchInlineSnapshot(`
      [
        {
          "mark": "+",
          "text": "user_data",
        },
        {
          "mark": "+",
          "text": "  #!/bin/bash",
        },
        {
          "mark": "+",
          "text": "  echo hi",
        },
      ]
    `);
  });

  test('what one cannot see is told without a value', () => {
    const pairs = [
      attribute('a', known('x'), sensitive),
      attribute('b', sensitive, unknown),
      attribute('c', absent, sensitive),
    ];
    expect(
      pairs
        .flatMap((pair) => attributeLines(pair, { width: 1, noteColumn: 0 }))
        .map(({ mark, text }) => mark + text),
    ).toMatchInlineSnapshot(`
      [
        "!a   "x" → (sensitive)",
        "!b   (sensitive) → known after apply",
        "+c   (sensitive)",
      ]
    `);
  });

  test('a line diff leads from the old text to the new one', () => {
    const text = fc.array(fc.constantFrom('{', '}', 'a', 'b', 'c', '  a', ''), {
      minLength: 2,
      maxLength: 30,
    });
    fc.assert(
      fc.property(text, text, (before, after) => {
        // A line feed at the end adds no line to be shown.
        fc.pre(before.at(-1) !== '' && after.at(-1) !== '' && before.join('\n') !== after.join('\n'));
        const [, ...diff] = attributeLines(changed('x', before.join('\n'), after.join('\n')), {
          width: 1,
          noteColumn: 0,
        });
        expect(
          replay(
            diff.map(({ mark, text }) => mark + text.slice(2)),
            before,
          ),
        ).toEqual({ before, after });
      }),
      { numRuns: 2_000, seed: 20261121 },
    );
  });
});

/** Reads a diff back: the old text that it covers and the new one that it leads to. */
function replay(diff: readonly string[], original: readonly string[]) {
  const before: string[] = [];
  const after: string[] = [];
  for (const line of diff) {
    const skipped = / … (\d+) unchanged/.exec(` ${line}`);
    const kept =
      skipped === null ? [line.slice(1)] : original.slice(before.length, before.length + Number(skipped[1]));
    if (!line.startsWith('+')) before.push(...kept);
    if (!line.startsWith('-')) after.push(...kept);
  }
  return { before, after };
}
