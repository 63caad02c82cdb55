// Does the page of a run open for its link alone, whole, and with nothing in it that could run?
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shownRuns } from '../activities/github/shown-runs.ts';
import { openingParagraphs } from '../activities/render/headline.ts';
import type { ShownRun } from '../activities/store/run.ts';
import type { ResourceChange } from '../workflows/model/change.ts';
import { parsePlanId } from '../workflows/model/identifiers.ts';
import { view } from './render-example.ts';
import type { RunSite } from './run-page-site.ts';
import { lifetimeMs, openRunSite } from './run-page-site.ts';
import { repository, someAsked, someBytes, someGrant, somePlan, someRun } from './stored-plan.ts';

let site: RunSite;
beforeAll(async () => {
  site = await openRunSite();
});
afterAll(() => site?.close());

/** A run that planned something, shown once; its address. */
async function planned(resources: readonly ResourceChange[], log = 'planned\n') {
  const stored = somePlan();
  const [id, runId] = [parsePlanId(randomUUID()), someRun()];
  const bytes = { ...someBytes('word'), changes: { resources, outputs: [] }, log: Buffer.from(log) };
  const plan = { ...stored.plan, id, runId };
  await site.store.runs.savePlan({ ...stored, plan }, bytes);
  const address = await shown({ id: runId, kind: 'plan', project: 'network', running: false });
  return { address, runId, stored: { ...stored, plan } };
}

async function shown(run: ShownRun): Promise<string> {
  return (await site.show(run)).get(run.id) ?? '';
}

const resource = (address: string, action: ResourceChange['action'], json: string): ResourceChange => ({
  address,
  type: 'terraform_data',
  action,
  attributes: [
    { path: 'input', before: { kind: 'absent' }, after: { kind: 'known', json }, forcesReplacement: false },
  ],
});

test('the link opens the page, once and again, and says nothing to caches, other sites and robots', async () => {
  const { address, runId } = await planned([resource('terraform_data.a', 'create', '"x"')]);
  const again = await shown({ id: runId, kind: 'plan', project: 'network', running: false });
  expect(again).toBe(address);
  const response = await fetch(address);
  const text = await response.text();
  expect(response.status).toBe(200);
  expect(text).toContain('Plan of <bdi>network</bdi>');
  expect(text).toContain('<code>terraform_data.a</code>');
  const { 'content-security-policy': policy, ...headers } = Object.fromEntries(response.headers);
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    'content-type': 'text/html; charset=utf-8',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-robots-tag': 'noindex',
  });
  expect(headers).not.toHaveProperty('set-cookie');
  expect(policy?.replace(/sha256-[A-Za-z0-9+/=]+/g, 'sha256-…')).toBe(
    "default-src 'none'; style-src 'sha256-…'; script-src 'none'; connect-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
});

test('HEAD answers as GET without a body; nothing else is allowed', async () => {
  const { address } = await planned([]);
  const head = await fetch(address, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  expect(head.headers.get('content-security-policy')).toContain("default-src 'none'");
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const response = await fetch(address, { method });
    expect([method, response.status, response.headers.get('allow')]).toEqual([method, 405, 'GET, HEAD']);
  }
});

test('any other address opens nothing, and does not tell which runs there are', async () => {
  const [one, other] = [await planned([]), await planned([])];
  const url = new URL(one.address);
  const wrong = (change: (url: URL) => void): string => {
    const changed = new URL(url);
    change(changed);
    return changed.href;
  };
  const addresses = [
    wrong((to) => to.searchParams.set('signature', '0'.repeat(64))),
    wrong((to) => to.searchParams.set('signature', '')),
    wrong((to) => to.searchParams.delete('signature')),
    wrong((to) => to.searchParams.set('expires', String(Number(to.searchParams.get('expires')) + 1))),
    wrong((to) => to.searchParams.delete('expires')),
    wrong((to) => {
      to.pathname = new URL(other.address).pathname;
    }),
    wrong((to) => {
      to.pathname = `/runs/${someRun()}`;
    }),
    wrong((to) => {
      to.pathname += '/log';
    }),
    `${site.url}/runs/`,
    `${site.url}/runs/..%2f..%2fetc`,
  ];
  const answers = await Promise.all(addresses.map(async (address) => (await fetch(address)).status));
  expect(answers).toEqual(addresses.map(() => 404));
  const [first, second] = await Promise.all(
    [addresses[0], addresses[6]].map(async (address) => (await fetch(address ?? '')).text()),
  );
  expect(first).toBe(second);
  expect(first).toContain('This address opens no run');
});

