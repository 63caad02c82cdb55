// Does the demo tell the whole story, take orders by hand, and leave nothing behind, however it ends?
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { processesIn } from '../fixtures/demo/processes.ts';
import { findTestTools } from './tools.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** It starts two servers and runs Terraform ten times, beside all other tests. */
const demoTimeoutMs = 300_000;

type Demo = {
  readonly child: ChildProcess;
  /** All that it wrote to standard output and standard error so far. */
  readonly text: () => string;
  /** Resolves when it has written this; rejects when it ends without. */
  readonly wrote: (words: RegExp) => Promise<RegExpExecArray>;
  readonly ended: Promise<number | null>;
};

let temporary: string;
let demo: Demo;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'hatchet-demo-test-'));
});
afterEach(async () => {
  // Only where a test failed is there anything left to end.
  if (demo.child.exitCode === null) {
    demo.child.kill('SIGTERM');
    await demo.ended;
  }
  await rm(temporary, { recursive: true });
});

/** Each look reads what all processes of this machine are. */
const lookEveryMs = 50;

/** Code that Terraform computes for seconds on any machine: nobody waits for its end. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is Terraform's.
const long = 'sum([for one in range(1000) : length([for two in range(1000) : sha512("${one}${two}")])])';

/** In the order in which it happens, each only as far as the words are the demo's or a promise of the product's. */
const story = [
  /sandbox GitHub +http:\/\/127\.0\.0\.1:\d+/,
  /Hatchet +http:\/\/127\.0\.0\.1:\d+/,
  /PostgreSQL +127\.0\.0\.1:\d+/,
  /Temporal +127\.0\.0\.1:\d+/,
  /@mona opens #1.*hatchet\/apply +✓ success +Approved, applies on merge.*@mona merges #1.*✓ success +Applied/s,
  /is new.*@mona opens #2.*hatchet\/plan +✓ success +1 project:\s+1\s+to\s+change,\s+1\s+to\s+replace,\s+1\s+to\s+destroy/s,
  /hatchet\/apply +! action required 1 approval missing: prod\s+\[Approve\]/,
  /@mona wants to merge #2\n\n {2}│ GitHub refuses: Required status check "hatchet\/apply"/,
  /@mona comments on #2: \/hatchet approve.*│ @mona \/hatchet approve was refused/s,
  /@reader comments on #2: \/hatchet approve.*│ @reader \/hatchet approve was refused/s,
  /@hubot clicks “Approve”.*@hubot merges #2.*terraform_data\.cache +is gone\n +terraform_data\.database +is replaced/s,
  /@hubot comments on #3: \/hatchet apply.*✓ success +Applied.*terraform_data\.network +is changed.*@hubot merges #3/s,
  /@mona opens #4.*hatchet\/plan +✗ failure +prod: Unsupported argument\s+\(prod\/main\.tf:\d+\)/s,
  /@mona opens #5.*hatchet\/plan +✓ success +3 projects: 2 to add;\s+app@production\s+after/s,
  /@mona merges #5.*✓ success +3 projects: 6 to add.*@hubot clicks “Approve”.*edits its comment on #5: Applied/s,
  /@hubot opens #6.*hatchet\/plan +✓ success +2 projects: 2 to add.*@hubot merges #6.*✓ success +Applied/s,
  /webhook → plan +#1 [\d.]+ s, #2 [\d.]+ s, #3 [\d.]+ s, #4 [\d.]+ s, #5 [\d.]+ s, #6 [\d.]+ s/,
  /schema violations +0/,
];

