// How do the sandbox's own tests call it over HTTP?
import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Sandbox } from '../fixtures/sandbox/sandbox.ts';

/** An answer, its body parsed; `null` where there is none. */
// biome-ignore lint/suspicious/noExplicitAny: the answers of a whole API, read field by field in tests
export type Answer = { readonly status: number; readonly headers: Headers; readonly body: any };

export type JwtClaims = {
  readonly issuer?: string | number;
  readonly issuedAt?: number;
  readonly expiresAt?: number;
};

/** Signs a JWT as the App does: issued half a minute ago, good for nine minutes. */
export function appJwt(
  sandbox: Sandbox,
  claims: JwtClaims = {},
  privateKey = sandbox.app.privateKey,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const { issuer = sandbox.app.id, issuedAt = now - 30, expiresAt = now + 540 } = claims;
  return new SignJWT({ iss: issuer as string })
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(createPrivateKey(privateKey));
}

export type Caller = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>;

/** Calls the API with one token; without one as nobody. */
export function caller(sandbox: Sandbox, token: string | null): Caller {
  return async (method, path, body, headers = {}) => {
    const authorization: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(`${sandbox.url}${path}`, {
      method,
      headers: { ...authorization, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === '' ? null : JSON.parse(text) };
  };
}

/** A token for the App's installation on an account, narrowed by `scope`. */
export async function installationToken(
  sandbox: Sandbox,
  owner: string,
  scope: object = {},
): Promise<string> {
  const app = caller(sandbox, await appJwt(sandbox));
  const { id } = sandbox.installation(owner);
  const answer = await app('POST', `/app/installations/${id}/access_tokens`, scope);
  if (answer.status !== 201) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body.token;
}

/** Runs a GraphQL request with one token. */
export async function graphql(sandbox: Sandbox, token: string, query: string, variables: object = {}) {
  return (await caller(sandbox, token)('POST', '/graphql', { query, variables })).body;
}
