// What happens to a lock of Terraform's that an apply left behind, and to a state that could not be written?
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import { faces } from './normalize.ts';
import { appliesIn } from './own-processes.ts';
import type { S3StateServer } from './s3-state-server.ts';
import { startS3StateServer } from './s3-state-server.ts';
import {
  appliesOf,
  click,
  openChecks,
  openReady,
  order,
  patienceMs,
  replies,
  stateFile,
  storyTimeoutMs,
  untilCheck,
  untilComment,
} from './story.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

vi.setConfig({ testTimeout: storyTimeoutMs });
let world: World;
let own: S3StateServer;
let foreign: S3StateServer;

beforeAll(async () => {
  [own, foreign] = await Promise.all([startS3StateServer(), startS3StateServer()]);
  world = await createWorld({ environment: { HATCHET_LOST_WAIT: '100ms' } });
});
afterAll(async () => {
  await world.close();
  await Promise.all([own.close(), foreign.close()]);
});

/** Begins an apply that holds its lock and does not end by itself. */
async function beginApply(dir: string, { backend }: S3StateServer): Promise<PullRequestHandle> {
  const gate = stateFile(world, `${dir}-gate`);
  const body = `resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch '${gate}.reached'; while [ ! -e '${gate}' ]; do sleep 0.1; done"
  }
}`;
  const pullRequest = await openReady(world, { dir, body, backend });
  await order(pullRequest, 'hubot', '/hatchet apply');
  await vi.waitUntil(() => existsSync(`${gate}.reached`), { timeout: patienceMs, interval: 50 });
  return pullRequest;
}

async function killApply(dir: string): Promise<void> {
  for (const pid of await appliesIn(dir)) process.kill(pid, 'SIGKILL');
}

describe.concurrent('the lock of an apply that was killed (S5)', () => {
  test('is broken by a person with the right, and only then is it told what is done', async ({ expect }) => {
    const pullRequest = await beginApply('own', own);
    await killApply('own');
    await untilComment(pullRequest, 'It is the lock of this very apply');
    const locked = await untilCheck(pullRequest, 'hatchet/apply', 'Outcome unknown: own');
    expect(faces([locked])).toEqual([
      'hatchet/apply: failure, Outcome unknown: own [Force-unlock state, Unlock]',
    ]);
    click(pullRequest, locked, 'Force-unlock state', 'reader');
    await vi.waitUntil(() => replies(pullRequest).length === 1, { timeout: patienceMs });
    expect(replies(pullRequest)[0]).toContain('**Force-unlock state** was refused: it takes write access');
    expect(own.counts()).toEqual({ taken: 1, removed: 0 });
    click(pullRequest, locked, 'Force-unlock state', 'hubot');
    await untilComment(pullRequest, 'finds 0 of 1 change done');
    // Once by force, once by the plan that looked.
    expect(own.counts()).toEqual({ taken: 1, removed: 2 });
    expect(own.lock()).toBeNull();
    expect(await appliesOf(world, 'own')).toEqual([{ number: pullRequest.number, state: 'unknown' }]);
  });

  test("somebody else's is left alone, and looked at again when somebody asks", async ({ expect }) => {
    const pullRequest = await beginApply('foreign', foreign);
    const mine = JSON.parse(foreign.lock() ?? '{}') as Record<string, string>;
    foreign.putLock(JSON.stringify({ ...mine, ID: 'ffffffff-0000', Who: 'eve@laptop' }));
    await killApply('foreign');
    await untilComment(pullRequest, "Hatchet cannot tell that it is this apply's");
    await untilComment(pullRequest, '`terraform force-unlock ffffffff-0000`');
    const locked = await untilCheck(pullRequest, 'hatchet/apply', 'Outcome unknown: foreign');
    expect(faces([locked])).toEqual(['hatchet/apply: failure, Outcome unknown: foreign [Unlock]']);
    expect(foreign.counts().removed).toBe(0);
    foreign.removeLock();
    await order(pullRequest, 'mona', '/hatchet plan');
    await untilComment(pullRequest, 'finds 0 of 1 change done');
  });
});

test('no check is left open (S14)', ({ expect }) => {
  expect(openChecks(world)).toEqual([]);
});
