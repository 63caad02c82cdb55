// Do checks and the comment lead to the pages of plans and applies: while they go on, when they are over, when they failed?
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePort, loopback } from '../app/embedded/free-port.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { inBrowser, noBrowser, visit } from './browser.ts';
import type { GatedStates } from './gated-states.ts';
import { startGatedStates } from './gated-states.ts';
import { openOn, order, patienceMs, stateFile, storyTimeoutMs, untilComment, untilReady } from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs, hookTimeout: storyTimeoutMs });
let world: World;
let states: GatedStates;
let url: string;

beforeAll(async () => {
  const port = await freePort();
  url = `http://${loopback}:${port}`;
  states = await startGatedStates();
  world = await createWorld({
    files: () => ({
      'hatchet.yaml': 'version: 1\nprojects: [{ dir: unserved, pool: gpu }]\n',
      'unserved/main.tf': 'terraform {}\n',
    }),
    environment: { PORT: String(port), HATCHET_URL: url, HATCHET_POOL_WAIT: '3s' },
  });
});
afterAll(async () => {
  await states.close();
  await world.close();
});

/** Where a link with this label leads in the comment. */
async function linked(pullRequest: PullRequestHandle, label: string): Promise<string> {
  const { body } = await untilComment(pullRequest, `[${label}](`);
  return addressIn(body, label);
}

function addressIn(text: string | null, label: string): string {
  return text?.split(`[${label}](`)[1]?.split(')')[0] ?? '';
}

test('check and comment lead to the whole plan and its log', async () => {
  const body = 'resource "terraform_data" "one" {\n  input = "hello"\n}';
  const pullRequest = await openOn(world, { dir: 'linked', body });
  await untilReady(pullRequest);
  const address = await linked(pullRequest, 'Whole plan and log');
  expect(address).toMatch(new RegExp(`^${url}/runs/[0-9a-f-]{36}\\?expires=\\d+&signature=[0-9a-f]{64}$`));
  const check = await pullRequest.waitForCheck('hatchet/plan: linked', {
    status: 'completed',
    timeoutMs: patienceMs,
  });
  expect(check.detailsUrl).toBe(address);
  expect(check.summary).toContain(`[Whole plan and log](${address})`);
  const response = await fetch(address);
  const text = await response.text();
  expect(response.status).toBe(200);
  expect(text).toContain('Planned: 1 to add');
  expect(text).toContain('<code>terraform_data.one</code>');
  expect(text).toContain('Plan: 1 to add, 0 to change, 0 to destroy.');
  expect(text).toContain('<bdi>octo-org/infra</bdi>');
});

test('a plan that no runner ever took has a page, too, which says why', async () => {
  const pullRequest = await openOn(world, { dir: 'unserved', body: 'resource "terraform_data" "one" {}' });
  const check = await pullRequest.waitForCheck('hatchet/plan: unserved', {
    conclusion: 'failure',
    timeoutMs: patienceMs,
  });
  expect(check.detailsUrl).toMatch(new RegExp(`^${url}/runs/`));
  const text = await (await fetch(check.detailsUrl ?? '')).text();
  expect(text).toContain('Could not be planned. The log says why.');
  expect(text).toContain('No runner of the pool `gpu` answered.');
  expect(text).toContain('HATCHET_POOLS=gpu');
});

describe.skipIf(noBrowser)(`in a browser${inBrowser}`, () => {
  test('a plan is followed until it is there, whole', async () => {
    states.hold('followed');
    const body = 'resource "terraform_data" "one" {}';
    const pullRequest = await openOn(world, { dir: 'followed', body, backend: states.backend('followed') });
    const { summary } = await pullRequest.waitForCheck('hatchet/plan', {
      status: 'in_progress',
      matching: (run) => run.summary?.includes('[log](') === true,
      timeoutMs: patienceMs,
    });
    await visit({}, async ({ page, complaints }) => {
      await page.goto(addressIn(summary, 'log'));
      await page.locator('.status.running').waitFor({ timeout: patienceMs });
      await page.locator('pre.log').getByText('Initializing').first().waitFor({ timeout: patienceMs });
      states.release('followed');
      await page.locator('.status.good').waitFor({ timeout: patienceMs });
      expect(await page.locator('.status').textContent()).toContain('Planned: 1 to add');
      expect(await page.locator('.resource code').allTextContents()).toEqual(['terraform_data.one']);
      expect(await page.locator('pre.log').textContent()).toContain('Plan: 1 to add');
      expect(complaints).toEqual([]);
    });
  });

  test('an apply is followed from the comment to its end, and leads to its plan', async () => {
    const gate = stateFile(world, 'page-gate');
    const body = `resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "echo waiting at the gate; while [ ! -e '${gate}' ]; do sleep 0.1; done; touch '${gate}.passed'"
  }
}`;
    const pullRequest = await openOn(world, { dir: 'applied', body });
    await untilReady(pullRequest);
    await order(pullRequest, 'hubot', '/hatchet apply');
    const address = await linked(pullRequest, 'log');
    await visit({}, async ({ page, complaints }) => {
      await page.goto(address);
      await page.locator('pre.log').getByText('waiting at the gate').last().waitFor({ timeout: patienceMs });
      expect(await page.locator('h1').textContent()).toBe('Apply of applied');
      expect(existsSync(`${gate}.passed`)).toBe(false);
      await writeFile(gate, '');
      await page.locator('.status.good').waitFor({ timeout: patienceMs });
      expect(await page.locator('.status').textContent()).toBe(' Applied');
      expect(await page.locator('pre.log').textContent()).toContain('Apply complete!');
      expect(await page.locator('dl').textContent()).toContain('@hubot, by comment');
      await page.getByRole('link', { name: 'its diff and log' }).click();
      await page.locator('h1', { hasText: 'Plan of applied' }).waitFor({ timeout: patienceMs });
      expect(complaints).toEqual([]);
    });
  });
});
