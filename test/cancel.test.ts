// What is stopped when somebody says cancel, and what is left of it?
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import type { HttpStateServer } from '../fixtures/drills/http-state-server.ts';
import { startHttpStateServer } from '../fixtures/drills/http-state-server.ts';
import type { GatedStates } from './gated-states.ts';
import { startGatedStates } from './gated-states.ts';
import { faces } from './normalize.ts';
import { appliesIn, runsIn } from './own-processes.ts';
import {
  appliesOf,
  ask,
  headline,
  openOn,
  openReady,
  order,
  patienceMs,
  stateFile,
  storyTimeoutMs,
  untilCheck,
  untilComment,
  untilNoneOpen,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;
let states: GatedStates;
let applied: HttpStateServer;

beforeAll(async () => {
  [states, applied] = await Promise.all([startGatedStates(), startHttpStateServer()]);
  world = await createWorld({});
});
afterAll(async () => {
  await world.close();
  await Promise.all([states.close(), applied.close()]);
});

/** What the documents promise, counted from the word of whoever asked. */
const planStopsWithinMs = 15_000;

describe.concurrent('/hatchet cancel', () => {
  test('ends a plan, and leaves no process of it', async ({ expect }) => {
    states.hold('planned');
    const body = 'resource "terraform_data" "one" {}';
    const pullRequest = await openOn(world, { dir: 'planned', body, backend: states.backend('planned') });
    await vi.waitUntil(() => states.waiting('planned') > 0, { timeout: patienceMs });
    expect(await runsIn('planned')).not.toEqual([]);
    await order(pullRequest, 'hubot', '/hatchet cancel');
    await vi.waitUntil(async () => (await runsIn('planned')).length === 0, { timeout: planStopsWithinMs });
    await untilCheck(pullRequest, 'hatchet/plan', 'Cancelled');
    expect(headline(pullRequest)).toContain('Planning was cancelled.');
  });

  test('interrupts an apply when it is said twice, and its state is written (S5)', async ({ expect }) => {
    const gate = stateFile(world, 'stopped-gate');
    const body = `resource "terraform_data" "first" {}

resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "touch '${gate}.reached'; while [ ! -e '${gate}' ]; do sleep 0.1; done"
  }
}`;
    const pullRequest = await openReady(world, { dir: 'stopped', body, backend: applied.backend });
    await order(pullRequest, 'hubot', '/hatchet apply');
    await vi.waitUntil(() => existsSync(`${gate}.reached`), { timeout: patienceMs, interval: 50 });
    expect(await ask(pullRequest, 'mona', '/hatchet cancel')).toEqual({
      reaction: 'eyes',
      reply:
        '@mona stopping an apply leaves its project half-changed. Comment `/hatchet cancel` again within 10 minutes to stop it.',
    });
    expect(await appliesIn('stopped')).toHaveLength(1);
    expect((await ask(pullRequest, 'reader', '/hatchet cancel')).reaction).toBe('confused');
    expect(await ask(pullRequest, 'hubot', '/hatchet cancel')).toEqual({
      reaction: 'eyes',
      reply:
        '@hubot the running apply is asked to stop. What it has done by then stays done; the result appears in the comment.',
    });
    await untilComment(pullRequest, '`stopped` is half applied: 1 of 2 changes is done.');
    expect(faces(pullRequest.checks()).join()).toContain(
      'hatchet/apply: failure, stopped failed, 1 of 2 done',
    );
    expect(await appliesIn('stopped')).toEqual([]);
    expect(applied.lock()).toBeNull();
    expect(applied.applies()).toBe(1);
    const state = JSON.parse(applied.state() ?? '{}') as { resources: readonly { name: string }[] };
    expect(state.resources.map(({ name }) => name)).toContain('first');
    expect(await appliesOf(world, 'stopped')).toEqual([{ number: pullRequest.number, state: 'failed' }]);
  });
});

test('no check is left open (S14)', () => untilNoneOpen(world));
