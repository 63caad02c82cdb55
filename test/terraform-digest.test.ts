// When do two plans have the same digest, and when must they not?
import { describe, expect, test } from 'vitest';
import type { DigestInput } from '../activities/terraform/digest.ts';
import { planDigest } from '../activities/terraform/digest.ts';
import type { DynamicBlocks } from '../activities/terraform/dynamic-blocks.ts';
import { findDynamicBlocks } from '../activities/terraform/dynamic-blocks.ts';
import { parsePlanJson } from '../activities/terraform/plan-json.ts';
import type { SourceDigest } from '../workflows/model/identifiers.ts';
import { createTerraformRunner, planned, project } from './terraform-runner.ts';

/** As `terraform show -json` writes it, with `INPUT` where the tests differ. */
const document = `{
  "format_version": "1.2",
  "terraform_version": "1.11.4",
  "timestamp": "2026-11-22T01:15:53Z",
  "variables": { "size": { "value": 1 }, "token": { "value": "t1" } },
  "resource_changes": [
    { "address": "a.changed", "mode": "managed", "type": "a", "name": "changed", "provider_name": "p",
      "action_reason": "replace_because_cannot_update",
      "change": { "actions": ["delete", "create"], "before": { "size": 1 }, "after": { "size": INPUT },
        "after_unknown": { "id": true }, "before_sensitive": {}, "after_sensitive": { "size": false },
        "replace_paths": [["size"]] } },
    { "address": "a.kept", "mode": "managed", "type": "a", "name": "kept", "provider_name": "p",
      "change": { "actions": ["no-op"], "before": { "seen": "monday" }, "after": { "seen": "monday" },
        "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {} } }
  ],
  "output_changes": {
    "size": { "actions": ["update"], "before": 1, "after": 2, "after_unknown": false,
      "before_sensitive": false, "after_sensitive": false },
    "same": { "actions": ["no-op"], "before": 1, "after": 1, "after_unknown": false,
      "before_sensitive": false, "after_sensitive": false }
  },
  "configuration": { "provider_config": { "p": { "name": "p", "expressions": { "region": { "constant_value": "eu" } } } },
    "root_module": { "resources": [CONFIGURED], "variables": { "size": {}, "token": { "sensitive": true } } } }
}`;
const configured = (expressions: string) =>
  `{ "address": "a.changed", "mode": "managed", "type": "a", "name": "changed",
    "provider_config_key": "p", "expressions": ${expressions} }`;

function digestOf(json: string, changed: Partial<DigestInput> = {}): string {
  return planDigest({
    document: parsePlanJson(json),
    project,
    lock: { committed: null, selected: [] },
    sourceDigest: 'a'.repeat(64) as SourceDigest,
    configuration,
    ...changed,
  });
}

const configuration = { sha256: 'c'.repeat(64), dynamic: { names: [], besideProviders: false } };
const written = configured('{ "size": { "constant_value": 2 } }');
const base = document.replace('INPUT', '2').replace('CONFIGURED', written);
const edited = (from: string, to: string) => {
  expect(base).toContain(from);
  return base.replaceAll(from, to);
};

describe('another digest when', () => {
  test.for([
    ['an attribute is another', '"size": 2 }', '"size": 3 }'],
    ['a number differs beyond what a double holds', '"size": 2 }', '"size": 9007199254740993 }'],
    ['a number becomes a text', '"size": 2 }', '"size": "2" }'],
    ['the state was another', '"before": { "size": 1 }', '"before": { "size": 0 }'],
    ['something becomes known', '"id": true', '"id": false'],
    ['something becomes sensitive', '"size": false', '"size": true'],
    ['another attribute forces the replacement', '[["size"]]', '[["name"]]'],
    ['it is created before it is destroyed', '["delete", "create"]', '["create", "delete"]'],
    ['it has another address', 'a.changed', 'a.renamed'],
    ['it is moved', '"address": "a.kept"', '"address": "a.kept", "previous_address": "a.old"'],
    [
      'it is imported',
      '"actions": ["no-op"], "before": { "seen',
      '"importing": { "id": "i" }, "actions": ["no-op"], "before": { "seen',
    ],
    ['an output changes', '"after": 2,', '"after": 3,'],
    ['a provider points elsewhere', '"constant_value": "eu"', '"constant_value": "us"'],
    [
      'it is created by another of two providers',
      '"provider_config_key": "p"',
      '"provider_config_key": "p.other"',
    ],
    ['the engine has another version', '"1.11.4"', '"1.11.5"'],
  ] as const)('%s', ([, from, to]) => {
    expect(digestOf(edited(from, to))).not.toBe(digestOf(base));
  });

  test('two numbers differ only beyond what a double holds', () => {
    const one = edited('"size": 2 }', '"size": 9007199254740992 }');
    const other = edited('"size": 2 }', '"size": 9007199254740993 }');
    expect(JSON.parse('9007199254740992')).toBe(JSON.parse('9007199254740993'));
    expect(digestOf(one)).not.toBe(digestOf(other));
  });

  test.for<[string, Partial<DigestInput>]>([
    ['directory', { project: { ...project, dir: 'envs/stage' } }],
    ['workspace', { project: { ...project, workspace: 'blue' } }],
    ['engine', { project: { ...project, engine: 'tofu' } }],
    ['committed lock file', { lock: { committed: Buffer.from('x'), selected: [] } }],
    [
      'selected provider',
      { lock: { committed: null, selected: [{ address: 'r.io/a/b', version: '1.0.0', hashes: [] }] } },
    ],
  ])('it is another %s', ([, changed]) => {
    expect(digestOf(base, changed)).not.toBe(digestOf(base));
  });
});

