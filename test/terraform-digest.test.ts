// When do two plans have the same digest, and when must they not?
import { describe, expect, test } from 'vitest';
import type { DigestInput } from '../activities/terraform/digest.ts';
import { planDigest } from '../activities/terraform/digest.ts';
import { parsePlanJson } from '../activities/terraform/plan-json.ts';
import type { SourceDigest } from '../workflows/model/identifiers.ts';
import { createTerraformRunner, planned, project } from './terraform-runner.ts';

/** As `terraform show -json` writes it, with `INPUT` where the tests differ. */
const document = `{
  "format_version": "1.2",
  "terraform_version": "1.11.4",
  "timestamp": "2026-11-22T01:15:53Z",
  "variables": { "size": { "value": 1 } },
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
    "root_module": { "resources": [] } }
}`;

function digestOf(json: string, changed: Partial<DigestInput> = {}): string {
  return planDigest({
    document: parsePlanJson(json),
    project,
    lock: { committed: null, selected: [] },
    sourceDigest: 'a'.repeat(64) as SourceDigest,
    ...changed,
  });
}

const base = document.replace('INPUT', '2');
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

  test('the sources are others, as long as nothing in them runs a command', () => {
    const changed = { sourceDigest: 'b'.repeat(64) as SourceDigest };
    expect(digestOf(base, changed)).toBe(digestOf(base));
    const running = edited(
      '"resources": []',
      '"resources": [{ "provisioners": [{ "type": "local-exec" }] }]',
    );
    expect(digestOf(running, changed)).not.toBe(digestOf(running));
  });
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
});
