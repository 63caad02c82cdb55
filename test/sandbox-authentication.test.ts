// Who may call the sandbox GitHub, and what are they told when they may not?
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RepositoryHandle } from '../fixtures/sandbox/repository-handle.ts';
import { createSandbox, type Sandbox } from '../fixtures/sandbox/sandbox.ts';
import { appJwt, caller, installationToken } from './sandbox-caller.ts';

let sandbox: Sandbox;
let infra: RepositoryHandle;

beforeEach(async () => {
  sandbox = await createSandbox();
  sandbox.createOrganization('acme');
  for (const login of ['ada', 'rob', 'eve']) sandbox.createUser(login);
  infra = await sandbox.createRepository({ owner: 'acme', name: 'infra', files: { 'main.tf': '# empty\n' } });
  infra.collaborator('ada', 'write');
  infra.collaborator('rob', 'read');
});
afterEach(async () => {
  const { violations } = sandbox;
  await sandbox.close();
  expect(violations).toEqual([]);
});

test('the App is known by a JWT that it signed', async () => {
  const asApp = caller(sandbox, await appJwt(sandbox));
  expect((await asApp('GET', '/app')).body).toMatchObject({ slug: 'hatchet', id: sandbox.app.id });
  const byClientId = caller(sandbox, await appJwt(sandbox, { issuer: sandbox.app.clientId }));
  expect((await byClientId('GET', '/api/v3/app')).status).toBe(200);
  expect((await asApp('GET', '/app/installations')).body).toMatchObject([{ account: { login: 'acme' } }]);
});

const now = Math.floor(Date.now() / 1000);
test.each([
  ['too long', { expiresAt: now + 3600 }, 401, 'is too far in the future'],
  ['expired', { expiresAt: now - 5 }, 401, 'must be a numeric value representing the future time'],
  ['issued in the future', { issuedAt: now + 300 }, 401, "'Issued at' claim"],
  ['by another App', { issuer: 1 }, 404, 'Integration not found'],
])('a JWT that is %s is refused', async (_name, claims, status, message) => {
  const answer = await caller(sandbox, await appJwt(sandbox, claims))('GET', '/app');
  expect(answer).toMatchObject({ status, body: { message: expect.stringContaining(message) } });
});

test('a JWT of another key, an installation token and no token at all are no App', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const foreign = await appJwt(sandbox, {}, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  for (const token of [foreign, await installationToken(sandbox, 'acme'), null]) {
    const answer = await caller(sandbox, token)('GET', '/app');
    expect(answer).toMatchObject({
      status: 401,
      body: { message: 'A JSON web token could not be decoded' },
    });
  }
});

test('an installation token has the new long form, a scope and an end', async () => {
  const token = await installationToken(sandbox, 'acme');
  expect(token).toMatch(new RegExp(`^ghs_${sandbox.app.id}_[\\w-]+\\.[\\w-]+\\.[\\w-]+$`));
  expect(token.length).toBeGreaterThan(500);
  const call = caller(sandbox, token);
  expect((await call('GET', '/installation/repositories')).body.total_count).toBe(1);
  expect((await call('GET', '/repos/acme/infra')).body).toMatchObject({
    id: infra.id,
    clone_url: `${sandbox.url}/acme/infra.git`,
  });
  sandbox.expireInstallationTokens();
  expect(await call('GET', '/repos/acme/infra')).toMatchObject({
    status: 401,
    body: { message: 'Bad credentials' },
  });
});

test('a revoked token is worth nothing', async () => {
  const call = caller(sandbox, await installationToken(sandbox, 'acme'));
  expect((await call('DELETE', '/installation/token')).status).toBe(204);
  expect((await call('GET', '/repos/acme/infra')).status).toBe(401);
});

