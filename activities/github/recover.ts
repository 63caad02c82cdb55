// What of ours is on GitHub already, when the answer to a write was lost?
import { z } from 'zod';
import type { PullRequestRef } from '../../workflows/model/repository.ts';
import type { GitHub } from './client.ts';
import type { Surface } from './surfaces.ts';

const query = `query($owner: String!, $name: String!, $number: Int!, $sha: GitObjectID!, $appId: Int!) {
  repository(owner: $owner, name: $name) {
    object(oid: $sha) {
      ... on Commit {
        checkSuites(first: 10, filterBy: { appId: $appId }) {
          nodes { checkRuns(first: 100, filterBy: { checkType: LATEST }) { nodes { id name status } } }
        }
      }
    }
    pullRequest(number: $number) {
      comments(last: 100) { nodes { id body viewerDidAuthor } }
    }
  }
}`;

const nodes = <Shape extends z.ZodType>(shape: Shape) =>
  z.object({ nodes: z.array(shape.nullable()).nullable() }).nullable();
const answerSchema = z.object({
  repository: z.object({
    object: z
      .object({
        checkSuites: nodes(
          z.object({ checkRuns: nodes(z.object({ id: z.string(), name: z.string(), status: z.string() })) }),
        ).optional(),
      })
      .nullable(),
    pullRequest: z
      .object({
        comments: nodes(z.object({ id: z.string(), body: z.string(), viewerDidAuthor: z.boolean() })),
      })
      .nullable(),
  }),
});

const replyPattern = /^<!-- hatchet:reply ([0-9a-f]{32}) -->/;

/** What is remembered, and beside it what is found: found things have no hash, so they are written over. */
export async function recoverSurfaces(
  deps: { readonly github: GitHub; readonly appId: number },
  ref: PullRequestRef,
  sha: string,
  remembered: readonly Surface[],
): Promise<readonly Surface[]> {
  const { owner, name, installationId } = ref.repository;
  const variables = { owner, name, number: ref.number, sha, appId: deps.appId };
  const { data } = await deps.github.graphql(installationId, query, variables);
  const { object, pullRequest } = answerSchema.parse(data).repository;
  const runs = present(object?.checkSuites?.nodes).flatMap((suite) => present(suite.checkRuns?.nodes));
  const comments = present(pullRequest?.comments?.nodes).filter(({ viewerDidAuthor }) => viewerDidAuthor);
  const found = [
    ...runs.map((run) => unread(`check:${sha}:${run.name}`, run.id, run.status !== 'COMPLETED')),
    ...comments
      .filter(({ body }) => body.startsWith('<!-- hatchet:pr -->'))
      .map(({ id }) => unread('comment', id, false)),
    ...comments.flatMap(({ id, body }) => {
      const mark = replyPattern.exec(body)?.[1];
      return mark === undefined ? [] : [{ ...unread('reply', id, false), hash: mark }];
    }),
  ];
  return reconcile(remembered, found);
}

/** A newer run of a check, or a comment made anew, has taken the place of the one that is remembered. */
function reconcile(remembered: readonly Surface[], found: readonly Surface[]): readonly Surface[] {
  const isIn = (surfaces: readonly Surface[], { nodeId }: Surface): boolean =>
    surfaces.some((surface) => surface.nodeId === nodeId);
  const fresh = found.filter((surface) => !isIn(remembered, surface));
  const displaced = new Set(fresh.map(({ key }) => key));
  return [...remembered.filter((surface) => !displaced.has(surface.key) || isIn(found, surface)), ...fresh];
}

const unread = (key: string, nodeId: string, open: boolean): Surface => ({
  key,
  nodeId,
  hash: '',
  annotationsHash: '',
  open,
  at: null,
});

const present = <Item>(items: readonly (Item | null)[] | null | undefined): readonly Item[] =>
  (items ?? []).filter((item) => item !== null);
