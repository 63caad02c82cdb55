// What is made of one change in a plan's JSON, whatever shape it has?
import { describe, expect, test } from 'vitest';
import { attributeChanges } from '../activities/terraform/attribute-changes.ts';
import { pathText } from '../activities/terraform/attribute-path.ts';
import { changeAction, countChanges, riskyChanges } from '../activities/terraform/change-action.ts';
import { planChanges } from '../activities/terraform/plan-changes.ts';
import type { PlannedChange, PlannedResource } from '../activities/terraform/plan-json.ts';
import { parsePlanJson } from '../activities/terraform/plan-json.ts';

const plain = (text: string) => text;

function change(parts: Partial<PlannedChange>): PlannedChange {
  return {
    actions: ['update'],
    before: {},
    after: {},
    after_unknown: {},
    before_sensitive: {},
    after_sensitive: {},
    ...parts,
  };
}

function told(parts: Partial<PlannedChange>): readonly string[] {
  return attributeChanges(change(parts), plain).map(({ path, before, after, forcesReplacement }) => {
    const [left, right] = [before, after].map((value) => (value.kind === 'known' ? value.json : value.kind));
    return `${path}: ${left} → ${right}${forcesReplacement ? ' !' : ''}`;
  });
}

describe('attributes', () => {
  test.for<[string, Partial<PlannedChange>, readonly string[]]>([
    ['nothing differs', { before: { a: 1 }, after: { a: 1 } }, []],
    ['one differs', { before: { a: 1, b: 2 }, after: { a: 1, b: 3 } }, ['b: 2 → 3']],
    ['a null is no value', { before: { a: null }, after: { a: 'x' } }, ['a: absent → "x"']],
    ['both unset', { before: { a: null }, after: {} }, []],
    [
      'a map gets a key',
      { before: { tags: {} }, after: { tags: { env: 'x' } } },
      ['tags["env"]: absent → "x"'],
    ],
    [
      'a map is unset',
      { before: { tags: { env: 'x' } }, after: { tags: null } },
      ['tags["env"]: "x" → absent'],
    ],
    ['a list of plain values is one', { before: { l: [1] }, after: { l: [1, 2] } }, ['l: [1] → [1,2]']],
    ['an empty list', { before: { l: null }, after: { l: [] } }, ['l: absent → []']],
    [
      'blocks are walked into',
      { before: { b: [{ p: 1, q: [1] }] }, after: { b: [{ p: 2, q: [1] }, { p: 3 }] } },
      ['b[0].p: 1 → 2', 'b[1].p: absent → 3'],
    ],
    ['another shape', { before: { a: [1] }, after: { a: { x: 1 } } }, ['a: [1] → {"x":1}']],
    ['unknown', { before: { a: 1 }, after: {}, after_unknown: { a: true } }, ['a: 1 → unknown']],
    [
      'unknown within a list',
      { before: { l: ['x', 'y'] }, after: { l: [null, 'y'] }, after_unknown: { l: [true, false] } },
      ['l[0]: "x" → unknown'],
    ],
    [
      'unknown and nothing else',
      { before: null, after: null, after_unknown: { b: [{ id: true }] } },
      ['b[0].id: absent → unknown'],
    ],
    [
      'a replace path above',
      { before: { a: { b: 1 } }, after: { a: { b: 2 } }, replace_paths: [['a']] },
      ['a["b"]: 1 → 2 !'],
    ],
    [
      'a replace path below',
      { before: { l: [1] }, after: { l: [2] }, replace_paths: [['l', 0]] },
      ['l: [1] → [2] !'],
    ],
    [
      'a replace path beside',
      { before: { a: 1, b: 1 }, after: { a: 2, b: 2 }, replace_paths: [['b']] },
      ['a: 1 → 2', 'b: 1 → 2 !'],
    ],
  ])('%s', ([, parts, expected]) => {
    expect(told(parts)).toEqual(expected);
  });

  test.for<[string, Partial<PlannedChange>, readonly string[]]>([
    [
      'both sides',
      { before: { a: 'x' }, after: { a: 'y' }, before_sensitive: { a: true }, after_sensitive: { a: true } },
      ['a: sensitive → sensitive'],
    ],
    [
      'unchanged',
      { before: { a: 'x' }, after: { a: 'x' }, before_sensitive: { a: true }, after_sensitive: { a: true } },
      [],
    ],
    [
      'only the mark is new',
      { before: { a: 'x' }, after: { a: 'x' }, after_sensitive: { a: true } },
      ['a: "x" → sensitive'],
    ],
    [
      'the whole resource',
      { before: { a: 'x' }, after: { a: 'y' }, before_sensitive: true, after_sensitive: true },
      [': sensitive → sensitive'],
    ],
    [
      'deep in a block',
      { before: null, after: { b: [{ k: 'x', n: 'y' }] }, after_sensitive: { b: [{ k: true }] } },
      ['b[0].k: absent → sensitive', 'b[0].n: absent → "y"'],
    ],
    [
      'one element of a list',
      { before: null, after: { l: ['x', 'y'] }, after_sensitive: { l: [false, true] } },
      ['l[0]: absent → "x"', 'l[1]: absent → sensitive'],
    ],
    [
      'below a value of another shape',
      { before: { a: { k: 'x' } }, after: { a: 1 }, before_sensitive: { a: { k: true } } },
      ['a: sensitive → 1'],
    ],
    [
      'unknown as well',
      { before: null, after: {}, after_unknown: { a: true }, after_sensitive: { a: true } },
      ['a: absent → sensitive'],
    ],
  ])('S7: sensitive: %s', ([, parts, expected]) => {
    expect(told(parts)).toEqual(expected);
  });

  test('a key of the language’s own objects is a key like any other', () => {
    const after = JSON.parse('{ "tags": { "__proto__": "x", "constructor": "y" } }');
    expect(told({ before: { tags: {} }, after })).toEqual([
      'tags["__proto__"]: absent → "x"',
      'tags["constructor"]: absent → "y"',
    ]);
  });

  test('a secret in a place without a mark is taken out, in texts, keys and numbers', () => {
    const after = { a: 'has secret1', b: { secret1: 1 }, l: ['secret1'], n: 1234567 };
    const mask = (text: string) => text.replaceAll(/secret1|1234567/g, '***');
    const values = attributeChanges(change({ before: null, after }), mask).map(
      (attribute) => attribute.after,
    );
    expect(values).toEqual([
      { kind: 'known', json: '"has ***"' },
      { kind: 'known', json: '1' },
      { kind: 'known', json: '["***"]' },
      { kind: 'known', json: '"***"' },
    ]);
  });
});

