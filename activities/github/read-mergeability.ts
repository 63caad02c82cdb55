// What does GitHub say of merging this pull request, and which rules hold for its base branch?
import { z } from 'zod';
import type { Mergeability, RequiredCheck } from '../../workflows/model/mergeability.ts';
import type { PullRequest } from '../../workflows/model/pull-request.ts';
import type { Repository } from '../../workflows/model/repository.ts';
import type { GitHub } from './client.ts';

/** `isRequired` tells of the checks that are there, `refUpdateRule` and the rules of those that are not yet. */
const query = `query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      mergeStateStatus
      reviewThreads(first: 100) { nodes { isResolved } pageInfo { hasNextPage } }
      baseRef { refUpdateRule {
        requiredStatusCheckContexts requiresConversationResolution requiresSignatures
      } }
      commits(last: 1) { nodes { commit { statusCheckRollup { contexts(first: 100) { nodes {
        __typename
        ... on CheckRun {
          name conclusion isRequired(pullRequestNumber: $number) checkSuite { app { databaseId } }
        }
        ... on StatusContext { context state isRequired(pullRequestNumber: $number) }
      } } } } } }
    }
  }
}`;

const nodesOf = <Node extends z.ZodType>(node: Node) =>
  z.object({ nodes: z.array(node.nullable()).nullable() });
const context = z.discriminatedUnion('__typename', [
  z.object({
    __typename: z.literal('CheckRun'),
    name: z.string(),
    conclusion: z.string().nullable(),
    isRequired: z.boolean(),
    checkSuite: z.object({ app: z.object({ databaseId: z.number().nullable() }).nullable() }),
  }),
  z.object({
    __typename: z.literal('StatusContext'),
    context: z.string(),
    state: z.string(),
    isRequired: z.boolean(),
  }),
]);
const states = ['BEHIND', 'BLOCKED', 'CLEAN', 'DIRTY', 'DRAFT', 'HAS_HOOKS', 'UNKNOWN', 'UNSTABLE'] as const;
const updateRule = z.object({
  requiredStatusCheckContexts: z.array(z.string().nullable()).nullable(),
  requiresConversationResolution: z.boolean(),
  requiresSignatures: z.boolean(),
});
const commit = z.object({ statusCheckRollup: z.object({ contexts: nodesOf(context) }).nullable() });
const answerSchema = z.object({
  repository: z.object({
    pullRequest: z.object({
      mergeStateStatus: z.enum(states),
      reviewThreads: nodesOf(z.object({ isResolved: z.boolean() })).extend({
        pageInfo: z.object({ hasNextPage: z.boolean() }),
      }),
      baseRef: z.object({ refUpdateRule: updateRule.nullable() }).nullable(),
      commits: nodesOf(z.object({ commit })),
    }),
  }),
});

/** Source: docs.github.com/rest/repos/rules#get-rules-for-a-branch; an installation may read it. */
const rulesRoute = 'GET /repos/{owner}/{repo}/rules/branches/{branch}';
/** GitHub's largest page; a branch with more rules than this is nobody's. */
const rulesPerPage = 100;
const ruleSchema = z.object({
  type: z.string(),
  parameters: z
    .object({
      strict_required_status_checks_policy: z.boolean(),
      required_status_checks: z.array(
        z.object({ context: z.string(), integration_id: z.number().nullish() }),
      ),
      required_review_thread_resolution: z.boolean(),
      required_reviewers: z.array(z.unknown()),
    })
    .partial()
    .nullish(),
});
type Rule = z.infer<typeof ruleSchema>;

/** They can keep a pull request from being merged, and nothing tells whether they do. */
const unreadableRules: readonly string[] = [
  'code_scanning',
  'required_deployments',
  'required_signatures',
  'update',
  'workflows',
];

/** One check or status of the head. */
type Seen = {
  readonly name: string;
  readonly appId: number | null;
  readonly required: boolean;
  readonly state: Exclude<RequiredCheck['state'], 'missing'>;
};
/** What a rule names. `appId`: only this App's counts. */
type Wanted = { readonly name: string; readonly appId: number | null };

/** Two requests, side by side. */
export async function readMergeability(
  github: GitHub,
  repository: Repository,
  { number, base }: Pick<PullRequest, 'number' | 'base'>,
): Promise<Mergeability> {
  const { owner, name, installationId } = repository;
  const place = { owner, repo: name, branch: base, per_page: rulesPerPage };
  const [answer, found] = await Promise.all([
    github.graphql(installationId, query, { owner, name, number }),
    github.rest(installationId, rulesRoute, place),
  ]);
  return mergeabilityOf(answer.data, found);
}

