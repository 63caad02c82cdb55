// Has every row of what must be impossible a test of the whole app, and does the command that repeats them find it?
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Answer } from '../fixtures/rows/passes.ts';
import { carries, patternOf, proofs, rows } from '../fixtures/rows/proofs.ts';
import { isGood, reportOf } from '../fixtures/rows/report.ts';

const read = (path: string): Promise<string> => readFile(join(import.meta.dirname, '..', path), 'utf8');

test.each(rows)('%s is proven by a test that drives the whole app', async (row) => {
  const { file, name } = proofs[row];
  const text = await read(`test/${file}.test.ts`);
  // The drills are told apart by their names alone, and carry their rows together.
  const isThere = text.includes(`'${name}'`) || text.includes(`'${name} (`);
  expect({ name, isThere, startsTheApp: /\b(?:createWorld|setStage)\(/.test(text) }).toEqual({
    name,
    isThere: true,
    startsTheApp: true,
  });
  const ids = text.includes(`'${name}'`) ? '%s' : name;
  const title = text.split(`'${ids} `)[1]?.split("'")[0] ?? '';
  expect(title).toMatch(new RegExp(`^${carries([row]).source}$`));
});

test('the page names what proves each row, and no test that is not there', async () => {
  const page = await read('docs/guarantees.md');
  const lines = [...page.matchAll(/^\| (S\d+) \|.* \| (.*) \|$/gm)];
  const bold = lines.map(([, row, tests]) => [row, /\*\*([^*]+)\*\*/.exec(tests ?? '')?.[1]]);
  expect(bold).toEqual(rows.map((row) => [row, proofs[row].name.replace(' (seed %i)', '')]));
  const files = (await readdir(import.meta.dirname)).filter((name) => name.endsWith('.test.ts'));
  const all = (await Promise.all(files.map((name) => read(`test/${name}`)))).join('\n');
  const named = lines.flatMap(([, , tests]) => [...(tests ?? '').matchAll(/\*+([^*]+)\*+/g)]);
  const gone = named.flatMap(([, name = '']) => (name === 'part' || all.includes(name) ? [] : [name]));
  expect(gone).toEqual([]);
});

test('a row means its own tests: by their ends, in whatever group, with other rows beside it', () => {
  expect('on merge a push is planned (S1)').toMatch(carries(['S1']));
  expect('a push is planned (S11)').not.toMatch(carries(['S1']));
  expect('a push is planned (S17, S1, S3)').toMatch(carries(['S1', 'S2']));
  expect(`on merge ${proofs.S1.name} (S1)`).toMatch(patternOf('S1'));
  expect(`${proofs.S1.name}, too (S1)`).not.toMatch(patternOf('S1'));
  expect('one owner and one apply at a time, and everybody ends (seed 7) (S3)').toMatch(patternOf('S3'));
  expect('during Terraform / runner / SIGKILL (S5, S6, S14)').toMatch(patternOf('S5'));
  expect('during Terraform / runner / SIGKILL, started at once (S5, S6, S14)').not.toMatch(patternOf('S5'));
});

const answer: Answer = {
  row: 'S4',
  file: 'merge-order',
  name: 'three merges (S4)',
  pass: 1,
  state: 'passed',
  seconds: 9.04,
  problems: [],
};

test('a row that failed once, was skipped, or did not run every time, is not good', () => {
  const twice: readonly Answer[] = [answer, { ...answer, pass: 2, seconds: 12 }];
  expect(isGood(twice, ['S4'], 2)).toBe(true);
  expect(isGood(twice, ['S4'], 3)).toBe(false);
  expect(isGood(twice, ['S4', 'S5'], 2)).toBe(false);
  expect(isGood([...twice, { ...answer, state: 'failed' }], ['S4'], 2)).toBe(false);
  expect(isGood([...twice, { ...answer, state: 'skipped' }], ['S4'], 2)).toBe(false);
});

test('the table counts by row and file, and says what failed in which pass', () => {
  const failed: Answer = { ...answer, pass: 2, state: 'failed', seconds: 12, problems: ['applied twice'] };
  expect(reportOf([answer, failed], ['S4', 'S5'])).toMatchInlineSnapshot(`
    "| row | test file   | tests | passed | failed | skipped | seconds | longest |
    | --- | ----------- | ----- | ------ | ------ | ------- | ------- | ------- |
    | S4  | merge-order | 1     | 1      | 1      | 0       | 10.5    | 12.0    |
    | S5  | none        | 0     | 0      | 0      | 0       |         |         |
    S4 merge-order, pass 2: three merges (S4)
      applied twice"
  `);
});