test('a link ends when its lifetime does, and the page then says how to get another', async () => {
  const { address } = await planned([]);
  const { now } = site.clock;
  try {
    site.clock.now = Date.now() + lifetimeMs - 30_000;
    expect((await fetch(address)).status).toBe(200);
    site.clock.now = Date.now() + lifetimeMs;
    const response = await fetch(address);
    expect(response.status).toBe(410);
    expect(await response.text()).toContain('<code>/hatchet plan</code>');
    const events = new URL(address);
    events.pathname += '/events';
    expect((await fetch(events)).status).toBe(410);
  } finally {
    site.clock.now = now;
  }
});

test('a signed link to a run that is not there opens nothing', async () => {
  const run = someRun();
  const since = await site.show({ id: run, kind: 'plan', project: 'gone', running: true });
  const address = since.get(run) ?? '';
  expect((await fetch(address)).status).toBe(200);
  expect((await fetch(address.replace(run, someRun()))).status).toBe(404);
});

test('a plan of 5,000 resources is there whole, what cannot be taken back first', async () => {
  const created = Array.from({ length: 4_998 }, (_, index) =>
    resource(`terraform_data.many[${index}]`, 'create', JSON.stringify(`${'long '.repeat(100)}end ${index}`)),
  );
  const { address } = await planned([
    ...created,
    resource('terraform_data.replaced', 'replace', '1'),
    resource('terraform_data.gone', 'delete', '1'),
  ]);
  const text = await (await fetch(address)).text();
  const addresses = [...text.matchAll(/<code>(terraform_data\.[^<]*)<\/code>/g)].map(([, name]) => name);
  expect(addresses).toHaveLength(5_000);
  expect(addresses.slice(0, 3)).toEqual([
    'terraform_data.gone',
    'terraform_data.replaced',
    'terraform_data.many[0]',
  ]);
  expect(text.match(/end \d+&quot;/g)).toHaveLength(4_998);
  expect(text.includes('…')).toBe(false);
});

test('what a plan destroys is there with all its attributes and lines', async () => {
  const attributes = Array.from({ length: 30 }, (_, index) => ({
    path: `a${index}`,
    before: { kind: 'known', json: JSON.stringify(`first\nline ${index}`) } as const,
    after: { kind: 'absent' } as const,
    forcesReplacement: false,
  }));
  const { address } = await planned([{ ...resource('terraform_data.old', 'delete', '1'), attributes }]);
  const text = await (await fetch(address)).text();
  expect(text.match(/class="del"/g)).toHaveLength(90);
  expect(text).toContain('line 29');
});

test('colours of a log are shown, everything else of a terminal is not', async () => {
  const log = [
    '2026-11-22T04:12:27.381922Z \u001b[1;31mfailed\u001b[0m <b>&',
    '\u001b]8;;https://evil.example\u0007title\u001b]8;;\u0007 \u001b[38;5;208mpalette\u001b[0m \u001b[38;2;0;10;250mtrue\u001b[0m',
    'progress 10%\rprogress 99%\r\nbell\u0007 \u001b[2K\u001b[1Gdone',
    '2026-11-22T04:12:28Z Error: no',
    '',
  ].join('\n');
  const { address } = await planned([], log);
  const text = await (await fetch(address)).text();
  expect(/<pre class="log">\n([\s\S]*?)<\/pre>/.exec(text)?.[1]).toMatchInlineSnapshot(`
    "<time datetime="2026-11-22T04:12:27.381922Z" title="2026-11-22T04:12:27.381922Z">04:12:27</time> <span class="fg-red ansi-bold">failed</span> &lt;b&gt;&amp;
    title <span class="fg-bright-yellow">palette</span> <span class="fg-bright-blue">true</span>
    progress 10%
    progress 99%
    bell⟨U+0007⟩ done
    <time datetime="2026-11-22T04:12:28Z" title="2026-11-22T04:12:28Z">04:12:28</time> <b class="Error">Error</b>: no
    "
  `);
});