describe('the same digest when', () => {
  test.for([
    ['it was made at another time', '2026-11-22T01:15:53Z', '2026-11-23T08:00:00Z'],
    ['an untouched resource was refreshed', 'monday', 'tuesday'],
    ['an unchanged output has another value', '"before": 1, "after": 1', '"before": 7, "after": 7'],
    ['a variable that changes nothing is another', '"value": 1', '"value": 2'],
    ['the same thing is written with other spaces', '"size": 2 }', '"size":2}'],
  ] as const)('%s', ([, from, to]) => {
    expect(digestOf(edited(from, to))).toBe(digestOf(base));
  });

  test('a provider is installed from elsewhere and has more checksums', () => {
    const provider = { address: 'r.io/a/b', version: '1.0.0' };
    const one = { committed: null, selected: [{ ...provider, hashes: ['h1:x'] }] };
    const other = { committed: null, selected: [{ ...provider, hashes: ['h1:x', 'zh:y'] }] };
    expect(digestOf(base, { lock: one })).toBe(digestOf(base, { lock: other }));
  });
});

describe('of what the plan does not show, the sources speak:', () => {
  const elsewhere = { sourceDigest: 'b'.repeat(64) as SourceDigest };
  const boundTo = (json: string, changed: Partial<DigestInput>, given: Partial<DigestInput> = {}) =>
    digestOf(json, given) !== digestOf(json, { ...given, ...changed });
  const unknown = (path: string, expressions: string, after = '{ "size": 2 }') =>
    base
      .replace('"after": { "size": 2 }', `"after": ${after}`)
      .replace('"after_unknown": { "id": true }', `"after_unknown": ${path}`)
      .replace(written, configured(expressions));
  const reference = '{ "references": ["a.new.id"] }';

  test.for<[string, string]>([
    ['all is known but what the provider computes', base],
    ['another argument refers to something known', unknown('{ "id": true }', `{ "size": ${reference} }`)],
    [
      'an argument is left out',
      unknown('{ "id": true }', '{ "size": { "constant_value": null } }', '{ "size": null }'),
    ],
    [
      'a block has something computed beside what is written',
      unknown(
        '{ "disk": [{ "id": true }] }',
        '{ "disk": [{ "size": { "constant_value": 1 } }] }',
        '{ "disk": [{ "size": 1 }] }',
      ),
    ],
    [
      'of what is destroyed nothing is written any more',
      edited('["delete", "create"]', '["delete"]').replace(written, ''),
    ],
  ])('not when %s', ([, json]) => {
    expect(boundTo(json, elsewhere)).toBe(false);
    expect(boundTo(json, { configuration: { ...configuration, sha256: 'd'.repeat(64) } })).toBe(false);
  });

  test.for<[string, string]>([
    ['an argument is known after apply', unknown('{ "policy": true }', `{ "policy": ${reference} }`)],
    ['a part of an argument is', unknown('{ "tags": { "a": true } }', `{ "tags": ${reference} }`)],
    [
      'an argument of a block is, wherever the block stands',
      unknown(
        '{ "rule": [{}, { "to": true }] }',
        `{ "rule": [{ "to": ${reference} }, {}] }`,
        '{ "rule": [{}, {}] }',
      ),
    ],
    [
      'a block of one kind is known only as a whole',
      unknown('{ "rule": true }', `{ "rule": [{ "to": ${reference} }] }`),
    ],
    ['a block is written as an attribute', unknown('{ "ingress": [{ "from": true }] }', '{}')],
    [
      'an argument is written and not kept',
      unknown('{}', `{ "secret": ${reference} }`, '{ "secret": null }'),
    ],
    [
      'such an argument is a constant',
      unknown('{}', '{ "secret": { "constant_value": "s" } }', '{ "secret": null }'),
    ],
    [
      'such an argument stands in a block',
      unknown('{}', `{ "login": [{ "secret": ${reference} }] }`, '{ "login": [{ "secret": null }] }'),
    ],
    ['nobody knows what wrote it', base.replace(written, '')],
    ['an output is known after apply', edited('"after": 2, "after_unknown": false', '"after_unknown": true')],
    [
      'a provider refers to something',
      edited('{ "constant_value": "eu" }', '{ "references": ["var.size"] }'),
    ],
    ['a provider computes something', edited('{ "constant_value": "eu" }', '{}')],
    [
      'a block of a provider refers to something',
      edited('"region": { "constant_value": "eu" }', '"role": [{ "arn": { "references": ["local.a"] } }]'),
    ],
    [
      'a provisioner runs a command',
      base.replace(written, `${written}, { "provisioners": [{ "type": "local-exec" }] }`),
    ],
    ['an action is invoked', edited('"output_changes"', '"action_invocations": [{}], "output_changes"')],
  ])('when %s', ([, json]) => {
    expect(boundTo(json, elsewhere)).toBe(true);
    expect(boundTo(json, { configuration: { ...configuration, sha256: 'd'.repeat(64) } })).toBe(true);
    const other = (from: string, to: string) => {
      expect(json).toContain(from);
      return json.replace(from, to);
    };
    expect(digestOf(other('"size": { "value": 1 }', '"size": { "value": 2 }'))).not.toBe(digestOf(json));
    expect(digestOf(other('"t1"', '"t2"'))).toBe(digestOf(json));
  });

  test('when a plan file cannot be looked into, or holds blocks that the plan does not show', () => {
    expect(boundTo(base, elsewhere, { configuration: null })).toBe(true);
    const withDynamic = (dynamic: DynamicBlocks) => ({ configuration: { ...configuration, dynamic } });
    expect(boundTo(base, elsewhere, withDynamic({ names: ['id'], besideProviders: false }))).toBe(true);
    expect(boundTo(base, elsewhere, withDynamic({ names: 'any', besideProviders: false }))).toBe(true);
    expect(boundTo(base, elsewhere, withDynamic({ names: ['rule'], besideProviders: false }))).toBe(false);
    expect(boundTo(base, elsewhere, withDynamic({ names: ['rule'], besideProviders: true }))).toBe(true);
  });

  test('a resource of a module is found in the code that all its instances share', () => {
    const inModule = unknown('{ "policy": true }', '{}').replace(
      '"address": "a.changed", "mode"',
      '"address": "x", "module_address": "module.a[\\"b.\\\\\\"]\\"].module.c[0]", "mode"',
    );
    const call = (expressions: string) =>
      inModule.replace(
        `[${configured('{}')}]`,
        `[], "module_calls": { "a": { "module": { "module_calls": { "c": { "module": { "resources": [${configured(expressions)}] } } } } } }`,
      );
    expect(boundTo(call('{}'), elsewhere)).toBe(false);
    expect(boundTo(call(`{ "policy": ${reference} }`), elsewhere)).toBe(true);
  });
});

