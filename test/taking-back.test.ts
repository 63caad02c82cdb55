// What of what people said is gone when another plan is on show?
import { expect, test } from 'vitest';
import { createDesk } from '../workflows/desk.ts';
import { parseInstallationId, parsePlanDigest, parseRepositoryId } from '../workflows/model/identifiers.ts';
import type { Override } from '../workflows/model/override.ts';
import { newPullRequest } from '../workflows/model/pull-request-state.ts';
import { dropReplaced } from '../workflows/taking-back.ts';

const repository = {
  id: parseRepositoryId(1),
  installationId: parseInstallationId(2),
  owner: 'octo-org',
  name: 'infra',
  nodeId: 'R_1',
  webUrl: 'https://github.test/octo-org/infra',
};
const digestOf = (letter: string) => parsePlanDigest(letter.repeat(64));
const word = (project: string, letter: string): Override => ({
  actor: { login: 'hubot', permission: 'admin', teams: [] },
  project,
  digest: digestOf(letter),
  bundle: 'e'.repeat(64),
  policies: ['naming'],
  reason: 'known',
  at: '2026-01-02T03:04:05.000Z',
});

test('an override of another plan of the same project, for good (S17)', () => {
  const [old, now, other] = [word('prod', 'a'), word('prod', 'b'), word('staging', 'a')];
  const ref = { repository, number: 7 };
  const desk = createDesk({ ...newPullRequest(ref), overrides: [old, now, other] });
  dropReplaced(desk, 'prod', digestOf('b'));
  expect(desk.state.overrides).toEqual([now, other]);
  expect(desk.records).toEqual([{ kind: 'override-withdrawal', ref, override: old, at: expect.any(String) }]);
});
