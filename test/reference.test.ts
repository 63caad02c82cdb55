// Do the pages about hatchet.yaml say what the product does?
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { judgeConfiguration, readConfiguration } from '../activities/source/configuration.ts';
import { describedSchema, type JsonSchema, jsonSchemaText } from '../fixtures/reference/json-schema.ts';
import { example, referencePage } from '../fixtures/reference/page.ts';
import { configurationSchema } from '../workflows/model/configuration-schema.ts';
import { mapOf } from './source-map.ts';

const page = (name: string) => readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8');

test.each([
  ['hatchet.schema.json', jsonSchemaText()],
  ['hatchet-yaml.md', referencePage()],
])('docs/%s is what `npm run reference` writes', (name, expected) => {
  expect(page(name)).toBe(expected);
});

test('every key is explained', () => {
  const unexplained = (schema: JsonSchema, path: string): string[] => [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, value]) => [
      ...(value.description === undefined ? [`${path}.${key}`] : []),
      ...unexplained(value, `${path}.${key}`),
    ]),
    ...[schema.items ?? {}, ...(schema.anyOf ?? [])].flatMap((inner) =>
      Object.keys(inner).length === 0 ? [] : unexplained(inner, path),
    ),
  ];
  expect(unexplained(describedSchema(), '')).toEqual([]);
});

test('the example is valid, and has every key', () => {
  const map = mapOf(['network/main.tf', 'envs/prod/main.tf', 'policies/prod.rego']);
  expect(judgeConfiguration(readConfiguration(Buffer.from(example)), map)).toMatchObject({ kind: 'valid' });
  const { properties } = describedSchema();
  expect(Object.keys(parse(example)).sort()).toEqual(Object.keys(properties ?? {}).sort());
  expect(Object.keys(parse(example).projects[1]).sort()).toEqual(
    Object.keys(properties?.projects?.items?.properties ?? {}).sort(),
  );
});

describe('the JSON Schema and the product agree on', () => {
  const isValid = new Ajv2020({ allErrors: true }).compile(JSON.parse(page('hatchet.schema.json')));
  const entry = (keys: string) => `version: 1\nprojects: [{ dir: a, ${keys} }]`;

  test.each<[boolean, string]>([
    [true, 'version: 1'],
    [true, example],
    [true, 'version: 1\nautodiscover: false'],
    [true, 'version: 1\nautodiscover: {}'],
    [true, entry('name: "prod/eu@blue", workspace: "a.b~c"')],
    [true, entry('version: ">= 1.5.0-rc1, < 2, != 1.9.1"')],
    [true, entry('apply: { auto_merge: squash }')],
    [false, ''],
    [false, '[]'],
    [false, 'version: "1"'],
    [false, 'version: 1\nfoo: 1'],
    [false, 'version: 1\nautodiscover: { incl: [] }'],
    [false, 'version: 1\nautodiscover: [a]'],
    [false, 'version: 1\nprojects: [{}]'],
    [false, 'version: 1\nplan: { timeout: 30 }'],
    [false, 'version: 1\nplan: { timeout: 0m }'],
    [false, 'version: 1\napprovals: { count: 11 }'],
    [false, 'version: 1\napprovals: { count: 1.5 }'],
    [false, 'version: 1\napprovals: { from: [mail] }'],
    [false, 'version: 1\napply: { auto_merge: true }'],
    [false, 'version: 1\npolicies: [{ path: ../p, level: mandatory }]'],
    [false, 'version: 1\nprojects: [{ dir: a/../../b }]'],
    [false, 'version: 1\nprojects: [{ dir: /a }]'],
    [false, entry('name: "a b"')],
    [false, entry('name: "-x"')],
    [false, entry('workspace: "a/b"')],
    [false, entry('version: newest')],
    [false, entry('engine: pulumi')],
    [false, entry('pool: ""')],
    [false, entry('when_modified: ["!x"]')],
    [false, entry('protect: []')],
  ])('%s: %j', (expected, text) => {
    const value: unknown = parse(text);
    expect([isValid(value), configurationSchema.safeParse(value).success]).toEqual([expected, expected]);
  });
});
