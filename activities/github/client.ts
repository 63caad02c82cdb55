// How is GitHub called as the App: with which token, how long, and which failures mean what?
import { createAppAuth } from '@octokit/auth-app';
import { graphql } from '@octokit/graphql';
import { request } from '@octokit/request';
import type { InstallationId } from '../../workflows/model/identifiers.ts';
import type { Repository } from '../../workflows/model/repository.ts';
import type { WriteBudget, WriteCost } from './budget.ts';
import { limitWaitMs, translate } from './failures.ts';
import { createTurns } from './turns.ts';

/** What GitHub answered to a GraphQL request. `data` may be partial: `errors` name the aliases that failed. */
export type GraphqlAnswer = {
  readonly data: Readonly<Record<string, unknown>>;
  readonly errors: readonly GraphqlError[];
};

export type GraphqlError = {
  readonly type: string;
  readonly message: string;
  readonly path: readonly (string | number)[];
};

/** What GitHub answered to the App itself. `at`: its clock, ISO 8601. `next`: the cursor or number of the next page. */
export type AppAnswer = { readonly data: unknown; readonly at: string; readonly next: string | null };

/** The calls that activities make. Failures come translated: retry, retry later, or an operator's problem. */
export type GitHub = {
  graphql(
    installation: InstallationId,
    query: string,
    variables: Record<string, unknown>,
  ): Promise<GraphqlAnswer>;
  /** A GraphQL request that writes: waits for its turn in the installation's budget, or asks to come back later. */
  mutate(
    installation: InstallationId,
    mutation: string,
    variables: Record<string, unknown>,
    cost: WriteCost,
  ): Promise<GraphqlAnswer>;
  /** One REST call; `null` when GitHub answers 404. */
  rest(installation: InstallationId, route: string, parameters: Record<string, unknown>): Promise<unknown>;
  /** One REST call as the App itself, whose answer is a list or nothing. */
  app(route: string, parameters: Record<string, unknown>): Promise<AppAnswer>;
  /** A token that can read the contents of this one repository, for git. */
  gitToken(repository: Repository): Promise<string>;
  gitUrl(repository: Repository): string;
  /** Whether the App's key is accepted. */
  ping(): Promise<void>;
};

/** GitHub answers within seconds or not at all; Temporal repeats what fails. */
const callTimeoutMs = 30_000;

export type GitHubSettings = {
  readonly appId: number;
  readonly privateKey: string;
  readonly apiUrl: string;
  /** Where git reaches repositories. */
  readonly webUrl: string;
};

type AppAuth = ReturnType<typeof createAppAuth>;

/** A turn that comes soon is waited for; one that does not must not keep others from working. */
const maxTurnWaitMs = 2_000;

export function createGitHub(
  { appId, privateKey, apiUrl, webUrl }: GitHubSettings,
  budget: WriteBudget,
): GitHub {
  const turns = createTurns(budget, maxTurnWaitMs);
  const call = request.defaults({ baseUrl: apiUrl, headers: { 'user-agent': 'hatchet' } });
  const login = (): AppAuth => createAppAuth({ appId, privateKey, request: call });
  let auth = login();

  const headersFor = async (installation: InstallationId): Promise<Record<string, string>> => {
    const { token } = await auth({ type: 'installation', installationId: installation });
    return { authorization: `token ${token}` };
  };
  const guarded = async <Result>(
    what: string,
    installation: InstallationId | null,
    action: () => Promise<Result>,
  ): Promise<Result> => {
    if (installation !== null) turns.refusePaused(installation);
    try {
      return await action();
    } catch (error) {
      const limitMs = limitWaitMs(error);
      if (limitMs !== null && installation !== null) await turns.pause(installation, limitMs);
      if (isTokenInDoubt(error)) auth = login();
      throw translate(what, error);
    }
  };

  const send: GitHub['graphql'] = (installation, query, variables) =>
    guarded('a GraphQL request', installation, async () => {
      const timed = graphql.defaults({
        baseUrl: apiUrl,
        headers: { 'user-agent': 'hatchet', ...(await headersFor(installation)) },
        request: { signal: AbortSignal.timeout(callTimeoutMs) },
      });
      const answer = await partial(timed, query, variables);
      const limitMs = limitWaitMs(answer);
      if (limitMs !== null) await turns.pause(installation, limitMs);
      if (isTokenInDoubt(answer)) auth = login();
      return answer;
    });

  const callApp: GitHub['app'] = (route, parameters) =>
    guarded(route, null, async () => {
      const { token } = await auth({ type: 'app' });
      const signal = AbortSignal.timeout(callTimeoutMs);
      const headers = { authorization: `bearer ${token}` };
      const answer = await call(route, { ...parameters, headers, request: { signal } });
      return { data: answer.data as unknown, ...told(answer.headers) };
    });

  return {
    graphql: send,
    async mutate(installation, mutation, variables, cost) {
      await turns.take(installation, cost);
      return send(installation, mutation, variables);
    },
    rest: (installation, route, parameters) =>
      guarded(route, installation, async () => {
        const headers = await headersFor(installation);
        const signal = AbortSignal.timeout(callTimeoutMs);
        try {
          return (await call(route, { ...parameters, headers, request: { signal } })).data as unknown;
        } catch (error) {
          if (statusOf(error) === 404) return null;
          throw error;
        }
      }),
    gitToken: ({ installationId, id }) =>
      guarded('a token for git', installationId, async () => {
        const scope = { repositoryIds: [id as number], permissions: { contents: 'read' as const } };
        return (await auth({ type: 'installation', installationId, ...scope })).token;
      }),
    gitUrl: ({ owner, name }) => `${webUrl}/${encodeURIComponent(owner)}/${encodeURIComponent(name)}.git`,
    app: callApp,
    ping: async () => void (await callApp('GET /app', {})),
  };
}

/** Lists of deliveries are paged by a cursor, others by numbers. Source: docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api */
function told({ date, link }: { readonly date?: string; readonly link?: string }): Omit<AppAnswer, 'data'> {
  const next = /<([^>]+)>;\s*rel="next"/.exec(link ?? '')?.[1];
  const query = next === undefined ? null : new URL(next).searchParams;
  return {
    at: new Date(date ?? Date.now()).toISOString(),
    next: query?.get('cursor') ?? query?.get('page') ?? null,
  };
}

type Send = (query: string, variables: Record<string, unknown>) => Promise<unknown>;

/** A mutation may do some of its writes and refuse others: that is an answer, not a failure. */
async function partial(
  send: Send,
  query: string,
  variables: Record<string, unknown>,
): Promise<GraphqlAnswer> {
  try {
    return { data: (await send(query, variables)) as Record<string, unknown>, errors: [] };
  } catch (error) {
    const response = error as {
      readonly data?: Record<string, unknown> | null;
      readonly errors?: readonly GraphqlError[];
    };
    if (response.data === undefined || response.data === null || response.errors === undefined) throw error;
    return {
      data: response.data,
      errors: response.errors.map((each) => ({ ...each, path: each.path ?? [] })),
    };
  }
}

/**
 * A token can end before its time, while the App is suspended for example, and it may do what the App was allowed when it
 * was made: after a refusal none of those kept is used again, so that a permission given since counts at once.
 */
function isTokenInDoubt(error: unknown): boolean {
  if (limitWaitMs(error) !== null) return false;
  const { errors = [] } = error as Partial<GraphqlAnswer>;
  return [401, 403].includes(statusOf(error) ?? 0) || errors.some(({ type }) => type === 'FORBIDDEN');
}

function statusOf(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : undefined;
}