test('the page of an apply says who wanted it, what came of it, and leads to its plan and back', async () => {
  const { address, stored } = await planned([resource('terraform_data.a', 'create', '"x"')]);
  const runId = someRun();
  const begin = {
    runId,
    repositoryId: repository.id,
    fence: 1,
    baseCommit: stored.source.base,
    grant: someGrant(stored),
    asked: someAsked(),
  };
  expect(await site.store.applies.begin(begin)).toBe('begun');
  const apply = await shown({ id: runId, kind: 'apply', project: 'network', running: true });
  const running = await (await fetch(apply)).text();
  expect(running).toContain('Applying');
  expect(running).toContain('<noscript><meta http-equiv="refresh"');
  const diagnostics = [
    { severity: 'error', summary: 'No <more> room', detail: 'Quota', path: 'main.tf' },
  ] as const;
  const common = { runId, finishedAt: new Date().toISOString(), stateKept: false };
  await site.store.runs.saveLog(runId, Buffer.from('Apply began\n'));
  await site.store.applies.record(runId, {
    ...common,
    kind: 'failed',
    diagnostics,
    diagnosticCount: 3,
    done: 1,
    total: 2,
  });
  const text = await (await fetch(apply)).text();
  expect(text).toContain('Half applied: 1 of 2 changes done');
  expect(text).toContain('<bdi>@ada</bdi>, by comment');
  expect(text).toContain('No &lt;more&gt; room');
  expect(text).toContain('2 more problems, see the log.');
  expect(text).toContain('Apply began');
  expect(text).not.toContain('<noscript>');
  const linked = (html: string): readonly (string | undefined)[] =>
    [...html.matchAll(/href="([^"]*\/runs\/[^"]*)"/g)].map(([, href]) => href?.replaceAll('&amp;', '&'));
  expect(linked(text)).toEqual([address]);
  expect(linked(await (await fetch(address)).text())).toEqual([apply]);
});

test('a run that something newer took over is over, and says so', async () => {
  const [old, fresh] = [someRun(), someRun()];
  const address = await shown({ id: old, kind: 'plan', project: 'network', running: true });
  expect(await (await fetch(address)).text()).toContain('Planning');
  await shown({ id: fresh, kind: 'plan', project: 'network', running: true });
  const text = await (await fetch(address)).text();
  expect(text).toContain('Ended without a log');
  expect(text).toContain('No log is kept of this run.');
});

test('what failed before its projects were known has a page that says who finds out why', async () => {
  const runId = someRun();
  const broken = view({ kind: 'operator-error', runId }, []);
  const [run, ...others] = shownRuns(broken);
  expect(others).toEqual([]);
  expect(run).toMatchObject({ id: runId, kind: 'plan', running: false });
  if (run?.said === undefined) throw new Error('it says nothing');
  const address = await shown(run);
  await site.store.runs.addLog(run.id, Buffer.from(run.said));
  const text = await (await fetch(address)).text();
  expect(text).toContain('Plan of all projects');
  expect(text).toContain('Could not be planned. The log says why.');
  expect(text).toContain(`finds the cause in its log under ${runId}`);
  const links = { check: () => null, run: () => address, commit: () => null };
  expect(openingParagraphs(broken, links)[0]).toContain(new URL(address).href);
});
