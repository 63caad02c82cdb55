// How is what Terraform prints and leaves on disk read?
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createApplyProgress } from '../activities/terraform/apply-progress.ts';
import { toDiagnostic, withoutHeadings } from '../activities/terraform/diagnostics.ts';
import type { TerraformEvent } from '../activities/terraform/event.ts';
import { parseEvent } from '../activities/terraform/event.ts';
import { keepTrying } from '../activities/terraform/keep-trying.ts';
import { createLineReader, maxLineLength } from '../activities/terraform/lines.ts';
import { parseLockFile } from '../activities/terraform/lock-file.ts';
import { parseStateVersion, readPlanFile } from '../activities/terraform/plan-file.ts';
import { readForeignFile } from '../activities/terraform/run-directory.ts';

const plain = (text: string) => text;

describe('lines', () => {
  const read = (chunks: readonly Buffer[]) => {
    const lines: string[] = [];
    const reader = createLineReader((line) => lines.push(line));
    for (const chunk of chunks) reader.write(chunk);
    reader.end();
    return lines;
  };

  test('are put together from chunks, also where a character is split', () => {
    const bytes = Buffer.from('größe\n\nlast');
    expect(read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(['größe', '', 'last']);
  });

  test('that are too long are cut, and the next one is whole again', () => {
    const long = Buffer.alloc(maxLineLength, 'x');
    const lines = read([long, long, Buffer.from('\nnext\n')]);
    expect(lines.map((line) => line.length)).toEqual([maxLineLength, 4]);
  });
});

describe('events', () => {
  const resource = { addr: 'a.b', module: '', resource_type: 'a' };

  test.for<[string, object, TerraformEvent]>([
    ['version', { type: 'version', terraform: '1.11.4' }, { kind: 'version' }],
    [
      'a planned change',
      { type: 'planned_change', change: { resource, action: 'replace' } },
      { kind: 'planned', address: 'a.b', action: 'replace' },
    ],
    [
      'a start',
      { type: 'apply_start', hook: { resource, action: 'create' } },
      { kind: 'started', address: 'a.b', action: 'create' },
    ],
    [
      'a type from the future',
      { type: 'teleport_start', hook: { resource, action: 'x' } },
      { kind: 'working' },
    ],
    ['a known type of another shape', { type: 'apply_start', hook: 7 }, { kind: 'other' }],
    [
      'a diagnostic of another shape',
      { type: 'diagnostic', diagnostic: { severity: 'mild' } },
      { kind: 'other' },
    ],
    [
      'a name that every object has',
      { type: 'constructor', hook: { resource, action: 'x' } },
      { kind: 'working' },
    ],
  ])('%s', ([, line, expected]) => {
    expect(parseEvent(JSON.stringify(line)).event).toEqual(expected);
  });

  test.for(['', 'Warning: something', '{"type":', '[1]', 'null'])('junk stays in the log: %j', (line) => {
    expect(parseEvent(line)).toEqual({ event: { kind: 'other' }, text: line });
  });

  test('a diagnostic stands in the log with its detail', () => {
    const diagnostic = { severity: 'error', summary: 'No', detail: 'Because.' };
    const line = { '@message': 'Error: No', '@timestamp': 'T', type: 'diagnostic', diagnostic };
    expect(parseEvent(JSON.stringify(line)).text).toBe('T Error: No\nBecause.');
  });
});

describe('diagnostics', () => {
  const position = { line: 3, column: 1 };
  const at = (filename: string) => ({ filename, start: position, end: { line: 4, column: 9 } });
  const raw = { severity: 'error', summary: 'No', detail: 'Because.' } as const;

  test.for([
    ['main.tf', 'envs/prod', 'envs/prod/main.tf'],
    ['main.tf', '.', 'main.tf'],
    ['../../modules/net/main.tf', 'envs/prod', 'modules/net/main.tf'],
    ['../../../data/modules/x/main.tf', 'envs/prod', undefined],
    ['.terraform/modules/x/main.tf', 'envs/prod', undefined],
    ['/elsewhere/main.tf', 'envs/prod', undefined],
    ['<value for var.x>', 'envs/prod', undefined],
  ] as const)('%s in %s is %s', ([filename, dir, path]) => {
    expect(toDiagnostic({ ...raw, range: at(filename) }, dir, plain).path).toBe(path);
  });

  test('lines and columns are kept, secrets are not', () => {
    const mask = (text: string) => text.replaceAll('Because', '***');
    expect(toDiagnostic({ ...raw, address: 'a.b', range: at('main.tf') }, '.', mask)).toEqual({
      ...{ severity: 'error', summary: 'No', detail: '***.', address: 'a.b' },
      ...{ path: 'main.tf', startLine: 3, endLine: 4, startColumn: 1, endColumn: 9 },
    });
  });

  test('a text without end is cut', () => {
    expect(toDiagnostic({ ...raw, detail: 'x'.repeat(1e6) }, '.', plain).detail.length).toBeLessThan(5000);
  });

  test('what only says that there are others is left out, unless there are none', () => {
    const heading = { severity: 'error', summary: 'execution halted', detail: '' } as const;
    const warning = { severity: 'warning', summary: 'Old', detail: 'x' } as const;
    expect(withoutHeadings([raw, heading])).toEqual([raw]);
    expect(withoutHeadings([heading, warning])).toEqual([heading, warning]);
  });
});

test('an apply is as far as its completed steps: a replacement has two', () => {
  const progress = createApplyProgress();
  const note = (kind: TerraformEvent['kind'], address: string, action: string) =>
    progress.note({ kind, address, action } as TerraformEvent);
  note('planned', 'a.one', 'create');
  note('planned', 'a.two', 'replace');
  note('planned', 'a.three', 'create');
  expect([progress.hasStarted(), progress.done()]).toEqual([false, 0]);
  note('started', 'data.x', 'read');
  note('completed', 'data.x', 'read');
  expect([progress.hasStarted(), progress.done()]).toEqual([false, 0]);
  note('completed', 'a.one', 'create');
  note('completed', 'a.two', 'delete');
  note('errored', 'a.three', 'create');
  expect([progress.hasStarted(), progress.done()]).toEqual([true, 1]);
  note('completed', 'a.two', 'create');
  expect(progress.done()).toBe(2);
});

test('the lock file: what could lead a path astray is left out', () => {
  const block = (address: string, version: string) =>
    `provider "${address}" {\n  version     = "${version}"\n  constraints = "~> 1.0"\n  hashes = [\n    "h1:abc=",\n    "zh:def",\n  ]\n}\n`;
  const text = `# Maintained by terraform init.\n\n${block('registry.terraform.io/hashicorp/aws', '5.1.0-beta1')}
${block('../../etc/x', '1.0.0')}${block('r.io/a/b', '../1')}${block('r.io/a b/c', '1.0.0')}`;
  expect(parseLockFile(text)).toEqual([
    { address: 'registry.terraform.io/hashicorp/aws', version: '5.1.0-beta1', hashes: ['h1:abc=', 'zh:def'] },
  ]);
});

test('the state of a plan file that is none is not known', async () => {
  expect(await readPlanFile(Buffer.from('encrypted'))).toEqual({ state: null, configuration: null });
  expect(parseStateVersion('{"lineage": "", "serial": 0}')).toBeNull();
  expect(parseStateVersion('')).toBeNull();
  expect(parseStateVersion('{"lineage": "l", "serial": 3, "secret": 1}')).toEqual({
    lineage: 'l',
    serial: 3,
  });
});

describe('files that foreign code may have put there', () => {
  let root: string;
  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'hatchet-files-')));
    await mkdir(join(root, 'run'));
    await writeFile(join(root, 'secret'), 'secret');
    await writeFile(join(root, 'run/file'), 'content');
  });
  afterEach(() => rm(root, { recursive: true }));

  const read = (name: string, maxBytes = 100) =>
    readForeignFile({ path: join(root, 'run', name), within: join(root, 'run'), maxBytes });

  test('a plain file is read', async () => {
    expect((await read('file'))?.toString()).toBe('content');
  });

  test('a link, a way out, a directory, a pipe and nothing are not', async () => {
    await symlink(join(root, 'secret'), join(root, 'run/link'));
    await symlink(root, join(root, 'run/out'));
    execFileSync('mkfifo', [join(root, 'run/pipe')]);
    for (const name of ['link', 'out/secret', '../secret', '.', 'pipe', 'missing']) {
      expect(await read(name), name).toBeNull();
    }
  });

  test('what is too large is the operator’s to see', async () => {
    await expect(read('file', 3)).rejects.toMatchObject({ type: 'OperatorError' });
  });
});

test('what must be kept is tried again, but not for ever', async () => {
  let attempts = 0;
  const failingTwice = async () => {
    attempts += 1;
    if (attempts < 3) throw new Error('away');
  };
  expect(await keepTrying(failingTwice, [1, 1])).toBe(true);
  expect(attempts).toBe(3);
  expect(await keepTrying(() => Promise.reject(new Error('gone')), [1, 1])).toBe(false);
});