/** `found`: the rules of the branch as REST tells them; null: GitHub shows none to this App, or cannot. */
export function mergeabilityOf(answer: unknown, found: unknown): Mergeability {
  const { pullRequest } = answerSchema.parse(answer).repository;
  const rules = z.array(ruleSchema).parse(found ?? []);
  const classic = pullRequest.baseRef?.refUpdateRule ?? null;
  const seen = (pullRequest.commits.nodes?.[0]?.commit.statusCheckRollup?.contexts.nodes ?? []).flatMap(
    (each) => (each === null ? [] : [seenOf(each)]),
  );
  const { nodes: threads, pageInfo } = pullRequest.reviewThreads;
  // What nobody has looked at may be open.
  const open = pageInfo.hasNextPage || (threads ?? []).some((thread) => thread?.isResolved === false);
  const resolves =
    classic?.requiresConversationResolution === true ||
    rules.some(({ parameters }) => parameters?.required_review_thread_resolution === true);
  return {
    state: pullRequest.mergeStateStatus.toLowerCase() as Mergeability['state'],
    required: requiredChecks(seen, [...contextsOf(classic?.requiredStatusCheckContexts), ...wantedOf(rules)]),
    strict:
      mayBeStrict(classic) ||
      rules.some(({ parameters }) => parameters?.strict_required_status_checks_policy === true),
    openConversations: open && resolves,
    unreadable: [
      ...new Set([
        ...(found === null ? ['rulesets'] : []),
        ...(classic?.requiresSignatures === true ? ['required_signatures'] : []),
        ...unreadableOf(rules),
      ]),
    ],
  };
}

/** Whether classic protection wants the base's tip is shown to administrators only; without required checks it cannot. */
const mayBeStrict = (classic: z.infer<typeof updateRule> | null): boolean =>
  contextsOf(classic?.requiredStatusCheckContexts).length > 0;

function seenOf(found: z.infer<typeof context>): Seen {
  if (found.__typename === 'StatusContext') {
    const state = found.state === 'SUCCESS' ? 'passed' : found.state === 'PENDING' ? 'running' : 'failed';
    return { name: found.context, appId: null, required: found.isRequired, state };
  }
  const passes = ['SUCCESS', 'NEUTRAL', 'SKIPPED'].includes(found.conclusion ?? '');
  return {
    name: found.name,
    appId: found.checkSuite.app?.databaseId ?? null,
    required: found.isRequired,
    state: passes ? 'passed' : found.conclusion === null ? 'running' : 'failed',
  };
}

const contextsOf = (names: readonly (string | null)[] | null | undefined): readonly Wanted[] =>
  (names ?? []).flatMap((name) => (name === null ? [] : [{ name, appId: null }]));

const wantedOf = (rules: readonly Rule[]): readonly Wanted[] =>
  rules.flatMap(({ parameters }) =>
    (parameters?.required_status_checks ?? []).map((each) => ({
      name: each.context,
      appId: each.integration_id ?? null,
    })),
  );

/** Every one that a rule names or GitHub calls required; of several of one name the worst counts. */
function requiredChecks(seen: readonly Seen[], wanted: readonly Wanted[]): readonly RequiredCheck[] {
  const called = seen.filter(({ required }) => required).map(({ name }) => ({ name, appId: null }));
  const names = [...new Set([...wanted, ...called].map(({ name }) => name))];
  return names.map((name) => {
    const apps = wanted.flatMap((one) => (one.name === name && one.appId !== null ? [one.appId] : []));
    const own = seen.filter(
      (one) => one.name === name && (apps.length === 0 || (one.appId !== null && apps.includes(one.appId))),
    );
    const worst = (['failed', 'running', 'passed'] as const).find((state) =>
      own.some((one) => one.state === state),
    );
    return { name, state: worst ?? 'missing' };
  });
}

function unreadableOf(rules: readonly Rule[]): readonly string[] {
  const kinds = rules.map(({ type }) => type).filter((type) => unreadableRules.includes(type));
  const reviewers = rules.some(({ parameters }) => (parameters?.required_reviewers ?? []).length > 0);
  return [...new Set([...kinds, ...(reviewers ? ['required_reviewers'] : [])])];
}
