// Does a program that is started by way of the small process behave as one of our own would?
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Launched, LaunchOptions } from '../activities/programs/launch.ts';
import { launch } from '../activities/programs/launch.ts';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hatchet-launch-'));
});
afterAll(() => rm(directory, { recursive: true }));

const plain: LaunchOptions = {
  cwd: '/',
  env: { PATH: '/usr/bin:/bin', GREETING: 'hello' },
  detached: false,
  stdio: ['pipe', 'pipe', 'pipe'],
};

/** Node itself is the program: it is where the tests are. */
const node = (script: string, options: Partial<LaunchOptions> = {}): Launched =>
  launch(process.execPath, ['-e', script], { ...plain, ...options });

async function textOf(stream: Launched['stdout']): Promise<string> {
  const parts: string[] = [];
  stream?.setEncoding('utf8').on('data', (part: string) => parts.push(part));
  if (stream !== null) await once(stream, 'end');
  return parts.join('');
}

test('what it writes arrives whole and apart, before its close', async () => {
  const program = node(
    'process.stdout.write("x".repeat(3_000_000)); process.stderr.write("beside"); process.exitCode = 3',
  );
  const closed = once(program, 'close');
  const [out, err] = await Promise.all([textOf(program.stdout), textOf(program.stderr)]);
  expect({ bytes: out.length, err, closed: await closed }).toEqual({
    bytes: 3_000_000,
    err: 'beside',
    closed: [3, null],
  });
});

test('it has exactly the environment that it was given, and reads what it is sent', async () => {
  const program = node('process.stdin.pipe(process.stdout); console.log(JSON.stringify(process.env))');
  const text = textOf(program.stdout);
  program.stdin?.write('first ');
  program.stdin?.end('second');
  expect((await text).trim()).toBe(`${JSON.stringify(plain.env)}\nfirst second`);
});

test('its output can go to a file and to a further pipe', async () => {
  const path = join(directory, 'out');
  const stdio = ['ignore', { append: path }, 'ignore', 'pipe'] as const;
  const program = node('console.log("to the file"); require("fs").writeSync(3, "to the pipe")', { stdio });
  const further = program.stdio[3] as Launched['stdout'];
  const [text] = await Promise.all([textOf(further), once(program, 'close')]);
  expect(text).toBe('to the pipe');
  expect(await readFile(path, 'utf8')).toBe('to the file\n');
});

test('a signal reaches it', async () => {
  const program = node('setInterval(() => {}, 1000); console.log("ready")');
  const closed = once(program, 'close');
  if (program.stdout !== null) await once(program.stdout, 'data');
  program.kill('SIGTERM');
  expect(await closed).toEqual([null, 'SIGTERM']);
});

test('what cannot be started is an error with its code, and closes', async () => {
  const program = launch('/nowhere/program', [], plain);
  const errors: Error[] = [];
  program.on('error', (error) => errors.push(error));
  await new Promise<void>((resolve) => program.on('close', () => resolve()));
  expect(errors).toMatchObject([{ code: 'ENOENT' }]);
});

test('a descendant that keeps the pipe does not keep a listener who hangs up', async () => {
  const script = `require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'],
    { stdio: 'inherit' }).unref(); console.log(process.pid); process.exit(0)`;
  const program = node(script, { detached: true });
  const closed = once(program, 'close');
  await once(program, 'exit');
  for (const stream of program.stdio) stream?.destroy();
  expect(await closed).toEqual([0, null]);
  process.kill(-(program.pid ?? Number.NaN), 'SIGKILL');
});

test('programs of a small process that dies count as killed, and the next start makes another', async () => {
  const program = node('setInterval(() => {}, 1000); console.log(process.ppid)');
  const closed = once(program, 'close');
  const [line] = program.stdout === null ? [] : await once(program.stdout, 'data');
  const launcher = Number(String(line));
  process.kill(launcher, 'SIGKILL');
  expect(await closed).toEqual([null, 'SIGKILL']);
  process.kill(program.pid ?? Number.NaN, 'SIGKILL');
  const next = node('console.log(process.ppid)');
  expect(Number(await textOf(next.stdout))).not.toBe(launcher);
});
