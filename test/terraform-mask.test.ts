// S7: is a secret found in a text, whichever way it is written there?
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMask, valuesIn } from '../activities/terraform/mask.ts';
import { parsePlanJson } from '../activities/terraform/plan-json.ts';
import { sensitiveValues } from '../activities/terraform/sensitive-values.ts';

test('which of the secrets stand in a plan, however they are written there', () => {
  const secrets = ['plain-one', 'in-base64', 'pa"ss\\', 'not-there', 'short', 'in-base64'];
  const text = `{"a":"plain-one","b":"${Buffer.from('x:in-base64').toString('base64')}","c":"pa\\"ss\\\\ short"}`;
  expect(valuesIn(secrets, text)).toEqual(['plain-one', 'in-base64', 'pa"ss\\']);
});

describe('a secret', () => {
  const secret = `pa"ss\\wörd it's<&>+/=`;
  const mask = createMask([secret]);

  test.for([
    ['as it is', secret],
    ['in JSON', JSON.stringify(secret)],
    [
      'in JSON as Go writes it',
      JSON.stringify(secret).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
    ],
    ['in a URL', `https://x/?q=${encodeURIComponent(secret)}`],
    ['in a form', `q=${encodeURIComponent(secret).replaceAll("'", '%27').replaceAll('%20', '+')}`],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in base64 for URLs', Buffer.from(secret).toString('base64url')],
  ] as const)('%s', ([, text]) => {
    const masked = mask(`before ${text} after`);
    expect(masked).toContain('***');
    expect(masked).not.toContain(text);
    expect(masked.startsWith('before ') && masked.endsWith(' after')).toBe(true);
  });

  test('in base64, whatever stands around it', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }), (before, after) => {
        const inner = 'correct horse battery staple';
        const encoded = Buffer.from(`${before}${inner}${after}`).toString('base64');
        const visible = createMask([inner])(encoded).replaceAll('*', '');
        expect(visible.length).toBeLessThan(encoded.length - Math.floor((inner.length * 4) / 3) + 3);
      }),
    );
  });

  test('line by line, when it has several', () => {
    const key = '-----BEGIN-----\nfirst-line\r\n  second-line\nx\n-----END-----';
    const log = 'a first-line b\nsecond-line\nx';
    expect(createMask([key])(log)).toBe('a *** b\n***\nx');
  });

  test('that holds another one is taken out as a whole', () => {
    expect(createMask(['secret', 'secret-and-more'])('secret-and-more, secret')).toBe('***, ***');
  });

  test('that is too short is left: it would take the text apart', () => {
    expect(createMask(['abc', ''])('abc')).toBe('abc');
  });
});

test('all values below a mark are secrets, and no others', () => {
  const document = parsePlanJson(`{
    "format_version": "1.2", "terraform_version": "1.11.4",
    "variables": { "v": { "value": "variable" }, "open": { "value": "open" }, "e": { "value": ["ephemeral"] } },
    "configuration": { "root_module": { "variables": { "v": { "sensitive": true }, "open": {}, "e": { "ephemeral": true } } } },
    "resource_changes": [{ "address": "a.b", "mode": "managed", "type": "a", "name": "b",
      "change": { "actions": ["no-op"],
        "before": { "old": "old", "list": ["shown", { "deep": [9007199254740993, true, null] }] },
        "after": { "old": "new", "plain": "plain" },
        "before_sensitive": { "old": true, "list": [false, { "deep": true }] },
        "after_sensitive": { "old": true } } }],
    "resource_drift": [{ "address": "a.b", "mode": "managed", "type": "a",
      "change": { "actions": ["update"], "before": { "x": "drift-before" }, "after": { "x": "drift-after", "y": "open" },
        "before_sensitive": { "x": true }, "after_sensitive": { "x": true } } }],
    "deferred_changes": [{ "reason": "unknown", "resource_change": { "change": { "actions": ["create"],
      "before": null, "after": { "x": "deferred" }, "before_sensitive": false, "after_sensitive": { "x": true } } } }],
    "planned_values": { "outputs": { "p": { "sensitive": true, "value": "planned-output" }, "q": { "sensitive": false, "value": "open" } },
      "root_module": { "resources": [{ "values": { "x": "planned", "y": "open" }, "sensitive_values": { "x": true } }] } },
    "prior_state": { "values": { "outputs": { "p": { "sensitive": true, "value": { "a": "prior-output" } } },
      "root_module": {
        "resources": [{ "mode": "data", "values": { "list": ["open", "read"] }, "sensitive_values": { "list": [false, true] } }],
        "child_modules": [{ "child_modules": [{ "resources": [{ "values": { "x": "deep" }, "sensitive_values": { "x": true } }] }] }] } } },
    "output_changes": { "o": { "actions": ["create"], "before": null, "after": { "a": "output" },
      "before_sensitive": true, "after_sensitive": true } }
  }`);
  expect([...sensitiveValues(document)].sort()).toEqual([
    '9007199254740993',
    'deep',
    'deferred',
    'drift-after',
    'drift-before',
    'ephemeral',
    'new',
    'old',
    'output',
    'planned',
    'planned-output',
    'prior-output',
    'read',
    'variable',
  ]);
  // A document of another version, or none: nothing is found, and nothing thrown.
  for (const odd of [null, [], { resource_changes: 1, prior_state: [], variables: { v: 1 } }])
    expect([...sensitiveValues(odd)]).toEqual([]);
});