test('tells the story with everything real, stays for more by hand and over HTTP, and leaves nothing after Ctrl-C in the middle of a plan', {
  timeout: demoTimeoutMs,
}, async () => {
  demo = await startDemo('--stay');
  await demo.wrote(/Going on by hand/);
  for (const line of story) expect(demo.text()).toMatch(line);
  const [, hubot = '', api = ''] = await demo.wrote(/hubot=(\S+).* api=(\S+)/);
  demo.child.stdin?.write('push 4 mona prod/main.tf inputs => input\n');
  await demo.wrote(/Going on by hand.*@mona pushes.*hatchet\/plan: prod +✓ success +1 to add/s);
  const headers = { authorization: `token ${hubot}` };
  const body = JSON.stringify({ body: '/hatchet apply' });
  const answer = await fetch(`${api}/issues/4/comments`, { method: 'POST', headers, body });
  expect(answer.status).toBe(201);
  await demo.wrote(/Going on by hand.*hatchet\/apply +✓ success +Applied/s);
  demo.child.stdin?.write('merge 4 reader\n');
  await demo.wrote(/Must have push access/);
  demo.child.stdin?.write(`push 4 mona prod/main.tf "orders" => ${long}\n`);
  await untilProcessIn(demo, /data\/cache\/runs\//, /^terraform/);
  interrupt();
  expect(await demo.ended).toBe(0);
  expect(demo.text()).not.toContain('\u001b');
  await expectNothingLeft();
});

test('ends what a killed one left behind, and is interrupted while its servers start', {
  timeout: demoTimeoutMs,
}, async () => {
  const killed = await startDemo();
  await killed.wrote(/@mona opens #1/);
  killed.child.kill('SIGKILL');
  await once(killed.child, 'exit');
  // The app, PostgreSQL with its helpers, Temporal: if they could not be found, nothing would seem to be left either.
  expect((await processesIn(folderOf(killed))).length).toBeGreaterThan(3);
  demo = await startDemo();
  await demo.wrote(/sandbox GitHub/);
  expect(await processesIn(folderOf(killed))).toEqual([]);
  await expect(access(folderOf(killed))).rejects.toThrow('ENOENT');
  await untilProcessIn(demo, /data\/postgres$/);
  interrupt();
  expect(await demo.ended, demo.text()).toBe(130);
  expect(await processesIn(folderOf(demo))).toEqual([]);
  await expect(access(folderOf(demo))).rejects.toThrow('ENOENT');
});

/** As a terminal's Ctrl-C: to the whole process group. */
function interrupt(): void {
  process.kill(-(demo.child.pid ?? Number.NaN), 'SIGINT');
}

async function startDemo(...args: readonly string[]): Promise<Demo> {
  const tools = Object.values(await findTestTools()).map(dirname);
  const child = spawn(process.execPath, ['fixtures/demo/main.ts', ...args], {
    cwd: root,
    detached: true,
    env: {
      PATH: [...new Set(tools), process.env.PATH].join(delimiter),
      HOME: process.env.HOME ?? temporary,
      TMPDIR: temporary,
    },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const wrote = (words: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = words.exec(text);
        if (found !== null) resolve(found);
      };
      child.stdout.on('data', look);
      void ended.then((code) => reject(new Error(`it ended with ${code} before it wrote ${words}\n${text}`)));
      look();
    });
  return { child, text: () => text, wrote, ended };
}

async function untilProcessIn(one: Demo, where: RegExp, program = /^/): Promise<void> {
  const isThere = async (): Promise<boolean> => {
    const found = (await processesIn(folderOf(one))).filter(({ directory }) => where.test(directory));
    const names = await Promise.all(
      found.map(({ pid }) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')),
    );
    return names.some((name) => program.test(name));
  };
  await expect.poll(isThere, { timeout: demoTimeoutMs, interval: lookEveryMs }).toBe(true);
}

function folderOf({ child }: Demo): string {
  return join(root, '.demo', `run-${child.pid}`);
}

/** No process and no file, neither of its own nor among everybody's temporary ones. */
async function expectNothingLeft(): Promise<void> {
  const folder = folderOf(demo);
  expect(await processesIn(folder)).toEqual([]);
  await expect(access(folder)).rejects.toThrow('ENOENT');
  expect(await readdir(temporary)).toEqual([]);
}