test('a token can be for less than the installation has, and never for more', async () => {
  const other = await sandbox.createRepository({ owner: 'acme', name: 'other', files: { a: '1' } });
  const call = caller(
    sandbox,
    await installationToken(sandbox, 'acme', {
      repository_ids: [infra.id],
      permissions: { checks: 'read' },
    }),
  );
  expect((await call('GET', `/repos/${other.fullName}`)).status).toBe(404);
  const sha = await infra.tip('main');
  expect((await call('GET', `/repos/acme/infra/commits/${sha}/check-runs`)).body.total_count).toBe(0);
  const written = await call('POST', '/repos/acme/infra/check-runs', { name: 'x', head_sha: sha });
  expect(written).toMatchObject({ status: 403, body: { message: 'Resource not accessible by integration' } });
  await expect(installationToken(sandbox, 'acme', { permissions: { contents: 'write' } })).rejects.toThrow(
    'The permissions requested are not granted to this installation.',
  );
  await expect(installationToken(sandbox, 'acme', { repositories: ['nothing'] })).rejects.toThrow('422');
});

test('a permission that the installation lacks is 403, in REST as in its webhooks', async () => {
  sandbox.setPermissions('acme', { contents: 'read', pull_requests: 'read' });
  const call = caller(sandbox, await installationToken(sandbox, 'acme'));
  const pullRequest = await infra.openPullRequest({
    title: 'x',
    author: 'ada',
    head: 'x',
    files: { b: '1' },
  });
  const written = await call('POST', `/repos/acme/infra/issues/${pullRequest.number}/comments`, {
    body: 'hi',
  });
  expect(written).toMatchObject({ status: 403, body: { message: 'Resource not accessible by integration' } });
  const members = await call('GET', '/orgs/acme/teams/platform/memberships/ada');
  expect(members.status).toBe(403);
});

test('what is not the installation’s does not exist for it', async () => {
  await sandbox.createRepository({ owner: 'eve', name: 'secret', files: { a: '1' } });
  const call = caller(sandbox, await installationToken(sandbox, 'acme'));
  expect(await call('GET', '/repos/eve/secret')).toMatchObject({
    status: 404,
    body: { message: 'Not Found' },
  });
  sandbox.suspend('acme');
  expect((await call('GET', '/repos/acme/infra')).status).toBe(403);
});

test('people have the roles that they were given, and teams the members that they were given', async () => {
  sandbox.createTeam('acme', 'platform', ['ada']);
  const call = caller(sandbox, await installationToken(sandbox, 'acme'));
  const permission = async (login: string) =>
    (await call('GET', `/repos/acme/infra/collaborators/${login}/permission`)).body;
  expect(await permission('ada')).toMatchObject({ permission: 'write', role_name: 'write' });
  infra.collaborator('rob', 'triage');
  expect(await permission('rob')).toMatchObject({ permission: 'read', role_name: 'triage' });
  expect(await permission('eve')).toMatchObject({ permission: 'none' });
  const membership = (login: string) => call('GET', `/orgs/acme/teams/platform/memberships/${login}`);
  expect((await membership('ada')).body).toMatchObject({ state: 'active' });
  expect((await membership('rob')).status).toBe(404);
});

test('a person’s token acts as that person, and not as an App', async () => {
  const pullRequest = await infra.openPullRequest({
    title: 'x',
    author: 'ada',
    head: 'x',
    files: { b: '1' },
  });
  const asRob = caller(sandbox, sandbox.tokenFor('rob'));
  const comment = await asRob('POST', `/repos/acme/infra/issues/${pullRequest.number}/comments`, {
    body: 'hi',
  });
  expect(comment.body).toMatchObject({ user: { login: 'rob' }, performed_via_github_app: null });
  expect((await asRob('PUT', `/repos/acme/infra/pulls/${pullRequest.number}/merge`)).status).toBe(403);
  const check = await asRob('POST', '/repos/acme/infra/check-runs', {
    name: 'x',
    head_sha: pullRequest.headSha,
  });
  expect(check).toMatchObject({ status: 403, body: { message: 'You must authenticate via a GitHub App.' } });
  const asEve = caller(sandbox, sandbox.tokenFor('eve'));
  expect((await asEve('GET', '/repos/acme/infra')).status).toBe(404);
});