test.for([
  [['tags', 'env'], 'tags["env"]'],
  [['ingress', 0, 'cidr_blocks'], 'ingress[0].cidr_blocks'],
  [['a b'], '["a b"]'],
  [['a', 'q"t'], 'a["q\\"t"]'],
  [['a', '%{x} and %'], 'a["%%{x} and %"]'],
  [['a', `$\{x}`], `a["$$\{x}"]`],
  [['list', 0, 1], 'list[0][1]'],
  [['größe'], 'größe'],
] as const)('the path %j is written %s', ([steps, expected]) => {
  expect(pathText(steps)).toBe(expected);
});

function resource(parts: Partial<PlannedResource>, changed: Partial<PlannedChange> = {}): PlannedResource {
  return { address: 'a.b', mode: 'managed', type: 'a', name: 'b', change: change(changed), ...parts };
}

describe('actions', () => {
  test.for([
    [['create'], 'create'],
    [['read'], 'read'],
    [['update'], 'update'],
    [['delete'], 'delete'],
    [['forget'], 'forget'],
    [['delete', 'create'], 'replace'],
    [['create', 'delete'], 'replace'],
    [['create', 'forget'], 'replace'],
  ] as const)('%j is %s', ([actions, expected]) => {
    expect(changeAction(resource({}, { actions: [...actions] }))).toBe(expected);
  });

  test('an unknown one is not guessed', () => {
    const unknown = resource({}, { actions: ['evaporate'] });
    expect(() => changeAction(unknown)).toThrow('unknown action: evaporate');
  });

  test('what is imported or moved and changed counts in both columns', () => {
    const resources = [
      resource({}, { actions: ['no-op'], importing: { id: 'i' } }),
      resource({}, { actions: ['update'], importing: { id: 'i' } }),
      resource({ previous_address: 'a.old' }, { actions: ['no-op'] }),
      resource({ previous_address: 'a.old' }, { actions: ['delete', 'create'] }),
      resource({ deposed: 'abc' }, { actions: ['delete'] }),
      resource({}, { actions: ['read'] }),
    ];
    expect(countChanges(resources)).toEqual({
      add: 0,
      change: 1,
      replace: 1,
      destroy: 1,
      import: 2,
      move: 2,
      forget: 0,
    });
  });

  test('what cannot be taken back is named, destroys first', () => {
    const resources = [
      resource({ address: 'a.forgotten' }, { actions: ['forget'] }),
      resource({ address: 'a.replaced' }, { actions: ['create', 'delete'] }),
      resource({ address: 'a.created' }, { actions: ['create'] }),
      resource({ address: 'a.destroyed' }, { actions: ['delete'] }),
    ];
    expect(riskyChanges(resources)).toEqual([
      { address: 'a.destroyed', action: 'destroy' },
      { address: 'a.replaced', action: 'replace' },
      { address: 'a.forgotten', action: 'forget' },
    ]);
  });
});

describe('the document', () => {
  const head = '"format_version": "1.2", "terraform_version": "1.11.4"';

  test('what is special about a resource is kept', () => {
    const document = parsePlanJson(
      `{ ${head}, "future": [1], "resource_changes": [{ "address": "a.b", "mode": "managed", "type": "a",
        "name": "b", "deposed": "ab12", "action_reason": "delete_because_count_index", "future": {},
        "change": { "actions": ["create", "delete"], "importing": { "identity": { "n": 9007199254740993 } } } }] }`,
    );
    expect(planChanges(document, plain).resources).toEqual([
      {
        address: 'a.b',
        type: 'a',
        action: 'replace',
        attributes: [],
        importId: '{"n":9007199254740993}',
        reason: 'delete_because_count_index',
        createFirst: true,
        deposed: 'ab12',
      },
    ]);
  });

  test.for([
    ['no JSON', 'secret text', "the plan's JSON cannot be parsed"],
    ['no plan', '{"format_version": "1.2"}', "the plan's JSON is not as expected at terraform_version"],
    [
      'another format',
      '{"format_version": "2.0", "terraform_version": "9"}',
      "the plan's JSON is not as expected at format_version",
    ],
  ])('%s is the operator’s to see, without its content', ([, text, message]) => {
    expect(() => parsePlanJson(text ?? '')).toThrow(message);
    expect(() => parsePlanJson(text ?? '')).not.toThrow('secret');
  });
});
