// What is lost when Temporal or the database is away for a while? Nothing, and nothing is done twice.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Door } from '../fixtures/drills/door.ts';
import { openDoor } from '../fixtures/drills/door.ts';
import type { GatedStates } from './gated-states.ts';
import { startGatedStates } from './gated-states.ts';
import {
  expectNothingTwice,
  openOn,
  order,
  patienceMs,
  replies,
  storyTimeoutMs,
  untilCheck,
  untilNoneOpen,
  untilReady,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;
let states: GatedStates;
let temporal: Door;
let database: Door;

beforeAll(async () => {
  states = await startGatedStates();
  world = await createWorld({
    reroute: async (services) => {
      const url = new URL(services.DATABASE_URL);
      temporal = await openDoor(services.TEMPORAL_ADDRESS);
      database = await openDoor(url.host);
      url.host = database.address;
      return { ...services, DATABASE_URL: url.href, TEMPORAL_ADDRESS: temporal.address };
    },
  });
});
afterAll(async () => {
  await world.close();
  await Promise.all([temporal.close(), database.close(), states.close()]);
});

const good = 'resource "terraform_data" "one" {\n  input = 1\n}';

async function readiness(): Promise<{ readonly status: number; readonly missing: readonly string[] }> {
  const response = await fetch(`${world.app.url}/readyz`);
  const { missing } = (await response.json()) as { readonly missing: readonly string[] };
  return { status: response.status, missing };
}

const untilAllThere = () =>
  vi.waitUntil(async () => (await readiness()).status === 200, { timeout: patienceMs, interval: 200 });

test('while Temporal is away no webhook is accepted, and the work goes on where it was', async () => {
  states.hold('held');
  const held = await openOn(world, { dir: 'held', body: good, backend: states.backend('held') });
  await vi.waitUntil(() => states.waiting('held') > 0, { timeout: patienceMs });
  await temporal.cut();
  const missed = await openOn(world, { dir: 'missed', body: good });
  await world.sandbox.settled();
  const refused = world.sandbox.deliveries.list().find(({ status_code }) => status_code !== 200);
  expect(refused).toMatchObject({ event: 'pull_request', action: 'opened', status_code: 500 });
  expect(await readiness()).toMatchObject({ status: 503, missing: expect.arrayContaining(['temporal']) });
  await temporal.restore();
  await untilAllThere();
  states.release('held');
  await untilReady(held);
  expectNothingTwice(held);
  await world.sandbox.deliveries.redeliver(refused?.id ?? 0);
  await untilReady(missed);
  expectNothingTwice(missed);
});

test('while the database is away nothing is lost, and the work goes on where it was', async () => {
  const other = await openOn(world, { dir: 'other', body: good });
  await untilReady(other);
  states.hold('stored');
  const stored = await openOn(world, { dir: 'stored', body: good, backend: states.backend('stored') });
  await vi.waitUntil(() => states.waiting('stored') > 0, { timeout: patienceMs });
  await database.cut();
  states.release('stored');
  other.comment('hubot', '/hatchet status');
  expect(await readiness()).toEqual({ status: 503, missing: ['database'] });
  await database.restore();
  await untilAllThere();
  await untilReady(stored);
  expectNothingTwice(stored);
  await vi.waitUntil(() => replies(other).length > 0, { timeout: patienceMs });
  await order(other, 'hubot', '/hatchet apply');
  await untilCheck(other, 'hatchet/apply', 'Applied');
  expect(replies(other)).toHaveLength(1);
});

test('no check is left open (S14)', () => untilNoneOpen(world));