test.for<[string, string, DynamicBlocks]>([
  ['main.tf', 'resource "a" "b" {}', { names: [], besideProviders: false }],
  ['main.tf', '  dynamic "rule" {\n dynamic "inner" {', { names: ['rule', 'inner'], besideProviders: false }],
  ['main.tf', 'dynamic "r\\u0075le" {', { names: 'any', besideProviders: false }],
  ['main.tf', 'dynamic /* x */ "rule" {', { names: 'any', besideProviders: false }],
  ['main.tf', 'provider "p" {\n dynamic "role" {', { names: ['role'], besideProviders: true }],
  ['main.tf.json', '{ "dynamic": { "rule": {} } }', { names: 'any', besideProviders: false }],
  ['main.tf.json', '{ "\\u0064ynamic": { "rule": {} } }', { names: 'any', besideProviders: true }],
  ['main.tf.json', '{ "resource": {} }', { names: [], besideProviders: false }],
])('dynamic blocks of %s: %s', ([name, text, expected]) => {
  expect(findDynamicBlocks([[name, text]])).toEqual(expected);
});

describe('with real plans', () => {
  const digestsOf = async (
    fixtures: readonly string[],
    runner: Awaited<ReturnType<typeof createTerraformRunner>>,
  ) => {
    const digests: string[] = [];
    for (const fixture of fixtures) digests.push(planned(await runner.plan(fixture)).digest);
    return digests;
  };

  test('the same code on the same state gives the same digest; a changed attribute another', async () => {
    const runner = await createTerraformRunner();
    const [first, second, other] = await digestsOf(['start', 'start', 'exact-numbers'], runner);
    expect(second).toBe(first);
    expect(other).not.toBe(first);
    await runner.close();
  });

  test('what stands around an unknown value counts, and what a provider alone computes does not (S17)', async () => {
    const runner = await createTerraformRunner();
    const code = (action: string, comment: string) => `
      resource "terraform_data" "new" {} ${comment}
      resource "terraform_data" "policy" { input = jsonencode({ Action = "${action}", On = terraform_data.new.id }) }`;
    const digestWith = async (text: string) => {
      runner.files.set(`${project.dir}/more.tf`, text);
      return planned(await runner.plan('start')).digest;
    };
    const [one, same, other] = [
      await digestWith(code('s3:GetObject', '')),
      await digestWith(code('s3:GetObject', '')),
      await digestWith(code('*', '')),
    ];
    expect(same).toBe(one);
    expect(other).not.toBe(one);
    const known = (comment: string) => `resource "terraform_data" "new" { input = "known" } ${comment}`;
    expect(await digestWith(known('# one'))).toBe(await digestWith(known('# two')));
    await runner.close();
  });
});
